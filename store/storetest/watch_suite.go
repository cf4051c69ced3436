package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// RunWatch checks a Watch. open returns an empty one, and closes it at the end of the test.
func RunWatch(t *testing.T, open func(t *testing.T) store.Watch) {
	for name, test := range map[string]func(*testing.T, store.Watch){
		"nothing is kept at first":                             watchEmpty,
		"health comes back by name as it was saved last":       watchHealth,
		"what the monitor needs itself may be any bytes":       watchRecent,
		"of a device given twice the later health counts":      watchHealthTwice,
		"dropped devices are forgotten and the others stay":    watchDrop,
		"many devices are saved at once":                       watchMany,
		"transitions come ascending, of one device or all":     watchTransitions,
		"transitions of the same time keep their order":        watchSameTime,
		"old transitions are forgotten":                        watchForget,
		"a firing is replaced, and removed without a state":    watchFirings,
		"an empty state is a state":                            watchEmptyState,
		"a schedule comes back by name as it was saved last":   watchSchedules,
		"what a caller does later to what it gave is not kept": watchOwned,
		"a cancelled write leaves nothing":                     watchCancelled,
		"writers at the same time all succeed":                 watchAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func health(n int, state muster.Health) store.Health {
	return store.Health{
		Device: fmt.Sprintf("r%d", n), State: state, Since: at.Add(time.Duration(n) * time.Second), Reason: "3 of the last 3 pings had no reply",
		Seen: at.Add(123456789), Flapping: n%2 == 1, Recent: []byte(`{"icmp":"110"}`),
	}
}

func wantHealths(t *testing.T, x store.Watch, want ...store.Health) {
	t.Helper()
	got, err := x.Healths(t.Context())
	if err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func wantTransitions(t *testing.T, x store.Watch, device string, since time.Time, want ...muster.Transition) {
	t.Helper()
	if got, err := x.TransitionsSince(t.Context(), device, since); err != nil || !slices.Equal(got, want) {
		t.Errorf("of %q since %v: got %+v, %v\nwant %+v", device, since, got, err, want)
	}
}

func wantFirings(t *testing.T, x store.Watch, want ...store.Firing) {
	t.Helper()
	got, err := x.Firings(t.Context())
	if err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func watchEmpty(t *testing.T, x store.Watch) {
	wantHealths(t, x)
	wantTransitions(t, x, "", time.Time{})
	wantFirings(t, x)
	if got, err := x.Schedules(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	must(t, x.SaveHealth(t.Context(), nil), x.DropHealth(t.Context(), nil), x.SaveFirings(t.Context(), nil),
		x.AddTransitions(t.Context(), nil, time.Time{}), x.DropHealth(t.Context(), []string{"r1"}))
	wantHealths(t, x)
}

func watchHealth(t *testing.T, x store.Watch) {
	r1, r2, r10 := health(1, muster.HealthUp), health(2, muster.HealthDown), health(10, muster.HealthDegraded)
	must(t, x.SaveHealth(t.Context(), []store.Health{r2, r10}), x.SaveHealth(t.Context(), []store.Health{r1}))
	wantHealths(t, x, r1, r10, r2)
	r2 = store.Health{Device: "r2", State: muster.HealthUnknown}
	must(t, x.SaveHealth(t.Context(), []store.Health{r2}))
	wantHealths(t, x, r1, r10, r2)
}

func watchRecent(t *testing.T, x store.Watch) {
	h := health(1, muster.HealthUp)
	h.Device, h.Reason = "söder \"r1\"", "line\nanother\x00"
	h.Recent = nil
	for i := range 256 {
		h.Recent = append(h.Recent, byte(i))
	}
	must(t, x.SaveHealth(t.Context(), []store.Health{h}))
	wantHealths(t, x, h)
}

func watchHealthTwice(t *testing.T, x store.Watch) {
	first, second := health(1, muster.HealthUp), health(1, muster.HealthDown)
	must(t, x.SaveHealth(t.Context(), []store.Health{health(2, muster.HealthUp), first, second}))
	wantHealths(t, x, second, health(2, muster.HealthUp))
}

func watchDrop(t *testing.T, x store.Watch) {
	must(t, x.SaveHealth(t.Context(), []store.Health{health(1, muster.HealthUp), health(2, muster.HealthUp), health(3, muster.HealthUp)}))
	must(t, x.DropHealth(t.Context(), []string{"r1", "r3", "r4"}))
	wantHealths(t, x, health(2, muster.HealthUp))
}

func watchMany(t *testing.T, x store.Watch) {
	var all []store.Health
	for n := range 3000 {
		h := health(n, muster.HealthUp)
		h.Device = fmt.Sprintf("r%04d", n)
		all = append(all, h)
	}
	mixed := slices.Clone(all)
	slices.Reverse(mixed)
	must(t, x.SaveHealth(t.Context(), mixed))
	wantHealths(t, x, all...)
	if mixed[0].Device != "r2999" {
		t.Error("the caller's order was changed")
	}
}

func transition(n int, device string) muster.Transition {
	return muster.Transition{
		Time: at.Add(time.Duration(n) * time.Millisecond), Device: device, From: muster.HealthUp, To: muster.HealthDown,
		Reason: fmt.Sprintf("reason %d", n), Quiet: n%2 == 0,
	}
}

func watchTransitions(t *testing.T, x store.Watch) {
	a1, b2, c3, a4 := transition(1, "a"), transition(2, "b"), transition(3, ""), transition(4, "a")
	must(t, x.AddTransitions(t.Context(), []muster.Transition{a4, b2}, time.Time{}),
		x.AddTransitions(t.Context(), []muster.Transition{a1, c3}, time.Time{}))
	wantTransitions(t, x, "", time.Time{}, a1, b2, c3, a4)
	wantTransitions(t, x, "a", time.Time{}, a1, a4)
	wantTransitions(t, x, "a", a4.Time, a4)
	wantTransitions(t, x, "", b2.Time, b2, c3, a4)
	wantTransitions(t, x, "", a4.Time.Add(1))
	wantTransitions(t, x, "d", time.Time{})
}

func watchSameTime(t *testing.T, x store.Watch) {
	var want []muster.Transition
	for n := range 20 {
		tr := transition(n, "a")
		tr.Time = at
		want = append(want, tr)
	}
	must(t, x.AddTransitions(t.Context(), want[:10], time.Time{}), x.AddTransitions(t.Context(), want[10:], time.Time{}))
	wantTransitions(t, x, "", time.Time{}, want...)
}

func watchForget(t *testing.T, x store.Watch) {
	a1, b2, a3 := transition(1, "a"), transition(2, "b"), transition(3, "a")
	must(t, x.AddTransitions(t.Context(), []muster.Transition{a1, b2}, time.Time{}))
	must(t, x.AddTransitions(t.Context(), []muster.Transition{a3}, b2.Time))
	wantTransitions(t, x, "", time.Time{}, b2, a3)
	must(t, x.AddTransitions(t.Context(), nil, a3.Time.Add(1)))
	wantTransitions(t, x, "", time.Time{})
}

func firing(rule, key, state string) store.Firing {
	return store.Firing{Rule: rule, Key: key, State: []byte(state)}
}

func watchFirings(t *testing.T, x store.Watch) {
	save := func(some ...store.Firing) {
		t.Helper()
		must(t, x.SaveFirings(t.Context(), some))
	}
	save(firing("down", "r2", "1"), firing("down", "r1", "2"), firing("backup", "r2", "\x00\xff"))
	wantFirings(t, x, firing("backup", "r2", "\x00\xff"), firing("down", "r1", "2"), firing("down", "r2", "1"))
	save(firing("down", "r1", "3"), store.Firing{Rule: "backup", Key: "r2"}, store.Firing{Rule: "none", Key: "r2"})
	wantFirings(t, x, firing("down", "r1", "3"), firing("down", "r2", "1"))
	save(store.Firing{Rule: "down", Key: "r1"}, firing("down", "r1", "4")) // in their order
	wantFirings(t, x, firing("down", "r1", "4"), firing("down", "r2", "1"))
}

func watchEmptyState(t *testing.T, x store.Watch) {
	must(t, x.SaveFirings(t.Context(), []store.Firing{firing("down", "", "")}))
	got, err := x.Firings(t.Context())
	if err != nil || len(got) != 1 || got[0].State == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	must(t, x.SaveFirings(t.Context(), got))
	wantFirings(t, x, firing("down", "", ""))
}

func watchSchedules(t *testing.T, x store.Watch) {
	core := store.Schedule{Name: "backup/core", Last: at, Ended: at.Add(time.Minute), Next: at.Add(6 * time.Hour)}
	edge := store.Schedule{Name: "backup/edge", Next: at.Add(1)}
	must(t, x.SaveSchedule(t.Context(), edge), x.SaveSchedule(t.Context(), store.Schedule{Name: "backup/core", Next: at}),
		x.SaveSchedule(t.Context(), core))
	if got, err := x.Schedules(t.Context()); err != nil || !slices.Equal(got, []store.Schedule{core, edge}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func watchOwned(t *testing.T, x store.Watch) {
	h, f := health(1, muster.HealthUp), firing("down", "r1", "1")
	given := []store.Health{{Device: "r1", Recent: bytes.Clone(h.Recent)}}
	state := store.Firing{Rule: f.Rule, Key: f.Key, State: bytes.Clone(f.State)}
	must(t, x.SaveHealth(t.Context(), given), x.SaveFirings(t.Context(), []store.Firing{state}))
	given[0].Recent[0], state.State[0] = 'x', 'x'
	wantHealths(t, x, store.Health{Device: "r1", Recent: h.Recent})
	wantFirings(t, x, f)
}

func watchCancelled(t *testing.T, x store.Watch) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"health":      x.SaveHealth(ctx, []store.Health{health(1, muster.HealthUp)}),
		"transitions": x.AddTransitions(ctx, []muster.Transition{transition(1, "a")}, time.Time{}),
		"firings":     x.SaveFirings(ctx, []store.Firing{firing("a", "b", "c")}),
		"schedule":    x.SaveSchedule(ctx, store.Schedule{Name: "a"}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", what, err)
		}
	}
	watchEmpty(t, x)
}

func watchAtOnce(t *testing.T, x store.Watch) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			errs[i] = errors.Join(x.SaveHealth(t.Context(), []store.Health{health(i, muster.HealthUp)}),
				x.AddTransitions(t.Context(), []muster.Transition{transition(i, "a")}, time.Time{}),
				x.SaveFirings(t.Context(), []store.Firing{firing("down", fmt.Sprint(i), "s")}),
				x.SaveSchedule(t.Context(), store.Schedule{Name: fmt.Sprint(i)}))
		})
	}
	wg.Wait()
	must(t, errs...)
	healths, err1 := x.Healths(t.Context())
	some, err2 := x.TransitionsSince(t.Context(), "a", time.Time{})
	firings, err3 := x.Firings(t.Context())
	schedules, err4 := x.Schedules(t.Context())
	must(t, err1, err2, err3, err4)
	if n := len(errs); len(healths) != n || len(some) != n || len(firings) != n || len(schedules) != n {
		t.Errorf("got %d healths, %d transitions, %d firings, %d schedules of %d", len(healths), len(some), len(firings), len(schedules), n)
	}
}
