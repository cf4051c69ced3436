package route_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

// bodies is a receiver that keeps what it was told but for times and addresses, which differ.
type bodies struct {
	mu  sync.Mutex
	all []string
}

func (b *bodies) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		body = map[string]any{"error": err.Error()}
	}
	kept := map[string]any{}
	for _, key := range []string{"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations"} {
		kept[key] = body[key]
	}
	alerts, _ := body["alerts"].([]any)
	for _, a := range alerts {
		if a, ok := a.(map[string]any); ok && a["status"] == "resolved" {
			delete(a, "endsAt") // a resend apart
		}
	}
	slices.SortFunc(alerts, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	kept["alerts"] = alerts
	text, _ := json.MarshalIndent(kept, "", " ")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, string(text))
}

func (b *bodies) sorted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(slices.Values(b.all))
}

// engineConfig has each alert told within a second or two.
func engineConfig(hook string) string {
	return strings.NewReplacer("http://127.0.0.1:80/", hook, "group_wait: 10s", "group_wait: 1s", "group_interval: 1m", "group_interval: 1s").Replace(config)
}

// embedded serves a Router below /alertmanager and returns the URL.
func embedded(t *testing.T, hook string) (string, *route.Router) {
	r, err := route.Open(route.Options{Dir: t.TempDir(), Config: []byte(engineConfig(hook)), Delay: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	server := httptest.NewServer(http.StripPrefix("/alertmanager", r.Handler()))
	t.Cleanup(func() {
		server.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server.URL + "/alertmanager", r
}

// outside runs Debian's Alertmanager in a directory and returns its URL.
func outside(t *testing.T, hook, dir string) string {
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(engineConfig(hook)), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	cmd := exec.Command("prometheus-alertmanager", "--config.file="+file, "--storage.path="+dir,
		"--web.listen-address="+address, "--cluster.listen-address=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := client.Get("http://" + address + "/-/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		if time.Now().After(end) {
			t.Fatalf("prometheus-alertmanager is not ready: %v", err)
		}
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func needs(t *testing.T, programs ...string) {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// TestTheSameAsAlertmanager tells the same to Debian's Alertmanager and to the embedded one: their receivers are told the same.
func TestTheSameAsAlertmanager(t *testing.T) {
	t.Parallel()
	needs(t, "prometheus-alertmanager", "amtool")
	var here, there bodies
	hookHere, hookThere := httptest.NewServer(&here), httptest.NewServer(&there)
	defer hookHere.Close()
	defer hookThere.Close()
	ours, router := embedded(t, hookHere.URL+"/")
	theirs := outside(t, hookThere.URL+"/", t.TempDir())
	remote, err := route.Remote([]string{theirs}, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(some ...muster.Alert) {
		t.Helper()
		if err := errors.Join(router.Send(t.Context(), some), remote.Send(t.Context(), some)); err != nil {
			t.Fatal(err)
		}
	}
	for _, url := range []string{ours, theirs} {
		amtool(t, url, "silence", "add", "device=quiet", "-c", "works", "-a", "me", "-d", "1h")
	}
	loss, quiet, tagged := down("r1", "edge"), down("quiet", "edge"), down("t1", "tagged")
	loss.Labels["alertname"], loss.Labels["severity"] = "loss", "warning"
	tagged.Labels["rack-no"], tagged.Labels["größe"] = "4711", "<&\u2603>"
	tagged.Annotations["diff"] = "-a\n+b \xff"
	r1, r2, c1 := down("r1", "edge"), down("r2", "edge"), down("c1", "core")
	send(loss, quiet, r1, r2, c1, tagged)
	waitFor(t, 3, &here, &there)
	send(over(c1))
	waitFor(t, 4, &here, &there)
	send(over(r1), over(loss))
	waitFor(t, 5, &here, &there)
	send(over(r2), over(quiet))
	waitFor(t, 6, &here, &there)
	time.Sleep(2 * time.Second) // nothing more comes
	if diff := cmp.Diff(there.sorted(), here.sorted()); diff != "" {
		t.Errorf("the receivers were told (-Debian's +embedded):\n%s", diff)
	}
}

func waitFor(t *testing.T, n int, some ...*bodies) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		all := true
		for _, b := range some {
			all = all && len(b.sorted()) >= n
		}
		if all {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d notifications did not come: %q", n, some[0].sorted())
		}
	}
}

func amtool(t *testing.T, url string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "amtool", append([]string{"--alertmanager.url=" + url}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("amtool %s: %v\n%s%s", strings.Join(args, " "), err, &out, &said)
	}
	if said.Len() > 0 {
		t.Logf("amtool %s: %s", strings.Join(args, " "), &said)
	}
	return out.String()
}

// TestAmtool lists, silences and reads with Debian's amtool.
func TestAmtool(t *testing.T) {
	t.Parallel()
	needs(t, "amtool")
	hook := httptest.NewServer(&bodies{})
	defer hook.Close()
	url, router := embedded(t, hook.URL+"/?token=hidden")
	if err := router.Send(t.Context(), []muster.Alert{down("r1", "edge"), down("r2", "core")}); err != nil {
		t.Fatal(err)
	}
	query := func(args ...string) []string {
		var alerts []struct{ Labels map[string]string }
		if err := json.Unmarshal([]byte(amtool(t, url, append([]string{"alert", "query", "-o", "json"}, args...)...)), &alerts); err != nil {
			t.Fatal(err)
		}
		var devices []string
		for _, a := range alerts {
			devices = append(devices, a.Labels["device"])
		}
		slices.Sort(devices)
		return devices
	}
	if diff := cmp.Diff([]string{"r1", "r2"}, query()); diff != "" {
		t.Error("alert query:", diff)
	}
	if diff := cmp.Diff([]string{"r1"}, query("down", "group=~ed.*")); diff != "" {
		t.Error("alert query with matchers:", diff)
	}
	id := strings.TrimSpace(amtool(t, url, "silence", "add", "device=r1", "-c", "works", "-a", "me", "-d", "1h"))
	if diff := cmp.Diff([]string{"r2"}, query()); diff != "" {
		t.Error("alert query beside a silence:", diff)
	}
	if out := amtool(t, url, "silence", "query"); !strings.Contains(out, id) {
		t.Errorf("silence query does not have %s:\n%s", id, out)
	}
	all, err := router.Silences(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != id || all[0].Author != "me" {
		t.Errorf("Silences: %+v, %v", all, err)
	}
	amtool(t, url, "silence", "expire", id)
	if diff := cmp.Diff([]string{"r1", "r2"}, query()); diff != "" {
		t.Error("alert query after its end:", diff)
	}
	amtool(t, url, "alert", "add", "alertname=by-hand", "device=r9")
	if diff := cmp.Diff([]string{"r1", "r2", "r9"}, query()); diff != "" {
		t.Error("alert query after alert add:", diff)
	}
	if out := amtool(t, url, "config", "show"); !strings.Contains(out, "receiver: hook") || strings.Contains(out, "hidden") {
		t.Errorf("config show:\n%s", out)
	}
	if out := amtool(t, url, "cluster", "show"); !strings.Contains(out, "disabled") {
		t.Errorf("cluster show:\n%s", out)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(route.DefaultConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := route.Open(route.Options{Dir: t.TempDir(), ConfigFile: file})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		r.Handler().ServeHTTP(w, req)
		return w
	}
	cases := []struct {
		name, method, path, body string
		code                     int
		has                      string
	}{
		{"it is healthy", "GET", "/-/healthy", "", 200, "OK"},
		{"it is ready", "GET", "/-/ready", "", 200, "OK"},
		{"there are no alerts", "GET", "/api/v2/alerts", "", 200, "[]"},
		{"there are no groups before it works", "GET", "/api/v2/alerts/groups", "", 200, "[]"},
		{"its receivers are listed", "GET", "/api/v2/receivers", "", 200, "nobody"},
		{"an alert is taken", "POST", "/api/v2/alerts", `[{"labels":{"alertname":"x"}}]`, 200, ""},
		{"a silence without matchers is refused", "POST", "/api/v2/silences", `{"matchers":[]}`, 422, "code"},
		{"a silence that is not there is not expired", "DELETE", "/api/v2/silence/6b7d3b0a-6b5c-4f0e-8f42-6e4a3a1c0001", "", 404, ""},
		{"it reloads", "POST", "/-/reload", "", 200, ""},
		{"what is gone is said to be gone", "GET", "/api/v1/alerts", "", 410, "v1"},
		{"nothing else is there", "GET", "/debug/pprof/", "", 404, ""},
	}
	for _, c := range cases {
		w := ask(c.method, c.path, c.body)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s: %s %s: %d %s", c.name, c.method, c.path, w.Code, w.Body)
		}
	}
	if err := os.WriteFile(file, []byte("route: {receiver: x}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if w := ask("POST", "/-/reload", ""); w.Code != 500 || !strings.Contains(w.Body.String(), `undefined receiver "x"`) {
		t.Errorf("reload of a wrong configuration: %d %s", w.Code, w.Body)
	}
}

// TestAlertmanagerGoesOnWithTheState starts Debian's Alertmanager on the files of a Router.
func TestAlertmanagerGoesOnWithTheState(t *testing.T) {
	t.Parallel()
	needs(t, "prometheus-alertmanager", "amtool")
	dir := t.TempDir()
	r, err := route.Open(route.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	id, err := r.Silence(t.Context(), []string{"device=~r.*"}, time.Now().Add(time.Hour), "me", "works")
	if err != nil {
		t.Fatal(err)
	}
	url := outside(t, "http://127.0.0.1:1/", copyOf(t, dir))
	if out := amtool(t, url, "silence", "query"); !strings.Contains(out, id) {
		t.Errorf("it does not have the silence %s:\n%s", id, out)
	}
}
