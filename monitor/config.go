package monitor

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/store"
)

// Publisher tells others of events; an event.Bus does.
type Publisher interface {
	// PublishAll takes events in their order. When it fails, those events are published again, with the same IDs.
	PublishAll(ctx context.Context, events []muster.Event) error
}

// Pinger asks the targets of a plan as ping.Steady does.
type Pinger func(ctx context.Context, plan *ping.Plan, c ping.Config) iter.Seq2[ping.Probe, error]

// Config says how devices are watched, and who gets what comes of it. Only Targets is needed.
type Config struct {
	Targets []Target
	// Samples gets what Metrics names, once a second; nil: nobody does.
	Samples store.Samples
	// States keeps what is known for the next start; nil: nothing is kept.
	States store.Watch
	// Keep is how long transitions are kept in States; 0: 400 days.
	Keep time.Duration
	// Events is told of every Transition; nil: nobody is.
	Events Publisher
	// Resolve looks up the addresses of a name; nil: the system's resolver. Names are looked up again every ResolveEvery, 0: 5
	// minutes; an address that is still among the answers stays, and where there is no answer the last one holds.
	Resolve      func(ctx context.Context, name string) ([]netip.Addr, error)
	ResolveEvery time.Duration
	Flap         Flap
	Self         Uplink
	// AtOnce is how many probes other than pings run at once; 0: 256. Where these are too few, probes are late, and whole
	// turns are skipped and counted: all devices wait alike.
	AtOnce int
	// Ping is for pings; only Method and Buffer may be set, and Note.
	Ping ping.Config
	// Pinger asks the pings; nil: ping.Steady.
	Pinger Pinger
	Log    *slog.Logger // nil: nothing is logged
}

// complete fills in the defaults and checks what is given.
func (c Config) complete() (Config, error) {
	if c.AtOnce < 0 || c.Keep < 0 || c.ResolveEvery < 0 || c.Flap.Changes < 0 || c.Flap.Within < 0 || c.Flap.Calm < 0 || c.Self.AtLeast < 0 {
		return c, errors.New("monitor: times and counts are not negative")
	}
	c.Keep = cmp.Or(c.Keep, 400*24*time.Hour)
	c.ResolveEvery = cmp.Or(c.ResolveEvery, 5*time.Minute)
	c.Flap.Changes, c.Flap.Within = cmp.Or(c.Flap.Changes, 5), cmp.Or(c.Flap.Within, 10*time.Minute)
	c.Self.AtLeast = cmp.Or(c.Self.AtLeast, 3)
	c.AtOnce = cmp.Or(c.AtOnce, 256)
	if c.Resolve == nil {
		c.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	if c.Pinger == nil {
		c.Pinger = ping.Steady
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
