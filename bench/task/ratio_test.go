package task

import (
	"context"
	"slices"
	"testing"
	"time"
)

// BenchmarkRatio takes turns between ours and errgroup every few milliseconds, so that whatever else the machine does falls on
// both, and reports the quotient of the lower quartiles: the figures that the bars are written in.
func BenchmarkRatio(b *testing.B) {
	b.Run("GatherLimit10", func(b *testing.B) {
		ratio(b, func(ctx context.Context) error { return gather(ctx, 10) },
			func(ctx context.Context) error { return errgroupLimit(ctx, 10) })
	})
	b.Run("GatherLimit256", func(b *testing.B) {
		ratio(b, func(ctx context.Context) error { return gather(ctx, 256) },
			func(ctx context.Context) error { return errgroupLimit(ctx, 256) })
	})
	b.Run("GatherUnlimited", func(b *testing.B) {
		ratio(b, func(ctx context.Context) error { return gather(ctx, 0) },
			func(ctx context.Context) error { return errgroupLimit(ctx, -1) })
	})
	b.Run("Go", func(b *testing.B) { ratio(b, goScope, goErrgroup) })
}

func ratio(b *testing.B, ours, theirs func(context.Context) error) {
	var a, z []time.Duration
	for b.Loop() {
		a = append(a, elapsed(b, ours))
		z = append(z, elapsed(b, theirs))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(lowerQuartile(a))/float64(lowerQuartile(z)), "x-errgroup")
}

func elapsed(b *testing.B, f func(context.Context) error) time.Duration {
	begin := time.Now()
	if err := f(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

func lowerQuartile(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/4]
}
