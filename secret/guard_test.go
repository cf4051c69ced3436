package secret_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/secret"
)

// attempt acquires and tells the outcome after some time.
func attempt(ctx context.Context, g *secret.Guard, credential, device string, takes time.Duration, o secret.Outcome) error {
	done, err := g.Acquire(ctx, credential, device)
	if err != nil {
		return err
	}
	time.Sleep(takes)
	done(o)
	return nil
}

func TestABadCredentialReachesFiveDevicesOf256(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g secret.Guard
		var tried, suspended atomic.Int32
		var wg sync.WaitGroup
		for i := range 256 {
			wg.Go(func() {
				err := attempt(t.Context(), &g, "bad", fmt.Sprint("d", i), time.Second, secret.Rejected)
				switch {
				case err == nil:
					tried.Add(1)
				case errors.Is(err, secret.ErrSuspended):
					suspended.Add(1)
				default:
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if tried.Load() != 5 || suspended.Load() != 251 {
			t.Errorf("tried on %d devices, suspended for %d, want 5 and 251", tried.Load(), suspended.Load())
		}
		if _, err := g.Acquire(t.Context(), "bad", "later"); !errors.Is(err, secret.ErrSuspended) {
			t.Errorf("later: got %v, want ErrSuspended", err)
		}
		if err := attempt(t.Context(), &g, "good", "d1", 0, secret.Accepted); err != nil {
			t.Errorf("another credential: got %v, want nil", err)
		}
	})
}

func TestOneSuccessLetsEverybodyPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g secret.Guard
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 256 {
			wg.Go(func() {
				o := secret.Rejected
				if i == 0 {
					o = secret.Accepted
				}
				if err := attempt(t.Context(), &g, "c", fmt.Sprint("d", i), time.Second, o); err != nil {
					t.Errorf("d%d: got %v", i, err)
				}
			})
			synctest.Wait() // in this order
		}
		wg.Wait()
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want 2 s: one for the first five, one for all others at once", took)
		}
	})
}

func TestGuardWaitsFirstInFirstOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := secret.Guard{Limit: 1}
		var order []int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				done, err := g.Acquire(t.Context(), "c", fmt.Sprint(i))
				if err != nil {
					t.Errorf("got %v", err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(time.Second)
				done(secret.Unknown) // frees the slot and proves nothing
				done(secret.Rejected)
			})
			synctest.Wait()
		}
		wg.Wait()
		if len(order) != 20 || !slices.IsSorted(order) {
			t.Errorf("got the order %v", order)
		}
	})
}

func TestWhoWaitsForTheGuardCanLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := secret.Guard{Limit: 1}
		done, err := g.Acquire(t.Context(), "c", "d0")
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := g.Acquire(ctx, "c", "d1"); !errors.Is(err, why) {
				t.Errorf("got %v, want the cause of the context", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if err := attempt(t.Context(), &g, "c", "d2", 0, secret.Accepted); err != nil {
				t.Errorf("who stood behind: got %v, want nil", err)
			}
		})
		time.Sleep(2 * time.Second)
		done(secret.Unknown)
		wg.Wait()
		if _, err := g.Acquire(ctx, "c", "d3"); !errors.Is(err, why) {
			t.Errorf("with a context that has ended: got %v, want its cause", err)
		}
	})
}

// A grant that comes at the moment its waiter gives up goes to the next.
func TestAGrantIsNotLostWithItsWaiter(t *testing.T) {
	t.Parallel()
	for range 500 {
		g := secret.Guard{Limit: 1}
		done, err := g.Acquire(t.Context(), "c", "d0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, wait := range []context.Context{ctx, t.Context()} {
			wg.Go(func() {
				if done, err := g.Acquire(wait, "c", "d1"); err == nil {
					done(secret.Unknown)
				}
			})
		}
		cancel()
		done(secret.Unknown)
		wg.Wait() // hangs where the slot was lost
	}
}

func TestTheSameDeviceRejectsOnce(t *testing.T) {
	t.Parallel()
	var g secret.Guard
	for range 20 {
		if err := attempt(t.Context(), &g, "c", "r1", 0, secret.Rejected); err != nil {
			t.Fatalf("got %v, want nil: one device alone suspends nothing", err)
		}
	}
}

// Whatever the order in which devices come, answer, break and give up: a credential that none accepts is seen by at most
// Limit devices, and nobody is left waiting.
func TestGuardHoldsForRandomSchedules(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			g := secret.Guard{Limit: 1 + r.IntN(6)}
			rejected, flying := map[string]bool{}, 0
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 1 + r.IntN(80) {
				device := fmt.Sprint("d", i)
				begin, takes := time.Duration(r.IntN(50))*time.Millisecond, time.Duration(r.IntN(20))*time.Millisecond
				patience := time.Duration(1+r.IntN(100)) * time.Millisecond
				breaks := r.IntN(3) == 0
				wg.Go(func() {
					time.Sleep(begin)
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					done, err := g.Acquire(ctx, "c", device)
					if err != nil {
						return
					}
					mu.Lock()
					flying++
					if seen := flying + len(rejected); seen > g.Limit {
						t.Errorf("seed %d: %d devices see or saw the credential, limit %d", seed, seen, g.Limit)
					}
					mu.Unlock()
					time.Sleep(takes)
					mu.Lock()
					flying--
					if !breaks {
						rejected[device] = true
					}
					mu.Unlock()
					if breaks {
						done(secret.Unknown)
					} else {
						done(secret.Rejected)
					}
				})
			}
			wg.Wait()
			if len(rejected) > g.Limit {
				t.Errorf("seed %d: %d devices rejected the credential, limit %d", seed, len(rejected), g.Limit)
			}
			// Whether all who gave up were forgotten: as many slots are free as rejections leave.
			for range g.Limit - len(rejected) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				if _, err := g.Acquire(ctx, "c", "end"); err != nil {
					t.Errorf("seed %d: a slot is lost: %v", seed, err)
				}
				cancel()
			}
		})
	}
}
