package alert_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/storetest"
)

func TestWhatFiresIsSentEveryMinute(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		for range 10 {
			b.post.forget()
			b.wait(alert.Resend + time.Second)
			if got := b.post.said("down:r1"); got != "firing" {
				b.Fatalf("within a minute the Sender was told %q", got)
			}
		}
	})
}

func TestAnEndIsToldFor15Minutes(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r1", muster.HealthUp)
		b.wait(13 * time.Minute)
		b.post.forget()
		b.wait(time.Minute + time.Second)
		if got := b.post.said("down:r1"); got != "ended" {
			b.Fatalf("after 14 minutes the Sender was told %q", got)
		}
		b.wait(2 * time.Minute)
		b.post.forget()
		b.wait(5 * time.Minute)
		if got := b.post.all(); got != "" {
			b.Fatalf("after 16 minutes the Sender was told of %q", got)
		}
		b.kept("")
	})
}

// kept fails unless the store has states of exactly these rules.
func (b *bench) kept(want string) {
	b.Helper()
	all, err := b.watch.Firings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var rules []string
	for _, f := range all {
		if f.Rule != "" {
			rules = append(rules, f.Rule+"/"+f.Key)
		}
	}
	if got := strings.Join(rules, " "); got != want {
		b.Fatalf("kept is %q, want %q", got, want)
	}
}

func TestNothingIsLostWhileTheSenderFails(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.post.fail(errors.New("connection refused"))
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthDown)
		b.health("r2", muster.HealthUp)
		b.wait(time.Hour)
		b.health("r3", muster.HealthDown)
		b.wait(time.Minute)
		if b.post.calls < 50 || b.post.calls > 120 {
			b.Errorf("in an hour it was tried %d times", b.post.calls)
		}
		b.restart(time.Minute)
		b.post.fail(nil)
		b.wait(time.Minute)
		for name, want := range map[string]string{"down:r1": "firing", "down:r2": "ended", "down:r3": "firing"} {
			if got := b.post.said(name); got != want {
				b.Errorf("of %s the Sender was told %q, want %q", name, got, want)
			}
		}
	})
}

func TestManyAlertsAreSentInParts(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.devices = fleet(1200)
		b.restart(0)
		some := make([]muster.Event, len(b.devices))
		for i, d := range b.devices {
			some[i] = muster.Event{ID: fmt.Sprint(i), Kind: muster.EventHealth, Transition: &muster.Transition{Device: d.Name, To: muster.HealthDown}}
		}
		if err := b.engine.Take(b.Context(), some...); err != nil {
			b.Fatal(err)
		}
		b.wait(0)
		if got := fmt.Sprint(b.post.sizes); got != "[500 500 200]" {
			b.Errorf("got %s", got)
		}
	})
}

func TestARestartForgetsNothing(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*bench){
		"stopped in order": func(b *bench) { b.restart(10 * time.Minute) },
		"killed":           func(b *bench) { b.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, append(slow(10*time.Minute), alert.Rule{Name: "now", Kind: "state"}), func(b *bench) {
				b.health("r1", muster.HealthDown)
				b.wait(5 * time.Minute)
				before := b.post.last("now:r1")
				again(b)
				b.wait(4 * time.Minute)
				b.want("now:r1")
				b.wait(time.Minute + alert.Interval + time.Second)
				b.want("down:r1 now:r1")
				after := b.post.last("now:r1")
				if !after.Starts.Equal(before.Starts) || b.post.began("now:r1") != 1 {
					b.Errorf("it started at %s, and after the restart at %s", before.Starts, after.Starts)
				}
				if diff := cmp.Diff(before.Labels, after.Labels); diff != "" {
					b.Error(diff)
				}
			})
		})
	}
}

func TestWhatEndedWhileMusterWasAwayEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.stop()
		if err := b.watch.SaveHealth(b.Context(), []store.Health{{Device: "r1", State: muster.HealthUp}}); err != nil {
			b.Fatal(err)
		}
		b.start()
		b.want("")
		b.wait(time.Minute)
		if got := b.post.said("down:r1"); got != "ended" {
			b.Errorf("the Sender was told %q", got)
		}
	})
}

func TestEventsThatAreToldAgainChangeNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{event(muster.EventBackupFailed), {Name: "down", Kind: "state"}}, func(b *bench) {
		var told []muster.Event
		for i := range 85 {
			for j, to := range []muster.Health{muster.HealthDown, muster.HealthUp} {
				told = append(told, muster.Event{
					ID: fmt.Sprintf("health-%d-%d", i, j), Kind: muster.EventHealth,
					Transition: &muster.Transition{Device: "r1", To: to, Time: time.Now()},
				})
			}
			told = append(told, muster.Event{ID: fmt.Sprintf("backup-%d", i), Kind: muster.EventBackupFailed, Device: b.devices[1]})
		}
		for _, ev := range told {
			b.take(ev)
		}
		b.wait(time.Minute)
		began := b.post.began("down:r1")
		for range 3 {
			b.kill()
			for _, ev := range told {
				b.take(ev)
			}
		}
		b.wait(time.Minute)
		b.want("ev:r2")
		if got := b.post.last("ev:r2").Annotations[alert.AnnotationCount]; got != "85" {
			b.Errorf("85 failures are counted as %s", got)
		}
		if got := b.post.began("down:r1"); got != began || got == 0 {
			b.Errorf("it began %d times, and %d when it was told again", began, got)
		}
	})
}

func TestTheNewestEventsAreKnownAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{event(muster.EventBackupFailed)}, func(b *bench) {
		failed := func(n int) {
			b.take(muster.Event{ID: fmt.Sprint(9999 - n), Kind: muster.EventBackupFailed, Device: b.devices[0]})
		}
		for n := range alert.MostTaken {
			failed(n)
		}
		b.restart(0)
		failed(alert.MostTaken)
		for n := alert.MostTaken - 300; n <= alert.MostTaken; n++ {
			failed(n)
		}
		if got := b.engine.Alerts()[0].Count; got != alert.MostTaken+1 {
			b.Errorf("%d events are counted as %d", alert.MostTaken+1, got)
		}
	})
}

func TestAnAlertIsKeptBeforeItIsSent(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.stop()
		b.watch.Fault = func(context.Context) error {
			time.Sleep(time.Second) // a slow disk
			return nil
		}
		b.post.hook = func() { b.kept("down/r1") }
		b.start()
		b.health("r1", muster.HealthDown)
		b.wait(time.Minute)
		if got := b.post.said("down:r1"); got != "firing" {
			b.Errorf("the Sender was told %q", got)
		}
	})
}

func TestTheStoreDoesNotGrowWithTheEvents(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		for i := range 2000 {
			b.health(fmt.Sprintf("r%d", i%8+1), []muster.Health{muster.HealthDown, muster.HealthUp}[i/8%2])
		}
		b.wait(time.Hour)
		all, err := b.watch.Firings(b.Context())
		if err != nil || len(all) > alert.MostTaken+1 {
			b.Fatalf("after 2000 events %d states are kept (%v)", len(all), err)
		}
		b.restart(0)
		b.want("")
	})
}

func TestAStoreThatFailsKeepsNobodyFromBeingTold(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		var space atomic.Bool
		b.stop()
		b.watch.Fault = func(context.Context) error {
			if space.Load() {
				return nil
			}
			return store.ErrDiskFull
		}
		b.start()
		ev := muster.Event{ID: "1", Kind: muster.EventHealth, Transition: &muster.Transition{Device: "r1", To: muster.HealthDown}}
		if err := b.engine.Take(b.Context(), ev); !errors.Is(err, store.ErrDiskFull) {
			b.Fatalf("Take returned %v", err)
		}
		b.wait(time.Minute)
		if got := b.post.said("down:r1"); got != "firing" {
			b.Fatalf("the Sender was told %q", got)
		}
		space.Store(true)
		b.wait(5 * time.Second)
		b.kept("down/r1")
	})
}

func TestAWallClockThatJumpsNeitherHurriesNorDelays(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": 12 * time.Hour, "back": -12 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, append(slow(10*time.Minute), alert.Rule{Name: "now", Kind: "state"}), func(b *bench) {
				b.health("r1", muster.HealthDown)
				b.wait(5 * time.Minute)
				b.engine.JumpWall(jump)
				b.wait(5*time.Minute - 2*time.Second)
				b.want("now:r1")
				b.wait(4 * time.Second)
				b.want("down:r1 now:r1")
				b.wait(time.Minute)
				wall := time.Now().Add(jump)
				if a := b.post.last("now:r1"); a.Starts.After(wall) {
					b.Errorf("it starts at %s, which is after %s", a.Starts, wall)
				}
				b.health("r1", muster.HealthUp)
				for range 3 {
					a := b.post.last("now:r1")
					if a.Firing(wall.Add(time.Second)) || a.Ends.Before(a.Starts) {
						b.Errorf("at %s it is said to be from %s to %s", wall, a.Starts, a.Ends)
					}
					b.wait(2 * time.Minute)
				}
			})
		})
	}
}

func TestAReloadKeepsWhatStaysAndEndsWhatGoes(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "stays", Kind: "state"}, {Name: "goes", Kind: "state"}, {Name: "turns", Kind: "state"},
		{Name: "waits", Kind: "state", For: 10 * time.Minute}}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.wait(6 * time.Minute)
		before := b.post.last("stays:r1").Starts
		next := []alert.Rule{{Name: "waits", Kind: "state", For: 8 * time.Minute}, {Name: "stays", Kind: "state"},
			{Name: "turns", Kind: "event", Event: muster.EventBackupFailed}, {Name: "comes", Kind: "state"}}
		if err := b.engine.Replace(b.Context(), next); err != nil {
			b.Fatal(err)
		}
		b.want("comes:r1 stays:r1")
		b.wait(2*time.Minute + time.Second)
		b.want("comes:r1 stays:r1 waits:r1")
		if a := b.post.last("stays:r1"); !a.Starts.Equal(before) || b.post.began("stays:r1") != 1 {
			b.Errorf("what stays started at %s, and now at %s", before, a.Starts)
		}
		for _, gone := range []string{"goes:r1", "turns:r1"} {
			if got := b.post.said(gone); got != "ended" {
				b.Errorf("of %s the Sender was told %q", gone, got)
			}
		}
		b.rules = next
		b.wait(20 * time.Minute)
		b.kept("comes/r1 stays/r1 waits/r1")
	})
}

func TestAReloadWithAWrongRuleChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		if err := b.engine.Replace(b.Context(), []alert.Rule{{Name: "down", Kind: "stat"}}); err == nil {
			b.Fatal("it was taken")
		}
		b.want("down:r1")
		b.health("r2", muster.HealthDown)
		b.want("down:r1 down:r2")
	})
}

func TestRulesThatAreGoneAfterARestartEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.rules = nil
		b.restart(0)
		b.wait(time.Minute)
		if got := b.post.said("down:r1"); got != "ended" {
			b.Fatalf("the Sender was told %q", got)
		}
		b.wait(20 * time.Minute)
		b.kept("")
	})
}

func TestAlertsOfDevicesThatAreGoneEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, append(down, event(muster.EventBackupFailed)), func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.backup(muster.EventBackupFailed, "r1", "")
		b.health("r2", muster.HealthDown)
		b.want("down:r1 down:r2 ev:r1")
		b.devices = b.devices[1:]
		if err := b.engine.Replace(b.Context(), b.rules); err != nil {
			b.Fatal(err)
		}
		b.want("down:r2")
	})
}

func TestAlertsOfDevicesThatAreWatchedNoMoreEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.wait(2 * time.Minute)
		if err := b.watch.DropHealth(b.Context(), []string{"r1"}); err != nil {
			b.Fatal(err)
		}
		if err := b.engine.Replace(b.Context(), b.rules); err != nil {
			b.Fatal(err)
		}
		b.want("")
	})
}

func TestAStateThatCannotBeReadIsLeftOut(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthDown)
		b.stop()
		bad := []store.Firing{
			{Rule: "down", Key: "r2", State: []byte("{")}, {Rule: "", Key: "device/r9", State: []byte("[]")},
			{Rule: "", Key: "event/x", State: []byte(`"x"`)}, {Rule: "later", Key: "?", State: []byte(`{"new":1}`)},
		}
		if err := b.watch.SaveFirings(b.Context(), bad); err != nil {
			b.Fatal(err)
		}
		b.start()
		b.want("down:r1 down:r2") // r2 anew
		b.wait(time.Second)
		b.kept("down/r1 down/r2")
	})
}

func TestAStoreThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	_, err := alert.New(t.Context(), alert.Config{States: broken{&storetest.Watch{}}})
	if err == nil || err.Error() != "alerts: no such table" {
		t.Fatalf("got %v", err)
	}
}

type broken struct{ *storetest.Watch }

func (broken) Firings(context.Context) ([]store.Firing, error) {
	return nil, errors.New("no such table")
}

func TestWithoutStoreAndSenderAlertsAreSeenAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t}
		e, err := alert.New(t.Context(), alert.Config{Rules: alert.Defaults()})
		if err != nil {
			t.Fatal(err)
		}
		b.run(e)
		defer b.stop()
		b.take(muster.Event{Kind: muster.EventHealth, Transition: &muster.Transition{Device: "r1", To: muster.HealthDown}})
		b.want("device-down:r1")
		b.wait(time.Hour)
		b.want("device-down:r1")
		b.take(muster.Event{Kind: muster.EventHealth, Transition: &muster.Transition{Device: "r1", To: muster.HealthUp}})
		b.wait(16 * time.Minute)
		if got := e.Alerts(); len(got) != 0 {
			t.Errorf("there is %v", got)
		}
	})
}

func TestAlertsSayHowOftenAndWhenAndWhat(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{event(muster.EventBackupFailed)}, func(b *bench) {
		first := time.Now().UTC()
		b.backup(muster.EventBackupFailed, "r1", "refused")
		b.wait(time.Hour)
		b.backup(muster.EventBackupFailed, "r1", "no-prompt")
		want := []alert.State{{
			Rule: "ev", Phase: alert.Firing, Since: first, First: first, Last: first.Add(time.Hour), Count: 2,
			Summary: "no-prompt", Sample: "no-prompt",
			Labels: map[string]string{
				"alertname": "ev", "severity": "warning", "device": "r1", "group": "core", "platform": "frr", "site": "ams",
			},
		}}
		if diff := cmp.Diff(want, b.engine.Alerts()); diff != "" {
			b.Error(diff)
		}
		b.wait(time.Minute)
		notes := map[string]string{
			"summary": "no-prompt", "description": "", "count": "2", "sample": "no-prompt",
			"first": first.Format(time.RFC3339), "last": first.Add(time.Hour).Format(time.RFC3339),
		}
		if diff := cmp.Diff(notes, b.post.last("ev:r1").Annotations); diff != "" {
			b.Error(diff)
		}
	})
}

func TestEverythingMayBeCalledAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, alert.Defaults(), func(b *bench) {
		var all sync.WaitGroup
		for i, d := range b.devices {
			all.Go(func() {
				for n := range 50 {
					to := []muster.Health{muster.HealthDown, muster.HealthUp}[n%2]
					ev := muster.Event{ID: fmt.Sprint(i, n), Kind: muster.EventHealth, Transition: &muster.Transition{Device: d.Name, To: to}}
					if err := b.engine.Take(b.Context(), ev); err != nil {
						b.Error(err)
					}
					time.Sleep(time.Second)
				}
			})
			all.Go(func() {
				for range 10 {
					b.engine.Alerts()
					if err := b.engine.Replace(b.Context(), alert.Defaults()); err != nil {
						b.Error(err)
					}
					time.Sleep(5 * time.Second)
				}
			})
		}
		all.Wait()
		b.want("")
		b.wait(20 * time.Minute)
		b.kept("")
	})
}
