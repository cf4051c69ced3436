package sim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// startISE starts a simulated ISE that ends with the test.
func startISE(t testing.TB, c sim.ISEConfig) *sim.ISE {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan *sim.ISE)
	ended := make(chan error, 1)
	go func() {
		defer close(started)
		ended <- task.Scope(ctx, "test", func(ctx context.Context, g *task.Group) error {
			i, err := sim.StartISE(ctx, g, c)
			if err != nil {
				return err
			}
			started <- i
			return nil
		})
	}()
	i, ok := <-started
	if !ok {
		cancel()
		t.Fatal(<-ended)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return i
}

// asker asks a simulated ISE as curl would.
type asker struct {
	t      *testing.T
	ise    *sim.ISE
	client *http.Client
	url    string
	header http.Header // instead of the usual one
	login  [2]string
}

func ask(t *testing.T, i *sim.ISE) *asker {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(i.CA())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(client.CloseIdleConnections)
	user, password := i.Login()
	return &asker{t: t, ise: i, client: client, url: i.URL(), login: [2]string{user, password},
		header: http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}}
}

// do sends a request; the answer is nil when none came.
func (a *asker) do(method, path, body string) (*http.Response, string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header = a.header.Clone()
	req.SetBasicAuth(a.login[0], a.login[1])
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err.Error()
	}
	return resp, string(text)
}

// want demands a status and a text in the answer.
func (a *asker) want(method, path, body string, status int, text string) *http.Response {
	a.t.Helper()
	resp, got := a.do(method, path, body)
	if resp == nil || resp.StatusCode != status || !strings.Contains(got, text) {
		a.t.Fatalf("%s %s: got %v %s, want %d %s", method, path, resp, got, status, text)
	}
	return resp
}

type isePage struct {
	SearchResult struct {
		Total     int
		Resources []struct{ ID, Name, Mac string }
		NextPage  *struct{ Href string }
	}
}

func TestISEListsInPages(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 45, Seed: 1})
	a := ask(t, i)
	var names []string
	for page := 1; ; page++ {
		_, text := a.do("GET", fmt.Sprintf("/ers/config/endpoint?page=%d", page), "")
		var p isePage
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		for _, r := range p.SearchResult.Resources {
			if r.Mac != "" {
				t.Errorf("an entry of a list has a mac: %+v", r)
			}
			names = append(names, r.Name)
		}
		if p.SearchResult.Total != 45 {
			t.Errorf("total %d", p.SearchResult.Total)
		}
		if p.SearchResult.NextPage == nil {
			break
		}
		if href := p.SearchResult.NextPage.Href; !strings.HasPrefix(href, "https://ise-pan-1.sim.invalid:9060/ers/config/endpoint?page=") {
			t.Errorf("the next page is at %s", href)
		}
	}
	if !slices.Equal(names, i.Endpoints()) || len(names) != 45 {
		t.Errorf("got %v", names)
	}
	a.want("GET", "/ers/config/endpoint?page=4", "", 400, "Page not exists exception")
	for _, query := range []string{"size=101", "size=0", "page=0", "page=9223372036854775807"} {
		a.want("GET", "/ers/config/endpoint?"+query, "", 400, "Illegal values")
		a.want("GET", "/api/v1/endpoint?"+query, "", 400, "Illegal values")
	}
	a.want("GET", "/ers/config/ancendpoint", "", 200, `"total":0`)
	a.want("GET", "/ers/config/nothing", "", 404, "<title>")
	a.want("GET", "/ers/config/endpoint?filter=mac.EQ."+names[7], "", 200, `"total":1`)
	a.want("GET", "/ers/config/endpoint?filter=mac.IS."+names[7], "", 400, "illegal operator")
	a.want("GET", "/ers/config/endpoint?filter=colour.EQ.red", "", 400, "illegal field name colour")
}

func TestISEIsTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	one, two, other := startISE(t, sim.ISEConfig{Endpoints: 500, Seed: 1}), startISE(t, sim.ISEConfig{Endpoints: 500, Seed: 1}), startISE(t, sim.ISEConfig{Endpoints: 500, Seed: 2})
	if !slices.Equal(one.Endpoints(), two.Endpoints()) || slices.Equal(one.Endpoints(), other.Endpoints()) {
		t.Error("the endpoints do not follow from the seed")
	}
	if one.Pin() != two.Pin() || one.Pin() == other.Pin() {
		t.Error("the key does not follow from the seed")
	}
	if macs := slices.Compact(slices.Sorted(slices.Values(one.Endpoints()))); len(macs) != 500 {
		t.Errorf("%d different MAC addresses", len(macs))
	}
}

func TestISEMakesChangesAndDeletes(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 3, Seed: 1})
	a := ask(t, i)
	_, text := a.do("GET", "/ers/config/endpointgroup?filter=name.EQ.Group-01", "")
	var groups isePage
	if err := json.Unmarshal([]byte(text), &groups); err != nil || len(groups.SearchResult.Resources) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	group := groups.SearchResult.Resources[0].ID
	resp := a.want("POST", "/ers/config/endpoint", `{"ERSEndPoint":{"mac":"00:11:22:33:44:55","groupId":"`+group+`","staticGroupAssignment":true}}`, 201, "")
	_, id, ok := strings.Cut(resp.Header.Get("Location"), "https://ise-pan-1.sim.invalid:9060/ers/config/endpoint/")
	if !ok {
		t.Fatalf("Location: %s", resp.Header.Get("Location"))
	}
	a.want("GET", "/ers/config/endpoint/"+id, "", 200, `"groupId":"`+group+`"`)
	a.want("GET", "/ers/config/endpoint/name/00:11:22:33:44:55", "", 200, `"staticGroupAssignment":true`)
	a.want("POST", "/ers/config/endpoint", `{"ERSEndPoint":{"mac":"00:11:22:33:44:55"}}`, 400, "already exists")
	a.want("POST", "/ers/config/identitygroup", `{"IdentityGroup":{"name":"Employee"}}`, 500, "already exists")
	a.want("POST", "/ers/config/endpoint", `{"ERSEndPoint":{"mac":"0011.2233.4455"}}`, 400, "not valid")
	a.want("POST", "/ers/config/endpoint", `{"EndPoint":{"mac":"00:11:22:33:44:66"}}`, 400, "no ERSEndPoint")
	a.want("PUT", "/ers/config/endpoint/"+id, `{"ERSEndPoint":{"description":"a phone"}}`, 200, `"newValue":"a phone"`)
	a.want("GET", "/ers/config/endpoint/"+id, "", 200, `"description":"a phone"`)
	a.want("DELETE", "/ers/config/endpoint/"+id, "", 204, "")
	a.want("DELETE", "/ers/config/endpoint/"+id, "", 404, "Resource not found exception")
	a.want("POST", "/ers/config/endpoint", `{"ERSEndPoint":{"mac":"00:11:22:33:44:66","groupId":"`+group+`"}}`, 201, "")
	if resp, text := a.do("GET", "/ers/config/endpoint/name/00:11:22:33:44:66", ""); resp == nil || strings.Contains(text, group) {
		t.Errorf("a group lasts without a static assignment: %s", text)
	}
	if got := i.Counts(); got.Created != 2 || got.Updated != 1 || got.Deleted != 1 || got.Requests != 14 {
		t.Errorf("%+v", got)
	}
}

func TestISERefuses(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 3, Standby: true})
	const list, post = "/ers/config/endpoint", `{"ERSEndPoint":{"mac":"00:11:22:33:44:55"}}`
	a := ask(t, i)
	a.login[1] = "wrong"
	if resp := a.want("GET", list, "", 401, "<html"); !strings.Contains(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%v", resp.Header)
	}
	a = ask(t, i)
	a.header = http.Header{}
	a.want("GET", list, "", 406, "media type")
	a.header = http.Header{"Accept": {"application/json"}}
	a.want("POST", list, post, 415, "Content-Type")
	a = ask(t, i)
	a.login[0], a.login[1] = i.OperatorLogin()
	a.want("GET", list, "", 200, `"total":3`)
	a.want("POST", list, post, 403, "permission")
	a = ask(t, i)
	a.url = i.StandbyURL()
	a.want("GET", list, "", 200, `"total":3`)
	a.want("POST", list, post, 405, "secondary")
	i.StopPrimary()
	a.want("GET", list, "", 200, `"total":3`)
	if resp, text := ask(t, i).do("GET", list, ""); resp != nil || !strings.Contains(text, "refused") {
		t.Errorf("the primary answers after its end: %s", text)
	}
}

func TestISEWantsATokenForChanges(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{CSRF: true})
	const post = `{"ERSEndPoint":{"mac":"00:11:22:33:44:55"}}`
	a := ask(t, i)
	if resp := a.want("POST", "/ers/config/endpoint", post, 403, "CSRF"); resp.Header.Get("X-CSRF-Token") != "Required" {
		t.Errorf("%v", resp.Header)
	}
	a.header.Set("X-CSRF-Token", "fetch")
	resp := a.want("GET", "/ers/config/endpoint/versioninfo", "", 200, "VersionInfo")
	a.header.Set("X-CSRF-Token", resp.Header.Get("X-CSRF-Token"))
	a.want("POST", "/ers/config/endpoint", post, 201, "")
	jar := a.client.Jar
	a.client.Jar = nil // the token without its session
	a.want("POST", "/ers/config/endpoint", strings.Replace(post, "55", "56", 1), 403, "CSRF")
	a.client.Jar = jar
	a.want("POST", "/ers/config/endpoint", strings.Replace(post, "55", "56", 1), 201, "")
}

func TestISEForgetsATokenThatIsNotUsed(t *testing.T) {
	t.Parallel()
	a := ask(t, startISE(t, sim.ISEConfig{CSRF: true, CSRFIdle: time.Nanosecond}))
	a.header.Set("X-CSRF-Token", "fetch")
	resp := a.want("GET", "/ers/config/endpoint/versioninfo", "", 200, "VersionInfo")
	a.header.Set("X-CSRF-Token", resp.Header.Get("X-CSRF-Token"))
	a.want("POST", "/ers/config/endpoint", `{"ERSEndPoint":{"mac":"00:11:22:33:44:55"}}`, 403, "CSRF")
}

func TestISEKeepsToItsRate(t *testing.T) {
	t.Parallel()
	for status, busy := range map[int]bool{429: false, 503: true} {
		i := startISE(t, sim.ISEConfig{Rate: 5, Busy: busy})
		a := ask(t, i)
		for range 5 {
			a.want("GET", "/ers/config/endpoint", "", 200, "")
		}
		a.want("GET", "/ers/config/endpoint", "", status, "")
		if got := i.Counts(); got.Throttled != 1 || i.Busiest(time.Minute) != 6 || got.PeakConns != 1 {
			t.Errorf("%+v, busiest %d", got, i.Busiest(time.Minute))
		}
	}
}

func TestISEFaultsShow(t *testing.T) {
	t.Parallel()
	const post = `{"ERSEndPoint":{"mac":"00:11:22:33:44:55"}}`
	for kind, want := range map[string]struct {
		status  int
		text    string
		created int64
	}{
		"500": {500, "Internal server error", 0}, "503": {503, "<html", 0}, "429": {429, "Too many", 0}, "html": {200, "<html", 0}, "redirect": {302, "", 0},
		"reset": {0, "connection reset", 0}, "lost": {0, "connection reset", 1},
	} {
		i := startISE(t, sim.ISEConfig{Faults: []sim.ISEShare{{Kind: kind, Share: 1}}})
		resp, text := ask(t, i).do("POST", "/ers/config/endpoint", post)
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		if status != want.status || !strings.Contains(text, want.text) || i.Counts().Created != want.created {
			t.Errorf("%s: %d %s, %d created", kind, status, text, i.Counts().Created)
		}
	}
	i := startISE(t, sim.ISEConfig{Faults: []sim.ISEShare{{Kind: "truncated", Share: 1}}})
	if resp, text := ask(t, i).do("GET", "/ers/config/endpoint", ""); resp != nil || !strings.Contains(text, "unexpected EOF") {
		t.Errorf("truncated: %v %s", resp, text)
	}
}

func TestISEFaultsHaveTheirShare(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Seed: 4, Faults: []sim.ISEShare{{Kind: "500", Share: 0.2}, {Kind: "429", Share: 0.1}}})
	a := ask(t, i)
	got := map[int]int{}
	for range 400 {
		resp, text := a.do("GET", "/ers/config/endpoint", "")
		if resp == nil {
			t.Fatal(text)
		}
		got[resp.StatusCode]++
	}
	if got[500] < 60 || got[500] > 100 || got[429] < 25 || got[429] > 55 || int64(got[500]+got[429]) != i.Counts().Faults {
		t.Errorf("got %v", got)
	}
}

func TestISEOpenAPI(t *testing.T) {
	t.Parallel()
	a := ask(t, startISE(t, sim.ISEConfig{Endpoints: 30, Seed: 1}))
	a.want("GET", "/api/v1/policy/network-access/policy-set", "", 200, `"response":[`)
	_, text := a.do("GET", "/api/v1/endpoint?size=20&page=2", "")
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 10 || list[0]["groupId"] == nil {
		t.Errorf("%v: %s", err, text)
	}
	a.want("GET", "/api/v1/endpoint?size=20&page=3", "", 200, "[]")
	_, text = a.do("POST", "/api/v1/endpoint/bulk", `[{"mac":"00:11:22:33:44:55"},{"mac":"00:11:22:33:44:55"}]`)
	var submitted struct{ ID string }
	if err := json.Unmarshal([]byte(text), &submitted); err != nil || submitted.ID == "" {
		t.Fatalf("%v: %s", err, text)
	}
	a.want("GET", "/api/v1/task/"+submitted.ID, "", 200, `"failCount":1`)
	ask(t, startISE(t, sim.ISEConfig{NoOpenAPI: true})).want("GET", "/api/v1/endpoint", "", 404, "<html")
}

func TestParseISEShare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]sim.ISEShare{"reset:1%": {Kind: "reset", Share: 0.01}, "lost:0.5": {Kind: "lost", Share: 0.5}} {
		if got, err := sim.ParseISEShare(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "reset", "reset:x", "reset:101%", "reset:-1", "auth:1%", "reset:NaN"} {
		if got, err := sim.ParseISEShare(text); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if !slices.IsSortedFunc(sim.ISEKinds(), func(a, b sim.Kind) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table is not sorted")
	}
}

func TestISEConfigThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		for _, c := range []sim.ISEConfig{{Endpoints: -1}, {Listen: "nowhere"}, {Listen: "192.0.2.1:0"}, {Faults: []sim.ISEShare{{Kind: "auth", Share: 1}}}} {
			if i, err := sim.StartISE(ctx, g, c); err == nil {
				t.Errorf("%+v: no error", c)
				i.Close()
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
