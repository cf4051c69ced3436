package tsdb

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// quiet makes what the engine tells of its daily work a matter of debugging: it tells a lot.
type quiet struct{ slog.Handler }

func lowered(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, lowered(l))
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }

// registry remembers what the engine registered, because the engine does not take it back when it is closed.
type registry struct {
	to   prometheus.Registerer
	kept []prometheus.Collector
}

// orNil is what the engine takes for "no metrics".
func (r *registry) orNil() prometheus.Registerer {
	if r.to == nil {
		return nil
	}
	return r
}

// Register registers a collector and remembers it.
func (r *registry) Register(c prometheus.Collector) error {
	err := r.to.Register(c)
	if err == nil {
		r.kept = append(r.kept, c)
	}
	return err
}

// MustRegister panics as the interface wants it.
func (r *registry) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister takes a collector back.
func (r *registry) Unregister(c prometheus.Collector) bool { return r.to.Unregister(c) }

// clear takes back what was registered since the last time.
func (r *registry) clear() {
	for _, c := range r.kept {
		r.to.Unregister(c)
	}
	r.kept = nil
}
