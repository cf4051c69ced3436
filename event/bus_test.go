package event_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/event"
	"github.com/musternet/muster/event/eventtest"
)

func about(device, text string) muster.Event {
	return muster.Event{ID: device + text, Time: time.Now(), Kind: muster.EventHealth, Device: muster.Device{Name: device}, Text: text}
}

// texts are events of r1 with numbers from first to last as texts.
func texts(first, last int) (events []muster.Event) {
	for n := first; n <= last; n++ {
		events = append(events, about("r1", fmt.Sprint(n)))
	}
	return events
}

func publish(t *testing.T, b *event.Bus, events ...muster.Event) {
	t.Helper()
	if err := b.PublishAll(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func subscribe(t *testing.T, b *event.Bus, name string, f event.Filter) *event.Subscription {
	t.Helper()
	s, err := b.Subscribe(t.Context(), name, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// get takes n events and acknowledges them. What takes an event's place is "!" and the error.
func get(t *testing.T, s *event.Subscription, n int) (got []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for e, err := range s.Events(ctx) {
		if err != nil {
			e.Text = "!" + err.Error()
		}
		if got = append(got, e.Text); len(got) == n {
			cancel()
		}
	}
	return got
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASubscriberGetsWhatIsPublishedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus(new(eventtest.Journal))
		publish(t, b, about("r1", "before"))
		s := subscribe(t, b, "alert", nil)
		publish(t, b, texts(1, 2)...)
		publish(t, b, about("r2", "3"))
		want(t, get(t, s, 3), "1", "2", "3")
		var got []string
		go func() { got = get(t, s, 2) }()
		synctest.Wait() // it waits for more
		publish(t, b, texts(4, 5)...)
		synctest.Wait()
		want(t, got, "4", "5")
	})
}

func TestARestartGoesOnAtTheFirstEventThatWasNotTaken(t *testing.T) {
	t.Parallel()
	j := new(eventtest.Journal)
	b := event.NewBus(j)
	s := subscribe(t, b, "alert", nil)
	publish(t, b, texts(1, 5)...)
	want(t, get(t, s, 2), "1", "2")
	for e, err := range s.Events(t.Context()) {
		if e.Text != "3" || err != nil {
			t.Errorf("got %q, %v", e.Text, err)
		}
		break // while it handles the event: that is no acknowledgement
	}
	s = subscribe(t, event.NewBus(j), "alert", nil)
	want(t, get(t, s, 3), "3", "4", "5")
}

// A process that is killed saves nothing: what counts is what was saved while the loop went on.
func TestWhatWasTakenIsRememberedBeforeTheLoopWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := new(eventtest.Journal)
		b := event.NewBus(j)
		s := subscribe(t, b, "alert", event.Kinds(muster.EventHealth))
		unwanted := about("r1", "unwanted")
		unwanted.Kind = muster.EventRunDone
		publish(t, b, append(texts(1, 3), unwanted)...)
		go func() {
			for range s.Events(t.Context()) {
			}
		}()
		synctest.Wait()
		if place, err := j.Cursor(t.Context(), "alert"); place != 4 || err != nil {
			t.Errorf("got place %d, %v, want 4", place, err)
		}
	})
}

func TestASubscriberWhosePlaceCannotBeSavedIsToldAndGetsEventsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := new(eventtest.Journal)
		b := event.NewBus(j)
		s := subscribe(t, b, "alert", nil)
		publish(t, b, texts(1, 2)...)
		j.Fault = func(context.Context) error { return errors.New("disk full") }
		want(t, get(t, s, 3), "1", "2", `!remember the place of subscriber "alert": disk full`)
		s.Close()
		want(t, get(t, subscribe(t, b, "alert", nil), 2), "1", "2")
	})
}

func TestASlowSubscriberHoldsNobodyUpAndLosesNothing(t *testing.T) {
	t.Parallel()
	b := event.NewBus(new(eventtest.Journal))
	s := subscribe(t, b, "alert", nil)
	var all []string
	for _, e := range texts(1, 3*event.Queue) {
		all = append(all, e.Text)
	}
	publish(t, b, texts(1, 3*event.Queue)...)
	want(t, get(t, s, len(all)), all...)
}

func TestAListenerIsToldHowManyDidNotFit(t *testing.T) {
	t.Parallel()
	b := event.NewBus(new(eventtest.Journal))
	l := b.Listen(func(e muster.Event) bool { return e.Text != "unwanted" })
	defer l.Close()
	publish(t, b, texts(1, event.Queue)...)
	publish(t, b, about("r1", "unwanted"), about("r1", "x"))
	publish(t, b, texts(2001, 2016)...)
	got := get(t, l, event.Queue+1)
	if got[0] != "1" || got[event.Queue-1] != fmt.Sprint(event.Queue) || got[event.Queue] != "!17 events were missed" {
		t.Errorf("got %q, ..., %q", got[0], got[event.Queue-1:])
	}
	publish(t, b, about("r1", "after"))
	want(t, get(t, l, 1), "after")
}

func TestWhatAListenerMissedIsMissingInOnePlace(t *testing.T) {
	t.Parallel()
	b := event.NewBus(new(eventtest.Journal))
	l := b.Listen(nil)
	defer l.Close()
	publish(t, b, texts(1, event.Queue+1)...)
	want(t, get(t, l, 2), "1", "2")
	publish(t, b, about("r1", "x")) // there is room again, but one is missing before it
	got := get(t, l, event.Queue-1)
	want(t, got[len(got)-2:], fmt.Sprint(event.Queue), "!2 events were missed")
}

func TestAListenerHearsFromNowOnUntilItIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus(new(eventtest.Journal))
		publish(t, b, about("r1", "before"))
		l := b.Listen(nil)
		publish(t, b, texts(1, 2)...)
		l.Close()
		l.Close()
		publish(t, b, about("r1", "after"))
		want(t, get(t, l, 3), "1", "2") // a third one never comes
	})
}

func TestWithoutRoomOnTheDiskSubscribersAreToldFromMemoryInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := new(eventtest.Journal)
		b := event.NewBus(j)
		s, l := subscribe(t, b, "alert", nil), b.Listen(nil)
		defer l.Close()
		full := errors.New("disk full")
		publish(t, b, texts(1, 2)...)
		j.Fault = func(context.Context) error { return full }
		for range 5 { // as a publisher does that tries again
			if err := b.PublishAll(t.Context(), texts(3, 4)); !errors.Is(err, full) {
				t.Errorf("got %v, want %v", err, full)
			}
		}
		j.Fault = nil
		publish(t, b, texts(4, 5)...) // the 4 again
		want(t, get(t, s, 6), "1", "2", "3", "4", "4", "5")
		want(t, get(t, l, 6), "1", "2", "3", "4", "4", "5")
	})
}

func TestAJournalThatFailsFromTheStartKeepsNoAlarmBack(t *testing.T) {
	t.Parallel()
	j := new(eventtest.Journal)
	publish(t, event.NewBus(j), texts(1, 2)...)
	b := event.NewBus(j)
	s := subscribe(t, b, "alert", nil)
	j.Fault = func(context.Context) error { return errors.New("disk full") }
	for n := range 2 * event.Queue {
		if err := b.Publish(t.Context(), about("r1", fmt.Sprint(n))); err == nil {
			t.Fatal("a journal that fails is no error")
		}
	}
	got := get(t, s, event.Queue+1)
	want(t, got[:2], "0", "1")
	want(t, got[event.Queue:], fmt.Sprintf("!%d events were missed", event.Queue))
}

type deaf struct {
	eventtest.Journal
	fails int
}

func (d *deaf) Since(ctx context.Context, after int64, limit int) (int64, []muster.Event, error) {
	if d.fails--; d.fails >= 0 {
		return 0, nil, errors.New("no such disk")
	}
	return d.Journal.Since(ctx, after, limit)
}

func TestAJournalThatCannotBeReadIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus(&deaf{fails: 2})
		s := subscribe(t, b, "alert", nil)
		publish(t, b, texts(1, 1)...)
		began := time.Now()
		want(t, get(t, s, 3), "!read events: no such disk", "!read events: no such disk", "1")
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestWhatWasForgottenWhileASubscriberWasAwayIsTold(t *testing.T) {
	t.Parallel()
	j := new(eventtest.Journal)
	b := event.NewBus(j)
	subscribe(t, b, "alert", nil).Close()
	publish(t, b, texts(1, 6)...)
	if err := j.Forget(t.Context(), time.Time{}, 2); err != nil {
		t.Fatal(err)
	}
	s := subscribe(t, b, "alert", event.Kinds(muster.EventHealth))
	want(t, get(t, s, 3), "!4 events were missed", "5", "6")
	publish(t, b, about("r1", "7"))
	want(t, get(t, s, 1), "7")
}

func TestOldEventsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := new(eventtest.Journal)
		b := event.NewBus(j)
		publish(t, b, texts(1, 10)...)
		time.Sleep(event.KeepFor - time.Hour)
		publish(t, b, texts(1001, 2000)...)
		if first, _, _ := j.Since(t.Context(), 0, 1); first != 1 {
			t.Errorf("after %v the oldest is %d", event.KeepFor-time.Hour, first)
		}
		time.Sleep(2 * time.Hour)
		publish(t, b, texts(2001, 3000)...)
		if first, _, _ := j.Since(t.Context(), 0, 1); first != 11 {
			t.Errorf("the oldest is %d, want 11", first)
		}
	})
}

func TestAllSeeTheOrderOfTheJournal(t *testing.T) {
	t.Parallel()
	j := new(eventtest.Journal)
	b := event.NewBus(j)
	s, l := subscribe(t, b, "alert", nil), b.Listen(nil)
	defer l.Close()
	const publishers, each = 8, 50
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for n := range each {
				if err := b.Publish(t.Context(), about(fmt.Sprintf("r%d ", p), fmt.Sprintf("%d %02d", p, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	durable, live := get(t, s, publishers*each), get(t, l, publishers*each)
	wg.Wait()
	if !slices.Equal(durable, live) {
		t.Error("a listener sees another order")
	}
	slices.SortStableFunc(durable, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
	if !slices.IsSorted(durable) {
		t.Errorf("the order within a device is lost: %q", durable)
	}
}

func TestANameHasOneSubscriber(t *testing.T) {
	t.Parallel()
	b := event.NewBus(new(eventtest.Journal))
	s := subscribe(t, b, "alert", nil)
	if _, err := b.Subscribe(t.Context(), "alert", nil); !errors.Is(err, event.ErrTaken) {
		t.Errorf("got %v, want ErrTaken", err)
	}
	subscribe(t, b, "other", nil)
	s.Close()
	again := subscribe(t, b, "alert", nil)
	s.Close() // of the first one: it must not free the name again
	if _, err := b.Subscribe(t.Context(), "alert", nil); !errors.Is(err, event.ErrTaken) {
		t.Errorf("got %v, want ErrTaken", err)
	}
	if _, err := b.Subscribe(t.Context(), "", nil); err == nil {
		t.Error("a subscriber without a name")
	}
	publish(t, b, texts(1, 2)...)
	for range again.Events(t.Context()) {
		for _, err := range again.Events(t.Context()) {
			if err == nil {
				t.Error("two loops share the events")
			}
		}
		break
	}
}

func TestAnEventGetsAnIDAndATimeWhereItHasNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus(new(eventtest.Journal))
		l := b.Listen(nil)
		defer l.Close()
		given := []muster.Event{{Text: "1"}, {Text: "2"}, {Text: "3", ID: "own", Time: time.Now().Add(-time.Hour)}}
		publish(t, b, given...)
		if given[0].ID != "" {
			t.Error("the caller's event was changed")
		}
		var got []muster.Event
		for e := range l.Events(t.Context()) {
			if got = append(got, e); len(got) == 3 {
				break
			}
		}
		if got[0].ID == "" || got[0].ID == got[1].ID || !got[0].Time.Equal(time.Now()) {
			t.Errorf("got %+v", got)
		}
		if got[2].ID != "own" || !got[2].Time.Equal(time.Now().Add(-time.Hour)) {
			t.Errorf("got %+v", got[2])
		}
	})
}

func TestAPublisherWhoseContextEndedTellsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus(new(eventtest.Journal))
		s, l := subscribe(t, b, "alert", nil), b.Listen(nil)
		defer l.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Publish(ctx, about("r1", "1")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if err := b.PublishAll(ctx, nil); err != nil {
			t.Errorf("nothing to publish: %v", err)
		}
		want(t, get(t, s, 1))
		want(t, get(t, l, 1))
	})
}
