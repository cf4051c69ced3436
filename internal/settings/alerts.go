package settings

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
)

// Alerts are what people are told, and by whom.
type Alerts struct {
	Alertmanager string     `yaml:"alertmanager" doc:"Alertmanager's own configuration file: receivers, routes, inhibition; a relative path begins where muster.yaml is; absent: alerts are only shown"`
	URL          []Endpoint `yaml:"url" doc:"Alertmanagers that run elsewhere, in the place of the one in muster: each gets all alerts"`
	Rules        []Rule     `yaml:"rules" doc:"what to tell; one with the name of a shipped rule takes its place"`
	Defaults     *bool      `yaml:"defaults" doc:"whether the shipped rules hold beside these; absent: true"`
}

// Rule is one thing that people are told. Which of its keys count depends on When.
type Rule struct {
	Name string `yaml:"name" doc:"its name, which the alert has as its label alertname"`
	When string `yaml:"when" doc:"what kind of rule it is: event, group, log, promql, state or uplink"`

	State  []State  `yaml:"state" doc:"state and group: down, degraded, up or unknown; absent: down"`
	States []State  `yaml:"states" doc:"the same as state, for several of which any counts"`
	For    Delay    `yaml:"for" doc:"how long it has to last; absent: at once"`
	Select []string `yaml:"select" doc:"all but uplink: the devices, as on the command line; absent: all"`

	Count int     `yaml:"count" doc:"group: so many devices; event: so many of the same device; log: so many messages of one sender; absent: 1"`
	Share Percent `yaml:"share" doc:"group, in the place of count: this share of the devices, such as 50%"`
	Least int     `yaml:"least" doc:"group: only of at least so many devices"`
	By    string  `yaml:"by" doc:"group: one alert for each group, or for each value of the tag of this name; absent: one for all"`

	Expr  string `yaml:"expr" doc:"promql: an expression over the history; each series of its result is an alert"`
	Every Span   `yaml:"every" doc:"promql: how often it is asked; absent: 30s"`

	Event Event  `yaml:"event" doc:"event: what happened, such as backup-failed"`
	Match string `yaml:"match" doc:"event and log: a regular expression that its text must match; absent: any"`
	Keep  Span   `yaml:"keep" doc:"event: how long the alert fires, and log: after the last message; absent: 5m, and a failure until it is well"`

	Severity string   `yaml:"severity" doc:"log: messages at least as bad as this, such as error"`
	Facility []string `yaml:"facility" doc:"log: of any of these facilities, such as local7"`
	App      []string `yaml:"app" doc:"log: of any of these programs or processes; * stands for any characters, ? for one"`
	Mnemonic []string `yaml:"mnemonic" doc:"log: any of the vendor's words for kinds of messages, such as BGP-*; likewise"`
	Text     string   `yaml:"text" doc:"log: what is in the message, in upper or lower case"`
	Within   Span     `yaml:"within" doc:"log: the time within which count messages have to come"`
	Noisy    bool     `yaml:"noisy" doc:"log: known noise counts too"`

	Labels      map[string]string `yaml:"labels" doc:"added to those of the alert, such as severity: critical"`
	Summary     string            `yaml:"summary" doc:"one line, in which {{.Device}} and the like stand for what it is about; absent: that of the kind"`
	Description string            `yaml:"description" doc:"more lines, likewise"`
}

// Healths returns the states that a rule is about; none: nothing is said.
func (r Rule) Healths() []muster.Health {
	var all []muster.Health
	for _, list := range [][]State{r.State, r.States} {
		for _, one := range list {
			all = append(all, muster.Health(one))
		}
	}
	return all
}

// Shipped tells whether the shipped rules hold beside those of the settings.
func (a Alerts) Shipped() bool { return a.Defaults == nil || *a.Defaults }

// State is a state of a device's health.
type State muster.Health

var states = []string{string(muster.HealthDegraded), string(muster.HealthDown), string(muster.HealthUnknown), string(muster.HealthUp)}

// UnmarshalText takes a state that there is.
func (s *State) UnmarshalText(text []byte) error {
	*s = State(text)
	return oneOf(string(text), states...)
}

// Event is a kind of event that a rule can be about.
type Event muster.EventKind

// events are all but those of health and of the log, which have kinds of rules of their own.
var events = []string{
	string(muster.EventBackupChanged), string(muster.EventBackupFailed), string(muster.EventBackupGood),
	string(muster.EventBackupNew), string(muster.EventRunDone),
}

// UnmarshalText takes a kind of event that there is.
func (e *Event) UnmarshalText(text []byte) error {
	switch muster.EventKind(text) {
	case muster.EventHealth:
		return errors.New("changes of health are for a rule with when: state")
	case muster.EventLog:
		return errors.New("what devices log is for a rule with when: log")
	}
	*e = Event(text)
	if err := oneOf(string(text), events...); err != nil {
		return fmt.Errorf("unknown event %q%s", text, strict.Hint(string(text), events))
	}
	return nil
}

// Percent is a share in percent, from 1 to 100.
type Percent int

// UnmarshalText reads 50%.
func (p *Percent) UnmarshalText(text []byte) error {
	digits, ok := strings.CutSuffix(string(text), "%")
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if !ok || err != nil || n < 1 || n > 100 {
		return errors.New("must be a share from 1% to 100%")
	}
	*p = Percent(n)
	return nil
}

// Endpoint is the URL of a server.
type Endpoint string

// UnmarshalText takes http://am:9093. Its error never quotes the text: a password may stand in it.
func (e *Endpoint) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errors.New("must be a URL such as http://alertmanager.example.net:9093")
	case u.User != nil:
		return errors.New("a username or password does not stand in a URL here")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("must be a URL without anything behind ? or #")
	}
	*e = Endpoint(text)
	return nil
}
