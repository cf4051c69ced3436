package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/event"
	"github.com/musternet/muster/store/sqlite"
)

// someEvents are n events of devices whose configuration did not change.
func someEvents(first, n int) []muster.Event {
	some := make([]muster.Event, n)
	for i := range some {
		dev := muster.Device{
			Name: fmt.Sprintf("router-%05d.example", i), Address: "198.18.0.1", Group: "core", Platform: "cisco_ios",
			Tags: map[string]string{"site": "ams", "role": "core"}, Credentials: []string{"default"}, Origin: "devices.csv:12",
		}
		some[i] = muster.Event{
			ID: fmt.Sprintf("%d", first+i), Time: time.Now().UTC(), Kind: muster.EventBackupGood, Device: dev, Text: dev.Name + " is unchanged",
			Result: &muster.Result{Index: i, Device: dev, Status: muster.StatusUnchanged, Revision: strings.Repeat("a", 40), Bytes: 30_000,
				Attempts: 1, Elapsed: 2 * time.Second},
		}
	}
	return some
}

func TestReadersOfAnOlderFileSeeNoEvents(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	makeOld(t, path, 2)
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	if _, events, err := reader.Since(t.Context(), 0, 10); len(events) != 0 || err != nil {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestADamagedEventIsAnErrorOfItsReader(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	db := open(t, path, sqlite.Options{})
	if _, err := db.Append(t.Context(), someEvents(0, 1)); err != nil {
		t.Fatal(err)
	}
	alter(t, path, `UPDATE events SET event = '{'`)
	if _, events, err := db.Since(t.Context(), 0, 10); err == nil || len(events) != 0 {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestASubscriberGoesOnAfterTheFileWasOpenedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	for round := range 3 {
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		bus := event.NewBus(db)
		alerts, err := bus.Subscribe(t.Context(), "alerts", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.PublishAll(t.Context(), someEvents(round*10, 10)); err != nil {
			t.Fatal(err)
		}
		takeFive(t, alerts, round*5)
		alerts.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// takeFive takes the events with five ids from first on.
func takeFive(t *testing.T, alerts *event.Subscription, first int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next := first
	for e, err := range alerts.Events(ctx) {
		if err != nil || e.ID != fmt.Sprint(next) {
			t.Fatalf("got %q, %v, want %d", e.ID, err, next)
		}
		if next++; next == first+5 {
			cancel()
		}
	}
}

const publisherEnv = "MUSTER_TEST_PUBLISHER"

// publishUntilKilled is another process: it says what it published when that is kept, and what its subscriber took.
func publishUntilKilled(path string) int {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	bus := event.NewBus(db)
	alerts, err := bus.Subscribe(ctx, "alerts", nil)
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	go func() {
		for e, err := range alerts.Events(ctx) {
			if err != nil {
				fmt.Println("error", err)
			}
			fmt.Println("took", e.ID)
		}
	}()
	for n := 0; ; n++ {
		some := someEvents(0, 1+n%5)
		for i := range some {
			some[i].ID = fmt.Sprintf("%d-%d-%d", os.Getpid(), n, i)
		}
		if err := bus.PublishAll(ctx, some); err != nil {
			fmt.Println("error", err)
			return 1
		}
		for _, e := range some {
			fmt.Println("kept", e.ID)
		}
	}
}

func TestAfterKillNothingThatWasPublishedIsLost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	kept, took := make(map[string]bool), make(map[string]int)
	for round := range 8 {
		killAfter(t, path, 20+round*97, kept, took)
	}
	db := open(t, path, sqlite.Options{})
	place, err := db.Cursor(t.Context(), "alerts")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, err := db.Since(t.Context(), place, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range rest {
		took[e.ID]++
	}
	again := 0
	for id := range kept {
		if took[id] == 0 {
			t.Errorf("event %s is lost", id)
		}
		again += took[id] - 1
	}
	t.Logf("%d events, %d of them came again", len(kept), again)
}

// killAfter kills a publisher after it said so many lines.
func killAfter(t *testing.T, path string, lines int, kept map[string]bool, took map[string]int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), publisherEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(out)
	for n := 0; s.Scan(); n++ {
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		switch what, id, _ := strings.Cut(s.Text(), " "); what {
		case "kept":
			kept[id] = true
		case "took":
			took[id]++
		default:
			t.Error(s.Text())
		}
	}
	_ = cmd.Wait() // it was killed
}

func BenchmarkAppendEvents(b *testing.B) {
	for _, n := range []int{1, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
			some := someEvents(0, n)
			b.ReportAllocs()
			for round := 0; b.Loop(); round++ {
				for i := range some {
					some[i].ID = fmt.Sprintf("20261122T080300.000Z-%d-%d", round, i)
				}
				if _, err := db.Append(b.Context(), some); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadEvents256(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
	if _, err := db.Append(b.Context(), someEvents(0, 256)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, events, err := db.Since(b.Context(), 0, 256); err != nil || len(events) != 256 {
			b.Fatal(len(events), err)
		}
	}
}
