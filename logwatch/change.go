package logwatch

import (
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/syslog"
)

// The defaults of a Config.
const (
	DefaultQuiet  = 5 * time.Second
	DefaultAtMost = time.Minute
)

// Change is that a device has logged that its configuration was changed.
type Change struct {
	Device muster.Device
	Users  []string // who has changed it, in the order in which they are named; none: nobody was named
	From   []string // from where
	First  time.Time
	Last   time.Time // the arrival of the last message about it
}

// Author is who has changed it, in words; empty: nobody was named.
func (c Change) Author() string { return strings.Join(c.Users, ", ") }

// changes are those that wait until nothing more is said of them.
type changes struct {
	quiet, atMost time.Duration
	waiting       map[string]*Change // by device
}

// changeOf tells whether a message says that a configuration was changed.
func changeOf(s *sender, m *syslog.Message) (platform.Change, bool) {
	if s.def != nil {
		return s.def.Change(m.Mnemonic, m.App, m.Text)
	}
	c, _, ok := platform.AnyChange(m.Mnemonic, m.App, m.Text)
	return c, ok
}

func (c *changes) note(d muster.Device, said platform.Change, now time.Time) {
	one := c.waiting[d.Name]
	if one == nil {
		one = &Change{First: now}
		c.waiting[d.Name] = one
	}
	one.Device, one.Last = d, now
	one.Users, one.From = with(one.Users, said.User), with(one.From, said.From)
}

// mostNames is how many people one change is put down to.
const mostNames = 10

func with(all []string, one string) []string {
	if one == "" || slices.Contains(all, one) || len(all) >= mostNames {
		return all
	}
	return append(all, one)
}

// due takes out the changes of which nothing was heard for a while, and those that have waited for long enough, by the device.
func (c *changes) due(now time.Time) []Change {
	var all []Change
	for name, one := range c.waiting {
		if now.Sub(one.Last) >= c.quiet || now.Sub(one.First) >= c.atMost {
			all = append(all, *one)
			delete(c.waiting, name)
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Device.Name, b.Device.Name) })
	return all
}
