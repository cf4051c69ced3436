package route_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

// hook is a receiver of notifications that keeps them.
type hook struct {
	mu     sync.Mutex
	notes  []string // "0s firing group=edge: down r1, down r2(resolved)"
	begin  time.Time
	broken bool
	stall  time.Duration
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n struct {
		Status      string
		GroupLabels map[string]string
		Alerts      []struct {
			Status      string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
	err := json.NewDecoder(r.Body).Decode(&n)
	defer func() { time.Sleep(h.stall) }() // without the lock
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken || err != nil {
		http.Error(w, "broken", http.StatusServiceUnavailable)
		return
	}
	var alerts []string
	for _, a := range n.Alerts {
		text := a.Labels["alertname"] + " " + a.Labels["device"]
		if a.Status == "resolved" {
			text += "(resolved)"
		}
		alerts = append(alerts, text)
	}
	slices.Sort(alerts)
	h.notes = append(h.notes, fmt.Sprintf("%v %s %s: %s", time.Since(h.begin).Truncate(time.Second), n.Status, words(n.GroupLabels), strings.Join(alerts, ", ")))
}

func words(m map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, name+"="+m[name])
	}
	return strings.Join(all, " ")
}

// taken returns the notifications since the last call.
func (h *hook) taken() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.notes
	h.notes = nil
	return taken
}

func (h *hook) breakDown(broken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = broken
}

// pipes is a network in memory: what is dialled is accepted.
type pipes chan net.Conn

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// bench is a Router at work and its receiver, in a bubble of synctest.
type bench struct {
	*route.Router
	t     *testing.T
	hook  *hook
	net   pipes
	o     route.Options
	stop  context.CancelFunc
	ended chan error
}

const config = `
route:
  receiver: hook
  group_by: [group]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:80/
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [device]
`

// set starts a receiver and a Router that notifies at once; both end with the test.
func set(t *testing.T, o route.Options) *bench {
	b := &bench{t: t, hook: &hook{begin: time.Now()}, net: make(pipes), o: o}
	if b.o.Config == nil && b.o.ConfigFile == "" {
		b.o.Config = []byte(config)
	}
	if b.o.Dir == "" {
		b.o.Dir = t.TempDir()
	}
	if b.o.Delay == 0 {
		b.o.Delay = -1
	}
	b.o.Dial = b.net.dial
	server := &http.Server{Handler: b.hook}
	served := make(chan struct{})
	go func() { server.Serve(b.net); close(served) }()
	b.start()
	t.Cleanup(func() {
		b.end()
		close(b.net)
		<-served
		server.Close()
	})
	return b
}

func (b *bench) start() {
	b.t.Helper()
	r, err := route.Open(b.o)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.Router, b.stop, b.ended = r, cancel, make(chan error, 1)
	go func() { b.ended <- r.Run(ctx) }()
}

func (b *bench) end() {
	b.t.Helper()
	b.stop()
	if err := <-b.ended; err != nil {
		b.t.Error(err)
	}
	b.ended <- nil
}

// fires says each minute that alerts fire, for a time.
func (b *bench) fires(d time.Duration, some ...muster.Alert) {
	b.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		b.send(some...)
		time.Sleep(min(time.Minute, time.Until(end)))
	}
}

func (b *bench) send(some ...muster.Alert) {
	b.t.Helper()
	if err := b.Send(b.t.Context(), some); err != nil {
		b.t.Fatal(err)
	}
}

// down is an alert of a device in a group.
func down(device, group string) muster.Alert {
	return muster.Alert{
		Labels:      map[string]string{"alertname": "down", "device": device, "group": group, "severity": "critical"},
		Annotations: map[string]string{"summary": device + " does not answer"},
		Starts:      time.Now(),
	}
}

func over(a muster.Alert) muster.Alert {
	a.Ends = time.Now()
	return a
}
