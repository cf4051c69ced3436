package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/alert/route"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/store/logfile"
	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

// SyslogListen says where and how to listen for a while, without a muster that serves.
type SyslogListen struct {
	UDP, TCP, TLS, Unix []string
	Cert, Key, ClientCA string // of TLS
	Archive             string // a directory; empty: nothing is archived
	// Match says what alerts: the word of a severity stands for messages at least as bad and for those that have the word in
	// their text, anything else is a regular expression over the text.
	Match   []string
	Webhook string // where alerts go, or a reference to that such as env:WEBHOOK; empty: Told alone

	Ready func(addresses string) // hears where it listens
	// Line gets each message as a line of JSON, valid during the call, and what makes a row of it. The next message waits for it,
	// and an error ends it.
	Line   func(line []byte, row func() muster.LogLine) error
	Told   func(rule, key, summary string) // hears what alerts
	Counts <-chan chan<- SyslogCounts      // asks for the counts; nil: nobody does
}

// SyslogCounts is what became of the messages.
type SyslogCounts struct {
	Received      uint64 `json:"received"`
	Parsed        uint64 `json:"parsed"`         // of which the form was known; the others are kept as well
	DroppedKernel uint64 `json:"dropped_kernel"` // that had no room in the receive buffer
	Gaps          uint64 `json:"gaps"`           // that never came, by the devices' own numbers
	Archived      uint64 `json:"archived"`       // durable
	Lost          uint64 `json:"lost"`           // that could not be archived
	Alerts        uint64 `json:"alerts"`         // that were told
	Unknown       uint64 `json:"unknown"`        // of senders that the inventory does not know
	Truncated     uint64 `json:"truncated"`
	BadFrames     uint64 `json:"bad_frames"`
	NotShown      uint64 `json:"not_shown"` // because whoever reads them was too slow
	DurationMS    int64  `json:"duration_ms"`
}

// SyslogListen receives messages until ctx ends, and returns what became of them.
func (a *App) SyslogListen(ctx context.Context, o SyslogListen) (SyslogCounts, error) {
	h := &hearing{app: a, options: o, since: time.Now()}
	if err := h.open(ctx); err != nil {
		return SyslogCounts{}, errors.Join(err, h.close())
	}
	if o.Ready != nil {
		o.Ready(addresses(h.listener))
	}
	err := h.run(ctx)
	err = errors.Join(err, h.close()) // what the archive cannot keep then is counted as lost
	return h.counts(), err
}

// hearing is one SyslogListen.
type hearing struct {
	app      *App
	options  SyslogListen
	since    time.Time
	listener *syslog.Listener
	archive  *logfile.Archive
	watcher  *logwatch.Watcher
	alerts   *alerting
	closers  []func() error
}

func (h *hearing) close() error {
	var errs []error
	for i := len(h.closers) - 1; i >= 0; i-- {
		errs = append(errs, h.closers[i]())
	}
	return errors.Join(errs...)
}

func (h *hearing) open(ctx context.Context) error {
	o := h.options
	rules, err := matchRules(o.Match)
	if err != nil {
		return err
	}
	c := syslog.Config{
		UDP: o.UDP, TCP: o.TCP, TLS: o.TLS, Unix: o.Unix, Location: h.app.settings.Syslog.Location(),
		MaxMessage: int(h.app.settings.Syslog.MaxMessage), Note: func(text string) { h.app.opts.Log.Warn(text) },
	}
	if len(o.TLS) > 0 {
		if c.TLSConfig, err = certificates(o.Cert, o.Key, o.ClientCA); err != nil {
			return err
		}
	}
	if h.alerts, err = h.app.openAlerting(ctx, o, rules); err != nil {
		return err
	}
	h.closers = append(h.closers, h.alerts.close)
	if h.listener, err = syslog.Listen(ctx, c); err != nil {
		return usage(err)
	}
	h.closers = append(h.closers, h.listener.Close)
	if o.Archive != "" {
		if h.archive, err = h.app.openArchive(o.Archive); err != nil {
			return err
		}
		h.closers = append(h.closers, func() error { return storeError(h.archive.Close()) })
	}
	return h.openWatcher(ctx, rules)
}

func (h *hearing) openWatcher(ctx context.Context, rules []logwatch.Rule) error {
	outlook, err := h.app.outlook(ctx, nil, h.app.lookUp(ctx))
	if err != nil {
		return err
	}
	outlook.Rules = rules
	c := logwatch.Config{Outlook: outlook, Log: h.app.opts.Log, Events: h.alerts}
	if h.archive != nil {
		c.Archive = h.archive
	}
	h.watcher, err = logwatch.New(c)
	if err != nil {
		return usage(err)
	}
	return nil
}

// run takes messages until ctx ends or their lines cannot be shown.
func (h *hearing) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var failed error
	if h.options.Line != nil {
		h.watcher.Show(func(line []byte, row func() muster.LogLine) {
			if failed == nil {
				if failed = h.options.Line(line, row); failed != nil {
					cancel(failed)
				}
			}
		})
	}
	// What was received is still archived and told when ctx has ended.
	err := task.Scope(context.WithoutCancel(ctx), "listen", func(inner context.Context, g *task.Group) error {
		archived := task.Start(g, "archive", func(inner context.Context) (struct{}, error) {
			if h.archive == nil {
				return struct{}{}, nil
			}
			_ = h.archive.Run(inner) // what it could not write in the end Close tries once more, and tells
			return struct{}{}, nil
		})
		told := task.Start(g, "alerts", func(inner context.Context) (struct{}, error) { return struct{}{}, h.alerts.run(inner) })
		asked := task.Start(g, "counts", h.answer)
		err := h.watcher.Run(ctx, h.listener.Messages(ctx))
		for _, t := range []*task.Task[struct{}]{asked, told, archived} {
			t.Cancel(errStopped)
			_, _ = t.Wait(inner)
		}
		return err
	})
	return errors.Join(failed, err)
}

var errStopped = errors.New("muster stops")

// answer tells the counts to whoever asks.
func (h *hearing) answer(ctx context.Context) (struct{}, error) {
	for {
		select {
		case <-ctx.Done():
			return struct{}{}, nil
		case to := <-h.options.Counts:
			to <- h.counts()
		}
	}
}

func (h *hearing) counts() SyslogCounts {
	l, w := h.listener.Counts(), h.watcher.Counts()
	c := SyslogCounts{
		Received: w.Taken, Parsed: w.Parsed, DroppedKernel: l.Dropped, Gaps: w.Missing, Lost: w.Lost, Alerts: h.alerts.told.Load(),
		Unknown: w.Unknown, Truncated: l.Truncated, BadFrames: l.BadFrames, DurationMS: time.Since(h.since).Milliseconds(),
	}
	if h.archive != nil {
		kept := h.archive.Counts()
		c.Archived, c.Lost = kept.Durable, kept.Lost
	}
	return c
}

// mark parts the name of what is matched from how.
const mark = " in the text"

// matchRules makes rules of what --match says.
func matchRules(matches []string) ([]logwatch.Rule, error) {
	var rules []logwatch.Rule
	for _, m := range matches {
		if strings.TrimSpace(m) == "" {
			return nil, usage(errors.New("--match is empty: give a severity such as CRITICAL, or a regular expression"))
		}
		severity, err := syslog.ParseSeverity(m)
		if err != nil {
			rules = append(rules, logwatch.Rule{Name: m, Match: m})
			continue
		}
		rules = append(rules, logwatch.Rule{Name: m, Severity: &severity}, logwatch.Rule{Name: m + mark, Match: `(?i)\b` + regexp.QuoteMeta(m) + `\b`})
	}
	if err := logwatch.Check(rules); err != nil {
		return nil, usage(fmt.Errorf("--match: %w", err))
	}
	return rules, nil
}

// alerting brings what matches to a webhook, by the same rules and the same router as a muster that serves.
type alerting struct {
	engine *alert.Engine
	router *route.Router // nil: there is no webhook
	dir    string
	tell   func(rule, key, summary string)
	worst  map[string]syslog.Severity // of rules that are the word of a severity
	seen   map[string]int             // how often a rule has told of a sender
	told   atomic.Uint64
}

// webhookConfig tells each alert at once.
const webhookConfig = `route: {receiver: webhook, group_by: ['...'], group_wait: 0s, group_interval: 10s, repeat_interval: 4h}
receivers: [{name: webhook, webhook_configs: [{url: %s, send_resolved: false}]}]
`

func (a *App) openAlerting(ctx context.Context, o SyslogListen, rules []logwatch.Rule) (made *alerting, err error) {
	l := &alerting{tell: o.Told, worst: map[string]syslog.Severity{}, seen: map[string]int{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	c := alert.Config{Log: a.opts.Log, Devices: func() []muster.Device { return a.inv.Devices }}
	for _, r := range rules {
		if r.Severity != nil {
			l.worst[r.Name+mark] = *r.Severity
		}
		if !strings.HasSuffix(r.Name, mark) {
			c.Rules = append(c.Rules, alert.Rule{Name: r.Name, Kind: kindLog})
		}
	}
	if o.Webhook != "" {
		if l.router, err = a.webhook(ctx, o.Webhook, l); err != nil {
			return nil, err
		}
		c.Sender = l.router
	}
	if l.engine, err = alert.New(ctx, c); err != nil {
		return nil, usage(fmt.Errorf("--match: %w", err))
	}
	return l, nil
}

// webhook opens a router that sends to one URL. It keeps nothing: what it writes down is removed with it.
func (a *App) webhook(ctx context.Context, text string, l *alerting) (*route.Router, error) {
	target, err := a.webhookURL(ctx, text)
	if err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp("", "muster-listen-"); err != nil {
		return nil, storeError(err)
	}
	quoted, _ := json.Marshal(target) // which is YAML too
	r, err := route.Open(route.Options{
		Config: fmt.Appendf(nil, webhookConfig, quoted), Dir: filepath.Join(l.dir, alertsDir), Log: a.opts.Log, Delay: -1,
	})
	if err != nil {
		return nil, usage(fmt.Errorf("--webhook: %w", err))
	}
	return r, nil
}

// webhookURL reads the URL of a webhook. Its errors never quote it: a password may be part of it.
func (a *App) webhookURL(ctx context.Context, text string) (string, error) {
	if ref := secret.Ref(text); ref.Check() == nil {
		opener, err := a.settings.Opener(a.opts.Prompt)
		if err != nil {
			return "", usage(fmt.Errorf("--webhook: %w", err))
		}
		source, err := opener.Open(ref)
		if err != nil {
			return "", usage(fmt.Errorf("--webhook: %w", err))
		}
		s, err := source.Secret(ctx)
		if err != nil {
			return "", usage(fmt.Errorf("--webhook: %w", err))
		}
		text = strings.TrimSpace(s.Reveal())
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", usage(errors.New("--webhook must be a URL such as http://127.0.0.1:9095/hook, or name where one is kept: env:NAME or file:/path"))
	}
	return text, nil
}

func (l *alerting) close() error {
	var errs []error
	if l.router != nil {
		errs = append(errs, l.router.Close())
	}
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	return errors.Join(errs...)
}

func (l *alerting) run(ctx context.Context) error {
	return task.Scope(ctx, "alerts", func(ctx context.Context, g *task.Group) error {
		if l.router != nil {
			g.Go("router", l.router.Run)
		}
		g.Go("rules", l.engine.Run)
		return nil
	})
}

// PublishAll takes what the rules have found. What one rule finds by the severity and another by the word is told once.
func (l *alerting) PublishAll(ctx context.Context, events []muster.Event) error {
	var some []muster.Event
	for _, e := range events {
		hit := *e.Log
		if worst, ok := l.worst[hit.Rule]; ok {
			if s, err := syslog.ParseSeverity(hit.Line.Severity); err == nil && s <= worst {
				continue
			}
			hit.Rule = strings.TrimSuffix(hit.Rule, mark)
			e.Log, e.ID = &hit, e.ID+"/text"
		}
		some = append(some, e)
		l.say(hit, e.Text)
	}
	return l.engine.Take(ctx, some...)
}

// say tells of a hit, the first time of each sender and then when there are more of it.
func (l *alerting) say(hit muster.LogHit, text string) {
	before := l.seen[hit.Rule+"\x00"+hit.Key]
	if len(l.seen) > 10_000 {
		clear(l.seen)
	}
	l.seen[hit.Rule+"\x00"+hit.Key] = hit.Count
	if hit.Count <= before { // it has begun anew
		before = 0
	}
	if before == 0 {
		l.told.Add(1)
	} else {
		text += " (" + strconv.Itoa(hit.Count) + " messages)"
	}
	if l.tell != nil {
		l.tell(hit.Rule, hit.Key, text)
	}
}
