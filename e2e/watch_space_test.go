//go:build e2e && linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hosts are those of a responder, which answers for each until it is told to be silent.
type hosts struct {
	mu     sync.Mutex
	left   map[netip.Addr]int         // how many requests it leaves unanswered from now on
	missed map[netip.Addr][]time.Time // when it left one unanswered
}

// forEver is more requests than a test sends.
const forEver = 1 << 30

// watched is a network of hosts that can be silenced.
func watched(t *testing.T) (space, *hosts) {
	t.Helper()
	h := &hosts{left: map[netip.Addr]int{}, missed: map[netip.Addr][]time.Time{}}
	w, _ := respond(t, h.answer)
	return w, h
}

func (h *hosts) answer(r *responder, request []byte) {
	addr := netip.AddrFrom4([4]byte(request[16:20]))
	h.mu.Lock()
	silent := h.left[addr] > 0
	if silent {
		h.left[addr]--
		h.missed[addr] = append(h.missed[addr], time.Now())
	}
	h.mu.Unlock()
	if !silent {
		r.reply(request)
	}
}

// silence leaves so many requests to each of the hosts unanswered; 0 ends that.
func (h *hosts) silence(requests int, addrs ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, addr := range addrs {
		h.left[netip.MustParseAddr(addr)] = requests
	}
}

// missedIn counts the requests to a host that it left unanswered in a time.
func (h *hosts) missedIn(addr string, from, to time.Time) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, at := range h.missed[netip.MustParseAddr(addr)] {
		if at.After(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// notice is one alert of a notification.
type notice struct {
	Status      string
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time

	at time.Time // when it came
}

// word is what it says in short: "device-down r1 firing".
func (n notice) word() string {
	return strings.Join(strings.Fields(n.Labels["alertname"]+" "+n.Labels["device"]+" "+n.Status), " ")
}

// hook is a receiver of notifications that keeps them.
type hook struct {
	url string

	mu  sync.Mutex
	all []notice
}

// newHook makes a receiver in the network of the space.
func (w space) newHook(t *testing.T) *hook {
	t.Helper()
	var l net.Listener
	w.inside(t, func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	return serveHook(t, l)
}

// serveHook makes a receiver that listens there.
func serveHook(t *testing.T, l net.Listener) *hook {
	h := &hook{url: "http://" + l.Addr().String() + "/"}
	srv := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
		if t.Failed() {
			for _, n := range h.taken() {
				t.Logf("%s %s, since %s: %s", n.at.Format("05.000"), n.word(), n.StartsAt.Format("05.000"), n.Annotations["description"])
			}
		}
	})
	return h
}

func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct{ Alerts []notice }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		body.Alerts = []notice{{Status: err.Error()}}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range body.Alerts {
		n.at = time.Now()
		h.all = append(h.all, n)
	}
}

// taken are the notifications so far.
func (h *hook) taken() []notice {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

// words are the notifications but for the first so many, in short and in the order in which they came.
func (h *hook) words(but int) []string {
	words := []string{}
	for _, n := range h.taken()[but:] {
		words = append(words, n.word())
	}
	return words
}

// await waits until a notification comes, the first so many left out, and returns it.
func (h *hook) await(t *testing.T, but int, word string) notice {
	t.Helper()
	var found notice
	within(t, 15*time.Second, word, func() bool {
		all := h.taken()[but:]
		i := slices.IndexFunc(all, func(n notice) bool { return n.word() == word })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found
}

// receivers is an alertmanager.yml that tells the receiver of each alert by itself and at once.
func (h *hook) receivers() string {
	return fmt.Sprintf(`route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: '%s'}]}]
`, h.url)
}

// serving is a running `muster serve`.
type serving struct {
	cmd    *exec.Cmd
	stderr *console
	ended  chan struct{}
	url    string       // where it listens
	client *http.Client // asks in its network
}

var listensAt = regexp.MustCompile(`see (http://\S+)/health`)

// watch writes the settings and starts `muster serve` with them, in the space or, where there is none, beside the test. It returns
// when all of it runs.
func (s *site) watch(t *testing.T, w *space, settings string) *serving {
	t.Helper()
	s.settings(t, settings)
	v := s.start(t, w)
	within(t, 15*time.Second, "muster serves: "+v.stderr.String(), func() bool {
		m := listensAt.FindStringSubmatch(v.stderr.String())
		if m != nil {
			v.url = m[1]
		}
		return m != nil || v.hasEnded()
	})
	if v.url == "" {
		t.Fatalf("muster serve ended: %s", v.stderr)
	}
	return v
}

// settings writes muster.yaml, which every command of the site goes by then.
func (s *site) settings(t *testing.T, text string) {
	t.Helper()
	s.set("MUSTER_CONFIG", s.write(t, "muster.yaml", text))
}

// start starts `muster serve`.
func (s *site) start(t *testing.T, w *space, args ...string) *serving {
	t.Helper()
	v := &serving{cmd: s.command(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), stderr: &console{}, ended: make(chan struct{})}
	v.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if w != nil {
		v.cmd = w.enter(v.cmd)
		v.client.Transport.(*http.Transport).DialContext = w.dialer(t)
	}
	v.cmd.Stderr = v.stderr
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(v.ended)
		v.cmd.Wait()
	}()
	t.Cleanup(func() {
		v.kill()
		the.sec.mustNotBeIn(t, "muster serve", v.stderr.String(), false)
		if t.Failed() {
			t.Logf("muster serve: %s", v.stderr)
		}
	})
	return v
}

// dialer connects in the network of the space.
func (w space) dialer(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		w.inside(t, func() error {
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
			return nil
		})
		return conn, err
	}
}

func (v *serving) hasEnded() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}

// kill ends it as kill -9 does.
func (v *serving) kill() {
	v.cmd.Process.Kill()
	<-v.ended
}

// signal sends a signal.
func (v *serving) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := v.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// says waits until the log has a text, its first so many bytes left out.
func (v *serving) says(t *testing.T, but int, text string) {
	t.Helper()
	within(t, 15*time.Second, text, func() bool { return strings.Contains(v.stderr.String()[but:], text) })
}

// get asks for a page, by a name for this machine where host is not empty.
func (v *serving) get(t *testing.T, path, host string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	res, err := v.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// device is a line of the settings' devices.
func device(name, address, more string) string {
	return fmt.Sprintf("  - {name: %s, address: %s%s}\n", name, address, more)
}

// musterIn runs the binary in the space to its end.
func (s *site) musterIn(t *testing.T, w space, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, _ := w.run(t, s.command(ctx, args...))
	return a
}
