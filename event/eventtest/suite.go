package eventtest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/event"
)

// RunJournal checks a Journal. open returns an empty one, and closes it at the end of the test.
func RunJournal(t *testing.T, open func(t *testing.T) event.Journal) {
	for name, test := range map[string]func(*testing.T, event.Journal){
		"nothing is kept at first":                              journalEmpty,
		"events come back as they were kept, in their order":    journalReadBack,
		"of a failure the transcript is not kept":               journalFailure,
		"a limit and a place say which events come":             journalSince,
		"an event that is told again is left out":               journalAgain,
		"a new subscriber begins at the newest event":           journalCursor,
		"old events are forgotten by time, the newest stays":    journalForgetTime,
		"more events than asked for are forgotten":              journalForgetMost,
		"after a jump of the clock places have no gaps":         journalForgetJump,
		"a cancelled append keeps nothing":                      journalCancelled,
		"many events at once keep their order":                  journalMany,
		"what a caller does to an event later is not kept":      journalOwned,
		"readers beside a writer see whole appends, in a queue": journalAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var at = time.Date(2026, 11, 22, 8, 3, 0, 123456789, time.UTC)

// numbered is the nth event, a second after the one before.
func numbered(n int) muster.Event {
	return muster.Event{
		ID: fmt.Sprintf("event%d", n), Time: at.Add(time.Duration(n) * time.Second), Kind: muster.EventBackupGood,
		Device: muster.Device{Name: fmt.Sprintf("r%d", n%3), Address: "198.18.0.1"}, Text: fmt.Sprintf("text %d", n),
	}
}

// several are the events from the first number to the last.
func several(first, last int) (some []muster.Event) {
	for n := first; n <= last; n++ {
		some = append(some, numbered(n))
	}
	return some
}

func keep(t *testing.T, j event.Journal, newest int64, events ...muster.Event) {
	t.Helper()
	if got, err := j.Append(t.Context(), events); err != nil || got != newest {
		t.Fatalf("append: got place %d, %v, want %d", got, err, newest)
	}
}

func wantSince(t *testing.T, j event.Journal, after int64, limit int, first int64, want ...muster.Event) {
	t.Helper()
	got, events, err := j.Since(t.Context(), after, limit)
	if err != nil || len(events) > 0 && got != first || len(events) != len(want) || len(want) > 0 && !reflect.DeepEqual(events, want) {
		t.Errorf("after %d: got from %d %+v, %v\nwant from %d %+v", after, got, events, err, first, want)
	}
}

func wantCursor(t *testing.T, j event.Journal, name string, want int64) {
	t.Helper()
	if got, err := j.Cursor(t.Context(), name); err != nil || got != want {
		t.Errorf("cursor of %q: got %d, %v, want %d", name, got, err, want)
	}
}

func journalEmpty(t *testing.T, j event.Journal) {
	wantSince(t, j, 0, 10, 0)
	wantCursor(t, j, "alert", 0)
	keep(t, j, 0)
	if err := j.Forget(t.Context(), at, 10); err != nil {
		t.Error(err)
	}
	keep(t, j, 1, numbered(1))
	wantSince(t, j, 0, 10, 1, numbered(1))
}

// full is an event that has everything.
func full() muster.Event {
	dev := muster.Device{
		Name: "söder \"r1\"", Address: "198.18.0.1", Port: 2022, Group: "core", Platform: "frr", Tags: map[string]string{"site": "ams"},
		Credentials: []string{"a"}, Jump: []string{"j"}, LegacyCrypto: true, Secrets: muster.SecretsMask, Origin: "devices.csv:12",
	}
	return muster.Event{
		ID: "full", Time: at, Kind: muster.EventBackupChanged, Device: dev, Text: "r1 changed: <b> & \x00 \u2028", Detail: "- a\n+ b\n",
		Transition: &muster.Transition{Time: at, Device: dev.Name, From: muster.HealthUp, To: muster.HealthDown, Reason: "mute", Quiet: true},
		Result: &muster.Result{
			Index: 7, Device: dev, Status: muster.StatusChanged, Revision: strings.Repeat("a", 40), Added: 1, Removed: 2, Line: 3, Taste: "b",
			Bytes: 4, Attempts: 5, Elapsed: time.Second, Warning: "look", Author: "alice",
		},
		Log: &muster.LogHit{
			Rule: "log-critical", Key: "r1", Count: 3, First: at, Last: at.Add(time.Second), Line: muster.LogLine{
				Received: at, Source: netip.MustParseAddr("192.0.2.1"), Transport: "udp", Device: dev.Name, Flags: []string{muster.FlagReplayed}, Host: "r1",
				Time: at, TimeQuality: "year,zone,s", Facility: "local7", Severity: "critical", Mnemonic: "SYS-2-MALLOCFAIL", Counter: 7,
				Message: "no memory", Raw: "<186>7: no memory", RawBytes: []byte{0xff}, Format: "cisco_ios",
			},
		},
	}
}

func journalReadBack(t *testing.T, j event.Journal) {
	plain := muster.Event{ID: "plain", Time: at, Kind: muster.EventRunDone, Text: "done"}
	other := full()
	other.ID, other.Device = "other", muster.Device{Name: "r2"} // not the device of its result
	long := muster.Event{ID: "long", Time: at, Kind: muster.EventBackupNew, Detail: strings.Repeat("+ line\n", 100_000)}
	keep(t, j, 2, full(), plain)
	keep(t, j, 4, other, long)
	wantSince(t, j, 0, 10, 1, full(), plain, other, long)
}

func journalFailure(t *testing.T, j event.Journal) {
	e := full()
	e.Result.Status = muster.StatusFailed
	e.Result.Failure = &muster.Failure{
		Device: e.Device.Name, Stage: muster.StageAuth, Code: "auth-rejected", Err: fmt.Errorf("login: %w", context.Canceled), Hint: "try",
		Attempts: 2, Elapsed: time.Minute, Transcript: []byte("Password:"),
	}
	keep(t, j, 1, e)
	_, events, err := j.Since(t.Context(), 0, 10)
	if err != nil || len(events) != 1 || events[0].Result == nil || events[0].Result.Failure == nil {
		t.Fatalf("got %+v, %v", events, err)
	}
	got := *events[0].Result.Failure
	if got.Err == nil || got.Err.Error() != "login: context canceled" {
		t.Errorf("got error %v", got.Err)
	}
	want := *e.Result.Failure
	want.Err, got.Err, want.Transcript = nil, nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func journalSince(t *testing.T, j event.Journal) {
	keep(t, j, 5, several(1, 5)...)
	wantSince(t, j, 0, 2, 1, several(1, 2)...)
	wantSince(t, j, 2, 2, 3, several(3, 4)...)
	wantSince(t, j, 4, 2, 5, numbered(5))
	wantSince(t, j, 5, 2, 0)
	wantSince(t, j, 99, 2, 0)
}

func journalAgain(t *testing.T, j event.Journal) {
	keep(t, j, 2, several(1, 2)...)
	again := numbered(2)
	again.Text = "other"
	keep(t, j, 3, again, numbered(3), again, numbered(3))
	wantSince(t, j, 0, 10, 1, several(1, 3)...)
	keep(t, j, 3, again)
}

func journalCursor(t *testing.T, j event.Journal) {
	keep(t, j, 3, several(1, 3)...)
	wantCursor(t, j, "alert", 3)
	keep(t, j, 5, several(4, 5)...)
	wantCursor(t, j, "alert", 3) // as it was at first
	wantCursor(t, j, "other", 5)
	if err := j.SetCursor(t.Context(), "alert", 4); err != nil {
		t.Fatal(err)
	}
	wantCursor(t, j, "alert", 4)
	wantCursor(t, j, "other", 5)
}

func forget(t *testing.T, j event.Journal, before time.Time, most int) {
	t.Helper()
	if err := j.Forget(t.Context(), before, most); err != nil {
		t.Fatal(err)
	}
}

func journalForgetTime(t *testing.T, j event.Journal) {
	keep(t, j, 5, several(1, 5)...)
	forget(t, j, numbered(1).Time, 100)
	wantSince(t, j, 0, 10, 1, several(1, 5)...)
	forget(t, j, numbered(3).Time, 100)
	wantSince(t, j, 0, 10, 3, several(3, 5)...)
	wantSince(t, j, 3, 10, 4, several(4, 5)...)
	forget(t, j, numbered(9).Time, 100)
	wantSince(t, j, 0, 10, 5, numbered(5))
	keep(t, j, 6, numbered(6))
	wantSince(t, j, 0, 10, 5, several(5, 6)...)
}

func journalForgetMost(t *testing.T, j event.Journal) {
	keep(t, j, 5, several(1, 5)...)
	forget(t, j, time.Time{}, 5)
	wantSince(t, j, 0, 10, 1, several(1, 5)...)
	forget(t, j, time.Time{}, 2)
	wantSince(t, j, 0, 10, 4, several(4, 5)...)
	forget(t, j, time.Time{}, 0)
	wantSince(t, j, 0, 10, 5, numbered(5))
}

func journalForgetJump(t *testing.T, j event.Journal) {
	keep(t, j, 4, numbered(100), numbered(1), numbered(2), numbered(101))
	forget(t, j, numbered(50).Time, 100)
	wantSince(t, j, 0, 10, 1, numbered(100), numbered(1), numbered(2), numbered(101))
	forget(t, j, numbered(101).Time, 100)
	wantSince(t, j, 0, 10, 4, numbered(101))
}

func journalCancelled(t *testing.T, j event.Journal) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Append(ctx, several(1, 3)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	keep(t, j, 1, numbered(4))
	wantSince(t, j, 0, 10, 1, numbered(4))
}

func journalMany(t *testing.T, j event.Journal) {
	keep(t, j, 3000, several(1, 3000)...)
	wantSince(t, j, 0, 5000, 1, several(1, 3000)...)
	wantSince(t, j, 2990, 5000, 2991, several(2991, 3000)...)
}

func journalOwned(t *testing.T, j event.Journal) {
	e := full()
	keep(t, j, 1, e)
	e.Transition.Reason, e.Result.Taste = "other", "other"
	wantSince(t, j, 0, 10, 1, full())
}

func journalAtOnce(t *testing.T, j event.Journal) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 1; n < 100; n += 2 {
			if _, err := j.Append(t.Context(), several(n, n+1)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		wg.Go(func() { readWhole(t, j) })
	}
	wg.Wait()
}

// readWhole reads 100 events that are appended two by two.
func readWhole(t *testing.T, j event.Journal) {
	var got []muster.Event
	for ctx := t.Context(); len(got) < 100 && ctx.Err() == nil; {
		first, events, err := j.Since(ctx, int64(len(got)), 1000)
		if err != nil || len(events)%2 != 0 || len(events) > 0 && first != int64(len(got)+1) {
			t.Errorf("after %d: got %d events from %d, %v", len(got), len(events), first, err)
			return
		}
		got = append(got, events...)
	}
	if !slices.EqualFunc(got, several(1, 100), func(a, b muster.Event) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("got %+v", got)
	}
}
