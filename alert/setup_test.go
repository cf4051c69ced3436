package alert_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/storetest"
)

// bench is an engine with all that it stands on.
type bench struct {
	*testing.T
	watch   *storetest.Watch
	post    *post
	history *history
	devices []muster.Device
	rules   []alert.Rule
	engine  *alert.Engine
	stop    func()
	events  int
}

// inBubble runs a test with an engine, on a clock of its own. The engine runs until the end.
func inBubble(t *testing.T, rules []alert.Rule, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, watch: &storetest.Watch{}, post: &post{}, history: &history{}, rules: rules, devices: fleet(8)}
		b.start()
		defer func() { b.stop() }()
		f(b)
	})
}

// fleet are devices r1, r2...: the odd ones in group core and the even ones in group edge.
func fleet(n int) []muster.Device {
	all := make([]muster.Device, n)
	for i := range all {
		all[i] = muster.Device{
			Name: fmt.Sprintf("r%d", i+1), Address: fmt.Sprintf("198.18.0.%d", i+1), Platform: "frr",
			Group: []string{"core", "edge"}[i%2], Tags: map[string]string{"site": "ams"},
		}
	}
	return all
}

// start makes an engine and lets it run.
func (b *bench) start() {
	b.Helper()
	e, err := alert.New(b.Context(), b.config())
	if err != nil {
		b.Fatal(err)
	}
	b.run(e)
}

// run lets an engine run until stop.
func (b *bench) run(e *alert.Engine) {
	b.Helper()
	b.engine = e
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil && b.watch.Fault == nil {
			b.Errorf("Run has ended with %v", err)
		}
		b.stop = func() {}
	}
	b.wait(0)
}

func (b *bench) config() alert.Config {
	return alert.Config{
		Rules: b.rules, Sender: b.post, States: b.watch, Samples: b.history,
		Devices: func() []muster.Device { return b.devices },
	}
}

// restart ends the engine, lets time pass, and starts another one on the same store.
func (b *bench) restart(after time.Duration) {
	b.Helper()
	b.stop()
	time.Sleep(after)
	b.start()
}

// kill starts another engine on what the store has now, as after kill -9.
func (b *bench) kill() {
	b.Helper()
	kept := &storetest.Watch{}
	copyWatch(b.T, b.watch, kept)
	b.stop()
	b.watch = kept
	b.start()
}

func copyWatch(t *testing.T, from, to *storetest.Watch) {
	t.Helper()
	firings, _ := from.Firings(t.Context())
	healths, _ := from.Healths(t.Context())
	if err := errors.Join(to.SaveFirings(t.Context(), firings), to.SaveHealth(t.Context(), healths)); err != nil {
		t.Fatal(err)
	}
}

// wait lets time pass, and all that happens at its end.
func (b *bench) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// take tells the engine an event.
func (b *bench) take(ev muster.Event) {
	b.Helper()
	if ev.ID == "" {
		b.events++
		ev.ID = fmt.Sprintf("%d-%d", time.Now().UnixNano(), b.events)
	}
	if ev.Time.IsZero() {
		ev.Time = time.Now()
	}
	if err := b.engine.Take(b.Context(), ev); err != nil {
		b.Fatal(err)
	}
	synctest.Wait()
}

// health tells of a transition, which the monitor keeps too.
func (b *bench) health(device string, to muster.Health, quiet ...string) {
	b.Helper()
	now := time.Now()
	if err := b.watch.SaveHealth(b.Context(), []store.Health{{Device: device, State: to, Since: now}}); err != nil {
		b.Fatal(err)
	}
	b.take(muster.Event{Kind: muster.EventHealth, Device: muster.Device{Name: device}, Transition: &muster.Transition{
		Time: now, Device: device, To: to, Reason: "because of a test", Quiet: len(quiet) > 0,
	}})
}

// backup tells of a backup of a device.
func (b *bench) backup(kind muster.EventKind, device, text string) {
	b.Helper()
	b.take(muster.Event{Kind: kind, Device: muster.Device{Name: device}, Text: text})
}

// firing are the names of the alerts that fire, with their device, group or series, sorted.
func (b *bench) firing() string { return b.in(alert.Firing) }

func (b *bench) in(phase alert.Phase) string {
	var all []string
	for _, s := range b.engine.Alerts() {
		if s.Phase == phase {
			all = append(all, name(s.Labels))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func name(labels map[string]string) string {
	for _, l := range []string{muster.LabelDevice, muster.LabelGroup, muster.LabelSource, "rule", "site"} {
		if labels[l] != "" {
			return labels[muster.LabelAlert] + ":" + labels[l]
		}
	}
	return labels[muster.LabelAlert]
}

// want fails unless exactly these alerts fire.
func (b *bench) want(firing string) {
	b.Helper()
	if got := b.firing(); got != firing {
		b.Fatalf("at %s there fire %q, want %q", time.Now().Format(time.TimeOnly), got, firing)
	}
}

// post is a Sender that remembers what each alert was said to be last.
type post struct {
	mu     sync.Mutex
	fails  error
	alerts map[string]muster.Alert
	starts map[string]map[time.Time]bool
	calls  int
	hook   func() // called by Send
	sizes  []int
}

func (p *post) Send(_ context.Context, alerts []muster.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.hook != nil {
		p.hook()
	}
	if p.fails != nil {
		return p.fails
	}
	if p.alerts == nil {
		p.alerts, p.starts = map[string]muster.Alert{}, map[string]map[time.Time]bool{}
	}
	p.sizes = append(p.sizes, len(alerts))
	for _, a := range alerts {
		n := name(a.Labels)
		p.alerts[n] = a
		if p.starts[n] == nil {
			p.starts[n] = map[time.Time]bool{}
		}
		p.starts[n][a.Starts] = true
	}
	return nil
}

// fail lets sending fail, or with nil work again.
func (p *post) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = err
}

// said tells what an alert was said to be: "", firing or ended.
func (p *post) said(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.alerts[name]
	switch {
	case !ok:
		return ""
	case a.Firing(time.Now()):
		return "firing"
	default:
		return "ended"
	}
}

// began tells how many starts an alert was said to have.
func (p *post) began(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.starts[name])
}

func (p *post) last(name string) muster.Alert {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alerts[name]
}

// forget forgets all that was said.
func (p *post) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alerts, p.starts, p.calls, p.sizes = nil, nil, 0, nil
}

// all are the names of all that was said.
func (p *post) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(p.alerts)), " ")
}

// history answers expressions by what it was told to answer.
type history struct {
	store.Samples
	mu     sync.Mutex
	give   map[string][]muster.Series
	fail   map[string]error
	hang   map[string]bool
	asked  map[string]int
	during func(expr string) // called while an expression is asked
	ranges func(expr string, first, last time.Time, step time.Duration) []muster.Series
}

func (h *history) Query(ctx context.Context, expr string, _ time.Time) ([]muster.Series, error) {
	h.mu.Lock()
	hang, give, fail := h.hang[expr], h.give[expr], h.fail[expr]
	if h.asked == nil {
		h.asked = map[string]int{}
	}
	h.asked[expr]++
	h.mu.Unlock()
	if h.during != nil {
		h.during(expr)
	}
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return give, fail
}

func (h *history) QueryRange(_ context.Context, expr string, first, last time.Time, step time.Duration) ([]muster.Series, error) {
	if err := h.fail[expr]; err != nil {
		return nil, err
	}
	return h.ranges(expr, first, last, step), nil
}

// answers sets what an expression gives: a series for each device, or its error.
func (h *history) answers(expr string, err error, devices ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.give == nil {
		h.give, h.fail = map[string][]muster.Series{}, map[string]error{}
	}
	h.fail[expr], h.give[expr] = err, nil
	for i, d := range devices {
		h.give[expr] = append(h.give[expr], muster.Series{
			Labels: map[string]string{"__name__": "muster_probe_loss_ratio", "device": d, "probe": "icmp"},
			Points: []muster.Point{{Time: time.Now(), Value: 0.25 + float64(i)}},
		})
	}
}
