// Package task measures package task beside what Go programs use instead. The work is trivial on purpose: what is compared is
// what an item costs on top of its work.
package task

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/musternet/muster/task"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

const count = 10_000

var limits = []int{10, 256}

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

var items = func() []int {
	items := make([]int, count)
	for i := range items {
		items[i] = i
	}
	return items
}()

func gather(ctx context.Context, limit int) error {
	_, err := task.Gather(ctx, items, double, task.Limit(limit))
	return err
}

// errgroupLimit does the same; a limit of -1 is none.
func errgroupLimit(ctx context.Context, limit int) error {
	out := make([]int, count)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for i, item := range items {
		g.Go(func() (err error) {
			out[i], err = double(ctx, item)
			return err
		})
	}
	return g.Wait()
}

// perItem runs f, which works on count items, and reports what one of them cost.
func perItem(b *testing.B, f func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/item")
}

func perLimit(b *testing.B, f func(limit int) error) {
	for _, limit := range limits {
		b.Run(strconv.Itoa(limit), func(b *testing.B) { perItem(b, func() error { return f(limit) }) })
	}
}

func BenchmarkLimitGather(b *testing.B) {
	perLimit(b, func(limit int) error { return gather(b.Context(), limit) })
}

func BenchmarkLimitErrgroup(b *testing.B) {
	perLimit(b, func(limit int) error { return errgroupLimit(b.Context(), limit) })
}

func BenchmarkLimitConc(b *testing.B) {
	ctx := b.Context()
	perLimit(b, func(limit int) error {
		p := pool.NewWithResults[int]().WithContext(ctx).WithMaxGoroutines(limit)
		for _, item := range items {
			p.Go(func(ctx context.Context) (int, error) { return double(ctx, item) })
		}
		_, err := p.Wait()
		return err
	})
}

func BenchmarkUnlimitedGather(b *testing.B) {
	perItem(b, func() error { return gather(b.Context(), 0) })
}

func BenchmarkUnlimitedErrgroup(b *testing.B) {
	perItem(b, func() error { return errgroupLimit(b.Context(), -1) })
}

func BenchmarkUnlimitedConc(b *testing.B) {
	ctx := b.Context()
	perItem(b, func() error {
		p := pool.NewWithResults[int]().WithContext(ctx)
		for _, item := range items {
			p.Go(func(ctx context.Context) (int, error) { return double(ctx, item) })
		}
		_, err := p.Wait()
		return err
	})
}

func BenchmarkUnlimitedWaitGroup(b *testing.B) {
	ctx := b.Context()
	perItem(b, func() error {
		out := make([]int, count)
		errs := make([]error, count)
		var wg sync.WaitGroup
		for i, item := range items {
			wg.Add(1)
			go func() {
				defer wg.Done()
				out[i], errs[i] = double(ctx, item)
			}()
		}
		wg.Wait()
		return nil
	})
}

func BenchmarkGoScope(b *testing.B) {
	perItem(b, func() error { return goScope(b.Context()) })
}

func BenchmarkGoErrgroup(b *testing.B) {
	perItem(b, func() error { return goErrgroup(b.Context()) })
}

// goScope starts tasks that have a name, a status and a place in the live tree; goErrgroup bare ones.
func goScope(ctx context.Context) error {
	return task.Scope(ctx, "bench", func(_ context.Context, g *task.Group) error {
		for range count {
			g.Go("task", nothing)
		}
		return nil
	})
}

func goErrgroup(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range count {
		g.Go(func() error { return nothing(ctx) })
	}
	return g.Wait()
}

func nothing(context.Context) error { return nil }
