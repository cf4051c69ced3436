package ise_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// TestAPasswordThatIsChangedIsNotTriedByAllThatWait has 300 requests wait for their turn while ISE takes the password no more.
func TestAPasswordThatIsChangedIsNotTriedByAllThatWait(t *testing.T) {
	t.Parallel()
	const connections = 4
	var rejects, rejected atomic.Int64
	client := open(t, func() ise.Config {
		s := start(t, sim.ISEConfig{Endpoints: 10, Seed: 1, Latency: 2 * time.Millisecond, Hook: func(r *http.Request) {
			if rejects.Load() > 0 {
				rejected.Add(1)
				r.SetBasicAuth("ers", "changed meanwhile")
			}
		}})
		c := config(t, s)
		c.Connections = connections
		return c
	}())
	if _, err := client.Endpoint.Total(t.Context(), ise.Filter{}); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	for _, r := range task.Settle(t.Context(), make([]int, 300), func(ctx context.Context, _ int) (int, error) {
		if asked.Add(1) == 100 {
			rejects.Store(1)
		}
		return client.Endpoint.Total(ctx, ise.Filter{})
	}, task.Limit(0)) {
		if r.Err != nil && !errors.Is(r.Err, ise.ErrUnauthorized) {
			t.Error(r.Err)
		}
	}
	if n := rejected.Load(); n == 0 || n > connections {
		t.Errorf("it was sent %d times, want no more than were under way: ISE locks accounts", n)
	}
}

func TestARejectedPasswordIsSentAgainAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent, asked := 0, 0
		cfg := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			sent++
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusUnauthorized)
		})
		cfg.Password = func(context.Context) (string, error) { asked++; return "wrong", nil }
		client := open(t, cfg)
		for i, want := range []int{1, 1, 2, 2} { // at 0, 40, 80 and 120 s
			if _, err := client.Endpoint.Total(t.Context(), ise.Filter{}); !errors.Is(err, ise.ErrUnauthorized) {
				t.Errorf("got %v", err)
			}
			if sent != want || asked != i+1 {
				t.Errorf("after %d s it was sent %d times, want %d, and asked for %d times", 40*i, sent, want, asked)
			}
			time.Sleep(40 * time.Second)
		}
	})
}
