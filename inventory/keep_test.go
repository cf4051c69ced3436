package inventory_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
)

// list is a server that gives a list of devices and can be made to fail.
type list struct {
	*httptest.Server
	answer atomic.Value // func(w http.ResponseWriter, r *http.Request)
}

func newList(t *testing.T) *list {
	t.Helper()
	l := &list{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.answer.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *list) says(text string) {
	l.answer.Store(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
}

func (l *list) fails(status int) {
	l.answer.Store(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry", status) })
}

// devices writes a list of n devices.
func devices(n int, more string) string {
	var rows []string
	for i := range n {
		rows = append(rows, fmt.Sprintf(`{"name":"r%d","os":"ios"%s}`, i, more))
	}
	return "[" + strings.Join(rows, ",") + "]"
}

func TestASourceThatFailsGivesWhatItGaveLast(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail func(l *list)
		want string // in the note; empty: there is none
		left int
	}{
		"it is well":                {func(*list) {}, "", 10},
		"it has grown":              {func(l *list) { l.says(devices(30, "")) }, "", 30},
		"it has half of them":       {func(l *list) { l.says(devices(5, "")) }, "", 5},
		"less than half of them":    {func(l *list) { l.says(devices(4, "")) }, "gives 4 devices where it gave 10 before; less than half is taken for a broken export", 10},
		"none of them":              {func(l *list) { l.says("[]") }, "gives 0 devices where it gave 10 before", 10},
		"an error":                  {func(l *list) { l.fails(503) }, "HTTP 503 Service Unavailable; the 10 devices that it gave at", 10},
		"a wrong token":             {func(l *list) { l.fails(401) }, "HTTP 401 Unauthorized: the token or password is wrong", 10},
		"no JSON":                   {func(l *list) { l.says("<html>") }, "this is no JSON", 10},
		"an answer cut off":         {func(l *list) { l.says(strings.TrimSuffix(devices(10, ""), "]")) }, "this is no JSON", 10},
		"an answer of another form": {func(l *list) { l.says(`{"error": "no"}`) }, "it is no list of devices", 10},
		"nobody listens":            {func(l *list) { l.Close() }, "connection refused", 10},
		"only rows that are bad":    {func(l *list) { l.says(strings.Repeat(`[{"name":"../x"}]`, 1)) }, "gives 0 devices", 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newList(t)
			l.says(devices(10, ""))
			e := env(t)
			e.Keep = filepath.Join(t.TempDir(), "inventory")
			spec := inventory.Spec{Type: "json", URL: l.URL}
			first, err := inventory.Load(t.Context(), e, spec)
			if err != nil || len(first.Devices) != 10 || len(first.Notes) > 0 {
				t.Fatalf("got %v, %v, %v", names(first.Devices), first.Notes, err)
			}
			c.fail(l)
			inv, err := inventory.Load(t.Context(), e, spec)
			if err != nil || len(inv.Devices) != c.left {
				t.Errorf("got %d devices, %v, want %d", len(inv.Devices), err, c.left)
			}
			if c.left == 10 {
				if diff := cmp.Diff(first.Devices, inv.Devices); diff != "" {
					t.Errorf("what was kept is something else: %s", diff)
				}
			}
			if got := strings.Join(errorTexts(inv.Notes), "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got the note %q, want %q in it", got, c.want)
			}
			if c.want == "" {
				return
			}
			bare := e
			bare.Keep = filepath.Join(t.TempDir(), "other")
			inv, err = inventory.Load(t.Context(), bare, spec)
			if strings.Contains(c.want, "gives") { // there is nothing to compare with
				return
			}
			if err == nil || len(inv.Devices) > 0 {
				t.Errorf("without a last good answer: got %d devices, %v, want a failure", len(inv.Devices), err)
			}
		})
	}
}

func TestSettingsOfTodayHoldForWhatWasKept(t *testing.T) {
	t.Parallel()
	l := newList(t)
	l.says(devices(2, `,"password":"`+hidden+`","group":"core"`))
	e := env(t)
	e.Keep = t.TempDir()
	spec := inventory.Spec{Type: "json", URL: l.URL, Map: inventory.Mapping{Name: "name", Platform: "os", Password: "password", Group: "group"}}
	inv, err := inventory.Load(t.Context(), e, spec)
	if err != nil || inv.Devices[0].Credentials[0] != "device/r0" {
		t.Fatalf("got %v, %v", inv.Devices, err)
	}
	kept, err := filepath.Glob(filepath.Join(e.Keep, "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("got %v, %v, want one file", kept, err)
	}
	data, err := os.ReadFile(kept[0])
	if err != nil || strings.Contains(string(data), hidden) {
		t.Errorf("%v: the kept file holds the password: %s", err, data)
	}
	if info, _ := os.Stat(kept[0]); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got the mode %v, want 0600", info.Mode())
	}
	l.fails(500)
	e = env(t)
	e.Keep = filepath.Dir(kept[0])
	e.Groups = map[string]inventory.Group{"core": {Settings: inventory.Settings{Port: 2222}}}
	inv, err = inventory.Load(t.Context(), e, spec)
	if err != nil || len(inv.Devices) != 2 || inv.Devices[0].Port != 2222 || inv.Devices[0].Credentials != nil {
		t.Errorf("got %+v, %v, want the port that the group has now and no password", inv.Devices, err)
	}
	if notes := strings.Join(errorTexts(inv.Notes), "\n"); !strings.Contains(notes, "2 of these devices had passwords from there, which are never kept") {
		t.Errorf("got the notes %q", notes)
	}
	spec.Filter = map[string][]string{"site": {"ams"}}
	if _, err = inventory.Load(t.Context(), e, spec); err == nil {
		t.Error("another query is answered from what the first one gave")
	}
}

func TestAShrunkSourceIsTakenWhereThatIsRight(t *testing.T) {
	t.Parallel()
	l := newList(t)
	e := env(t)
	e.Keep = t.TempDir()
	load := func(text string, accept bool) int {
		l.says(text)
		e := e
		e.AcceptShrunk = accept
		inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "json", URL: l.URL})
		if err != nil {
			t.Fatal(err)
		}
		return len(inv.Devices)
	}
	for i, c := range []struct {
		n      int
		accept bool
		want   int
	}{{10, false, 10}, {2, false, 10}, {2, false, 10}, {2, true, 2}, {2, false, 2}, {0, false, 2}, {0, true, 0}, {7, false, 7}} {
		if got := load(devices(c.n, ""), c.accept); got != c.want {
			t.Errorf("step %d: %d devices, accepted %t: got %d, want %d", i, c.n, c.accept, got, c.want)
		}
	}
}

func TestWhatIsYoungEnoughIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age    time.Duration
		more   string // in each row
		change func(e *inventory.Env)
		asked  int32
	}{
		"young enough":           {time.Hour, "", func(*inventory.Env) {}, 1},
		"too old":                {time.Nanosecond, "", func(*inventory.Env) {}, 2},
		"no age":                 {0, "", func(*inventory.Env) {}, 2},
		"with passwords":         {time.Hour, `,"password":"` + hidden + `"`, func(*inventory.Env) {}, 2},
		"shrunk, and that right": {time.Hour, "", func(e *inventory.Env) { e.AcceptShrunk = true }, 2},
		"nothing is kept":        {time.Hour, "", func(e *inventory.Env) { e.Keep = "" }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			l := newList(t)
			l.answer.Store(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				fmt.Fprint(w, devices(2, c.more))
			})
			e := env(t)
			e.Keep = t.TempDir()
			spec := inventory.Spec{Type: "json", URL: l.URL, MaxAge: c.age, Map: inventory.Mapping{Name: "name", Platform: "os", Password: "password"}}
			first, err := inventory.Load(t.Context(), e, spec)
			if err != nil {
				t.Fatal(err)
			}
			c.change(&e)
			again, err := inventory.Load(t.Context(), e, spec)
			if err != nil || cmp.Diff(first.Devices, again.Devices) != "" || len(again.Notes) > 0 {
				t.Errorf("%v %v %s", err, again.Notes, cmp.Diff(first.Devices, again.Devices))
			}
			if got := asked.Load(); got != c.asked {
				t.Errorf("asked %d times, want %d", got, c.asked)
			}
		})
	}
}

// Who can write into the data directory gains no command and no file by it.
func TestAKeptFileIsNotTrusted(t *testing.T) {
	t.Parallel()
	l := newList(t)
	e := env(t)
	e.Keep = t.TempDir()
	spec := inventory.Spec{Type: "json", URL: l.URL}
	l.says(devices(1, ""))
	if _, err := inventory.Load(t.Context(), e, spec); err != nil {
		t.Fatal(err)
	}
	kept, _ := filepath.Glob(filepath.Join(e.Keep, "*"))
	l.fails(500)
	for text, want := range map[string]string{
		`{"Devices":2,"Rows":[{"Place":"x","Row":{"Name":"../etc"}},{"Place":"y","Row":{"Name":"r1","Password":"exec:touch x","Enable":"file:/etc/shadow"}}]}`: "r1",
		`{"Devices":`: "",
		"":            "",
		`{"Rows":[]}`: "",
	} {
		if err := os.WriteFile(kept[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Load(t.Context(), e, spec)
		if got := strings.Join(names(inv.Devices), " "); got != want {
			t.Errorf("%s: got %q, %v", text, got, err)
		}
		if _, ok := e.Keyring.Get("device/r1"); ok {
			t.Errorf("%s: a secret was taken from there", text)
		}
	}
}

func TestWhereNothingCanBeKeptThereIsANote(t *testing.T) {
	t.Parallel()
	l := newList(t)
	l.says(devices(1, ""))
	e := env(t)
	e.Keep = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(e.Keep, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "json", URL: l.URL})
	if err != nil || len(inv.Devices) != 1 {
		t.Fatal(inv.Devices, err)
	}
	if notes := strings.Join(errorTexts(inv.Notes), "\n"); !strings.Contains(notes, "cannot be kept for times when it fails") {
		t.Errorf("got the notes %q", notes)
	}
}
