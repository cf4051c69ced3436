package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// notes is a log that a test may read while it is written.
type notes struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// served is a muster that serves in this process.
type served struct {
	app     *app.App
	home    string
	address string
	log     *notes
	reload  chan os.Signal
	stop    context.CancelFunc
	over    chan error
}

// quietly are settings that leave what a test does not look at alone.
const quietly = "data_dir: data\nserve: {listen: '127.0.0.1:0'}\n"

// openServed opens the settings of a home.
func openServed(ctx context.Context, home string, log *notes) (*app.App, error) {
	return app.Open(ctx, app.Options{
		Settings: filepath.Join(home, "muster.yaml"), Getenv: getenv([]string{"HOME=" + home}),
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
}

// serve serves what a settings file says until the test ends or stop is called.
func serve(t *testing.T, home, settings string) *served {
	t.Helper()
	s := &served{home: home, log: &notes{}, reload: make(chan os.Signal), over: make(chan error, 1)}
	s.write(t, "muster.yaml", quietly+settings)
	a, err := openServed(t.Context(), home, s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.app = a
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	ready := make(chan string, 1)
	go func() {
		s.over <- errors.Join(a.Serve(ctx, app.ServeOptions{
			Version: "test", Ready: func(address string, _ int) { ready <- address }, Reload: s.reload,
			Again: func(ctx context.Context) (*app.App, error) { return openServed(ctx, home, s.log) },
		}), a.Close())
	}()
	t.Cleanup(func() { s.end(t) })
	select {
	case s.address = <-ready:
	case err := <-s.over:
		s.over <- nil
		t.Fatalf("it does not serve: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("it is not ready in time")
	}
	return s
}

func (s *served) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.home, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// end stops it and wants it to have ended well.
func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	select {
	case err := <-s.over:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
		s.over <- nil
	case <-time.After(30 * time.Second):
		t.Errorf("it does not end:\n%s", s.log)
	}
}

// again asks for a reload and waits until the log says what became of it.
func (s *served) again(t *testing.T, settings, says string) {
	t.Helper()
	s.write(t, "muster.yaml", quietly+settings)
	before := len(s.log.String())
	s.reload <- os.Interrupt
	await(t, "the log to say "+says, func() bool { return strings.Contains(s.log.String()[before:], says) })
}

func (s *served) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	return s.getFor(t, path, "")
}

func (s *served) getFor(t *testing.T, path, host string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host, req.Close = host, true
	res, err := http.DefaultClient.Do(req)
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

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// withDevices starts a fleet, and lists it in a new home.
func withDevices(t *testing.T, c sim.Config, f func(ctx context.Context, fleet *sim.Fleet, home string)) {
	t.Helper()
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, c)
		if err != nil {
			return err
		}
		defer fleet.Close()
		home := t.TempDir()
		var b bytes.Buffer
		if err := fleet.WriteInventory(&b, "csv"); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(home, "list.csv"), b.Bytes(), 0o600); err != nil {
			return err
		}
		f(ctx, fleet, home)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// alertmanager is an Alertmanager elsewhere that keeps what it is told.
type alertmanager struct {
	mu   sync.Mutex
	told []map[string]map[string]string
	all  string
}

func (m *alertmanager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var alerts []struct{ Labels, Annotations map[string]string }
	_ = json.Unmarshal(body, &alerts)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all += string(body)
	for _, a := range alerts {
		m.told = append(m.told, map[string]map[string]string{"labels": a.Labels, "annotations": a.Annotations})
	}
}

func (m *alertmanager) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = nil
}

// of returns the last alert of a rule about a device.
func (m *alertmanager) of(rule, device string) (annotations map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.told {
		if a["labels"]["alertname"] == rule && a["labels"]["device"] == device {
			annotations = a["annotations"]
		}
	}
	return annotations
}

func TestAScheduledBackupTellsOfChangesWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	withDevices(t, sim.Config{Devices: 3, Seed: 3, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, fleet *sim.Fleet, home string) {
		m := &alertmanager{}
		am := httptest.NewServer(m)
		defer am.Close()
		s := serve(t, home, "inventory: [{file: list.csv}]\ndefaults: {secrets: keep}\nmonitor: off\nbackup: {every: 1s, jitter: 0s}\nalerts: {url: '"+am.URL+"'}\n")
		defer s.end(t)
		await(t, "the first backup", func() bool { return strings.Contains(s.log.String(), "backup done") })
		changed := fleet.Change(1)[0]
		await(t, "the alert about a change", func() bool { return m.of("config-changed", changed) != nil })
		diff := m.of("config-changed", changed)["description"]
		if !strings.Contains(diff, "\n@@ ") || !strings.Contains(diff, "\n+") {
			t.Errorf("the alert has no difference: %q", diff)
		}
		for line := range strings.Lines(string(fleet.Want(changed))) {
			if secret := strings.TrimSpace(line); string(platform.MaskAny([]byte(secret))) != secret && strings.Contains(m.all, secret) {
				t.Errorf("an alert has %q", secret)
			}
		}
		if rows, err := s.app.TestRules(ctx, []string{"config-changed"}, time.Hour); err != nil || len(rows) != 1 || rows[0].Fired != 1 {
			t.Errorf("a test of the rule says %+v, %v, want that it fired once", rows, err)
		}
		if err := fleet.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "the alert about a failure", func() bool { return m.of("backup-failed", changed) != nil })
		if want := "msg=\"backup failed\" device=" + changed; !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	})
}

func TestAReloadBesideABackupLosesNothing(t *testing.T) {
	t.Parallel()
	withDevices(t, sim.Config{Devices: 24, Seed: 4, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, fleet *sim.Fleet, home string) {
		m := &alertmanager{}
		am := httptest.NewServer(m)
		defer am.Close()
		settings := "inventory: [{file: list.csv}]\nmonitor: off\nbackup: {every: 1s, jitter: 0s}\nalerts: {url: '" + am.URL + "'}\n"
		s := serve(t, home, settings)
		defer s.end(t)
		await(t, "the first backup of both groups", func() bool { return strings.Count(s.log.String(), "new=12") == 2 })
		for range 3 {
			m.forget()
			changed := fleet.Change(24)
			told := func() bool {
				return !slices.ContainsFunc(changed, func(name string) bool { return m.of("config-changed", name) == nil })
			}
			for end := time.Now().Add(30 * time.Second); !told(); s.reload <- os.Interrupt {
				if time.Now().After(end) {
					t.Fatal("not all changes are told of")
				}
			}
			for _, name := range changed {
				if d := m.of("config-changed", name)["description"]; !strings.Contains(d, "@@") {
					t.Errorf("%s: got %q, want a difference", name, d)
				}
			}
		}
		if strings.Contains(s.log.String(), "level=ERROR") {
			t.Errorf("the log has errors:\n%s", s.log)
		}
	})
}

func TestAScheduledBackupWaitsForTheOneByHand(t *testing.T) {
	t.Parallel()
	withDevices(t, sim.Config{Devices: 2, Seed: 5, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, _ *sim.Fleet, home string) {
		s := serve(t, home, "inventory: [{file: list.csv}]\nmonitor: off\nbackup: {every: 1s, jitter: 0s}\n")
		defer s.end(t)
		for range 3 {
			if _, sum := backUp(t, ctx, s.app); sum.Failed > 0 {
				t.Errorf("got %+v", sum)
			}
		}
		if strings.Contains(s.log.String(), "level=ERROR") {
			t.Errorf("the log has errors:\n%s", s.log)
		}
	})
}

func TestSettingsThatDoNotHoldChangeNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := &served{home: home}
	s.write(t, "am.yml", "route: {receiver: one}\nreceivers: [{name: one}]\n")
	s.write(t, "list.csv", "name,address,group\na1,127.0.0.1,core\n")
	const good = "inventory: [{file: list.csv}]\nbackup: off\nmonitor: {probes: [ssh]}\nalerts: {alertmanager: am.yml}\n"
	s = serve(t, home, good)
	names := func() string {
		states, err := s.app.LiveStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, w := range states {
			names = append(names, w.Device)
		}
		return strings.Join(names, " ")
	}
	s.write(t, "list.csv", "name,address,group\na1,127.0.0.1,core\na2,127.0.0.2,core\n")
	for settings, says := range map[string]string{
		"inventory: [{file: list.csv}]\nnonsense: 1\n":                                   "nonsense",
		good + "history: {retention: 1d}\n":                                              "history holds only after a restart",
		"inventory: [{file: list.csv}]\nbackup: off\nmonitor: {probes: [ssh]}\n":         "alerts.alertmanager holds only after a restart",
		good + "groups: {core: {monitor: {maintenance: [{days: sat, from: '1:00'}]}}}\n": "the old ones go on",
	} {
		s.again(t, settings, says)
		if got := names(); got != "a1" {
			t.Errorf("after %q %s is watched", settings, got)
		}
	}
	s.write(t, "am.yml", "route: {receiver: nobody-knows}\nreceivers: [{name: one}]\n")
	s.again(t, good, "nobody-knows")
	if got := names(); got != "a1" {
		t.Errorf("after a receiver that is not there %s is watched", got)
	}
	s.write(t, "am.yml", "route: {receiver: two}\nreceivers: [{name: two}]\n")
	s.again(t, good, "read anew")
	if got := names(); got != "a1 a2" {
		t.Errorf("after good settings %q is watched, want a1 a2", got)
	}
	if _, body := s.get(t, "/alertmanager/api/v2/receivers"); !strings.Contains(body, "two") {
		t.Errorf("the receivers are %s", body)
	}
}

func TestAMusterThatServesAnswersThisMachineAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "")
	for path, want := range map[string]int{
		"/health": 200, "/metrics": 200, "/prometheus/api/v1/query?query=up": 200, "/alertmanager/api/v2/status": 200,
		"/": 404, "/live/tasks": 404, "/debug/pprof/": 404, "/prometheus/debug/pprof/": 404, "/alertmanager/debug/pprof/": 404,
	} {
		if got, body := s.get(t, path); got != want {
			t.Errorf("%s: got %d %.100s, want %d", path, got, body, want)
		}
	}
	for host, want := range map[string]int{"localhost": 200, "LOCALHOST:1": 200, "[::1]:99": 200, "127.9.9.9": 200, "evil.example": 421, "192.0.2.1:8970": 421, "localhost.evil.example": 421} {
		if got, _ := s.getFor(t, "/health", host); got != want {
			t.Errorf("a request for %s: got %d, want %d", host, got, want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+"/alertmanager/api/v2/silences", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "http://evil.example")
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _ = res.Body.Close(); res.StatusCode != http.StatusForbidden {
		t.Errorf("a silence that a page elsewhere wants: got %s", res.Status)
	}
	_, body := s.get(t, "/metrics")
	for _, want := range []string{"\nmuster_build_info{", "\nmuster_alerts{phase=\"firing\"} 0", "\nmuster_monitor_ping_jitter_seconds_count 0"} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %q", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "muster_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	socket := filepath.Join(s.home, "data", "serve", "muster.sock")
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
	s.end(t)
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	if _, err := s.app.LiveTasks(t.Context()); !errors.Is(err, app.ErrStore) || !strings.Contains(err.Error(), "start it with: muster serve") {
		t.Errorf("without a muster that serves: got %v", err)
	}
}

func TestOneMusterServesADirectory(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "")
	second, err := openServed(t.Context(), s.home, &notes{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	err = second.Serve(t.Context(), app.ServeOptions{})
	if want := fmt.Sprintf("is served already, by process %d", os.Getpid()); !errors.Is(err, app.ErrStore) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if _, body := s.get(t, "/health"); !strings.Contains(body, `"ok"`) {
		t.Errorf("the first one says %s", body)
	}
}

func TestAnAddressThatIsTakenIsOneSentence(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := openIn(t, t.TempDir(), app.Options{})
	err = a.Serve(t.Context(), app.ServeOptions{Listen: l.Addr().String()})
	if !errors.Is(err, app.ErrUsage) || !strings.Contains(err.Error(), "--listen") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestADataDirectoryMayLieDeep(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the path of a socket is bounded, and that is said")
	}
	home := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	s := serve(t, home, "")
	if tasks, err := s.app.LiveTasks(t.Context()); err != nil || len(tasks) == 0 {
		t.Errorf("got %v, %v", tasks, err)
	}
	s.end(t)
	if _, err := os.Stat(filepath.Join(home, "data", "serve", "muster.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	if _, err := s.app.LiveTasks(t.Context()); !errors.Is(err, app.ErrStore) || !strings.Contains(err.Error(), "start it with: muster serve") {
		t.Errorf("without a muster that serves: got %v", err)
	}
}

func TestASocketOfAKilledMusterIsReplaced(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	dir := filepath.Join(home, "data", "serve")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "muster.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as a kill leaves it
	_ = l.Close()
	a, err := openServed(t.Context(), writeSettings(t, home), &notes{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.LiveTasks(t.Context()); !errors.Is(err, app.ErrStore) || !strings.Contains(err.Error(), "start it with") {
		t.Errorf("got %v", err)
	}
	_ = a.Close()
	s := serve(t, home, "")
	if _, err := s.app.LiveTasks(t.Context()); err != nil {
		t.Error(err)
	}
}

func writeSettings(t *testing.T, home string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, "muster.yaml"), []byte(quietly), 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}

func TestDevicesAreWatchedAndReported(t *testing.T) {
	t.Parallel()
	withDevices(t, sim.Config{Devices: 2, Seed: 6, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, fleet *sim.Fleet, home string) {
		s := serve(t, home, "inventory: [{file: list.csv}]\nbackup: off\nmonitor: {interval: 200ms, timeout: 1s, probes: [ssh], uplink: off}\n")
		defer s.end(t)
		state := func(h muster.Health) func() bool {
			return func() bool {
				states, err := s.app.LiveStates(ctx)
				return err == nil && len(states) == 2 && states[0].State == h && states[1].State == h
			}
		}
		await(t, "both to be up", state(muster.HealthUp))
		if err := fleet.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "both to be down", state(muster.HealthDown))
		await(t, "two alerts", func() bool {
			alerts, err := s.app.LivePending(ctx)
			return err == nil && len(alerts) == 2 && alerts[0].Name == "device-down"
		})
		sel, err := s.app.Select(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string) {
			reports, err := s.app.Report(ctx, sel.Devices, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range reports {
				if r.Availability == nil || *r.Availability <= 0 || *r.Availability >= 1 || r.Downs != 1 || r.Median == nil {
					t.Errorf("%s: got %+v", when, r)
				}
			}
		}
		await(t, "samples", func() bool {
			reports, err := s.app.Report(ctx, sel.Devices, time.Hour)
			return err == nil && reports[0].Availability != nil && *reports[0].Availability < 1
		})
		check("beside a muster that serves")
		s.end(t)
		check("without one")
	})
}

func TestASilenceIsMadeListedAndEnded(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "")
	ctx := t.Context()
	id, err := s.app.Silence(ctx, app.SilenceWish{Matchers: []string{"device=r1"}, Until: time.Now().Add(time.Hour), Author: "me", Comment: "work"})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.app.LiveSilences(ctx)
	if err != nil || len(rows) != 1 || rows[0].ID != id || rows[0].Author != "me" {
		t.Errorf("got %+v, %v", rows, err)
	}
	if err := s.app.Expire(ctx, id); err != nil {
		t.Error(err)
	}
	if err := s.app.Expire(ctx, "no-such"); !errors.Is(err, app.ErrNothing) {
		t.Errorf("a silence that is not there: got %v", err)
	}
	if _, err := s.app.Silence(ctx, app.SilenceWish{Matchers: []string{"{{"}, Until: time.Now().Add(time.Hour)}); !errors.Is(err, app.ErrUsage) {
		t.Errorf("a matcher that is none: got %v", err)
	}
}
