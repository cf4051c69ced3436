package ise

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/task"
)

// passed runs n requests of that length through a gate, and returns when each left and when it was answered.
func passed(t *testing.T, g *gate, n int, length func(i int) time.Duration) (left, ended []time.Time) {
	t.Helper()
	var mu sync.Mutex
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	_, err := task.Gather(t.Context(), numbers, func(ctx context.Context, i int) (int, error) {
		if err := g.enter(ctx); err != nil {
			return 0, err
		}
		at := time.Now()
		time.Sleep(length(i))
		mu.Lock()
		left, ended = append(left, at), append(ended, time.Now())
		mu.Unlock()
		g.leave()
		return 0, nil
	}, task.Limit(0))
	if err != nil {
		t.Fatal(err)
	}
	return left, ended
}

func TestRequestsLeaveAtEvenDistances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := time.Now()
		left, _ := passed(t, newGate(8, 50), 200, func(int) time.Duration { return time.Millisecond })
		for i := range left[1:] {
			if apart := left[i+1].Sub(left[i]); apart < 20*time.Millisecond {
				t.Fatalf("%d and %d are %v apart", i, i+1, apart)
			}
		}
		if took := time.Since(from); took > 4100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// TestNoSecondSeesMoreThanTheRate puts the arrival of each request anywhere between its leaving and its answer.
func TestNoSecondSeesMoreThanTheRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rate = 20
		left, ended := passed(t, newGate(8, rate), 300, func(i int) time.Duration { return time.Duration(i*7919%400) * time.Millisecond })
		for i := range left { // the second that begins with the arrival of i, be it as late as can be
			begin, n := ended[i], 0
			for j := range left {
				if earliest, latest := left[j], ended[j]; latest.Compare(begin) >= 0 && earliest.Before(begin.Add(time.Second)) {
					n++
				}
			}
			if n > rate {
				t.Fatalf("%d requests can arrive in one second", n)
			}
		}
	})
}

func TestTheGateKeepsToItsConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, 1000)
		now, most := 0, 0
		var mu sync.Mutex
		passed(t, g, 60, func(int) time.Duration {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return 0
		})
		if most != 3 {
			t.Errorf("%d at once", most)
		}
	})
}

func TestLessThanOneRequestASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left, _ := passed(t, newGate(8, 0.5), 4, func(int) time.Duration { return 0 })
		for i := range left[1:] {
			if apart := left[i+1].Sub(left[i]); apart < 2*time.Second || apart > 2100*time.Millisecond {
				t.Errorf("%v apart", apart)
			}
		}
	})
}

func TestSlowerAndFaster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(8, 100)
		left := time.Now()
		time.Sleep(time.Millisecond)
		for range 8 { // they were under way together
			g.slower(left)
		}
		if g.factor != 2 {
			t.Errorf("factor %v after one time of trouble", g.factor)
		}
		for range 10 {
			time.Sleep(time.Millisecond)
			g.slower(time.Now())
		}
		if g.factor != slowest {
			t.Errorf("factor %v", g.factor)
		}
		for range 140 {
			g.faster()
		}
		if g.factor != 1 {
			t.Errorf("factor %v after 140 successes", g.factor)
		}
	})
}

func TestWhoGivesUpLeavesItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(4, 2)
		ctx, cancel := context.WithCancel(t.Context())
		if err := g.enter(ctx); err != nil {
			t.Fatal(err)
		}
		g.leave()
		time.AfterFunc(100*time.Millisecond, cancel)
		if err := g.enter(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if g.busy != 0 {
			t.Errorf("%d places are taken", g.busy)
		}
	})
}
