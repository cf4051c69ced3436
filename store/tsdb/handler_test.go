package tsdb_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/tsdb"
)

// ask sends a request to a handler, below a prefix as the product mounts it.
func ask(t *testing.T, h http.Handler, method, path string, form url.Values) (status int, body string) {
	t.Helper()
	target, payload := "/prometheus"+path, ""
	if method == http.MethodPost {
		payload = form.Encode()
	} else if len(form) > 0 {
		target += "?" + form.Encode()
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(payload))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	http.StripPrefix("/prometheus", h).ServeHTTP(w, r)
	if got := w.Header().Get("Content-Type"); strings.HasPrefix(path, "/api/v1/") && w.Code < 500 && w.Code != 404 && w.Code != 405 && got != "application/json" {
		t.Errorf("%s: content type %q", path, got)
	}
	return w.Code, w.Body.String()
}

// form is name, value, name, value...
func form(pairs ...string) url.Values {
	v := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

func seconds(when time.Time) string {
	return strconv.FormatFloat(float64(when.UnixMilli())/1000, 'f', -1, 64)
}

// sampled is a store with a few series of odd labels and values.
func sampled(t *testing.T) *tsdb.DB {
	t.Helper()
	d := open(t, t.TempDir(), tsdb.Options{})
	odd := muster.Sample{Name: "odd", Labels: map[string]string{"text": "<a> & \"b\"\n\\ \x01 é\u2028"}, Time: at, Value: math.Inf(-1)}
	write(t, d, rtt("r1", at, 0.25), rtt("r2", at, 1e-7), rtt("r3", at, math.NaN()), rtt("r4", at, 1e21), odd)
	return d
}

func TestAnswersAreThoseOfPrometheus(t *testing.T) {
	t.Parallel()
	h := sampled(t).Handler()
	now := seconds(at)
	const metric = `{"__name__":"muster_probe_rtt_seconds","device":"r1","group":"core","probe":"icmp"}`
	for name, c := range map[string]struct {
		path string
		form url.Values
		want string
	}{
		"a vector": {"query", form("query", `muster_probe_rtt_seconds{device="r1"}`, "time", now),
			`{"resultType":"vector","result":[{"metric":` + metric + `,"value":[` + now + `,"0.25"]}]}`},
		"a matrix": {"query_range", form("query", `muster_probe_rtt_seconds{device="r1"}`, "start", now, "end", seconds(at.Add(2500*time.Millisecond)), "step", "1.25"),
			`{"resultType":"matrix","result":[{"metric":` + metric + `,"values":[[` + now + `,"0.25"],[` + seconds(at.Add(time.Second)) + `.250,"0.25"],[` + seconds(at.Add(2*time.Second)) + `.500,"0.25"]]}]}`},
		"a scalar":              {"query", form("query", "1/0", "time", "-1.5"), `{"resultType":"scalar","result":[-1.5,"+Inf"]}`},
		"a text":                {"query", form("query", `"a<b"`, "time", "1"), `{"resultType":"string","result":[1,"a\u003cb"]}`},
		"an empty vector":       {"query", form("query", "nothing", "time", now), `{"resultType":"vector","result":[]}`},
		"an empty matrix":       {"query", form("query", "nothing[5m]", "time", now), `{"resultType":"matrix","result":[]}`},
		"small, large, no":      {"query", form("query", `sort(-vector(1e-7) or label_replace(vector(1e21),"a","b","",""))`, "time", now), `{"resultType":"vector","result":[{"metric":{},"value":[` + now + `,"-1e-07"]},{"metric":{"a":"b"},"value":[` + now + `,"1e+21"]}]}`},
		"odd texts":             {"query", form("query", "odd", "time", now), `{"resultType":"vector","result":[{"metric":{"__name__":"odd","text":"<a> & \"b\"\n\\ \u0001 é` + "\u2028" + `"},"value":[` + now + `,"-Inf"]}]}`},
		"series":                {"series", form("match[]", `{device="r1"}`), `[` + metric + `]`},
		"series of several":     {"series", form("match[]", `{device="r1"}`, "match[]", `{device=~"r1|nothing"}`), `[` + metric + `]`},
		"no series":             {"series", form("match[]", `nothing`), `[]`},
		"series of another day": {"series", form("match[]", `{device="r1"}`, "end", "2020-01-01T00:00:00Z"), `[]`},
		"labels":                {"labels", nil, `["__name__","device","group","probe","text"]`},
		"labels of some":        {"labels", form("match[]", "odd", "match[]", "nothing"), `["__name__","text"]`},
		"values":                {"label/device/values", nil, `["r1","r2","r3","r4"]`},
		"values of some":        {"label/device/values", form("match[]", `{device=~"r[12]"}`, "match[]", `{device="r4"}`), `["r1","r2","r4"]`},
		"values are escaped":    {"label/text/values", nil, `["\u003ca\u003e \u0026 \"b\"\n\\ \u0001 é\u2028"]`},
		"values of none":        {"label/nothing/values", nil, `[]`},
		"metadata":              {"metadata", nil, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				if method == http.MethodPost && (strings.HasPrefix(c.path, "label/") || c.path == "metadata") {
					continue
				}
				status, body := ask(t, h, method, "/api/v1/"+c.path, c.form)
				want := `{"status":"success","data":` + c.want + `}`
				want = strings.ReplaceAll(want, "\n", `\n`)
				if status != http.StatusOK || body != want {
					t.Errorf("%s: got %d %s\nwant %s", method, status, body, want)
				}
			}
		})
	}
}

func TestLimitsCutAndSaySo(t *testing.T) {
	t.Parallel()
	h := sampled(t).Handler()
	for path, f := range map[string]url.Values{
		"query":               form("query", "muster_probe_rtt_seconds", "time", seconds(at)),
		"query_range":         form("query", "muster_probe_rtt_seconds", "start", seconds(at), "end", seconds(at), "step", "1"),
		"series":              form("match[]", "muster_probe_rtt_seconds"),
		"labels":              form(),
		"label/device/values": form(),
	} {
		f.Set("limit", "2")
		_, body := ask(t, h, http.MethodGet, "/api/v1/"+path, f)
		if !strings.HasSuffix(body, `"warnings":["results truncated due to limit"]}`) {
			t.Errorf("%s: got %s", path, body)
		}
		f.Set("limit", "9")
		if _, body := ask(t, h, http.MethodGet, "/api/v1/"+path, f); strings.Contains(body, "warnings") {
			t.Errorf("%s: nothing was cut: %s", path, body)
		}
	}
}

func TestNotesOfTheLanguageAreToldBeside(t *testing.T) {
	t.Parallel()
	d := sampled(t)
	write(t, d, rtt("r1", at.Add(time.Minute), 1))
	_, body := ask(t, d.Handler(), http.MethodGet, "/api/v1/query", form("query", "rate(muster_probe_rtt_seconds[5m])", "time", seconds(at.Add(time.Minute))))
	if !strings.Contains(body, `"infos":["PromQL info: metric might not be a counter`) {
		t.Errorf("got %s", body)
	}
}

func TestErrorsAreThoseOfPrometheus(t *testing.T) {
	t.Parallel()
	h := sampled(t).Handler()
	for name, c := range map[string]struct {
		path   string
		form   url.Values
		status int
		want   string
	}{
		"an expression that is wrong": {"query", form("query", "sum("), 400, `"errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"`},
		"no expression":               {"query", nil, 400, `"errorType":"bad_data","error":"invalid parameter \"query\": unknown position: parse error: no expression found in input"`},
		"one that cannot be computed": {"query", form("query", `label_replace(odd,"a","b","c","(")`, "time", seconds(at)), 422, `"errorType":"execution"`},
		"a time that is none":         {"query", form("query", "1", "time", "noon"), 400, `"error":"invalid parameter \"time\": invalid time value for 'time': cannot parse \"noon\" to a valid timestamp"`},
		"a timeout that is none":      {"query", form("query", "1", "timeout", "soon"), 400, `invalid parameter \"timeout\"`},
		"a timeout that is over":      {"query", form("query", "1", "timeout", "0.000000001"), 503, `"errorType":"timeout"`},
		"a limit that is none":        {"query", form("query", "1", "limit", "-1"), 400, `"error":"invalid parameter \"limit\": limit must be non-negative"`},
		"a look-back that is none":    {"query", form("query", "1", "lookback_delta", "x"), 400, `error parsing lookback delta duration`},
		"no start":                    {"query_range", form("query", "1", "end", "1", "step", "1"), 400, `invalid parameter \"start\": cannot parse \"\" to a valid timestamp`},
		"an end before the start":     {"query_range", form("query", "1", "start", "2", "end", "1", "step", "1"), 400, `end timestamp must not be before start time`},
		"a step of nothing":           {"query_range", form("query", "1", "start", "1", "end", "2", "step", "0"), 400, `zero or negative query resolution step`},
		"a step too long":             {"query_range", form("query", "1", "start", "1", "end", "2", "step", "1e99"), 400, `It overflows int64`},
		"too many points":             {"query_range", form("query", "1", "start", "0", "end", "11001", "step", "1"), 400, `exceeded maximum resolution of 11,000 points`},
		"series of nothing":           {"series", nil, 400, `no match[] parameter provided`},
		"series of all":               {"series", form("match[]", `{a=~".*"}`), 400, `match[] must contain at least one non-empty matcher`},
		"a selector that is wrong":    {"labels", form("match[]", `{`), 400, `"errorType":"bad_data"`},
		"a label that can be none":    {"label/%FF/values", nil, 400, `invalid label name`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := ask(t, h, http.MethodGet, "/api/v1/"+c.path, c.form)
			if status != c.status || !strings.HasPrefix(body, `{"status":"error",`) || !strings.Contains(body, c.want) {
				t.Errorf("got %d %s, want %d %s", status, body, c.status, c.want)
			}
		})
	}
}

func TestOtherRoutes(t *testing.T) {
	t.Parallel()
	d := sampled(t)
	h := d.Handler()
	if _, body := ask(t, h, http.MethodGet, "/api/v1/status/buildinfo", nil); !strings.Contains(body, `"data":{"version":"3.`) {
		t.Errorf("buildinfo: %s", body)
	}
	if _, body := ask(t, h, http.MethodGet, "/api/v1/query", form("query", "1", "stats", "all")); !strings.Contains(body, `"stats":{"timings":`) {
		t.Errorf("stats: %s", body)
	}
	for path, method := range map[string]string{"/api/v1/admin/tsdb/delete_series": "POST", "/api/v1/write": "POST", "/api/v1/nothing": "GET"} {
		if status, _ := ask(t, h, method, path, nil); status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404: nothing can be changed", path, status)
		}
	}
	states := map[string]string{"/-/healthy": "Prometheus Server is Healthy.\n", "/-/ready": "Prometheus Server is Ready.\n"}
	for path, want := range states {
		if status, body := ask(t, h, http.MethodGet, path, nil); status != http.StatusOK || body != want {
			t.Errorf("%s: got %d %q", path, status, body)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for path := range states {
		if status, _ := ask(t, h, http.MethodGet, path, nil); status != http.StatusServiceUnavailable {
			t.Errorf("%s: closed, and got %d", path, status)
		}
	}
	if status, body := ask(t, h, http.MethodGet, "/api/v1/query", form("query", "odd")); status != http.StatusInternalServerError || !strings.Contains(body, "is closed") {
		t.Errorf("closed: got %d %s", status, body)
	}
}

func TestAClientThatWentAwayEndsItsQuery(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/query?query=odd", nil)
	sampled(t).Handler().ServeHTTP(w, r)
	if body, _ := io.ReadAll(w.Body); !strings.Contains(string(body), `"errorType":"canceled"`) {
		t.Errorf("got %d %s", w.Code, body)
	}
}
