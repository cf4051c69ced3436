package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/event"
	"github.com/musternet/muster/internal/metrics"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/schedule"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
	"github.com/musternet/muster/store/tsdb"
	"github.com/musternet/muster/task"
)

// ServeOptions say how a muster runs that runs for ever.
type ServeOptions struct {
	Version string
	Listen  string                              // instead of the settings'; empty: theirs
	Ready   func(address string, devices int)   // hears where it listens, and how many devices it watches, when all runs; nil: nobody does
	Reload  <-chan os.Signal                    // asks to read settings and inventory anew; nil: nobody does
	Again   func(context.Context) (*App, error) // reads them
}

// Where things of a muster that serves lie in the data directory.
const (
	samplesDir = "metrics"
	alertsDir  = "alerts"
	serveDir   = "serve"       // of its lock
	socketFile = "muster.sock" // beside it
)

// stopTime bounds how long one part of a server may take to end.
const stopTime = 20 * time.Second

// Serve watches all devices, backs them up when that is due, and alerts, until ctx ends or a part of it breaks. Nobody else
// may serve the data directory meanwhile. What was begun when ctx ends is ended in order, and what is known is kept.
func (a *App) Serve(ctx context.Context, o ServeOptions) (err error) {
	s := &server{app: a, options: o, log: a.opts.Log, metrics: metrics.New(o.Version), since: time.Now(), turn: task.NewSemaphore(1)}
	defer func() { err = errors.Join(err, s.close(), s.current().Close()) }()
	if s.address, err = s.listenOn(a.settings); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// server is a muster that serves.
type server struct {
	options ServeOptions
	log     *slog.Logger
	metrics *metrics.Set
	since   time.Time
	address settings.Listen

	mu       sync.Mutex
	app      *App     // replaced by a reload
	watching watching // so is what it says of what runs for ever

	turn     *task.Semaphore // of the scheduled backups: the data directory has one writer at a time
	index    *sqlite.DB
	samples  *tsdb.DB
	bus      *event.Bus
	heard    *event.Subscription // of the alert rules
	router   router
	rules    *alert.Engine
	monitor  *monitor.Monitor
	schedule *schedule.Runner
	receiver *receiver // of syslog messages; nil: the settings want none
	listener net.Listener
	socket   net.Listener

	closers []func() error
}

// part is something that runs for as long as the server does.
type part struct {
	name string
	run  func(context.Context) error
}

// parts are what runs, in the order in which it starts; it ends in the other order.
func (s *server) parts() []part {
	parts := []part{
		{"alert router", s.router.Run},
		{"alert rules", s.rules.Run},
		{"alert events", func(ctx context.Context) error { return s.hear(ctx, s.heard) }},
		{"monitor", s.monitor.Run},
		{"schedule", s.schedule.Run},
	}
	parts = append(parts, s.syslogParts()...)
	return append(parts, []part{
		{"reload", s.reloads},
		{"http", func(ctx context.Context) error { return s.serve(ctx, s.listener, s.handler()) }},
		{"socket", func(ctx context.Context) error { return s.serve(ctx, s.socket, s.socketHandler()) }},
	}...)
}

// open takes the data directory and the addresses, and opens all that is kept. What it opened is closed by close, also when
// it fails.
func (s *server) open(ctx context.Context) error {
	if err := s.takeDir(ctx); err != nil {
		return err
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.openStores(ctx); err != nil {
		return err
	}
	if err := s.openAlerts(); err != nil {
		return err
	}
	if err := s.openWatch(ctx); err != nil {
		return err
	}
	if err := s.openSyslog(ctx); err != nil {
		return err
	}
	s.measure()
	return nil
}

// takeDir makes this the one muster that serves the data directory.
func (s *server) takeDir(ctx context.Context) error {
	lock, err := store.LockDir(ctx, filepath.Join(s.app.dir, serveDir), "muster serve")
	if held, ok := errors.AsType[*store.LockedError](err); ok {
		who := "another process" // that has not written its name yet
		if held.PID > 0 {
			who = "process " + strconv.Itoa(held.PID)
		}
		return fmt.Errorf("%w: %s is served already, by %s: end that first, or name another directory with --data-dir", ErrStore, s.app.dir, who)
	}
	if err != nil {
		return storeError(err)
	}
	s.closers = append(s.closers, lock.Unlock)
	return nil
}

// openStores opens rows, samples and the journal of events.
func (s *server) openStores(ctx context.Context) (err error) {
	if s.index, err = s.app.writableIndex(ctx); err != nil {
		return err
	}
	s.closers = append(s.closers, s.index.Close)
	h := s.app.settings.History
	if s.samples, err = tsdb.Open(filepath.Join(s.app.dir, samplesDir), tsdb.Options{
		Retention: time.Duration(h.Retention), MaxBytes: int64(h.MaxSize), Log: s.log, Registerer: s.metrics.Registry,
	}); err != nil {
		return storeError(err)
	}
	s.closers = append(s.closers, s.samples.Close)
	s.bus = event.NewBus(s.index)
	if s.heard, err = s.bus.Subscribe(ctx, "alerts", nil); err != nil { // before anything is published
		return storeError(err)
	}
	s.closers = append(s.closers, func() error { s.heard.Close(); return nil })
	return nil
}

// close closes what open opened, in the other order.
func (s *server) close() error {
	var errs []error
	for _, f := range slices.Backward(s.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// run runs all parts.
func (s *server) run(ctx context.Context) error { return s.runParts(ctx, s.parts(), s.started) }

// runParts runs parts until ctx ends or one of them breaks. started is called when all run.
func (s *server) runParts(ctx context.Context, parts []part, started func()) error {
	var broken error
	err := task.Scope(context.WithoutCancel(ctx), "serve", func(inner context.Context, g *task.Group) error {
		ended := make(chan error, 1)
		var running []*task.Task[struct{}]
		for _, p := range parts {
			running = append(running, task.Start(g, p.name, func(ctx context.Context) (struct{}, error) {
				if err := p.run(ctx); ctx.Err() == nil {
					select {
					case ended <- endedEarly(p.name, err):
					default:
					}
				}
				return struct{}{}, nil
			}))
		}
		started()
		select {
		case <-ctx.Done():
			s.log.Info("muster stops")
		case broken = <-ended:
			s.log.Error("muster stops because a part of it has ended", "err", broken)
		case <-inner.Done(): // a part has panicked
		}
		s.stop(context.WithoutCancel(inner), running)
		return nil
	})
	s.log.Info("muster has stopped", "served", time.Since(s.since).Round(time.Second))
	return errors.Join(broken, err)
}

// endedEarly is the error of a part that ended although nobody asked it to.
func endedEarly(name string, err error) error {
	if err == nil {
		err = errors.New("without a reason")
	}
	return storeError(fmt.Errorf("the %s has ended: %w", name, err))
}

// started says that all runs.
func (s *server) started() {
	address, devices := s.listener.Addr().String(), s.devices()
	s.log.Info("muster serves", "version", s.options.Version, "dir", s.app.dir, "address", address, "devices", devices, "syslog", s.syslogAddresses())
	if s.options.Ready != nil {
		s.options.Ready(address, devices)
	}
}

// stop ends the parts one by one, the last one first.
func (s *server) stop(ctx context.Context, running []*task.Task[struct{}]) {
	for _, t := range slices.Backward(running) {
		t.Cancel(errors.New("muster stops"))
		bounded, cancel := context.WithTimeout(ctx, stopTime)
		if _, err := t.Wait(bounded); bounded.Err() != nil {
			s.log.Warn("a part takes long to end", "part", t.Name(), "err", err)
		}
		cancel()
	}
}

// hear tells the rules what happens.
func (s *server) hear(ctx context.Context, sub *event.Subscription) error {
	for e, err := range sub.Events(ctx) {
		if err != nil {
			s.log.Warn("events for the alert rules", "err", err)
			continue
		}
		if err := s.rules.Take(ctx, e); err != nil && ctx.Err() == nil {
			s.log.Warn("judge an event", "event", e.ID, "kind", string(e.Kind), "err", err)
		}
	}
	return nil
}

// PublishAll tells of events and counts them.
func (s *server) PublishAll(ctx context.Context, events []muster.Event) error {
	if err := s.bus.PublishAll(ctx, events); err != nil {
		return err // they come again
	}
	for _, e := range events {
		s.metrics.Event(e)
	}
	return nil
}

// listenOn is where the server listens by some settings.
func (s *server) listenOn(set *settings.Settings) (settings.Listen, error) {
	if s.options.Listen == "" {
		return cmp.Or(set.Serve.Listen, settings.DefaultListen), nil
	}
	var l settings.Listen
	if err := l.UnmarshalText([]byte(s.options.Listen)); err != nil {
		return "", usage(fmt.Errorf("--listen: %w", err))
	}
	return l, nil
}
