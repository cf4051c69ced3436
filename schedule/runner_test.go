package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/schedule"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/storetest"
)

// bench is what a test needs: a store, a clock that can be set, and a list of what ran when.
type bench struct {
	t      *testing.T
	states *storetest.Watch
	log    bytes.Buffer

	mu   sync.Mutex
	skew time.Duration
	runs []string
}

// inBubble runs a test from 2000-01-01 00:00:00 UTC on.
func inBubble(t *testing.T, test func(b *bench)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(&bench{t: t, states: new(storetest.Watch)}) })
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Add(b.skew)
}

// jump sets the clock on the wall forward or back.
func (b *bench) jump(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.skew += d
}

// entry is work that takes a time and then writes down when it began.
func (b *bench) entry(name, plan string, takes time.Duration) schedule.Entry {
	p := parse(b.t, plan)
	p.Zone = time.UTC
	return schedule.Entry{Name: name, Plan: p, Do: func(ctx context.Context) error {
		began := b.now().UTC().Format("02 15:04:05")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(takes):
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.runs = append(b.runs, name+" "+began)
		return nil
	}}
}

func (b *bench) runner(entries ...schedule.Entry) *schedule.Runner {
	b.t.Helper()
	r, err := schedule.New(schedule.Config{States: b.states, Log: slog.New(slog.NewTextHandler(&b.log, nil)), Now: b.now}, entries)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// start lets a runner run until stop is called, which waits for it.
func (b *bench) start(r *schedule.Runner) (stop func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	synctest.Wait()
	return func() {
		b.t.Helper()
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("run ended with %v", err)
		}
	}
}

// process runs entries for a time, as one life of a process.
func (b *bench) process(d time.Duration, entries ...schedule.Entry) {
	b.t.Helper()
	stop := b.start(b.runner(entries...))
	time.Sleep(d)
	synctest.Wait()
	stop()
}

func (b *bench) want(want ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.runs, want) {
		b.t.Errorf("got  %q\nwant %q", b.runs, want)
	}
	b.runs = nil
}

func TestAnIntervalThatIsNewIsDueAtOnceAndACronExpressionAtItsTime(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.process(13*time.Hour, b.entry("interval", "6h", time.Minute), b.entry("cron", "15 2,14 * * *", time.Minute))
		b.want("interval 01 00:00:00", "cron 01 02:15:00", "interval 01 06:00:00", "interval 01 12:00:00")
	})
}

func TestARestartDoesNothingAnew(t *testing.T) {
	inBubble(t, func(b *bench) {
		entries := func() []schedule.Entry {
			return []schedule.Entry{b.entry("interval", "6h", time.Minute), b.entry("cron", "15 2 * * *", time.Minute)}
		}
		b.process(3*time.Hour, entries()...)
		b.want("interval 01 00:00:00", "cron 01 02:15:00")
		for range 3 {
			b.process(30*time.Minute, entries()...)
		}
		b.want()
		b.process(2*time.Hour, entries()...)
		b.want("interval 01 06:00:00")
	})
}

func TestTimesThatPassWhileTheProcessIsDownAreMadeUpForOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		entries := func() []schedule.Entry {
			return []schedule.Entry{b.entry("interval", "6h", time.Second), b.entry("cron", "15 * * * *", 2*time.Second)}
		}
		b.process(30*time.Minute, entries()...)
		b.want("interval 01 00:00:00", "cron 01 00:15:00")
		time.Sleep(20 * time.Hour)
		b.process(50*time.Minute, entries()...)
		b.want("interval 01 20:30:00", "cron 01 20:30:00", "cron 01 21:15:00")
		b.process(6*time.Hour, b.entry("interval", "6h", time.Second))
		b.want("interval 02 02:30:00")
	})
}

func TestWorkNeverRunsBesideItselfAndPassedTimesBecomeOneRun(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.process(9*time.Hour, b.entry("slow", "0 * * * *", 150*time.Minute), b.entry("quick", "0 4 * * *", time.Minute))
		b.want("slow 01 01:00:00", "quick 01 04:00:00", "slow 01 03:30:00", "slow 01 06:00:00")
	})
}

func TestWorkThatWasCutShortByAStopIsDueAtTheNextStart(t *testing.T) {
	for _, plan := range []string{"6h", "0 0 * * *"} {
		t.Run(plan, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				time.Sleep(24*time.Hour - time.Second)
				b.process(30*time.Minute, b.entry("backup", plan, time.Hour))
				b.want()
				b.process(3*time.Hour, b.entry("backup", plan, time.Hour))
				got := strings.Join(b.runs, ", ")
				if got != "backup 02 00:29:59" {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}

// A process that dies leaves what it wrote when the work began.
func TestWorkInWhichTheProcessDiedIsNotDoneAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		dying := &store.Schedule{}
		e := b.entry("backup", "6h", time.Hour)
		stop := b.start(b.runner(e))
		time.Sleep(time.Minute)
		all, err := b.states.Schedules(t.Context())
		if err != nil || len(all) != 1 || !all[0].Ended.IsZero() || !all[0].Last.Equal(time.Now().Add(-time.Minute)) {
			t.Fatalf("while it works: %+v, %v", all, err)
		}
		*dying = all[0]
		stop()
		if err := b.states.SaveSchedule(t.Context(), *dying); err != nil {
			t.Fatal(err)
		}
		b.process(6*time.Hour, b.entry("backup", "6h", time.Second))
		b.want("backup 01 06:00:00")
	})
}

func TestStopWaitsForWorkAndKeepsThatItEnded(t *testing.T) {
	inBubble(t, func(b *bench) {
		ended := false
		e := schedule.Entry{Name: "backup", Plan: parse(t, "6h"), Do: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second) // what it takes to end well
			ended = true
			return nil
		}}
		stop := b.start(b.runner(e))
		time.Sleep(time.Minute)
		stop()
		all, err := b.states.Schedules(t.Context())
		if !ended || err != nil || len(all) != 1 || !all[0].Ended.Equal(time.Now()) {
			t.Errorf("ended %v: %+v, %v", ended, all, err)
		}
	})
}

func TestAClockThatJumpsForwardMakesDueWhatItPassedOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		stop := b.start(b.runner(b.entry("interval", "6h", time.Second), b.entry("cron", "15 2 * * *", 2*time.Second)))
		time.Sleep(time.Minute)
		b.want("interval 01 00:00:00")
		b.jump(72 * time.Hour)
		time.Sleep(time.Minute)
		stop()
		got := strings.Join(b.runs, ", ")
		if got != "interval 04 00:01:01, cron 04 00:01:01" { // the clock is looked at every 10 s
			t.Errorf("got %s", got)
		}
	})
}

func TestAClockThatJumpsBackRepeatsNothingAndHoldsNothingUp(t *testing.T) {
	inBubble(t, func(b *bench) {
		time.Sleep(10 * 24 * time.Hour)
		stop := b.start(b.runner(b.entry("interval", "6h", time.Second), b.entry("cron", "15 2 * * *", time.Second)))
		time.Sleep(3 * time.Hour)
		b.want("interval 11 00:00:00", "cron 11 02:15:00")
		b.jump(-2 * time.Hour) // it is 01:00 again
		time.Sleep(4 * time.Hour)
		b.want() // 02:15 came a second time
		time.Sleep(2*time.Hour + time.Minute)
		b.want("interval 11 06:00:00")
		time.Sleep(20 * time.Hour)
		b.want("interval 11 12:00:00", "interval 11 18:00:00", "interval 12 00:00:00", "cron 12 02:15:00")
		b.jump(-5 * 24 * time.Hour) // it is the 7th, 03:01
		time.Sleep(24 * time.Hour)
		stop()
		b.want("interval 07 09:01:01", "interval 07 15:01:01", "interval 07 21:01:01", "cron 08 02:15:00")
	})
}

// So do machines without a battery: their clock is right some time after the start.
func TestAClockThatIsWrongAtTheStartMakesNothingDueAnew(t *testing.T) {
	inBubble(t, func(b *bench) {
		time.Sleep(300 * 24 * time.Hour)
		entries := func() []schedule.Entry {
			return []schedule.Entry{b.entry("interval", "6h", time.Second), b.entry("cron", "15 2 * * *", time.Second)}
		}
		b.process(3*time.Hour, entries()...)
		b.want("interval 27 00:00:00", "cron 27 02:15:00")
		b.jump(-200 * 24 * time.Hour)
		stop := b.start(b.runner(entries()...))
		time.Sleep(time.Minute)
		b.jump(200 * 24 * time.Hour)
		time.Sleep(4 * time.Hour)
		stop()
		b.want("interval 27 06:00:00")
	})
}

func TestReplaceKeepsTheStateOfWhatStays(t *testing.T) {
	inBubble(t, func(b *bench) {
		r := b.runner(b.entry("stays", "6h", time.Second), b.entry("goes", "1h", 90*time.Minute), b.entry("moves", "15 4 * * *", time.Second))
		stop := b.start(r)
		time.Sleep(time.Hour)
		b.want("stays 01 00:00:00")
		if err := r.Replace([]schedule.Entry{b.entry("stays", "2h", time.Second), b.entry("comes", "3h", time.Minute),
			b.entry("moves", "45 2 * * *", time.Second)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		b.want("comes 01 01:00:00", "goes 01 00:00:00", "stays 01 02:00:00", "moves 01 02:45:00")
		if _, ok := r.Next("goes"); ok {
			t.Error("what is gone is still due")
		}
		if next, ok := r.Next("stays"); !ok || next.Format("15:04") != "04:00" {
			t.Errorf("got %v, %v", next, ok)
		}
		stop()
	})
}

func TestWorkThatIsReplacedWhileItRunsDoesNotRunBesideItself(t *testing.T) {
	inBubble(t, func(b *bench) {
		r := b.runner(b.entry("backup", "1h", 50*time.Minute))
		stop := b.start(r)
		time.Sleep(time.Minute)
		for _, entries := range [][]schedule.Entry{nil, {b.entry("backup", "10m", time.Minute)}} {
			if err := r.Replace(entries); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(65 * time.Minute)
		stop()
		b.want("backup 01 00:00:00", "backup 01 00:50:00", "backup 01 01:00:00")
	})
}

func TestANewPlanIsFollowedAfterARestartToo(t *testing.T) {
	inBubble(t, func(b *bench) {
		time.Sleep(5 * time.Hour)
		b.process(time.Hour, b.entry("a", "0 4 * * *", time.Second), b.entry("b", "0 0 1 1 *", time.Second), b.entry("c", "20h", time.Second))
		b.want("c 01 05:00:00")
		b.process(5*time.Hour, b.entry("a", "0 7 * * *", time.Second), b.entry("b", "4h", time.Second), b.entry("c", "0 9 * * *", time.Second))
		b.want("a 01 07:00:00", "c 01 09:00:00", "b 01 10:00:00")
	})
}

func TestEntriesThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	do := func(context.Context) error { return nil }
	plan := parse(t, "6h")
	for want, entries := range map[string][]schedule.Entry{
		"has no name":                    {{Plan: plan, Do: do}},
		`two entries "a"`:                {{Name: "a", Plan: plan, Do: do}, {Name: "a", Plan: plan, Do: do}},
		`"a" has no plan or nothing`:     {{Name: "a", Do: do}},
		`"b" has no plan or nothing to `: {{Name: "a", Plan: plan, Do: do}, {Name: "b", Plan: plan}},
	} {
		if _, err := schedule.New(schedule.Config{States: new(storetest.Watch)}, entries); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWorkThatFailsIsLoggedAndDueAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		n := 0
		e := schedule.Entry{Name: "backup", Plan: parse(t, "1h"), Do: func(context.Context) error {
			n++
			return errors.New("no such file")
		}}
		b.process(150*time.Minute, e, b.entry("other", "2h", time.Second))
		b.want("other 01 00:00:00", "other 01 02:00:00")
		if got := b.log.String(); n != 3 || strings.Count(got, `name=backup err="no such file"`) != 3 {
			t.Errorf("ran %d times, logged %s", n, got)
		}
	})
}

func TestAStoreThatFailsKeepsNoWorkBack(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.states.Fault = func(context.Context) error { return store.ErrDiskFull }
		b.process(150*time.Minute, b.entry("backup", "1h", time.Second))
		b.want("backup 01 00:00:00", "backup 01 01:00:00", "backup 01 02:00:00")
		if got := b.log.String(); !strings.Contains(got, "name=backup") || !strings.Contains(got, store.ErrDiskFull.Error()) {
			t.Errorf("logged %s", got)
		}
	})
}

type unreadable struct{ storetest.Watch }

func (*unreadable) Schedules(context.Context) ([]store.Schedule, error) {
	return nil, errors.New("no such disk")
}

func TestWithoutKnowingWhatWasDoneNothingIsDone(t *testing.T) {
	t.Parallel()
	r, err := schedule.New(schedule.Config{States: &unreadable{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no such disk") {
		t.Errorf("got %v", err)
	}
}

func TestJitterSpreadsTheFirstRunsOfIntervals(t *testing.T) {
	inBubble(t, func(b *bench) {
		var entries []schedule.Entry
		for i := range 20 {
			e := b.entry(fmt.Sprintf("group%02d", i), "1h", time.Second)
			e.Plan.Jitter = 10 * time.Minute
			entries = append(entries, e)
		}
		b.process(time.Second, entries...)
		if len(b.runs) > 2 {
			t.Errorf("at once: %q", b.runs)
		}
		b.process(10*time.Minute, entries...) // the shares stay when the process is another one
		first := slices.Clone(b.runs)
		if len(first) != 20 {
			t.Fatalf("got %q", first)
		}
		b.runs = nil
		b.process(time.Hour, entries...)
		for i, run := range b.runs {
			if want := strings.Replace(first[i], " 00:", " 01:", 1); run != want {
				t.Errorf("got %s, want %s", run, want)
			}
		}
	})
}

func TestNextIsKnownOnceTheStatesAre(t *testing.T) {
	inBubble(t, func(b *bench) {
		r := b.runner(b.entry("backup", "15 2 * * *", time.Hour))
		if next, ok := r.Next("backup"); ok {
			t.Errorf("before Run: %v", next)
		}
		stop := b.start(r)
		for _, want := range []string{"01 02:15", "02 02:15", "02 02:15"} { // before, in and after the work
			if next, ok := r.Next("backup"); !ok || next.Format("02 15:04") != want {
				t.Errorf("got %v, %v, want %s", next, ok, want)
			}
			time.Sleep(150 * time.Minute)
		}
		if _, ok := r.Next("nothing"); ok {
			t.Error("something unknown is due")
		}
		stop()
	})
}
