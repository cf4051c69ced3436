package app_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/musternet/muster/app"
)

// A server that gives less than half of what it gave is not believed, until somebody says that it is right.
func TestAServerThatShrankIsBelievedWhenThatIsAccepted(t *testing.T) {
	t.Parallel()
	var answer atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(answer.Load().(string)))
	}))
	defer server.Close()
	dir := t.TempDir()
	list := []string{"json:" + server.URL}
	devices := func(o app.Options) int {
		o.DataDir, o.Inventory = dir+"/data", list
		s, err := openIn(t, dir, o).Select(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(s.Devices)
	}
	answer.Store(`[{"name":"r1"},{"name":"r2"},{"name":"r3"}]`)
	if n := devices(app.Options{}); n != 3 {
		t.Fatalf("got %d devices, want 3", n)
	}
	answer.Store(`[{"name":"r1"}]`)
	for _, c := range []struct {
		accept bool
		want   int
	}{{false, 3}, {true, 1}, {false, 1}} {
		if n := devices(app.Options{Shrunk: c.accept}); n != c.want {
			t.Errorf("accepted %v: got %d devices, want %d", c.accept, n, c.want)
		}
	}
}

// What a source gave is remembered under its file, wherever muster is started.
func TestASourceIsKnownByItsFileInEveryDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, filepath.Join(dir, "hosts"), "[core]\nr1\nr2\nr3\n")
	for _, source := range []string{"ansible:hosts", "ansible:" + filepath.Join(dir, "hosts")} {
		a := openIn(t, dir, app.Options{DataDir: filepath.Join(dir, "data"), Inventory: []string{source}})
		for range a.Backup(t.Context(), nil, app.RunOptions{}, &app.Summary{}) {
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "data", "sources.json"))
	if err != nil || strings.Count(string(text), "hosts") != 1 {
		t.Errorf("got %s, %v", text, err)
	}
}
