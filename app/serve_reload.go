package app

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/alert/route"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/store/tsdb"
)

// reloads reads the settings and the inventory anew whenever that is asked for.
func (s *server) reloads(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.options.Reload:
			if err := s.reload(ctx); err != nil {
				s.log.Error("the new settings do not hold, the old ones go on", "err", err)
			} else {
				s.log.Info("settings and inventory were read anew", "devices", s.devices())
			}
		}
	}
}

// reload makes new settings hold, or none of them.
func (s *server) reload(ctx context.Context) error {
	next, err := s.options.Again(ctx)
	if err != nil {
		return err
	}
	old := s.current()
	if err := s.turnTo(ctx, next); err != nil {
		return errors.Join(err, next.Close())
	}
	if s.receiver != nil {
		select {
		case s.receiver.names <- struct{}{}:
		default:
		}
	}
	return old.Close() // a backup that is under way has opened what it reads itself
}

// turnTo makes the settings of another App hold. All that can be wrong with them is looked at before any of them does; where
// one fails all the same, those before it hold again.
func (s *server) turnTo(ctx context.Context, next *App) error {
	old, before := s.current(), s.held()
	if err := s.restartNeeded(old, next); err != nil {
		return err
	}
	w, err := next.watching(ctx)
	if err != nil {
		return err
	}
	if err := next.checkWatching(w); err != nil {
		return err
	}
	s.replace(next, w)
	if err := s.hold(ctx, w); err != nil {
		s.replace(old, before)
		if back := s.hold(ctx, before); back != nil {
			s.log.Warn("go back to the old settings", "err", back)
		}
		return err
	}
	return nil
}

// restartNeeded refuses settings that hold from the start to the end of a muster that serves.
func (s *server) restartNeeded(old, next *App) error {
	from, to := old.settings, next.settings
	listen, err := s.listenOn(to)
	if err != nil {
		return err
	}
	var changed []string
	for _, one := range []struct {
		name    string
		changed bool
	}{
		{"data_dir", old.dir != next.dir},
		{"serve.listen", listen != s.address},
		{"history", from.History != to.History},
		{"monitor.flap", from.Monitor.Flap != to.Monitor.Flap},
		{"monitor.uplink", from.Monitor.Uplink != to.Monitor.Uplink},
		{"syslog (but for sources, relays and noise)", !reflect.DeepEqual(fixedSyslog(from.Syslog), fixedSyslog(to.Syslog))},
		{"alerts.alertmanager", from.Alerts.Alertmanager != to.Alerts.Alertmanager},
		{"alerts.url", !reflect.DeepEqual(from.Alerts.URL, to.Alerts.URL)},
	} {
		if one.changed {
			changed = append(changed, one.name)
		}
	}
	if len(changed) > 0 {
		return usage(fmt.Errorf("another %s holds only after a restart of muster serve", strings.Join(changed, ", ")))
	}
	return nil
}

// fixedSyslog is what of the settings of syslog holds from the start to the end.
func fixedSyslog(s settings.Syslog) settings.Syslog {
	s.Sources, s.Relays, s.Noise = nil, nil, settings.Noise{}
	return s
}

// current is the App of the settings that hold now.
func (s *server) current() *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.app
}

// held is what the settings that hold now say of what runs for ever.
func (s *server) held() watching {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watching
}

// replace makes another App the current one.
func (s *server) replace(next *App, w watching) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app, s.watching = next, w
}

// hold makes new settings hold, those that can fail first.
func (s *server) hold(ctx context.Context, w watching) error {
	if err := s.router.reload(ctx); err != nil {
		return err
	}
	if err := s.rules.Replace(ctx, w.rules); err != nil {
		return usage(err)
	}
	if err := s.monitor.Replace(w.targets); err != nil {
		return usage(err)
	}
	if err := s.holdSyslog(ctx); err != nil {
		return usage(err)
	}
	return s.schedule.Replace(s.entries(w))
}

// checkWatching says what a muster that serves would refuse in settings that are well by themselves, and in the file of
// Alertmanager that they name.
func (a *App) checkWatching(w watching) error {
	wrong := []error{alert.Check(w.rules, tsdb.CheckExpr), logwatch.Check(w.logs)}
	if file := a.settings.Alerts.Alertmanager; file != "" {
		wrong = append(wrong, route.CheckFile(file))
	}
	_, err := monitor.New(monitor.Config{Targets: w.targets, Flap: a.flap(), Self: a.uplink()})
	if err := errors.Join(append(wrong, err)...); err != nil {
		return usage(err)
	}
	return nil
}

// wrongWatching is all that is wrong with what the settings say of what runs for ever.
func (a *App) wrongWatching(ctx context.Context) []error {
	w, err := a.watching(ctx)
	if err == nil {
		err = a.checkWatching(w)
	}
	if err == nil {
		return nil
	}
	var all []error
	for line := range strings.Lines(err.Error()) {
		all = append(all, errors.New(strings.TrimSpace(line)))
	}
	return all
}
