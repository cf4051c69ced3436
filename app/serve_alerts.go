package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/alert/route"
)

// router brings alerts to people.
type router interface {
	alert.Sender
	Run(ctx context.Context) error
	Handler() http.Handler
	reload(ctx context.Context) error
	alerts(ctx context.Context, matchers []string) ([]AlertRow, error)
	silences(ctx context.Context) ([]SilenceRow, error)
	silence(ctx context.Context, wish SilenceWish) (id string, err error)
	expire(ctx context.Context, id string) error
}

// openAlerts opens what brings alerts to people: Alertmanager inside, or Alertmanagers elsewhere.
func (s *server) openAlerts() error {
	set := s.app.settings.Alerts
	if len(set.URL) > 0 {
		urls := make([]string, len(set.URL))
		for i, u := range set.URL {
			urls[i] = string(u)
		}
		external, err := route.Remote(urls, nil)
		if err != nil {
			return usage(err)
		}
		s.router = outside{external, urls}
		return nil
	}
	r, err := route.Open(route.Options{
		ConfigFile: set.Alertmanager, Dir: filepath.Join(s.app.dir, alertsDir), Log: s.log, Registerer: s.metrics.Registry,
		ExternalURL: "http://" + string(s.address) + "/alertmanager",
	})
	if errors.Is(err, route.ErrConfig) {
		return usage(err)
	}
	if err != nil {
		return storeError(err)
	}
	s.closers = append(s.closers, r.Close)
	s.router = inside{r}
	return nil
}

// inside is Alertmanager in this process.
type inside struct{ *route.Router }

func (i inside) reload(ctx context.Context) error {
	if err := i.Reload(ctx); err != nil {
		return usage(err)
	}
	return nil
}

func (i inside) alerts(ctx context.Context, matchers []string) ([]AlertRow, error) {
	found, err := i.Alerts(ctx, matchers)
	if err != nil {
		return nil, matcherError(err)
	}
	rows := make([]AlertRow, len(found))
	for n, a := range found {
		rows[n] = alertRow(a.Alert, "firing")
		rows[n].Receivers = a.Receivers
		switch {
		case len(a.SilencedBy) > 0:
			rows[n].State = "silenced"
		case len(a.InhibitedBy) > 0:
			rows[n].State = "inhibited"
		}
	}
	return rows, nil
}

func alertRow(a muster.Alert, state string) AlertRow {
	return AlertRow{
		Name: a.Labels[muster.LabelAlert], Severity: a.Labels[muster.LabelSeverity], Device: a.Labels[muster.LabelDevice], State: state,
		Since: a.Starts.UTC().Truncate(time.Second), Summary: a.Annotations["summary"], Count: a.Annotations["count"], Labels: a.Labels,
	}
}

func (i inside) silences(ctx context.Context) ([]SilenceRow, error) {
	all, err := i.Silences(ctx)
	rows := make([]SilenceRow, len(all))
	for n, s := range all {
		rows[n] = SilenceRow{s.ID, s.Matchers, s.Starts.UTC(), s.Ends.UTC(), s.Author, s.Comment, s.State}
	}
	return rows, err
}

func (i inside) silence(ctx context.Context, wish SilenceWish) (string, error) {
	id, err := i.Silence(ctx, wish.Matchers, wish.Until, wish.Author, wish.Comment)
	return id, matcherError(err)
}

func (i inside) expire(ctx context.Context, id string) error {
	err := i.Expire(ctx, id)
	if errors.Is(err, route.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrNothing, err)
	}
	return err
}

func matcherError(err error) error {
	if errors.Is(err, route.ErrMatcher) {
		return usage(err)
	}
	return err
}

// outside is Alertmanagers elsewhere.
type outside struct {
	*route.External
	urls []string
}

func (o outside) elsewhere() error {
	return usage(fmt.Errorf("alerts and silences are kept by the Alertmanager at %s: ask there, as with amtool", strings.Join(o.urls, ", ")))
}

// Handler says where to ask instead.
func (o outside) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, o.elsewhere().Error(), http.StatusNotFound)
	})
}

func (o outside) reload(context.Context) error { return nil }

func (o outside) alerts(context.Context, []string) ([]AlertRow, error) { return nil, o.elsewhere() }

func (o outside) silences(context.Context) ([]SilenceRow, error) { return nil, o.elsewhere() }

func (o outside) silence(context.Context, SilenceWish) (string, error) { return "", o.elsewhere() }

func (o outside) expire(context.Context, string) error { return o.elsewhere() }
