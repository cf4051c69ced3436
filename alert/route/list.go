package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musternet/muster"
)

// Errors of silences that a caller branches on.
var (
	ErrMatcher  = errors.New("matcher")
	ErrNotFound = errors.New("no such silence")
)

// Alert is an alert that fires, and what becomes of it.
type Alert struct {
	muster.Alert
	Receivers   []string // the names of those that its routes lead to
	SilencedBy  []string // the identities of silences
	InhibitedBy []string // the fingerprints of alerts
	Updated     time.Time
}

// Muted tells whether nobody is notified of the alert.
func (a Alert) Muted() bool { return len(a.SilencedBy)+len(a.InhibitedBy) > 0 }

// Alerts returns what fires and matches all the matchers, by the start and then by the labels. A matcher is written as amtool
// takes it: device=r1, severity=~"warn.*", and a word alone is the name of the alert.
func (r *Router) Alerts(ctx context.Context, matchers []string) ([]Alert, error) {
	wanted, err := parseMatchers(matchers)
	if err != nil {
		return nil, err
	}
	routes := r.plan.Load().routes
	pending := r.alerts.GetPending()
	defer pending.Close()
	now := time.Now()
	var found []Alert
	for a := range pending.Next() {
		if !a.Data.ResolvedAt(now) && wanted.Matches(a.Data.Labels) {
			found = append(found, r.describe(ctx, a.Data))
			for _, route := range routes.Match(a.Data.Labels) {
				last := &found[len(found)-1]
				last.Receivers = append(last.Receivers, route.RouteOpts.Receiver)
			}
		}
	}
	slices.SortFunc(found, func(a, b Alert) int { return cmp.Or(a.Starts.Compare(b.Starts), strings.Compare(a.Key(), b.Key())) })
	return found, ctx.Err()
}

func (r *Router) describe(ctx context.Context, a *alert.Alert) Alert {
	marks := marker.NewAlertMarker()
	r.mark(marker.WithContext(ctx, marks), a.Labels)
	status := marks.Status(a.Fingerprint())
	return Alert{
		Alert:       muster.Alert{Labels: plain(a.Labels), Annotations: plain(a.Annotations), Starts: a.StartsAt},
		SilencedBy:  status.SilencedBy,
		InhibitedBy: status.InhibitedBy,
		Updated:     a.UpdatedAt,
	}
}

func plain(set model.LabelSet) map[string]string {
	m := make(map[string]string, len(set))
	for name, value := range set {
		m[string(name)] = string(value)
	}
	return m
}

// parseMatchers reads matchers as amtool does.
func parseMatchers(texts []string) (labels.Matchers, error) {
	var all labels.Matchers
	for _, text := range texts {
		written := text
		if !strings.ContainsAny(text, "=~!{") {
			written = fmt.Sprintf("%s=%q", model.AlertNameLabel, text)
		}
		m, err := compat.Matcher(written, "cli")
		if err != nil {
			return nil, fmt.Errorf("%w %q is not one: %w: write device=r1, device!=r1, device=~\"r[0-9]+\" or device!~\"r[0-9]+\"", ErrMatcher, text, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// Silence says that nobody is notified of some alerts for a time.
type Silence struct {
	ID       string
	State    string // pending, active or expired
	Matchers []string
	Starts   time.Time
	Ends     time.Time
	Author   string
	Comment  string
}

// Silences returns those that are kept, the first to end first; those that ended are kept for five days.
func (r *Router) Silences(ctx context.Context) ([]Silence, error) {
	kept, _, err := r.silences.Query(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Silence, 0, len(kept))
	for _, s := range kept {
		all = append(all, fromAlertmanager(s))
	}
	slices.SortFunc(all, func(a, b Silence) int { return cmp.Or(a.Ends.Compare(b.Ends), strings.Compare(a.ID, b.ID)) })
	return all, nil
}

func fromAlertmanager(s *silencepb.Silence) Silence {
	starts, ends := s.StartsAt.AsTime(), s.EndsAt.AsTime()
	own := Silence{
		ID:      s.Id,
		State:   string(silence.CurrentState(starts, ends)),
		Starts:  starts,
		Ends:    ends,
		Author:  s.CreatedBy,
		Comment: s.Comment,
	}
	for _, set := range s.MatcherSets {
		for _, m := range set.Matchers {
			own.Matchers = append(own.Matchers, fmt.Sprintf("%s%s%q", m.Name, operators[m.Type], m.Pattern))
		}
	}
	return own
}

var operators = map[silencepb.Matcher_Type]string{
	silencepb.Matcher_EQUAL:      "=",
	silencepb.Matcher_NOT_EQUAL:  "!=",
	silencepb.Matcher_REGEXP:     "=~",
	silencepb.Matcher_NOT_REGEXP: "!~",
}

// types of matchers, as they are kept.
var types = map[labels.MatchType]silencepb.Matcher_Type{
	labels.MatchEqual:     silencepb.Matcher_EQUAL,
	labels.MatchNotEqual:  silencepb.Matcher_NOT_EQUAL,
	labels.MatchRegexp:    silencepb.Matcher_REGEXP,
	labels.MatchNotRegexp: silencepb.Matcher_NOT_REGEXP,
}

// Silence silences from now on what matches all the matchers, and returns the identity of the silence. It is on the disk when
// Silence returns.
func (r *Router) Silence(ctx context.Context, matchers []string, until time.Time, author, comment string) (string, error) {
	parsed, err := parseMatchers(matchers)
	if err != nil {
		return "", err
	}
	if len(parsed) == 0 {
		return "", fmt.Errorf("%w: none was given: a silence of everything is written alertname=~\".+\"", ErrMatcher)
	}
	now := time.Now()
	if !until.After(now) {
		return "", fmt.Errorf("a silence until %s would have ended already", until.Format(time.RFC3339))
	}
	set := &silencepb.MatcherSet{}
	for _, m := range parsed {
		set.Matchers = append(set.Matchers, &silencepb.Matcher{Name: m.Name, Type: types[m.Type], Pattern: m.Value})
	}
	made := &silencepb.Silence{
		MatcherSets: []*silencepb.MatcherSet{set},
		StartsAt:    timestamppb.New(now),
		EndsAt:      timestamppb.New(until),
		CreatedBy:   author,
		Comment:     comment,
	}
	if err := r.silences.Set(ctx, made); err != nil {
		return "", fmt.Errorf("silence: %w", err)
	}
	return made.Id, r.silencesKept()
}

// Expire ends a silence; one that has ended already is no error. It is on the disk when Expire returns.
func (r *Router) Expire(ctx context.Context, id string) error {
	err := r.silences.Expire(ctx, id)
	if errors.Is(err, silence.ErrNotFound) {
		return fmt.Errorf("silence %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("silence %s: %w", id, err)
	}
	return r.silencesKept()
}
