package settings

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/musternet/muster"
)

// Monitor is how `muster serve` watches all devices.
type Monitor struct {
	Watch
	Flap   Flap   `yaml:"flap" doc:"when a device that comes and goes is told once and then no more"`
	Uplink Uplink `yaml:"uplink" doc:"when the silence of nearly all devices is taken for this machine's own; or off"`
}

// Watch is how the devices of a group are watched.
type Watch struct {
	Interval    Span     `yaml:"interval" doc:"the time from one probe to the next; absent: 10s"`
	Timeout     Span     `yaml:"timeout" doc:"how long a probe may take; absent: 2s, with ssh 3s"`
	Down        Of       `yaml:"down" doc:"how many of the last probes without an answer make a device down; absent: 3/3"`
	Up          Of       `yaml:"up" doc:"how many of the last probes with an answer make it up again; absent: 2/2"`
	Loss        Of       `yaml:"loss" doc:"how many of the last probes, late or without an answer, make it degraded that is up; absent: 8/32"`
	Probes      []Probe  `yaml:"probes" doc:"what a device is asked: it is down when all fail and degraded when some do; absent: icmp"`
	Maintenance []Window `yaml:"maintenance" doc:"times at which nobody is alarmed; those of a group come beside those for all"`

	Off bool // monitor: off
}

// UnmarshalText reads "off" and "on", which may stand in the place of the keys.
func (w *Watch) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text)
	w.Off = !on
	return err
}

// MonitorFor returns how the devices of a group are watched: what the group says, completed from what holds for all. What
// nobody has said is zero. A group that says anything but off is watched, even where monitor as a whole is off.
func (s *Settings) MonitorFor(group string) Watch {
	if group == "" {
		group = muster.DefaultGroup
	}
	if own := s.Groups[group].Monitor; own != nil {
		return own.over(s.Monitor.Watch)
	}
	return s.Monitor.Watch
}

// over returns w completed by what below says. Whether it is off is its own.
func (w Watch) over(below Watch) Watch {
	w.Interval, w.Timeout = first(w.Interval, below.Interval), first(w.Timeout, below.Timeout)
	w.Down, w.Up, w.Loss = first(w.Down, below.Down), first(w.Up, below.Up), first(w.Loss, below.Loss)
	if w.Probes == nil {
		w.Probes = below.Probes
	}
	w.Maintenance = append(below.Maintenance[:len(below.Maintenance):len(below.Maintenance)], w.Maintenance...)
	return w
}

func first[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

// Flap is when a device that comes and goes is called flapping.
type Flap struct {
	Changes int  `yaml:"changes" doc:"more changes than this; absent: 5"`
	In      Span `yaml:"in" doc:"within this time, but at least 60 intervals; absent: 10m"`
	Quiet   Span `yaml:"quiet" doc:"how long without a change ends it; absent: as long as in"`
}

// Uplink is when the silence of devices is taken for that of this machine.
type Uplink struct {
	Least int `yaml:"least" doc:"so many devices that were up have to be silent, and nearly all; absent: 3"`

	Off bool // uplink: off
}

// UnmarshalText reads "off" and "on", which may stand in the place of the keys.
func (u *Uplink) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text)
	u.Off = !on
	return err
}

// Of is so many of the last so many. The zero Of says nothing.
type Of struct{ N, M int }

// mostOf is how many outcomes of a probe a monitor looks back at.
const mostOf = 64

// UnmarshalText reads 3/5, or 3 for 3/3.
func (o *Of) UnmarshalText(text []byte) error {
	n, m, two := strings.Cut(string(text), "/")
	if !two {
		m = n
	}
	var of Of
	var errN, errM error
	of.N, errN = strconv.Atoi(strings.TrimSpace(n))
	of.M, errM = strconv.Atoi(strings.TrimSpace(m))
	switch {
	case errN != nil || errM != nil:
		return fmt.Errorf("must be so many of the last so many, such as 3/5")
	case of.N < 1 || of.M < of.N:
		return fmt.Errorf("%d of the last %d cannot be: write the smaller number first, such as 3/5", of.N, of.M)
	case of.M > mostOf:
		return fmt.Errorf("the last %d are the most that can be looked at", mostOf)
	}
	*o = of
	return nil
}

// String writes 3/5.
func (o Of) String() string { return fmt.Sprintf("%d/%d", o.N, o.M) }

// Probe is one thing that a device is asked. In a list its kind alone can stand for it.
type Probe struct {
	Kind string `yaml:"kind" doc:"what is asked: dns, http, https, icmp, ssh or tcp"`
	As   string `yaml:"as" doc:"tells it from another of the same kind and port; absent: the kind, with the port where one is given"`
	Port int    `yaml:"port" doc:"absent: that of the kind"`

	Path      string `yaml:"path" doc:"http and https: what is fetched; absent: /"`
	Status    []int  `yaml:"status" doc:"http and https: what is well; absent: 200 to 399"`
	Body      string `yaml:"body" doc:"http and https: a regular expression that the page must match"`
	Redirects int    `yaml:"redirects" doc:"http and https: how many redirects to follow; absent: none"`
	CAFile    string `yaml:"ca_file" doc:"https: file of the authorities that sign the certificate, in the place of the system's"`
	Insecure  bool   `yaml:"insecure" doc:"https: take any certificate"`

	Name   string `yaml:"name" doc:"dns: what is asked for; absent: the root"`
	Type   string `yaml:"type" doc:"dns: of which type, such as A; absent: NS"`
	Answer string `yaml:"answer" doc:"dns: what one of the answers must be; absent: any"`
}

// UnmarshalText takes the kind, which may stand in the place of the keys.
func (p *Probe) UnmarshalText(text []byte) error {
	p.Kind = string(text)
	return nil
}

// label is what tells a probe from the others of its device.
func (p Probe) label() string {
	switch {
	case p.As != "":
		return p.As
	case p.Port != 0:
		return p.Kind + ":" + strconv.Itoa(p.Port)
	}
	return p.Kind
}

// Window is a time at which nobody is alarmed: once, or every week.
type Window struct {
	Name     string    `yaml:"name" doc:"for people"`
	From     Moment    `yaml:"from" doc:"a date with its time, such as 2026-12-24T22:00:00+01:00; or a time of the day, such as 22:00"`
	To       Moment    `yaml:"to" doc:"likewise; a time of the day that is not after from is on the next day"`
	Days     []Weekday `yaml:"days" doc:"with times of the day: the days on which it begins; absent: every day"`
	Timezone Zone      `yaml:"timezone" doc:"with times of the day: of which zone, such as Europe/Amsterdam; absent: that of this machine"`
	Select   []string  `yaml:"select" doc:"the devices, as on the command line; absent: all"`
}
