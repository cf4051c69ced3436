package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// RunIndex checks an Index. open returns an empty one, and closes it at the end of the test.
func RunIndex(t *testing.T, open func(t *testing.T) store.Index) {
	for name, test := range map[string]func(*testing.T, store.Index){
		"runs are counted and finished":                       indexRuns,
		"a run's devices come by status in order of input":    indexRunDevices,
		"a device is what its last outcome says":              indexDevice,
		"a failure keeps what was known of the device":        indexFailure,
		"revisions come newest first, by device and by time":  indexRevisions,
		"a revision is found by a unique prefix":              indexPrefix,
		"commits without rows get them in their order":        indexAdd,
		"rows without commits go":                             indexRetain,
		"the state follows runs and revisions":                indexState,
		"a device can be removed and its history stays":       indexRemove,
		"a platform is remembered, also of an unknown device": indexPlatform,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func job(run string, started time.Time) muster.Job {
	return muster.Job{Run: run, Kind: "backup", Trigger: "manual", Started: started}
}

// id makes something that looks like a commit's id.
func id(n int) string { return fmt.Sprintf("%04x%036x", n, n) }

func revision(n int, device string) *muster.Revision {
	return &muster.Revision{
		ID: id(n), Blob: id(n + 1000), Device: device, Path: "default/" + device + ".cfg", Time: at.Add(time.Duration(n) * time.Second),
		Author: "muster", Trigger: "manual", Run: "run1", Added: n, Removed: 1, Bytes: 10,
	}
}

func outcome(i int, device string, status muster.Status, rev *muster.Revision) store.Outcome {
	return store.Outcome{
		Result:   muster.Result{Index: i, Device: muster.Device{Name: device, Address: "198.18.0.1", Port: 2022}, Status: status},
		Revision: rev,
	}
}

func record(t *testing.T, x store.Index, run string, outcomes ...store.Outcome) {
	t.Helper()
	if err := x.Record(t.Context(), run, outcomes); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, x store.Index, run string, started time.Time) {
	t.Helper()
	if err := x.StartRun(t.Context(), job(run, started), 3); err != nil {
		t.Fatal(err)
	}
}

func indexRuns(t *testing.T, x store.Index) {
	start(t, x, "run1", at)
	start(t, x, "run2", at.Add(time.Minute))
	start(t, x, "run2", at.Add(time.Minute)) // again: it goes on
	record(t, x, "run1", outcome(0, "r1", muster.StatusNew, revision(1, "r1")), outcome(1, "r2", muster.StatusUnchanged, nil))
	record(t, x, "run1", outcome(2, "r3", muster.StatusFailed, nil), outcome(3, "r4", muster.StatusFailed, nil))
	if err := x.FinishRun(t.Context(), "run1", at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got, err := x.Runs(t.Context(), 0)
	want := []store.Run{
		{Job: job("run2", at.Add(time.Minute)), Total: 3},
		{Job: job("run1", at), Finished: at.Add(time.Hour), Total: 3, New: 1, Unchanged: 1, Failed: 2},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if got, _ := x.Runs(t.Context(), 1); len(got) != 1 || got[0].Run != "run2" {
		t.Errorf("the newest run is %+v", got)
	}
}

func indexRunDevices(t *testing.T, x store.Index) {
	start(t, x, "run1", at)
	record(t, x, "run1", outcome(7, "r7", muster.StatusFailed, nil), outcome(3, "r3", muster.StatusUnchanged, nil))
	record(t, x, "run1", outcome(1, "r1", muster.StatusFailed, nil), outcome(10, "r10", muster.StatusFailed, nil))
	for status, want := range map[muster.Status][]string{
		muster.StatusFailed: {"r1", "r7", "r10"}, muster.StatusUnchanged: {"r3"}, muster.StatusNew: {},
	} {
		got, err := x.RunDevices(t.Context(), "run1", status)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", status, got, err, want)
		}
	}
	if got, err := x.RunDevices(t.Context(), "no such run", muster.StatusFailed); len(got) != 0 || err != nil {
		t.Errorf("of no run: got %v, %v", got, err)
	}
}

func indexDevice(t *testing.T, x store.Index) {
	if _, err := x.Device(t.Context(), "r1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	start(t, x, "run1", at)
	o := outcome(0, "r1", muster.StatusNew, revision(1, "r1"))
	o.Result.Device.Platform = "frr"
	o.Facts = muster.Facts{Hostname: "r1", Model: "m", Version: "8.4", Serial: "s"}
	o.Session = store.SessionFacts{ServerVersion: "SSH-2.0-x", Kex: "k", HostKey: "h", Cipher: "c", MAC: "m",
		Fingerprint: "f", Weak: []string{"c"}, Credential: "default"}
	record(t, x, "run1", o, outcome(1, "a0", muster.StatusUnchanged, nil))
	got, err := x.Device(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	if got.LastTry.IsZero() || !got.LastGood.Equal(got.LastTry) {
		t.Errorf("last try %v, last good %v", got.LastTry, got.LastGood)
	}
	got.LastTry, got.LastGood = time.Time{}, time.Time{}
	want := store.Device{Name: "r1", Address: "198.18.0.1", Port: 2022, Group: "default", Platform: "frr", Facts: o.Facts,
		Session: o.Session, LastRun: "run1", Revision: id(1), LastStatus: muster.StatusNew}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	all, err := x.Devices(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "a0" || all[1].Name != "r1" {
		t.Errorf("all devices: %+v, %v", all, err)
	}
}

func indexFailure(t *testing.T, x store.Index) {
	start(t, x, "run1", at)
	good := outcome(0, "r1", muster.StatusNew, revision(1, "r1"))
	good.Facts, good.Session = muster.Facts{Hostname: "r1"}, store.SessionFacts{Kex: "k"}
	record(t, x, "run1", good)
	before, err := x.Device(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	bad := outcome(0, "r1", muster.StatusFailed, nil)
	bad.Result.Failure = &muster.Failure{Device: "r1", Stage: muster.StageAuth, Code: "auth-rejected", Err: errors.New("no"),
		Hint: "try", Attempts: 2, Elapsed: time.Second, Transcript: []byte(strings.Repeat("x", 1<<20) + "Password: \x00\xff")}
	record(t, x, "run1", bad)
	got, err := x.Device(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	if got.Facts != before.Facts || got.Session.Kex != "k" || got.Revision != id(1) || !got.LastGood.Equal(before.LastGood) {
		t.Errorf("the failure took something away: %+v", got)
	}
	f := got.Failure
	if f == nil || f.Stage != muster.StageAuth || f.Code != "auth-rejected" || f.Err.Error() != "no" || f.Hint != "try" ||
		f.Attempts != 2 || f.Elapsed != time.Second || f.Device != "r1" {
		t.Fatalf("got failure %+v", f)
	}
	if !strings.HasSuffix(string(f.Transcript), "xPassword: \x00\xff") || len(f.Transcript) > 100<<10 {
		t.Errorf("the transcript has %d bytes and ends in %q", len(f.Transcript), f.Transcript[max(0, len(f.Transcript)-20):])
	}
	record(t, x, "run1", outcome(0, "r1", muster.StatusUnchanged, nil))
	if got, _ := x.Device(t.Context(), "r1"); got.Failure != nil || got.LastStatus != muster.StatusUnchanged {
		t.Errorf("after a success: %+v", got)
	}
}

// fill records revisions 1 to 6, the odd ones of r1 and the even ones of r2.
func fill(t *testing.T, x store.Index) {
	t.Helper()
	start(t, x, "run1", at)
	for n := 1; n <= 6; n++ {
		name := []string{"r2", "r1"}[n%2]
		record(t, x, "run1", outcome(0, name, muster.StatusChanged, revision(n, name)))
	}
}

// numbers turns revisions back into the numbers they were made of.
func numbers(revs []muster.Revision) (out []int) {
	for _, r := range revs {
		out = append(out, r.Added)
	}
	return out
}

func wantRevisions(t *testing.T, what string, revs []muster.Revision, err error, want ...int) {
	t.Helper()
	if got := numbers(revs); err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
	}
}

func indexRevisions(t *testing.T, x store.Index) {
	fill(t, x)
	revs, err := x.Revisions(t.Context(), "r1", 0)
	wantRevisions(t, "all of r1", revs, err, 5, 3, 1)
	if len(revs) > 0 && revs[0] != *revision(5, "r1") {
		t.Errorf("got %+v, want %+v", revs[0], *revision(5, "r1"))
	}
	revs, err = x.Revisions(t.Context(), "r2", 1)
	wantRevisions(t, "the newest of r2", revs, err, 6)
	revs, err = x.Revisions(t.Context(), "r3", 0)
	wantRevisions(t, "none", revs, err)
	revs, err = x.RevisionsSince(t.Context(), at.Add(4*time.Second))
	wantRevisions(t, "since the fourth", revs, err, 4, 5, 6)
	revs, err = x.Latest(t.Context())
	wantRevisions(t, "latest", revs, err, 5, 6)
}

func indexPrefix(t *testing.T, x store.Index) {
	start(t, x, "run1", at)
	a, b := revision(1, "r1"), revision(2, "r2")
	a.ID, b.ID = "abcd1"+strings.Repeat("0", 35), "abcd2"+strings.Repeat("0", 35)
	record(t, x, "run1", outcome(0, "r1", muster.StatusNew, a), outcome(1, "r2", muster.StatusNew, b))
	for _, c := range []struct {
		device, prefix, want string
		err                  error
	}{
		{"", "abcd1", a.ID, nil},
		{"", "ABCD2", b.ID, nil},
		{"", a.ID, a.ID, nil},
		{"r2", "abcd", b.ID, nil},
		{"", "abcd", "", store.ErrAmbiguous},
		{"r1", "abcd2", "", store.ErrNotFound},
		{"", "abc", "", store.ErrNotFound},
		{"", "ffff", "", store.ErrNotFound},
		{"", "abc%", "", store.ErrNotFound},
	} {
		got, err := x.Revision(t.Context(), c.device, c.prefix)
		if got.ID != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q of %q: got %q, %v", c.prefix, c.device, got.ID, err)
		}
	}
	if ok, err := x.HasRevision(t.Context(), a.ID); !ok || err != nil {
		t.Errorf("a revision is missing: %v", err)
	}
	if ok, err := x.HasRevision(t.Context(), "abcd1"); ok || err != nil {
		t.Errorf("a prefix passes for a revision: %v", err)
	}
}

func indexAdd(t *testing.T, x store.Index) {
	fill(t, x)
	// 7 and 8 lost their rows, 9 kept its own.
	record(t, x, "run1", outcome(0, "r1", muster.StatusChanged, revision(9, "r1")))
	kept := *revision(9, "r1")
	kept.Added = 99
	if err := x.AddRevisions(t.Context(), []muster.Revision{*revision(7, "r1"), *revision(8, "r2"), kept}); err != nil {
		t.Fatal(err)
	}
	revs, err := x.Revisions(t.Context(), "r1", 0)
	wantRevisions(t, "r1", revs, err, 9, 7, 5, 3, 1)
	revs, err = x.Latest(t.Context())
	wantRevisions(t, "latest", revs, err, 9, 8)
	if s, err := x.State(t.Context()); s.Head != id(9) || err != nil {
		t.Errorf("got state %+v, %v", s, err)
	}
	// Nothing to add is no error.
	if err := x.AddRevisions(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func indexRetain(t *testing.T, x store.Index) {
	fill(t, x)
	n, err := x.RetainRevisions(t.Context(), func(rev string) bool { return rev != id(5) && rev != id(6) && rev != id(4) && rev != id(2) })
	if n != 4 || err != nil {
		t.Errorf("removed %d, %v, want 4", n, err)
	}
	revs, err := x.Latest(t.Context())
	wantRevisions(t, "latest", revs, err, 3)
	for name, want := range map[string]string{"r1": id(3), "r2": ""} {
		if d, err := x.Device(t.Context(), name); d.Revision != want || err != nil {
			t.Errorf("%s points at %q, %v, want %q", name, d.Revision, err, want)
		}
	}
}

func indexState(t *testing.T, x store.Index) {
	want := func(when string, head string, clean bool) {
		t.Helper()
		if s, err := x.State(t.Context()); s != (store.State{Head: head, Clean: clean}) || err != nil {
			t.Errorf("%s: got %+v, %v", when, s, err)
		}
	}
	want("at first", "", true)
	start(t, x, "run1", at)
	want("in a run", "", false)
	record(t, x, "run1", outcome(0, "r1", muster.StatusNew, revision(1, "r1")), outcome(1, "r2", muster.StatusNew, revision(2, "r2")),
		outcome(2, "r3", muster.StatusUnchanged, nil))
	want("after two revisions", id(2), false)
	record(t, x, "run1", outcome(2, "r3", muster.StatusFailed, nil))
	want("after none", id(2), false)
	if err := errors.Join(x.FinishRun(t.Context(), "run1", at), x.SetClean(t.Context())); err != nil {
		t.Fatal(err)
	}
	want("at the end", id(2), true)
}

func indexRemove(t *testing.T, x store.Index) {
	fill(t, x)
	if err := x.RemoveDevice(t.Context(), "r1"); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Device(t.Context(), "r1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if err := x.RemoveDevice(t.Context(), "r1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed twice: got %v, want ErrNotFound", err)
	}
	revs, err := x.Revisions(t.Context(), "r1", 0)
	wantRevisions(t, "its history", revs, err, 5, 3, 1)
}

func indexPlatform(t *testing.T, x store.Index) {
	if err := x.SetPlatform(t.Context(), "r1", "frr"); err != nil {
		t.Fatal(err)
	}
	start(t, x, "run1", at)
	record(t, x, "run1", outcome(0, "r1", muster.StatusFailed, nil))
	if d, err := x.Device(t.Context(), "r1"); d.Platform != "frr" || err != nil {
		t.Errorf("got %q, %v", d.Platform, err)
	}
	if err := x.SetPlatform(t.Context(), "r1", "bird"); err != nil {
		t.Fatal(err)
	}
	if d, _ := x.Device(t.Context(), "r1"); d.Platform != "bird" {
		t.Errorf("got %q, want the new platform", d.Platform)
	}
}
