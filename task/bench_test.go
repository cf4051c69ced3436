package task_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/musternet/muster/task"
)

const benchItems = 10_000

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

func numbers(n int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	return items
}

// perItem adds the figure that the packages are compared by.
func perItem(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchItems, "ns/item")
}

func BenchmarkGatherLimit(b *testing.B) {
	ctx, items := b.Context(), numbers(benchItems)
	for _, limit := range []int{10, task.DefaultLimit} {
		b.Run(strconv.Itoa(limit), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := task.Gather(ctx, items, double, task.Limit(limit)); err != nil {
					b.Fatal(err)
				}
			}
			perItem(b)
		})
	}
}

func BenchmarkGatherUnlimited(b *testing.B) {
	ctx, items := b.Context(), numbers(benchItems)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := task.Gather(ctx, items, double, task.Limit(0)); err != nil {
			b.Fatal(err)
		}
	}
	perItem(b)
}

func BenchmarkSettle(b *testing.B) {
	ctx, items := b.Context(), numbers(benchItems)
	b.ReportAllocs()
	for b.Loop() {
		if results := task.Settle(ctx, items, double); len(results) != benchItems {
			b.Fatal(len(results))
		}
	}
	perItem(b)
}

func BenchmarkAsCompleted(b *testing.B) {
	ctx, items := b.Context(), numbers(benchItems)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range task.AsCompleted(ctx, slices.Values(items), double) {
			n++
		}
		if n != benchItems {
			b.Fatal(n)
		}
	}
	perItem(b)
}

func BenchmarkScopeGo(b *testing.B) {
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		err := task.Scope(ctx, "bench", func(_ context.Context, g *task.Group) error {
			for range benchItems {
				g.Go("", func(context.Context) error { return nil })
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	perItem(b)
}
