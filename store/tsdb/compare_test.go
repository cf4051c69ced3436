package tsdb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/tsdb"
)

// tool finds a program, or skips.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// history is a directory with blocks and a log of a few series, closed. Samples lie on whole minutes.
func history(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	d := open(t, dir, tsdb.Options{})
	for i := range 6 * 60 {
		when := at.Add(time.Duration(i) * time.Minute)
		some := []muster.Sample{{Name: "odd", Labels: map[string]string{"text": "<a> & \"b\"\n"}, Time: when, Value: float64(i % 7)}}
		for n, device := range []string{"r1", "r2", "sw1"} {
			up := 1.0
			if (i+n)%50 == 0 {
				up = 0
			}
			some = append(some, rtt(device, when, float64(1+(i*7+n)%13)/1000),
				muster.Sample{Name: "muster_probe_up", Labels: map[string]string{"device": device, "group": "core"}, Time: when, Value: up})
		}
		write(t, d, some...)
	}
	if err := d.Compact(); err != nil {
		t.Fatal(err)
	}
	if d.Blocks() == 0 {
		t.Fatal("there are no blocks")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// debians runs Debian's on a copy of a directory until the test ends.
func debians(t *testing.T, dir string) (base string) {
	t.Helper()
	program, data := tool(t, "prometheus"), filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+data,
		"--storage.tsdb.retention.time=50y", "--web.listen-address="+addr)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	waitFor(t, "http://"+addr+"/-/ready")
	return "http://" + addr
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		r, err := client.Get(address)
		if err != nil {
			continue
		}
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s is not ready after 20 s", address)
}

var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// both is ours and Debian's on the same samples.
func both(t *testing.T) (ours, theirs string) {
	t.Helper()
	tool(t, "prometheus")
	dir := history(t)
	theirs = debians(t, dir)
	s := httptest.NewServer(http.StripPrefix("/prometheus", open(t, dir, tsdb.Options{}).Handler()))
	t.Cleanup(s.Close)
	return s.URL + "/prometheus", theirs
}

// answerOf is what is to be the same: the engine of Debian is years older, and has other sentences beside the answer.
type answerOf struct {
	Code      int
	Status    string          `json:"status"`
	ErrorType string          `json:"errorType"`
	Data      json.RawMessage `json:"data"`
}

func get(t *testing.T, base, path string, f url.Values) answerOf {
	t.Helper()
	r, err := client.Get(base + "/api/v1/" + path + "?" + f.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answerOf{Code: r.StatusCode}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%s %v: %v: %s", path, f, err, body)
	}
	return a
}

func TestAnswersAreThoseOfDebiansPrometheus(t *testing.T) {
	t.Parallel()
	ours, theirs := both(t)
	// Off the samples, because newer engines leave the left end of a range out; means are rounded, because they sum better.
	last := at.Add(5*time.Hour + 17*time.Minute + 7*time.Second)
	type request struct {
		path string
		form url.Values
	}
	var all []request
	for _, expr := range []string{
		"muster_probe_up", "odd", `muster_probe_rtt_seconds{device="r1"}`, `sort_desc(muster_probe_rtt_seconds)`, "nothing", "1", "NaN", "-1/0", `"a text <&>"`,
		"round(avg_over_time(muster_probe_up[4h]), 0.001)", "quantile_over_time(0.95, muster_probe_rtt_seconds[1h])", "sum by (group) (muster_probe_up)",
		"min_over_time(muster_probe_up[1h:10m])", "count_over_time(odd[3h])", "rate(odd[30m])", "increase(odd[1h])", "changes(muster_probe_up[5h])",
		"topk(2, muster_probe_rtt_seconds)", "muster_probe_up * on (device) group_left muster_probe_rtt_seconds", "absent(nothing)", "time()",
		"muster_probe_up[3m]", "muster_probe_up offset 1h", "muster_probe_up == 0 or muster_probe_rtt_seconds > 0.005", `histogram_quantile(0.9, odd)`,
		"stddev(muster_probe_rtt_seconds) / 1e12", "scalar(odd) * 1e30", `label_replace(muster_probe_up, "new", "$1", "device", "(.).*")`, "day_of_week()",
		"sum(", "muster_probe_up * on (group) muster_probe_rtt_seconds", "rate(odd)", `{a=~".*"}`, "",
	} {
		all = append(all,
			request{"query", form("query", expr, "time", seconds(last))},
			request{"query", form("query", expr, "time", last.Format(time.RFC3339), "timeout", "10s")},
			request{"query_range", form("query", expr, "start", seconds(at.Add(7*time.Second)), "end", seconds(last), "step", "17m")},
			request{"query_range", form("query", expr, "start", seconds(last.Add(-time.Minute)), "end", seconds(last), "step", "7.5")},
		)
	}
	for _, f := range []url.Values{
		form(), form("match[]", "odd"), form("match[]", "odd", "match[]", `{device=~"r.*"}`), form("match[]", "nothing"), form("match[]", "{"),
		form("match[]", `{device="r1"}`, "start", seconds(at), "end", seconds(last)), form("match[]", `{device="r1"}`, "end", "1"),
		form("match[]", `{a=~".*"}`), form("match[]", "odd", "start", "noon"),
	} {
		for _, path := range []string{"series", "labels", "label/device/values", "label/__name__/values", "label/text/values", "label/none/values"} {
			all = append(all, request{path, f})
		}
	}
	for _, f := range []url.Values{
		form("query", "1"), form("query", "1", "start", "5", "end", "1", "step", "1"), form("query", "1", "start", "1", "end", "5", "step", "-1"),
		form("query", "1", "start", "0", "end", "20000", "step", "1"), form("query", "1", "start", "0", "end", "11000", "step", "1"),
		form("query", "1", "start", "0", "end", "5", "step", "1", "timeout", "x"),
	} {
		all = append(all, request{"query_range", f})
	}
	for _, r := range all {
		want, got := get(t, theirs, r.path, r.form), get(t, ours, r.path, r.form)
		if diff := cmp.Diff(plain(want), plain(got)); diff != "" {
			t.Errorf("%s %v (-theirs +ours):\n%s", r.path, r.form, diff)
		}
	}
	t.Logf("%d requests", len(all))
}

// plain makes an answer readable in a diff. Its data stay byte for byte, but for three characters of labels that the older
// engine escapes and the newer does not.
func plain(a answerOf) string {
	data := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(a.Data))
	return fmt.Sprintf("%d %s %s\n%s", a.Code, a.Status, a.ErrorType, data)
}

func TestDebiansPromtoolReadsOurs(t *testing.T) {
	t.Parallel()
	program := tool(t, "promtool")
	ours, theirs := both(t)
	first, last := at.Add(7*time.Second), at.Add(5*time.Hour+7*time.Second)
	for name, args := range map[string][]string{
		"instant": {"query", "instant", "--time=" + last.Format(time.RFC3339), "URL", "sort(muster_probe_rtt_seconds)"},
		"range":   {"query", "range", "--start=" + first.Format(time.RFC3339), "--end=" + last.Format(time.RFC3339), "--step=30m", "URL", "avg by (device) (muster_probe_up)"},
		"series":  {"query", "series", "--match={device=~\"r.*\"}", "--start=" + first.Format(time.RFC3339), "--end=" + last.Format(time.RFC3339), "URL"},
		"labels":  {"query", "labels", "--start=" + first.Format(time.RFC3339), "--end=" + last.Format(time.RFC3339), "URL", "device"},
		"wrong":   {"query", "instant", "URL", "sum("},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := promtool(t, program, theirs, args), promtool(t, program, ours, args)
			if diff := cmp.Diff(want, got); diff != "" || want == "" {
				t.Errorf("-theirs +ours:\n%s", diff)
			}
		})
	}
}

func promtool(t *testing.T, program, base string, args []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	args = strings.Split(strings.ReplaceAll(strings.Join(args, "\x00"), "URL", base), "\x00")
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	return fmt.Sprintf("%s%v", out, err)
}

func TestDebiansPromtoolReadsTheFiles(t *testing.T) {
	t.Parallel()
	program, dir := tool(t, "promtool"), history(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "tsdb", "dump", "--match=odd", dir).CombinedOutput()
	if lines := bytes.Count(out, []byte("\n")); err != nil || lines != 6*60 {
		t.Errorf("got %d samples and %v, want %d:\n%.400s", lines, err, 6*60, out)
	}
}
