//go:build e2e && linux

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// `muster serve` beside Debian's Prometheus and Alertmanager.

const (
	alertmanagerAt = "127.0.0.1:9093"
	prometheusAt   = "127.0.0.1:9090"
)

// tool is a program of Debian's that is asked something in the space.
func (w space) tool(t *testing.T, stdin, name string, args ...string) answer {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed: apt-get install $(cat e2e/packages.txt)", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = []string{"HOME=" + t.TempDir(), "LC_ALL=C", "TZ=UTC"}
	a, _ := w.run(t, cmd)
	return a
}

// told is what a tool printed that exits 0.
func (w space) told(t *testing.T, name string, args ...string) string {
	t.Helper()
	a := w.tool(t, "", name, args...)
	if a.code != 0 {
		t.Errorf("%s %s: exit %d: %s%s", name, strings.Join(args, " "), a.code, a.stdout, a.stderr)
	}
	return a.stdout
}

// daemon runs a server of Debian's in the space for as long as the test takes.
func (w space) daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	log := &console{}
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd = w.enter(cmd)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: apt-get install $(cat e2e/packages.txt)", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, log)
		}
	})
}

// said is what a notification says, but for times and counts.
func (n notice) said() string {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		labels = append(labels, name+"="+n.Labels[name])
	}
	return fmt.Sprintf("%s %v %s", n.Status, labels, n.Annotations["summary"])
}

func TestWatchWithDebiansAlertmanagerAndPrometheus(t *testing.T) {
	t.Parallel()
	w, h := watched(t)
	list := "devices:\n"
	for i := range 8 {
		list += device(fmt.Sprintf("h%d", i), address(1, i), "")
	}
	inside, outside := w.newHook(t), w.newHook(t)
	s, elsewhere := newSite(t), newSite(t)
	s.write(t, "alertmanager.yml", inside.receivers())
	w.daemon(t, "prometheus-alertmanager", "--config.file="+elsewhere.write(t, "alertmanager.yml", outside.receivers()),
		"--storage.path="+elsewhere.data, "--web.listen-address="+alertmanagerAt, "--cluster.listen-address=")
	v := s.watch(t, &w, list+watchSettings)
	elsewhere.watch(t, &w, list+strings.Replace(watchSettings, "alertmanager: alertmanager.yml", `url: ["http://`+alertmanagerAt+`"]`, 1))
	w.daemon(t, "prometheus", "--config.file="+s.write(t, "prometheus.yml", fmt.Sprintf(
		"global: {scrape_interval: 1s}\nscrape_configs: [{job_name: muster, static_configs: [{targets: ['%s']}]}]\n", strings.TrimPrefix(v.url, "http://"))),
		"--storage.tsdb.path="+filepath.Join(s.dir, "prometheus"), "--web.listen-address="+prometheusAt)
	engines := map[string]string{"embedded": v.url + "/alertmanager", "external": "http://" + alertmanagerAt}

	t.Run("Both engines give the same notifications", func(t *testing.T) {
		both := func(word string) {
			inside.await(t, 0, word)
			outside.await(t, 0, word)
		}
		time.Sleep(5 * watchInterval)
		h.silence(forEver, address(1, 0), address(1, 1))
		both("device-down h0 firing")
		both("device-down h1 firing")
		h.silence(0, address(1, 0))
		both("device-down h0 resolved")
		var all [2][]string
		for i, hook := range []*hook{inside, outside} {
			for _, n := range hook.taken() {
				all[i] = append(all[i], n.said())
			}
			slices.Sort(all[i])
		}
		if !slices.Equal(all[0], all[1]) || len(all[0]) != 3 {
			t.Errorf("embedded: %q\nexternal: %q", all[0], all[1])
		}
	})
	t.Run("amtool lists and silences", func(t *testing.T) {
		for name, url := range engines {
			amtool := func(args ...string) string {
				return w.told(t, "amtool", append([]string{"--alertmanager.url=" + url}, args...)...)
			}
			if out := amtool("alert", "query", "alertname=device-down"); !strings.Contains(out, "h1 is down") || strings.Contains(out, "h0") {
				t.Errorf("%s: alerts: %s", name, out)
			}
			id := strings.TrimSpace(amtool("silence", "add", "alertname=device-down", "device=~h[12]", "--duration=1h", "--author=me", "--comment=new line card"))
			if out := amtool("silence", "query"); !strings.Contains(out, id) || !strings.Contains(out, "new line card") {
				t.Errorf("%s: silence %q is not listed: %s", name, id, out)
			}
			if out := amtool("alert", "query", "--silenced"); !strings.Contains(out, "h1 is down") {
				t.Errorf("%s: h1 is not silenced: %s", name, out)
			}
		}
		before := []int{len(inside.taken()), len(outside.taken())}
		h.silence(forEver, address(1, 2), address(1, 3))
		for i, hook := range []*hook{inside, outside} {
			hook.await(t, before[i], "device-down h3 firing")
			if got := hook.words(before[i]); !slices.Equal(got, []string{"device-down h3 firing"}) {
				t.Errorf("told %q", got)
			}
		}
		if out := s.ok(t, "alert", "silence", "--list", "-o", "ndjson"); !strings.Contains(out, "new line card") {
			t.Errorf("muster does not list amtool's silence: %s", out)
		}
		within(t, 5*time.Second, "h2 is silenced", func() bool {
			return strings.Contains(s.muster(t, "alert", "ls", "device=h2", "-o", "ndjson").stdout, `"state":"silenced"`)
		})
	})
	t.Run("promtool asks for the history", func(t *testing.T) {
		at := v.url + "/prometheus"
		within(t, 10*time.Second, "five are up and three are down in the history, which is written once in a while", func() bool {
			out := w.told(t, "promtool", "query", "instant", at, "muster_probe_up")
			return strings.Count(out, "=> 1 ") == 5 && strings.Count(out, "=> 0 ") == 3
		})
		out := w.told(t, "promtool", "query", "range", "--start", fmt.Sprint(time.Now().Add(-3*time.Second).Unix()), "--step=1s", at,
			`sum by (device) (rate(muster_probe_rtt_seconds{device="h7"}[1m]))`)
		if !strings.Contains(out, `{device="h7"} =>`) {
			t.Errorf("range: %s", out)
		}
		if out := w.told(t, "promtool", "query", "series", "--match=muster_probe_loss_ratio", at); strings.Count(out, `__name__="muster_probe_loss_ratio"`) != 8 {
			t.Errorf("series: %s", out)
		}
		if out := w.told(t, "promtool", "query", "labels", at, "device"); strings.Join(strings.Fields(out), " ") != "h0 h1 h2 h3 h4 h5 h6 h7" {
			t.Errorf("labels: %s", out)
		}
		if a := w.tool(t, "", "promtool", "query", "instant", at, "muster_probe_up{"); a.code == 0 || !strings.Contains(a.stderr+a.stdout, "parse error") {
			t.Errorf("a wrong expression: exit %d %s%s", a.code, a.stdout, a.stderr)
		}
	})
	t.Run("promtool finds nothing wrong with the metrics", func(t *testing.T) {
		_, metrics := v.get(t, "/metrics", "")
		if a := w.tool(t, metrics, "promtool", "check", "metrics"); a.code != 0 || a.stdout+a.stderr != "" || !strings.Contains(metrics, "\nmuster_build_info{") {
			t.Errorf("exit %d: %s%s", a.code, a.stdout, a.stderr)
		}
	})
	t.Run("a Prometheus scrapes them", func(t *testing.T) {
		ask := func(expr string) answer {
			return w.tool(t, "", "promtool", "query", "instant", "http://"+prometheusAt, expr)
		}
		deadline := time.Now().Add(15 * time.Second)
		for !strings.Contains(ask("muster_build_info").stdout, "=> 1 ") {
			if time.Now().After(deadline) {
				t.Fatalf("up: %+v", ask("up"))
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}
