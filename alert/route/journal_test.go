package route_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/alert/route"
)

// TestBrokenEnd cuts the file of silences around the ends of its records and within them, or adds to it: what is whole before the cut is kept.
func TestBrokenEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := route.Open(route.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var ends []int
	for range 3 {
		if _, err := r.Silence(t.Context(), []string{"device=r1"}, time.Now().Add(time.Hour), "me", "works"); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, "silences"))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(content))
	}
	content, err := os.ReadFile(filepath.Join(dir, "silences"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for cut := range len(content) {
		want := 0
		if within := cut % ends[0]; cut%41 != 0 && within > 2 && within < ends[0]-2 {
			continue
		}
		for _, end := range ends {
			if cut >= end {
				want++
			}
		}
		if got := silencesIn(t, content[:cut]); got != want {
			t.Errorf("of a file cut at byte %d there are %d silences, want %d", cut, got, want)
		}
	}
	if got := silencesIn(t, append(content[:len(content):len(content)], 0xff, 0xff)); got != 3 {
		t.Errorf("of a file with rubbish at its end there are %d silences", got)
	}
}

// silencesIn opens a Router on a file of silences, adds one, and opens it again.
func silencesIn(t *testing.T, content []byte) int {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "silences"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := route.Open(route.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Silence(t.Context(), []string{"device=r2"}, time.Now().Add(time.Hour), "me", "works"); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := route.Open(route.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := r.Silences(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all) - 2
}

func TestAFileThatIsNoStateIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nflog"), []byte("\x05hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := route.Open(route.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "nflog")) {
		t.Errorf("got %v", err)
	}
}

// TestSnapshotsBesideChanges lets the quarter-hourly snapshot run while notifications are logged; nothing is lost by it, and the
// files do not grow with what was changed.
func TestSnapshotsBesideChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{})
		size := func() int64 {
			info, err := os.Stat(filepath.Join(b.o.Dir, "nflog"))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
		var first int64
		for i := range 200 {
			a := down("r1", "edge")
			b.fires(2*time.Minute, a)
			b.send(over(a))
			time.Sleep(2 * time.Minute)
			if i == 0 {
				first = size()
			}
		}
		if n := len(b.hook.taken()); n != 400 {
			t.Errorf("%d notifications, want 400", n)
		}
		if now := size(); now > 10*first {
			t.Errorf("the log grew from %d to %d bytes", first, now)
		}
	})
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	dir, unmount := smallDisk(t)
	defer unmount()
	r, err := route.Open(route.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first, err := r.Silence(t.Context(), []string{"device=r1"}, time.Now().Add(time.Hour), "me", "works")
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	if _, err := r.Silence(t.Context(), []string{"device=r2"}, time.Now().Add(time.Hour), "me", strings.Repeat("works ", 2000)); err == nil {
		t.Fatal("a silence was acknowledged that is not on the disk")
	} else if !strings.Contains(err.Error(), "in force until a restart") {
		t.Errorf("got %v", err)
	}
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodDelete, "/api/v2/silence/"+first, nil)
	if r.Handler().ServeHTTP(w, req); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "no space") {
		t.Errorf("by the API: %d %s", w.Code, w.Body)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	second, err := r.Silence(t.Context(), []string{"device=r3"}, time.Now().Add(time.Hour), "me", "works")
	if err != nil {
		t.Fatalf("with space again: %v", err)
	}
	checkSilences(t, copyOf(t, dir), map[string]string{first: "expired", second: "made"})
}

// copyOf is the directory as a kill would leave it.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	other := t.TempDir()
	for _, name := range []string{"silences", "nflog"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return other
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
}
