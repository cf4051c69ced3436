package settings

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
)

// checkServing finds what is wrong in the parts that `muster serve` goes by.
func (s *Settings) checkServing() Problems {
	inv, err := inventory.Load(context.Background(), s.env(nil)) // empty: it only tells a selector from other texts
	if err != nil {
		return Problems{{File: s.File, Text: err.Error()}}
	}
	c := checker{s, inv}
	p := s.checkBackup(s.root.Get("backup"), s.Backup, s.Backup.complete())
	p = append(p, c.monitor(s.root.Get("monitor"), s.Monitor)...)
	p = append(p, c.alerts(s.root.Get("alerts"), s.Alerts)...)
	p = append(p, c.syslog(s.root.Get("syslog"), s.Syslog)...)
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		n, g := s.root.Get("groups").Get(name), s.Groups[name]
		if g.Backup != nil {
			p = append(p, s.checkBackup(n.Get("backup"), *g.Backup, s.BackupFor(name))...)
		}
		if g.Monitor != nil {
			p = append(p, c.watch(n.Get("monitor"), *g.Monitor, s.MonitorFor(name))...)
		}
	}
	return p
}

// checker knows what the parts of the settings are checked against.
type checker struct {
	*Settings
	inv *inventory.Inventory
}

func (c checker) monitor(n strict.Node, m Monitor) Problems {
	p := c.watch(n, m.Watch, m.Watch)
	if flap := n.Get("flap"); flap.Get("changes").Present() && m.Flap.Changes < 1 {
		p = append(p, flap.Get("changes").Problem("changes must be at least 1"))
	}
	if up := n.Get("uplink"); up.Get("least").Present() && m.Uplink.Least < 1 {
		p = append(p, up.Get("least").Problem("least must be at least 1; to take no silence for this machine's own write uplink: off"))
	}
	return p
}

// What a monitor can do, as ping.MinInterval and ping.MaxUnderWay say.
const (
	minInterval     = Span(20 * time.Millisecond)
	maxUnderWay     = 32
	defaultInterval = Span(10 * time.Second)
)

// watch checks what is said at a node; all is what results of it.
func (c checker) watch(n strict.Node, w, all Watch) Problems {
	var p Problems
	if w.Interval != 0 && w.Interval < minInterval {
		p = append(p, n.Get("interval").Problem("an interval must be at least %s", shown(minInterval)))
	} else if (w.Interval != 0 || w.Timeout != 0) && all.Timeout > maxUnderWay*first(all.Interval, defaultInterval) {
		p = append(p, at(n, "timeout", "interval").Problem("a timeout of %s is more than %d intervals of %s: make it shorter",
			shown(all.Timeout), maxUnderWay, shown(first(all.Interval, defaultInterval))))
	}
	if w.Probes != nil && len(w.Probes) == 0 {
		p = append(p, n.Get("probes").Problem("no probe is named: leave probes out for icmp, or write monitor: off"))
	}
	probes := items(n.Get("probes"))
	for i, one := range w.Probes {
		if bad := c.probe(probes[i], one, w.Probes[:i]); bad != nil {
			p = append(p, bad)
		}
	}
	windows := items(n.Get("maintenance"))
	for i, one := range w.Maintenance {
		p = append(p, c.window(windows[i], one)...)
	}
	return p
}

// items returns the items of a list, where one that is alone stands for a list of one.
func items(n strict.Node) []strict.Node {
	if n.IsList() {
		return n.Items()
	}
	return []strict.Node{n}
}

// meaning says which keys mean something for some of the kinds alone.
type meaning struct {
	word  string // the key of the kind
	kinds []string
	keys  map[string][]string
}

var probeKeys = meaning{"kind", []string{"dns", "http", "https", "icmp", "ssh", "tcp"}, map[string][]string{
	"path": {"http", "https"}, "status": {"http", "https"}, "body": {"http", "https"}, "redirects": {"http", "https"},
	"ca_file": {"https"}, "insecure": {"https"},
	"name": {"dns"}, "type": {"dns"}, "answer": {"dns"},
	"port": {"dns", "http", "https", "ssh", "tcp"},
}}

// probe returns the first thing that is wrong with a probe.
func (c checker) probe(n strict.Node, p Probe, before []Probe) *strict.Problem {
	if p.Kind == "" {
		return n.Problem("the probe has no kind: add kind: icmp, or another")
	}
	if c.options.Probes != nil && !slices.Contains(c.options.Probes(), p.Kind) {
		return at(n, "kind").Problem("unknown kind of probe %q%s", p.Kind, strict.Hint(p.Kind, c.options.Probes()))
	}
	if bad := probeKeys.misplaced(n, p.Kind); bad != nil {
		return bad
	}
	if n.Get("port").Present() && (p.Port < 1 || p.Port > 65535) {
		return n.Get("port").Problem("the port must be a number from 1 to 65535")
	}
	for _, code := range p.Status {
		if code < 100 || code > 599 {
			return n.Get("status").Problem("status: there is no %d: write numbers from 100 to 599", code)
		}
	}
	if p.Redirects < 0 {
		return n.Get("redirects").Problem("redirects must not be negative")
	}
	if bad := expression(n, "body", p.Body); bad != nil {
		return bad
	}
	if slices.ContainsFunc(before, func(o Probe) bool { return o.label() == p.label() }) {
		return n.Problem("two probes are called %q: give one of them another name with as:", p.label())
	}
	if c.options.Probe == nil {
		return nil
	}
	if field, err := c.options.Probe(p); err != nil {
		return at(n, field).Problem("%v", err)
	}
	return nil
}

// misplaced finds a key that means nothing for a kind. A kind of which nothing is known may have any.
func (m meaning) misplaced(n strict.Node, kind string) *strict.Problem {
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		kinds := m.keys[key]
		if n.Get(key).Present() && slices.Contains(m.kinds, kind) && !slices.Contains(kinds, kind) {
			return n.Get(key).Problem("%s means nothing with %s: %s; it is for %s", key, m.word, kind, listed(kinds))
		}
	}
	return nil
}

// expression checks a regular expression.
func expression(n strict.Node, key, text string) *strict.Problem {
	_, err := regexp.Compile(text)
	if err == nil {
		return nil
	}
	return n.Get(key).Problem("%s is no regular expression: %v", key, cause(err))
}

func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// window checks a time of maintenance.
func (c checker) window(n strict.Node, w Window) Problems {
	p := c.selection(n, w.Select)
	switch {
	case !w.From.Given() || !w.To.Given():
		p = append(p, n.Problem("maintenance begins and ends: add from: and to:"))
	case w.From.Daily != w.To.Daily:
		p = append(p, n.Get("to").Problem("from and to must both be a time of the day, or both a date with its time"))
	case w.From.Daily:
		p = append(p, daily(n, w)...)
	case !w.To.At.After(w.From.At):
		p = append(p, n.Get("to").Problem("it ends before it begins"))
	case w.Days != nil:
		p = append(p, n.Get("days").Problem("days are for times of the day: write from: 22:00, or leave days out"))
	case w.Timezone != "":
		p = append(p, n.Get("timezone").Problem("a date has its time zone with it: leave timezone out"))
	}
	return p
}

// daily checks a time of maintenance that comes again.
func daily(n strict.Node, w Window) Problems {
	var p Problems
	if w.From.Clock == day {
		p = append(p, n.Get("from").Problem("a day begins at 00:00"))
	} else if w.From.Clock == w.To.Clock {
		p = append(p, n.Get("to").Problem("it ends when it begins; a whole day is from: 00:00 to: 24:00"))
	}
	if w.Days != nil && len(w.Days) == 0 {
		p = append(p, n.Get("days").Problem("no day is named: leave days out for every day"))
	}
	return p
}

// selection checks the terms at the key select.
func (c checker) selection(n strict.Node, terms []string) Problems {
	var p Problems
	nodes := items(n.Get("select"))
	if terms != nil && len(terms) == 0 {
		return Problems{n.Get("select").Problem("no device is selected: leave select out for all")}
	}
	for i, term := range terms {
		if err := c.selector(term); err != nil {
			p = append(p, nodes[i].Problem("select: %v", err))
		}
	}
	return p
}

func (c checker) selector(term string) error {
	if slices.Contains([]string{"-", "@failed", "@stale"}, term) {
		return errors.New(term + " is for the command line: what it selects is another each time")
	}
	_, err := c.inv.Select(context.Background(), []string{term}, inventory.Outside{})
	return err
}
