package inventory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// netbox is a server that behaves as NetBox's published OpenAPI says of GET /api/dcim/devices/: limit and offset, count,
// next and previous, filters by slug, and the two kinds of tokens. It was written from knowledge of that contract: no NetBox
// was at hand to compare with.
type netbox struct {
	*httptest.Server
	devices []map[string]any
	token   string // as the header has it; empty: anybody may read
	page    int    // the most that one page holds
	mu      sync.Mutex
	asked   []string
	next    func(string) string // changes the URL of the next page
}

// newNetBox serves testdata/netbox/devices.json.
func newNetBox(t *testing.T) *netbox {
	t.Helper()
	data, err := os.ReadFile("testdata/netbox/devices.json")
	if err != nil {
		t.Fatal(err)
	}
	n := &netbox{page: 3}
	if err := json.Unmarshal(data, &n.devices); err != nil {
		t.Fatal(err)
	}
	n.Server = httptest.NewServer(n)
	t.Cleanup(n.Close)
	return n
}

func (n *netbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/api/dcim/devices/" || r.Method != http.MethodGet {
		http.Error(w, "<html>Page Not Found</html>", http.StatusNotFound)
		return
	}
	if n.token != "" && r.Header.Get("Authorization") != n.token {
		w.WriteHeader(http.StatusForbidden)
		json.NewEncoder(w).Encode(map[string]string{"detail": "Invalid token " + r.Header.Get("Authorization")})
		return
	}
	q := r.URL.Query()
	n.mu.Lock()
	n.asked = append(n.asked, q.Encode())
	n.mu.Unlock()
	var all []map[string]any
	for _, d := range n.devices {
		if n.matches(d, q) {
			all = append(all, d)
		}
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	offset, _ := strconv.Atoi(q.Get("offset"))
	limit = min(limit, n.page)
	answer := map[string]any{"count": len(all), "next": nil, "previous": nil}
	if offset+limit < len(all) {
		q.Set("offset", strconv.Itoa(offset+limit))
		q.Set("limit", strconv.Itoa(limit))
		next := n.URL + r.URL.Path + "?" + q.Encode()
		if n.next != nil {
			next = n.next(next)
		}
		answer["next"] = next
	}
	answer["results"] = all[min(offset, len(all)):min(offset+limit, len(all))]
	json.NewEncoder(w).Encode(answer)
}

// matches applies the filters status, site and role.
func (n *netbox) matches(d map[string]any, q url.Values) bool {
	for key, field := range map[string]string{"status": "value", "site": "slug", "role": "slug"} {
		of, _ := d[key].(map[string]any)
		if wanted := q[key]; len(wanted) > 0 && !slices.Contains(wanted, of[field].(string)) {
			return false
		}
	}
	return true
}

func netboxSubject(t *testing.T) (spec, gone inventory.Spec) {
	n, closed := newNetBox(t), httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	return inventory.Spec{Type: "netbox", URL: n.URL}, inventory.Spec{Type: "netbox", URL: closed.URL}
}

func TestNetBoxIsAskedForWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	const v1, v2 = "0123456789abcdef0123456789abcdef01234567", "nbt_abcdefghijkl.hunter2hunter2hunter2hunter2hunter2hunter2"
	for name, c := range map[string]struct {
		token, header string
		filter        map[string][]string
		path          string
		names         []string
		query         string
	}{
		"a token of version 1": {token: v1, header: "Token " + v1, names: []string{"core-1", "vc-a", "edge-1"},
			query: "exclude=config_context&limit=500&offset=0&ordering=id&status=active"},
		"a token of version 2": {token: v2, header: "Bearer " + v2, names: []string{"core-1", "vc-a", "edge-1"},
			query: "exclude=config_context&limit=500&offset=0&ordering=id&status=active"},
		"filters": {filter: map[string][]string{"site": {"ams"}, "role": {"core", "edge"}, "status": {"active", "planned"}}, names: []string{"core-1", "edge-1", "edge-2"},
			query: "exclude=config_context&limit=500&offset=0&ordering=id&role=core&role=edge&site=ams&status=active&status=planned"},
		"the URL of the list itself": {path: "/api/dcim/devices", names: []string{"core-1", "vc-a", "edge-1"},
			query: "exclude=config_context&limit=500&offset=0&ordering=id&status=active"},
		"a status in the URL": {path: "/?status=planned", names: []string{"edge-2"},
			query: "exclude=config_context&limit=500&offset=0&ordering=id&status=planned"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetBox(t)
			n.token = c.header
			e := env(t)
			e.Open = secrets(map[string]string{"env:NETBOX": c.token})
			spec := inventory.Spec{Type: "netbox", URL: n.URL + c.path, Filter: c.filter}
			if c.token != "" {
				spec.Token = []secret.Ref{"env:NETBOX"}
			}
			inv, err := inventory.Load(t.Context(), e, spec)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.names, names(inv.Devices)); diff != "" {
				t.Error(diff)
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.asked[0] != c.query {
				t.Errorf("got the query %s, want %s", n.asked[0], c.query)
			}
		})
	}
}

// Whoever answers may answer anything: the token must not come back in an error, and goes to no other host.
func TestNetBoxThatFails(t *testing.T) {
	t.Parallel()
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked for %s with %v", r.URL, r.Header)
	}))
	t.Cleanup(foreign.Close)
	elsewhere := strings.Replace(foreign.URL, "127.0.0.1", "localhost", 1)
	for name, c := range map[string]struct {
		token string
		next  func(string) string
		want  string
	}{
		"a wrong token":                       {"Token other", nil, "/api/dcim/devices/: HTTP 403 Forbidden: the token or password is wrong, has expired, or may not read this"},
		"a next page on another host":         {"", func(string) string { return elsewhere + "/x" }, "the next page is on another host, localhost: it is not asked"},
		"a next page that is the same":        {"", func(string) string { return "?limit=500&offset=0&ordering=id&exclude=config_context&status=active" }, "its pages have no end"},
		"a next page that is no URL":          {"", func(string) string { return "http://[" }, "the URL of the next page cannot be read"},
		"a next page that is not there":       {"", func(string) string { return "/other/" }, "/other/: HTTP 404 Not Found: look at the url"},
		"a next page with a user in its host": {"", func(string) string { return "https://127.0.0.1@evil.example.net/" }, "another host, evil.example.net"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetBox(t)
			n.token, n.next = c.token, c.next
			e := env(t)
			e.Open = secrets(map[string]string{"env:NETBOX": "nbt_" + hidden})
			_, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "netbox", URL: n.URL, Token: []secret.Ref{"env:NETBOX"}})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), hidden) {
				t.Errorf("the token came out: %v", err)
			}
		})
	}
}

// Behind a proxy NetBox often thinks that it is asked by http: and on another port.
// A device that is deleted between two pages moves one that was not read yet onto a page that was.
func TestNetBoxThatChangesBetweenTwoPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deletions int
		want      string // in the error; empty: the list is whole
	}{
		"once":       {1, ""},
		"every time": {100, "it changed each of the 3 times that it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetBox(t)
			n.devices = nil
			for i := range 100 {
				n.devices = append(n.devices, map[string]any{"id": i + 1, "name": fmt.Sprintf("r%03d", i), "status": map[string]any{"value": "active"}, "primary_ip": map[string]any{"address": "192.0.2.1/24"}})
			}
			n.page = 50
			n.next = func(next string) string { // as the first page is answered
				if c.deletions--; c.deletions >= 0 {
					n.devices = n.devices[1:]
				}
				return next
			}
			inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "netbox", URL: n.URL})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, inventory.ErrServer) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || len(inv.Devices) != 99 || inv.Devices[0].Name != "r001" || inv.Devices[49].Name != "r050" {
				t.Errorf("got %d devices, %v", len(inv.Devices), err)
			}
		})
	}
}

func TestNetBoxBehindAProxy(t *testing.T) {
	t.Parallel()
	n := newNetBox(t)
	n.next = func(s string) string {
		u, _ := url.Parse(s)
		u.Scheme, u.Host = "https", u.Hostname()
		return u.String()
	}
	inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "netbox", URL: n.URL})
	if err != nil || len(inv.Devices) != 3 {
		t.Errorf("got %v, %v", names(inv.Devices), err)
	}
}
