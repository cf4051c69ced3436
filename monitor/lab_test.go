package monitor_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/store"
)

const (
	interval = 10 * time.Second
	timeout  = 2 * time.Second
	prompt   = time.Millisecond
)

// answer is what a host does with a request: how long its reply takes, or why there is none.
type answer struct {
	rtt time.Duration
	err error
}

var (
	alive   = answer{rtt: prompt}
	silence = answer{err: ping.ErrNoReply}
	dropped = answer{err: ping.ErrDropped}
	unsent  = answer{err: &ping.SendError{Err: errors.New("network is unreachable")}}
)

// lab is a monitor of hosts in memory, in the time of the test.
type lab struct {
	t       *testing.T
	began   time.Time
	cfg     monitor.Config
	m       *monitor.Monitor
	answers func(name string, at time.Duration) answer // by the time since the lab began
	asked   map[string][]time.Duration                 // when
	events  []muster.Event
	deaf    error // of PublishAll
	mu      sync.Mutex
	targets []monitor.Target // of the fake pings, in the order of their places
}

// hosts are targets with an address each.
func hosts(names ...string) (targets []monitor.Target) {
	addr := netip.MustParseAddr("198.18.0.1")
	for _, name := range names {
		targets = append(targets, monitor.Target{
			Device: muster.Device{Name: name, Address: addr.String()}, Interval: interval, Timeout: timeout,
		})
		addr = addr.Next()
	}
	return targets
}

func numbered(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s%02d", prefix, i))
	}
	return names
}

// watching runs a monitor of targets for a time. prepare may change what answers and the Config; during, when set, runs
// beside it.
func watching(t *testing.T, d time.Duration, targets []monitor.Target, prepare func(*lab), during func(*lab)) *lab {
	t.Helper()
	l := &lab{t: t, targets: targets, asked: map[string][]time.Duration{}}
	synctest.Test(t, func(t *testing.T) {
		l.run(t, d, prepare, during)
	})
	return l
}

func (l *lab) run(t *testing.T, d time.Duration, prepare func(*lab), during func(*lab)) {
	l.began = time.Now()
	l.answers = func(string, time.Duration) answer { return alive }
	l.cfg = monitor.Config{Targets: l.targets, Events: l, Pinger: l.ping}
	if prepare != nil {
		prepare(l)
	}
	m, err := monitor.New(l.cfg)
	if err != nil {
		t.Fatal(err)
	}
	l.m = m
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	if during != nil {
		during(l)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// at sleeps until a time since the lab began, and a little longer so that everything at that time is done.
func (l *lab) at(d time.Duration) {
	time.Sleep(time.Until(l.began.Add(d)))
	synctest.Wait()
}

// PublishAll keeps events.
func (l *lab) PublishAll(_ context.Context, events []muster.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf != nil {
		return l.deaf
	}
	l.events = append(l.events, events...)
	return nil
}

// told are the transitions of this run that are not quiet, as "r1 up>down"; all also the quiet ones.
func (l *lab) told(all ...bool) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if t := e.Transition; !t.Time.Before(l.began) && (!t.Quiet || len(all) > 0) {
			lines = append(lines, fmt.Sprintf("%s %s>%s", t.Device, t.From, t.To))
		}
	}
	return lines
}

// when is when a device became something first, and why.
func (l *lab) when(device string, to muster.Health) (time.Duration, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if t := e.Transition; t.Device == device && t.To == to {
			return t.Time.Sub(l.began), t.Reason
		}
	}
	return -1, ""
}

func (l *lab) state(name string) monitor.State {
	l.t.Helper()
	for s := range l.m.States() {
		if s.Device.Name == name {
			return s
		}
	}
	l.t.Fatalf("there is no %s", name)
	return monitor.State{}
}

func (l *lab) wantTold(want ...string) {
	l.t.Helper()
	if got := l.told(); !slices.Equal(got, want) {
		l.t.Errorf("told %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// happening is a request, or what becomes of one.
type happening struct {
	at time.Time
	do func() bool
}

// ping stands in for ping.Steady: each target has its place by its number, and is asked for ever.
func (l *lab) ping(ctx context.Context, _ *ping.Plan, _ ping.Config) iter.Seq2[ping.Probe, error] {
	return func(yield func(ping.Probe, error) bool) {
		var coming []happening
		later := func(at time.Time, do func() bool) {
			h := happening{at, do}
			i, _ := slices.BinarySearchFunc(coming, h, func(a, b happening) int { return cmp.Or(a.at.Compare(b.at), -1) })
			coming = slices.Insert(coming, i, h)
		}
		for i, t := range l.targets {
			if !pinged(t) {
				continue
			}
			var turn func() bool
			turn = func() bool {
				if l.planned(t.Device.Name) {
					l.ask(t, later, yield)
				}
				later(time.Now().Add(t.Interval), turn)
				return true
			}
			later(time.Now().Add(t.Interval*time.Duration(i)/time.Duration(len(l.targets))), turn)
		}
		for len(coming) > 0 {
			wait := time.NewTimer(time.Until(coming[0].at))
			select {
			case <-wait.C:
			case <-ctx.Done():
				wait.Stop()
				yield(ping.Probe{}, context.Cause(ctx))
				return
			}
			next := coming[0]
			coming = coming[1:]
			if !next.do() {
				return
			}
		}
	}
}

func pinged(t monitor.Target) bool {
	return len(t.Probes) == 0 || slices.ContainsFunc(t.Probes, func(c monitor.Check) bool { return c.Kind == "icmp" })
}

// planned tells whether a target is still one.
func (l *lab) planned(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.targets, func(t monitor.Target) bool { return t.Device.Name == name })
}

// ask makes a request and has its fate happen in time.
func (l *lab) ask(t monitor.Target, later func(time.Time, func() bool), yield func(ping.Probe, error) bool) {
	now := time.Now()
	at := now.Sub(l.began)
	l.mu.Lock()
	l.asked[t.Device.Name] = append(l.asked[t.Device.Name], at)
	l.mu.Unlock()
	p := ping.Probe{Key: t.Device.Name, Addr: netip.MustParseAddr(t.Device.Address), Sent: now}
	a := l.answers(t.Device.Name, at)
	_, refused := a.err.(*ping.SendError)
	if a.err != nil || a.rtt > t.Timeout {
		end := now.Add(t.Timeout)
		if refused {
			end = now
		}
		lost := cmp.Or(a.err, error(ping.ErrNoReply))
		later(end, func() bool { return yield(p, lost) })
	}
	if a.err == nil {
		late := p
		late.RTT, late.Late = a.rtt, a.rtt > t.Timeout
		later(now.Add(a.rtt), func() bool { return yield(late, nil) })
	}
}

// states is a store.Watch in memory. Once it is dead nothing is written any more, as after kill -9.
type states struct {
	store.Watch
	mu          sync.Mutex
	health      map[string]store.Health
	transitions []muster.Transition
	writes      int
	fault       error
	dead        bool
}

func (s *states) SaveHealth(_ context.Context, some []store.Health) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil || s.dead {
		return s.fault
	}
	if s.health == nil {
		s.health = map[string]store.Health{}
	}
	for _, h := range some {
		s.health[h.Device] = h
		s.writes++
	}
	return nil
}

func (s *states) DropHealth(_ context.Context, names []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		delete(s.health, n)
	}
	return s.fault
}

func (s *states) Healths(context.Context) (all []store.Health, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.health {
		all = append(all, h)
	}
	return all, s.fault
}

func (s *states) AddTransitions(_ context.Context, some []muster.Transition, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil && !s.dead {
		s.transitions = append(s.transitions, some...)
	}
	return s.fault
}

func (s *states) TransitionsSince(_ context.Context, _ string, since time.Time) (some []muster.Transition, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transitions {
		if !t.Time.Before(since) {
			some = append(some, t)
		}
	}
	return some, s.fault
}

// of is the health that is kept of a device, and how many rows were written in all.
func (s *states) of(name string) (h store.Health, ok bool, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok = s.health[name]
	return h, ok, s.writes
}

// fail makes every call fail from now on; nil ends it.
func (s *states) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

func (s *states) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

// samples is a store.Samples in memory.
type samples struct {
	store.Samples
	mu    sync.Mutex
	got   map[string][]muster.Point // by metric and device
	n     int
	fault error
	stall time.Duration
}

func (s *samples) Write(_ context.Context, some []muster.Sample) error {
	s.mu.Lock()
	stall, fault := s.stall, s.fault
	s.mu.Unlock()
	time.Sleep(stall)
	if fault != nil {
		return fault
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.got == nil {
		s.got = map[string][]muster.Point{}
	}
	for _, x := range some {
		key := strings.Join([]string{x.Name, x.Labels["device"], x.Labels["group"], x.Labels["probe"]}, " ")
		s.got[key] = append(s.got[key], muster.Point{Time: x.Time, Value: x.Value})
		s.n++
	}
	return nil
}
