package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/common/model"

	"github.com/musternet/muster/task"
)

// Defaults of Options, and the times that Alertmanager's own command takes for what no option says.
const (
	DefaultResend  = time.Minute
	DefaultDelay   = 10 * time.Second
	DefaultGrace   = 5 * time.Second
	retention      = 120 * time.Hour // of silences that ended and of the log of notifications
	forgetResolved = 30 * time.Minute
	tidyGroups     = 30 * time.Second
	snapshotEvery  = 15 * time.Minute
	mendEvery      = time.Minute // after a change that could not be written
)

// ErrClosed is what a Router that has ended says.
var ErrClosed = errors.New("the alert router has ended")

// Options of a Router. Only Dir is needed.
type Options struct {
	// ConfigFile is Alertmanager's configuration file, Config its content where there is no file. Without both nobody is notified.
	ConfigFile string
	Config     []byte
	// Dir holds the silences and the log of notifications; it is made if need be. One Router at a time may use it.
	Dir string
	// ExternalURL is where people reach Handler; notifications link to it. Empty: http://localhost.
	ExternalURL string
	// Log is Alertmanager's too. Nil: nothing is logged.
	Log *slog.Logger
	// Registerer gets Alertmanager's metrics until the Router ends. Nil: nobody does.
	Registerer prometheus.Registerer

	// Resend is how often the caller sends again what fires. An alert that names no end is taken to have ended after four of it.
	Resend time.Duration
	// Delay is how long after the start nothing is notified, so that the caller can say all that fires before any group of it is
	// told. Below zero: none.
	Delay time.Duration
	// Grace is how long a notification under way may go on when the Router ends or its configuration is replaced.
	Grace time.Duration
	// Dial reaches receivers over HTTP. Nil: as http.Transport does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Resend = orDefault(o.Resend, DefaultResend)
	o.Delay = orDefault(o.Delay, DefaultDelay)
	o.Grace = orDefault(o.Grace, DefaultGrace)
	return o
}

func orDefault(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return d
}

func (o Options) externalURL() (*url.URL, error) {
	if o.ExternalURL == "" {
		return &url.URL{Scheme: "http", Host: "localhost"}, nil
	}
	u, err := url.Parse(o.ExternalURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL that people could reach: name one such as https://muster.example.net/alertmanager", o.ExternalURL)
	}
	return u, nil
}

// Router is an Alertmanager inside this process, without a cluster. It is made by Open, works while Run runs, and takes alerts
// and silences from Open on. Its methods may be called by several goroutines.
type Router struct {
	o        Options
	registry *prometheus.Registry

	alerts        *mem.Alerts
	silences      *silence.Silences
	silencer      *silence.Silencer
	notifications *nflog.Log
	silenceFile   *journal
	logFile       *journal

	groups   marker.GroupMarker
	pipeline *notify.PipelineBuilder
	metrics  *dispatch.DispatcherMetrics
	api      *api.API
	handler  http.Handler

	mu     sync.Mutex           // held while a configuration takes the place of another
	tasks  *task.Group          // nil: not running, or within the delay
	plan   atomic.Pointer[plan] // these three are written under mu
	engine atomic.Pointer[engine]
	closed atomic.Bool
}

// noEvents records none: Alertmanager's event recorder is off unless a flag of its command says otherwise.
var noEvents eventrecorder.Recorder

// Open reads the configuration and what was kept of silences and notifications. Run or Close has to follow.
func Open(o Options) (*Router, error) {
	o = o.withDefaults()
	conf, err := o.load()
	if err != nil {
		return nil, err
	}
	p, err := o.build(conf)
	if err != nil {
		return nil, err
	}
	r := &Router{o: o, registry: prometheus.NewRegistry(), groups: marker.NewGroupMarker()}
	r.plan.Store(p)
	if err := r.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open alert router: %w", err), r.Close())
	}
	o.warn(conf)
	return r, nil
}

// open makes what lives as long as the Router.
func (r *Router) open() error {
	if err := os.MkdirAll(r.o.Dir, 0o700); err != nil {
		return err
	}
	if err := r.openNotifications(); err != nil {
		return err
	}
	if err := r.openSilences(); err != nil {
		return err
	}
	var err error
	r.alerts, err = mem.NewAlerts(context.Background(), forgetResolved, 0, r.silencer, r.o.Log, noEvents, r.registry, featurecontrol.NoopFlags{})
	if err != nil {
		return err
	}
	r.metrics = dispatch.NewDispatcherMetrics(false, r.registry, featurecontrol.NoopFlags{})
	r.pipeline = notify.NewPipelineBuilder(r.registry, featurecontrol.NoopFlags{}, noEvents)
	if err := r.openAPI(); err != nil {
		return err
	}
	if r.o.Registerer != nil {
		return r.o.Registerer.Register(r.registry)
	}
	return nil
}

func (r *Router) openNotifications() error {
	file, content, err := openJournal(filepath.Join(r.o.Dir, "nflog"), false, r.o.Log)
	if err != nil {
		return err
	}
	r.logFile = file
	r.notifications, err = nflog.New(nflog.Options{
		SnapshotReader: bytes.NewReader(content),
		Retention:      retention,
		Logger:         r.o.Log.With("component", "nflog"),
		Metrics:        r.registry,
	})
	if err != nil {
		return fmt.Errorf("read %s: %w: move it away to start without it; who was notified is then notified again", file.path, err)
	}
	r.notifications.SetBroadcast(file.append)
	return nil
}

func (r *Router) openSilences() error {
	file, content, err := openJournal(filepath.Join(r.o.Dir, "silences"), true, r.o.Log)
	if err != nil {
		return err
	}
	r.silenceFile = file
	r.silences, err = silence.New(silence.Options{
		SnapshotReader: bytes.NewReader(content),
		Retention:      retention,
		Logger:         r.o.Log.With("component", "silences"),
		Metrics:        r.registry,
	})
	if err != nil {
		return fmt.Errorf("read %s: %w: move it away to start without silences", file.path, err)
	}
	r.silences.SetBroadcast(file.append)
	r.silencer = silence.NewSilencer(r.silences, r.o.Log, noEvents)
	return nil
}

func (r *Router) openAPI() (err error) {
	r.api, err = api.New(api.Options{
		Alerts:         r.alerts,
		Silences:       r.silences,
		GroupMutedFunc: r.groups.Muted,
		Logger:         r.o.Log.With("component", "api"),
		Registry:       r.registry,
		RequestDuration: promauto.With(r.registry).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "alertmanager_http_request_duration_seconds",
			Help:    "Histogram of latencies for HTTP requests.",
			Buckets: prometheus.DefBuckets,
		}, []string{"handler", "method", "code"}),
		GroupFunc: r.alertGroups,
	})
	if err != nil {
		return err
	}
	r.api.Update(r.plan.Load().conf, r.mark)
	r.handler = r.routes()
	return nil
}

// alertGroups are those of the configuration at work; there are none before it works.
func (r *Router) alertGroups(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	e := r.engine.Load()
	if e == nil {
		return dispatch.AlertGroups{}, nil, nil
	}
	return e.dispatcher.Groups(ctx, routes, alerts)
}

// mark writes into the marker of ctx by what the alert with these labels is muted.
func (r *Router) mark(ctx context.Context, labels model.LabelSet) {
	if e := r.engine.Load(); e != nil {
		e.inhibitor.Mutes(ctx, labels)
	}
	r.silencer.Mutes(ctx, labels)
}

// Run notifies until ctx ends; then it lets the notifications under way come to their end, writes what has to be kept and
// closes the Router. It runs once.
func (r *Router) Run(ctx context.Context) error {
	err := task.Scope(ctx, "alert/route", func(ctx context.Context, g *task.Group) error {
		g.Go("keep", r.keep)
		select {
		case <-time.After(max(r.o.Delay, 0)):
			r.begin(g)
		case <-ctx.Done():
		}
		<-ctx.Done()
		r.end()
		return nil
	})
	return errors.Join(err, r.Close())
}

// keep writes snapshots, so that the files do not grow for ever, and sooner after a change that could not be written.
func (r *Router) keep(ctx context.Context) error {
	tick := time.NewTicker(mendEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if time.Since(last) >= snapshotEvery {
			last = time.Now()
			r.snapshot()
			continue
		}
		r.logKept(r.silenceFile.kept(r.silences.Snapshot))
		r.logKept(r.logFile.kept(r.notifications.Snapshot))
	}
}

func (r *Router) snapshot() {
	_, silences := r.silences.GC()
	_, notifications := r.notifications.GC()
	r.logKept(errors.Join(silences, r.silenceFile.replace(r.silences.Snapshot)))
	r.logKept(errors.Join(notifications, r.logFile.replace(r.notifications.Snapshot)))
}

func (r *Router) logKept(err error) {
	if err != nil {
		r.o.Log.Error("the alerting state could not be written", "err", err)
	}
}

// Close ends a Router that does not run, writing what has to be kept; a second time it does nothing. Run closes by itself.
func (r *Router) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Swap(true) {
		return nil
	}
	if r.o.Registerer != nil {
		r.o.Registerer.Unregister(r.registry)
	}
	if r.alerts != nil {
		r.alerts.Close()
	}
	var err error
	if r.silences != nil {
		err = closeState(r.silenceFile, r.silences)
	}
	if r.notifications != nil {
		err = errors.Join(err, closeState(r.logFile, r.notifications))
	}
	return err
}

func closeState(j *journal, state interface {
	Snapshot(io.Writer) (int64, error)
}) error {
	return j.close(state.Snapshot)
}
