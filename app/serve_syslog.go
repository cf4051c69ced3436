package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/store/logfile"
	"github.com/musternet/muster/syslog"
)

// receiver is what of a server hears the devices' messages.
type receiver struct {
	listener *syslog.Listener
	archive  *logfile.Archive // nil: nothing is archived
	watcher  *logwatch.Watcher
	names    chan struct{} // asks to look names up anew
	found    atomic.Pointer[[]logwatch.Binding]
}

// openSyslog opens the addresses of the settings, if there are any, and the archive.
func (s *server) openSyslog(ctx context.Context) error {
	set := s.app.settings.Syslog
	if !set.Listens() {
		return nil
	}
	r := &receiver{names: make(chan struct{}, 1)}
	c, err := s.app.listenerConfig()
	if err != nil {
		return err
	}
	if r.listener, err = syslog.Listen(ctx, c); err != nil {
		return usage(fmt.Errorf("%w: give syslog in muster.yaml another address, or end what listens there", err))
	}
	s.closers = append(s.closers, r.listener.Close)
	if !set.Archive.Off {
		if r.archive, err = s.app.openArchive(s.app.archiveDir("")); err != nil {
			return err
		}
		s.closers = append(s.closers, r.archive.Close)
	}
	s.receiver = r
	return s.openWatcher(ctx)
}

// openWatcher makes what makes sense of messages.
func (s *server) openWatcher(ctx context.Context) error {
	set, r := s.app.settings.Syslog, s.receiver
	o, err := s.outlook(ctx, s.app)
	if err != nil {
		return err
	}
	c := logwatch.Config{
		Outlook: o, Events: logEvents{s}, Quiet: time.Duration(set.Changes.Quiet), AtMost: time.Duration(set.Changes.AtMost), Log: s.log,
	}
	if r.archive != nil {
		c.Archive = r.archive
	}
	if !set.Changes.Off {
		c.Changed = s.changed
	}
	if r.watcher, err = logwatch.New(c); err != nil {
		return usage(err)
	}
	r.names <- struct{}{}
	return nil
}

// logEvents tells what rules have found to those who judge it first, and then to everybody: a commit of the journal would be most of the
// time that an alert takes. The rules know an event that comes to them again.
type logEvents struct{ *server }

func (l logEvents) PublishAll(ctx context.Context, events []muster.Event) error {
	return errors.Join(l.rules.Take(ctx, events...), l.server.PublishAll(ctx, events))
}

// outlook is what an App says of messages, with the platforms and addresses that are known.
func (s *server) outlook(ctx context.Context, a *App) (logwatch.Outlook, error) {
	rows, err := s.index.Devices(ctx)
	if err != nil {
		return logwatch.Outlook{}, storeError(err)
	}
	known := map[string]string{}
	for _, d := range rows {
		known[d.Name] = d.Platform
	}
	var found []logwatch.Binding
	if all := s.receiver.found.Load(); all != nil {
		found = *all
	}
	return a.outlook(ctx, known, found)
}

// syslogParts are what of a server receives messages; none: nothing does.
func (s *server) syslogParts() []part {
	r := s.receiver
	if r == nil {
		return nil
	}
	var parts []part
	if r.archive != nil {
		parts = append(parts, part{"syslog archive", r.archive.Run})
	}
	return append(parts, part{"syslog names", s.lookUps}, part{"syslog", func(ctx context.Context) error {
		return r.watcher.Run(ctx, r.listener.Messages(ctx))
	}})
}

// lookUpEvery is how often the addresses of devices are looked up that have a name.
const lookUpEvery = 10 * time.Minute

// lookUps looks names up until ctx ends: without them the messages of some devices are those of unknown senders.
func (s *server) lookUps(ctx context.Context) error {
	t := time.NewTicker(lookUpEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-s.receiver.names:
		}
		found := s.current().lookUp(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.receiver.found.Store(&found)
		o, err := s.outlook(ctx, s.current())
		if err != nil {
			s.log.Warn("know whose syslog messages are whose", "err", err)
			continue
		}
		s.receiver.watcher.Bind(o.Book)
	}
}

// holdSyslog makes the settings that hold now hold for messages.
func (s *server) holdSyslog(ctx context.Context) error {
	if s.receiver == nil {
		return nil
	}
	o, err := s.outlook(ctx, s.current())
	if err != nil {
		return err
	}
	return s.receiver.watcher.Replace(o)
}

// changed backs up the devices that have logged a change of their configuration.
func (s *server) changed(ctx context.Context, changes []logwatch.Change) {
	authors, from := map[string]string{}, map[string]string{}
	var names []string
	for _, c := range changes {
		name := c.Device.Name
		names = append(names, name)
		authors[name], from[name] = c.Author(), strings.Join(c.From, ", ")
		s.log.Info("a device says that it was configured", "device", name, "by", cmp.Or(authors[name], "unknown"), "from", from[name])
	}
	err := s.backUpSelected(ctx, batchOf{
		terms: names, called: "what was configured", options: RunOptions{Retries: -1, Trigger: "syslog", Authors: authors}, from: from,
	})
	if err != nil && ctx.Err() == nil {
		s.log.Error("back up devices that were configured", "devices", strings.Join(names, ", "), "err", err)
	}
}

// by says who has changed a configuration, and from where.
func by(r muster.Result, from string) string {
	text := ""
	if r.Author != "" {
		text = " by " + r.Author
	}
	if from != "" {
		text += " from " + from
	}
	return text
}

// syslogAddresses are where a server hears messages, in words.
func (s *server) syslogAddresses() string {
	if s.receiver == nil {
		return ""
	}
	return addresses(s.receiver.listener)
}

func addresses(l *syslog.Listener) string {
	var all []string
	for _, a := range l.Addrs() {
		all = append(all, string(a.Transport)+" "+a.String())
	}
	return strings.Join(all, ", ")
}

var errNoArchive = errors.New("nothing is archived there yet: muster serve does it with syslog in muster.yaml, muster syslog listen with --archive")
