package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"github.com/musternet/muster"
)

// Send takes alerts that fire and alerts that have ended. Those that cannot be taken are left out and named by the error.
func (r *Router) Send(ctx context.Context, some []muster.Alert) error {
	now := time.Now()
	var taken []*alert.Alert
	var refused []error
	for _, a := range some {
		a, err := fit(a, now, r.o.Resend)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		taken = append(taken, toAlertmanager(a, now))
	}
	if r.closed.Load() {
		return ErrClosed
	}
	return errors.Join(append(refused, r.alerts.Put(ctx, taken...))...)
}

// toAlertmanager needs an alert that fits.
func toAlertmanager(a muster.Alert, now time.Time) *alert.Alert {
	return &alert.Alert{
		Alert: model.Alert{
			Labels:      labelSet(a.Labels),
			Annotations: labelSet(a.Annotations),
			StartsAt:    a.Starts,
			EndsAt:      a.Ends,
		},
		UpdatedAt: now,
		Timeout:   a.Ends.After(now), // what has been said of an end to come does not outlast what is said next
	}
}

func labelSet(m map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(m))
	for name, value := range m {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set
}

// fit returns an alert as any Alertmanager takes it: with labels, with names and values that are valid, with a start that is
// not after its end, and with an end.
func fit(a muster.Alert, now time.Time, resend time.Duration) (muster.Alert, error) {
	fitting := muster.Alert{Labels: fitNames(a.Labels), Annotations: fitNames(a.Annotations), Starts: a.Starts, Ends: a.Ends}
	if len(fitting.Labels) == 0 {
		return fitting, fmt.Errorf("an alert without labels cannot be told from others: it was not sent (%q)", a.Annotations["summary"])
	}
	if fitting.Ends.IsZero() {
		fitting.Ends = now.Add(4 * resend)
	}
	if fitting.Starts.IsZero() {
		fitting.Starts = now
	}
	if fitting.Starts.After(fitting.Ends) { // a clock that was set back
		fitting.Starts = fitting.Ends
	}
	return fitting, nil
}

// fitNames makes the names those of labels, and leaves out what has no value. The same names become the same.
func fitNames(m map[string]string) map[string]string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(boolCompare(fitName(b) == b, fitName(a) == a), strings.Compare(a, b))
	})
	fitting := make(map[string]string, len(m))
	for _, name := range names {
		if m[name] == "" {
			continue
		}
		fitting[free(fitting, fitName(name))] = strings.ToValidUTF8(m[name], "\uFFFD")
	}
	return fitting
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// free is the name, or it with the first number from 2 on that is not taken.
func free(taken map[string]string, name string) string {
	try := name
	for n := 2; ; n++ {
		if _, ok := taken[try]; !ok {
			return try
		}
		try = name + "_" + strconv.Itoa(n)
	}
}

// fitName makes a name of letters, digits and underscores that does not begin with a digit.
func fitName(name string) string {
	fitting := strings.Map(func(c rune) rune {
		if c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}, name)
	if fitting == "" || '0' <= fitting[0] && fitting[0] <= '9' {
		return "_" + fitting
	}
	return fitting
}
