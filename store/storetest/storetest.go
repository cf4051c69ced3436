// Package storetest holds the conformance suites that every History, Index, Store, Scans and Watch passes, and small ones of each in
// memory for the tests of other packages.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// at is a moment that keeps its value in whole seconds.
var at = time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)

func commit(device, text string) store.Commit {
	return store.Commit{
		Device: device, Path: "default/" + device + ".cfg", Text: []byte(text), Time: at, Author: "Ada Lovelace",
		Run: "run1", Trigger: "manual", New: true, Added: 1,
	}
}

// RunHistory checks a History. open returns an empty one, and closes it at the end of the test.
func RunHistory(t *testing.T, open func(t *testing.T) store.History) {
	for name, test := range map[string]func(*testing.T, store.History){
		"what was appended is read back":                historyReadsBack,
		"commits come newest first with all they hold":  historyNewest,
		"odd names and people are kept":                 historyOddNames,
		"many texts come in the order asked for":        historyTexts,
		"a text that is not there is ErrNotFound":       historyNotFound,
		"an empty history has no head":                  historyEmpty,
		"recovery and packing do no harm":               historyMaintain,
		"a device that moves leaves its old place":      historyMoves,
		"a cancelled append stores nothing by halves":   historyCancelled,
		"reading may stop at any commit or text":        historyStops,
		"large batches are stored whole and in order":   historyLarge,
		"empty and binary texts come back as they were": historyBytes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func appendAll(t *testing.T, h store.History, commits ...store.Commit) []string {
	t.Helper()
	ids, err := h.Append(t.Context(), commits)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != len(commits) {
		t.Fatalf("got %d ids for %d commits", len(ids), len(commits))
	}
	return ids
}

func newest(t *testing.T, h store.History) []muster.Revision {
	t.Helper()
	var out []muster.Revision
	for r, err := range h.Newest(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func wantText(t *testing.T, h store.History, text string) {
	t.Helper()
	got, err := h.Text(t.Context(), store.BlobID([]byte(text)))
	if err != nil || string(got) != text {
		t.Errorf("got text %q, %v, want %q", got, err, text)
	}
}

func historyReadsBack(t *testing.T, h store.History) {
	appendAll(t, h, commit("r1", "one\n"))
	ids := appendAll(t, h, commit("r2", "two\n"), commit("r3", "no end of line"))
	wantText(t, h, "one\n")
	wantText(t, h, "two\n")
	wantText(t, h, "no end of line")
	if head, err := h.Head(t.Context()); err != nil || head != ids[1] {
		t.Errorf("got head %q, %v, want the last commit %q", head, err, ids[1])
	}
}

func historyNewest(t *testing.T, h store.History) {
	first := commit("r1", "one\n")
	second := commit("r1", "one\ntwo\n")
	second.New, second.Run, second.Trigger, second.Author, second.Time = false, "run2", "syslog", "", at.Add(time.Hour)
	third := commit("r1", "three\n")
	third.New, third.Added, third.Removed = false, 12, 34
	ids := append(appendAll(t, h, first), appendAll(t, h, second, third)...)
	want := []muster.Revision{
		{ID: ids[2], Device: "r1", Time: at, Author: "Ada Lovelace", Trigger: "manual", Run: "run1", Added: 12, Removed: 34, Bytes: 6},
		{ID: ids[1], Device: "r1", Time: at.Add(time.Hour), Author: "muster", Trigger: "syslog", Run: "run2", Added: 1, Bytes: 8},
		{ID: ids[0], Device: "r1", Time: at, Author: "Ada Lovelace", Trigger: "manual", Run: "run1", Added: 1, Bytes: 4},
	}
	for i, text := range []string{"three\n", "one\ntwo\n", "one\n"} {
		want[i].Blob, want[i].Path = store.BlobID([]byte(text)), "default/r1.cfg"
	}
	if got := newest(t, h); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func historyOddNames(t *testing.T, h store.History) {
	for i, name := range []string{"2001:db8::1", "söder-ö", `quo"te`, "plus+and space", "日本", "r1: new", "+1 -1 lines"} {
		c := commit(name, fmt.Sprintf("text %d\n", i))
		c.Author = store.PersonName("Eve <root@x>\ncommitter Mallory")
		appendAll(t, h, c)
		got := newest(t, h)[0]
		if got.Device != name || got.Path != c.Path || got.Author != c.Author {
			t.Errorf("kept %q at %q by %q, got %q at %q by %q", name, c.Path, c.Author, got.Device, got.Path, got.Author)
		}
	}
}

func historyTexts(t *testing.T, h store.History) {
	var commits []store.Commit
	var blobs, want []string
	for i := range 100 {
		text := fmt.Sprintf("text %d\n", i)
		commits = append(commits, commit(fmt.Sprintf("r%d", i), text))
		blobs, want = append(blobs, store.BlobID([]byte(text))), append(want, text)
	}
	appendAll(t, h, commits...)
	slices.Reverse(blobs)
	slices.Reverse(want)
	var got []string
	for text, err := range h.Texts(t.Context(), slices.Values(blobs)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func historyNotFound(t *testing.T, h store.History) {
	appendAll(t, h, commit("r1", "one\n"))
	for _, blob := range []string{store.BlobID([]byte("never stored")), "", "main", "--help", "HEAD\n"} {
		if _, err := h.Text(t.Context(), blob); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("text %q: got %v, want ErrNotFound", blob, err)
		}
	}
	wantText(t, h, "one\n")
}

func historyEmpty(t *testing.T, h store.History) {
	if head, err := h.Head(t.Context()); head != "" || err != nil {
		t.Errorf("got head %q, %v", head, err)
	}
	if revs := newest(t, h); len(revs) != 0 {
		t.Errorf("got %d revisions", len(revs))
	}
	if ids, err := h.Append(t.Context(), nil); len(ids) != 0 || err != nil {
		t.Errorf("appending nothing: %v, %v", ids, err)
	}
	if err := errors.Join(h.Recover(t.Context()), h.Maintain(t.Context())); err != nil {
		t.Error(err)
	}
}

func historyMaintain(t *testing.T, h store.History) {
	for i := range 30 {
		appendAll(t, h, commit("r1", fmt.Sprintf("text %d\n", i)))
		if i%10 == 9 {
			if err := errors.Join(h.Recover(t.Context()), h.Maintain(t.Context()), h.Recover(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(newest(t, h)); n != 30 {
		t.Errorf("got %d commits, want 30", n)
	}
	wantText(t, h, "text 0\n")
	wantText(t, h, "text 29\n")
}

func historyMoves(t *testing.T, h store.History) {
	appendAll(t, h, commit("r1", "one\n"))
	moved := commit("r1", "two\n")
	moved.OldPath, moved.Path, moved.New = moved.Path, "core/r1.cfg", false
	appendAll(t, h, moved)
	got := newest(t, h)
	if len(got) != 2 || got[0].Path != "core/r1.cfg" || got[1].Path != "default/r1.cfg" {
		t.Errorf("got %+v", got)
	}
}

func historyCancelled(t *testing.T, h store.History) {
	appendAll(t, h, commit("r1", "one\n"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Append(ctx, []store.Commit{commit("r1", "two\n")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if err := h.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(newest(t, h))
	appendAll(t, h, commit("r1", "three\n"))
	if n := len(newest(t, h)); n != before+1 {
		t.Errorf("got %d commits after one more than %d", n, before)
	}
	wantText(t, h, "three\n")
}

func historyStops(t *testing.T, h store.History) {
	appendAll(t, h, commit("r1", "one\n"), commit("r2", "two\n"), commit("r3", "three\n"))
	for range h.Newest(t.Context()) {
		break
	}
	for range h.Texts(t.Context(), repeat(store.BlobID([]byte("one\n")))) {
		break
	}
	wantText(t, h, "three\n")
}

func repeat(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for yield(s) {
		}
	}
}

func historyLarge(t *testing.T, h store.History) {
	var commits []store.Commit
	for i := range 1300 {
		commits = append(commits, commit(fmt.Sprintf("r%d", i%50), fmt.Sprintf("text %d\n", i)))
	}
	ids := appendAll(t, h, commits...)
	got := newest(t, h)
	for i, r := range got {
		if r.ID != ids[len(ids)-1-i] {
			t.Fatalf("commit %d from the end is %s, want %s", i, r.ID, ids[len(ids)-1-i])
		}
	}
	if len(got) != len(ids) {
		t.Errorf("got %d commits, want %d", len(got), len(ids))
	}
}

func historyBytes(t *testing.T, h store.History) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, text := range []string{"", "\n", string(all), "commit refs/heads/main\ndata 3\nabc\ndone\n", "a\r\nb\r\n"} {
		appendAll(t, h, commit("r1", text))
		wantText(t, h, text)
	}
}
