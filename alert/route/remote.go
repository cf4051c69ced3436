package route

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// What an External holds for each Alertmanager, and how it goes on after a failure.
const (
	maxHeld     = 10_000 // alerts
	maxPost     = 500    // alerts in one request
	postTimeout = 10 * time.Second
	firstWait   = time.Second
	longestWait = time.Minute
)

// External passes alerts on to Alertmanagers outside. Each of them gets all alerts, as Prometheus does it: they tell each other
// who was notified.
//
// What one of them did not take is held for it, the newest word about each alert, and sent again by Run, after a second and then
// twice as long up to a minute. An alert that fires is held until it would have ended, because who sends says it again; one that
// has ended is held until it is delivered. At most 10,000 are held for each; then those that fire go first, then those that
// ended first, and Lost counts the latter.
type External struct {
	peers  []*peer
	resend time.Duration
}

// Remote makes an External of the URLs of Alertmanagers, such as http://alertmanager:9093 or one with a path. The client brings
// what is needed to be let in; nil: http.Client's defaults. It starts nothing.
func Remote(urls []string, client *http.Client) (*External, error) {
	if len(urls) == 0 {
		return nil, errors.New("no Alertmanager is named")
	}
	if client == nil {
		client = &http.Client{}
	}
	e := &External{resend: DefaultResend}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("%q is no URL of an Alertmanager: write one such as http://alertmanager:9093", text)
		}
		e.peers = append(e.peers, &peer{url: u, client: client, held: map[string]held{}})
	}
	return e, nil
}

// Send returns nil when at least one Alertmanager took what was waiting for it, these alerts included; else why none did. The
// alerts are held either way. One that failed before is not asked before its time, and counts as failed. Alerts that cannot be
// sent at all are named by the error and not held.
func (e *External) Send(ctx context.Context, some []muster.Alert) error {
	now := time.Now()
	var fitting []muster.Alert
	var refused []error
	for _, a := range some {
		a, err := fit(a, now, e.resend)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		fitting = append(fitting, a)
	}
	results := task.Settle(ctx, e.peers, func(ctx context.Context, p *peer) (struct{}, error) {
		p.hold(fitting, now)
		return struct{}{}, p.deliver(ctx)
	}, task.Named("alert/route"))
	var failed []error
	for _, r := range results {
		if r.Err == nil {
			return errors.Join(refused...)
		}
		failed = append(failed, r.Err)
	}
	return errors.Join(append(refused, failed...)...)
}

// Run sends again what was not taken, until ctx ends.
func (e *External) Run(ctx context.Context) error {
	tick := time.NewTicker(firstWait)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		task.Settle(ctx, e.peers, func(ctx context.Context, p *peer) (struct{}, error) {
			return struct{}{}, p.deliver(ctx)
		})
	}
}

// Lost is how many alerts that had ended could not be held until an Alertmanager took them.
func (e *External) Lost() int {
	lost := 0
	for _, p := range e.peers {
		p.mu.Lock()
		lost += p.lost
		p.mu.Unlock()
	}
	return lost
}

// peer is one Alertmanager.
type peer struct {
	url    *url.URL
	client *http.Client

	delivering sync.Mutex // one request at a time, and taken before mu

	mu   sync.Mutex
	held map[string]held // by the alert's key: the newest word
	lost int
	wait time.Duration // after the last failure; 0: there was none
	next time.Time     // not asked before
	err  error         // of the last failure
}

// held is an alert that was not taken yet.
type held struct {
	muster.Alert
	fired bool // when it was sent
}

// hold keeps the newest word about each alert, and at most maxHeld.
func (p *peer) hold(some []muster.Alert, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range some {
		p.held[a.Key()] = held{a, a.Firing(now)}
	}
	over := len(p.held) - maxHeld
	if over <= 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(p.held), func(a, b string) int {
		x, y := p.held[a], p.held[b]
		return cmp.Or(boolCompare(y.fired, x.fired), x.Ends.Compare(y.Ends), strings.Compare(a, b))
	})
	for _, key := range keys[:over] {
		if !p.held[key].fired {
			p.lost++
		}
		delete(p.held, key)
	}
}

// deliver posts what is held, unless it is too early after a failure.
func (p *peer) deliver(ctx context.Context) error {
	p.delivering.Lock()
	defer p.delivering.Unlock()
	var refused error
	for {
		batch, err := p.batch(time.Now())
		if err != nil || len(batch) == 0 {
			return errors.Join(err, refused)
		}
		err = p.post(ctx, batch)
		if err != nil && ctx.Err() != nil {
			return err // the caller's end is no failure of the other side
		}
		p.done(batch, err)
		if err != nil && !errors.Is(err, errRefused) {
			return err
		}
		refused = err
	}
}

// batch is the next to post. What fired and was not said again meanwhile is forgotten: an Alertmanager would take it for ended.
func (p *peer) batch(now time.Time) ([]muster.Alert, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return nil, p.err
	}
	var batch []muster.Alert
	for key, a := range p.held {
		if a.fired && !a.Firing(now) {
			delete(p.held, key)
			continue
		}
		if batch = append(batch, a.Alert); len(batch) == maxPost {
			break
		}
	}
	return batch, nil
}

// done forgets what was taken, unless there is a newer word about it.
func (p *peer) done(batch []muster.Alert, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	if err != nil && !errors.Is(err, errRefused) {
		p.wait = min(max(2*p.wait, firstWait), longestWait)
		p.next = time.Now().Add(p.wait)
		return
	}
	p.wait, p.next = 0, time.Time{}
	for _, a := range batch {
		key := a.Key()
		if p.held[key].Ends.Equal(a.Ends) {
			delete(p.held, key)
		}
	}
}

// posted is an alert as the API takes it.
type posted struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// post sends a batch. One that the Alertmanager calls wrong would be wrong for ever: it took what is right in it, and it is not
// sent again.
func (p *peer) post(ctx context.Context, batch []muster.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	some := make([]posted, len(batch))
	for i, a := range batch {
		some[i] = posted{a.Labels, a.Annotations, a.Starts.UTC(), a.Ends.UTC()}
	}
	body, err := json.Marshal(some)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url.JoinPath("api/v2/alerts").String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("send alerts: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if resp.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("send alerts to %s: %s: %s", p.url.Redacted(), resp.Status, strings.TrimSpace(string(said)))
	if resp.StatusCode == http.StatusBadRequest {
		return fmt.Errorf("%w: %w", err, errRefused)
	}
	return err
}

// errRefused marks what is not worth sending again.
var errRefused = errors.New("it does not take some of them and will not")
