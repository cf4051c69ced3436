package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
)

func healths(n int) []store.Health {
	all := make([]store.Health, n)
	for i := range all {
		all[i] = store.Health{
			Device: fmt.Sprintf("router-%05d.example", i), State: muster.HealthUp, Since: time.Unix(1_800_000_000, 0).UTC(),
			Recent: []byte(`{"icmp":"111","ssh":"111","rtt":1234567}`),
		}
	}
	return all
}

func TestReadersOfAnOlderFileSeeNoWatchUntilAWriterCame(t *testing.T) {
	t.Parallel()
	for version := int64(1); version <= 2; version++ {
		path := filepath.Join(t.TempDir(), "muster.db")
		makeOld(t, path, version)
		reader := open(t, path, sqlite.Options{ReadOnly: true})
		healths, err1 := reader.Healths(t.Context())
		some, err2 := reader.TransitionsSince(t.Context(), "r1", time.Time{})
		firings, err3 := reader.Firings(t.Context())
		schedules, err4 := reader.Schedules(t.Context())
		err := errors.Join(err1, err2, err3, err4)
		if n := len(healths) + len(some) + len(firings) + len(schedules); n > 0 || err != nil {
			t.Errorf("schema %d: got %d rows, %v", version, n, err)
		}
		writer := open(t, path, sqlite.Options{})
		if err := writer.SaveHealth(t.Context(), []store.Health{{Device: "r1"}}); err != nil {
			t.Fatal(err)
		}
		if got, err := reader.Healths(t.Context()); err != nil || len(got) != 1 || got[0].Device != "r1" {
			t.Errorf("schema %d: the reader from before sees %+v, %v", version, got, err)
		}
	}
}

func TestTheWatchIsKeptBesideABackupAndReaders(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	backup, watch := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	failed := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 50 && err == nil; i++ {
			err = watch.SaveHealth(t.Context(), healths(200))
		}
		failed <- err
	}()
	o := []store.Outcome{{Result: muster.Result{Device: muster.Device{Name: "r1"}, Status: muster.StatusUnchanged}}}
	for i := range 50 {
		run := fmt.Sprintf("run%d", i)
		err := errors.Join(backup.StartRun(t.Context(), muster.Job{Run: run, Kind: "backup"}, 1), backup.Record(t.Context(), run, o))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := reader.Healths(t.Context()); err != nil || len(got)%200 != 0 {
			t.Fatalf("a reader sees %d devices, %v: half of a write", len(got), err)
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

func BenchmarkSaveHealth(b *testing.B) {
	for _, n := range []int{100, 50_000} {
		for _, order := range []string{"by name", "mixed"} {
			b.Run(fmt.Sprintf("%d devices/%s", n, order), func(b *testing.B) {
				db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
				all := healths(n)
				if order == "mixed" {
					rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
				}
				b.ReportAllocs()
				for b.Loop() {
					for i := range all {
						all[i].Seen = time.Now()
					}
					if err := db.SaveHealth(b.Context(), all); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkHealths50000(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
	if err := db.SaveHealth(b.Context(), healths(50_000)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if all, err := db.Healths(b.Context()); err != nil || len(all) != 50_000 {
			b.Fatal(len(all), err)
		}
	}
}

func BenchmarkAddTransitions50000(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
	some := make([]muster.Transition, 50_000)
	for i := range some {
		some[i] = muster.Transition{Device: fmt.Sprintf("router-%05d.example", i), From: muster.HealthUp, To: muster.HealthDown,
			Reason: "3 of the last 3 pings had no reply"}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range some {
			some[i].Time = time.Now()
		}
		if err := db.AddTransitions(b.Context(), some, time.Now().Add(-time.Second)); err != nil {
			b.Fatal(err)
		}
	}
}
