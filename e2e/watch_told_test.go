//go:build e2e && linux

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// verdict is one line of `monitor --once -o ndjson`.
type verdict struct {
	Index   *int
	Device  string
	Address string
	State   string
	Since   *time.Time
	Loss    *float64
	RTT     *int64 `json:"rtt_us"`
	Probes  map[string]struct{ State string }
	Reason  string
}

func TestMonitorOnceTellsOfEach(t *testing.T) {
	t.Parallel()
	w, h := watched(t)
	s := newSite(t)
	s.settings(t, "devices:\n"+device("a", address(1, 0), "")+device("b", address(1, 1), "")+device("c", address(1, 2), ", parents: [b]")+
		"monitor: {timeout: 200ms}\n")
	if a := s.musterIn(t, w, "monitor", "--once", "-o", "ndjson"); a.code != 0 || !strings.Contains(a.stderr, `"up":3`) {
		t.Errorf("all are up: exit %d: %s%s", a.code, a.stdout, a.stderr)
	}
	h.silence(forEver, address(1, 1), address(1, 2))
	a := s.musterIn(t, w, "monitor", "--once", "-o", "ndjson")
	if a.code != 1 || !strings.Contains(a.stderr, `"down":1`) {
		t.Errorf("one is down: exit %d: %s", a.code, a.stderr)
	}
	want := map[string]string{"a": "up", "b": "down", "c": "unknown"}
	for i, v := range lines[verdict](t, a.stdout) {
		if v.State != want[v.Device] || v.Address == "" || v.Loss == nil || v.Index == nil || v.Probes["icmp"].State == "" ||
			(v.RTT != nil) != (v.State == "up") || v.Reason == "" {
			t.Errorf("line %d: %+v", i, v)
		}
		delete(want, v.Device)
	}
	if len(want) > 0 {
		t.Errorf("nothing of %v: %s", want, a.stdout)
	}
	if a := s.musterIn(t, w, "monitor", "--once", "@nobody"); a.code != 3 {
		t.Errorf("a group that is not there: exit %d: %s", a.code, a.stderr)
	}
}

func TestMonitorTellsEachChangeInALine(t *testing.T) {
	t.Parallel()
	w, h := watched(t)
	s := newSite(t)
	s.settings(t, "devices:\n"+device("a", address(1, 0), "")+device("b", address(1, 1), "")+"monitor: {interval: 200ms, timeout: 150ms, uplink: off}\n")
	cmd, stdout := s.command(t.Context(), "monitor", "-o", "ndjson"), &console{}
	cmd = w.enter(cmd)
	cmd.Stdout = stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	type change struct {
		Time                     time.Time
		Device, From, To, Reason string
	}
	last := func() (c change) {
		text := stdout.String()
		for _, one := range lines[change](t, text[:strings.LastIndexByte(text, '\n')+1]) {
			if one.Device == "a" {
				c = one
			}
		}
		return c
	}
	within(t, 10*time.Second, "a is up", func() bool { return last().To == "up" })
	h.silence(forEver, address(1, 0))
	within(t, 10*time.Second, "a is down", func() bool { return last().To == "down" })
	if c := last(); c.From != "up" || c.Reason == "" || time.Since(c.Time).Abs() > 10*time.Second {
		t.Errorf("%+v", c)
	}
	h.silence(0, address(1, 0))
	within(t, 10*time.Second, "a is up again", func() bool { return last().To == "up" })
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if text := stdout.String(); strings.Contains(text, `"b","from":"up"`) || cmd.ProcessState.ExitCode() > 130 {
		t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), text)
	}
}

func TestAServerIsAskedByCommands(t *testing.T) {
	t.Parallel()
	w, h := watched(t)
	hook := w.newHook(t)
	s := newSite(t)
	s.write(t, "alertmanager.yml", hook.receivers())
	s.settings(t, "{}\n")
	if a := s.muster(t, "monitor", "report"); a.code != 3 {
		t.Errorf("a report of nothing: exit %d: %s", a.code, a.stderr)
	}
	v := s.watch(t, &w, "devices:\n"+device("a", address(1, 0), "")+device("b", address(1, 1), "")+device("c", address(1, 2), "")+watchSettings)
	time.Sleep(5 * watchInterval)
	h.silence(forEver, address(1, 0))
	within(t, 10*time.Second, "the alert is listed", func() bool {
		return strings.Contains(s.ok(t, "alert", "ls", "-o", "ndjson"), `"name":"device-down"`)
	})
	id := strings.TrimSpace(s.ok(t, "alert", "silence", "device=a", "--for", "1h", "--comment", "new card"))
	if out := s.ok(t, "alert", "ls", "device-down", "-o", "ndjson"); !strings.Contains(out, `"state":"silenced"`) || !strings.Contains(out, `"device":"a"`) {
		t.Errorf("alert ls: %s", out)
	}
	if out := s.ok(t, "alert", "silence", "--list", "-o", "ndjson"); !strings.Contains(out, id) || !strings.Contains(out, "new card") {
		t.Errorf("alert silence --list: %s", out)
	}
	s.ok(t, "alert", "silence", "--expire", id)
	hook.await(t, 0, "device-down a firing")
	if out := s.ok(t, "alert", "test", "device-down", "--since", "1h", "-o", "ndjson"); !strings.Contains(out, `"fired":1`) {
		t.Errorf("alert test: %s", out)
	}
	if a := s.muster(t, "alert", "silence", "device=~("); a.code != 2 {
		t.Errorf("a wrong matcher: exit %d: %s", a.code, a.stderr)
	}
	tree := s.ok(t, "tasks", "-o", "ndjson")
	for _, name := range []string{"serve", "alert router", "alert rules", "monitor", "ping", "schedule", "http"} {
		if !strings.Contains(tree, `"name":"`+name+`"`) {
			t.Errorf("tasks: no %s: %s", name, tree)
		}
	}
	type report struct {
		Device       string
		Availability *float64
		Median       *int64 `json:"median_us"`
		P95          *int64 `json:"p95_us"`
		Downs        int
	}
	check := func(when string) {
		t.Helper()
		for _, r := range lines[report](t, s.ok(t, "monitor", "report", "--since", "1h", "-o", "ndjson")) {
			well := r.Device != "a"
			if r.Availability == nil || (*r.Availability == 1) != well || r.Median == nil || r.P95 == nil || *r.P95 < *r.Median || (r.Downs == 0) != well {
				t.Errorf("%s: %+v", when, r)
			}
		}
	}
	check("beside the server")
	v.signal(t, syscall.SIGTERM)
	<-v.ended
	check("without it")
}
