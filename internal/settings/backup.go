package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
)

// Group is what muster.yaml says for the devices of a group.
type Group struct {
	inventory.Group
	Backup  *Backup `yaml:"backup" doc:"when muster serve backs up these devices, before what backup says for all; or off"`
	Monitor *Watch  `yaml:"monitor" doc:"how muster serve watches these devices, before what monitor says for all; or off"`
}

// Backup is when `muster serve` backs up the devices of a group.
type Backup struct {
	Every    Every  `yaml:"every" doc:"the time from one backup to the next, such as 6h or 1d, or off; absent: 6h"`
	Cron     string `yaml:"cron" doc:"in the place of every: minute, hour, day of the month, month and day of the week, such as 15 2 * * *"`
	Jitter   *Delay `yaml:"jitter" doc:"each group begins up to so much later, always by the same time, so that not all begin at once; absent: a tenth of every, at most 10m, and nothing with cron"`
	Timezone Zone   `yaml:"timezone" doc:"of cron, such as Europe/Amsterdam; absent: that of this machine"`
}

// UnmarshalText reads "off", which may stand in the place of the keys.
func (b *Backup) UnmarshalText(text []byte) error {
	if on, err := parseSwitch(text); err != nil || on {
		return errors.New("must be off, or a set of keys such as every: 6h")
	}
	b.Every = Off
	return nil
}

// DefaultEvery is the time between backups when nothing is said.
const DefaultEvery = Every(6 * time.Hour)

// BackupFor returns when the devices of a group are backed up: what the group says, completed from what holds for all and from
// the defaults. Either Every is set, perhaps to Off, or Cron; and Jitter.
func (s *Settings) BackupFor(group string) Backup {
	if group == "" {
		group = muster.DefaultGroup
	}
	b := s.Backup
	if own := s.Groups[group].Backup; own != nil {
		b = own.over(b)
	}
	return b.complete()
}

// complete fills in the defaults.
func (b Backup) complete() Backup {
	if b.Every == 0 && b.Cron == "" {
		b.Every = DefaultEvery
	}
	if b.Jitter == nil {
		jitter := Delay(max(0, min(time.Duration(b.Every)/10, 10*time.Minute)))
		b.Jitter = &jitter
	}
	return b
}

// over returns b completed by what below says.
func (b Backup) over(below Backup) Backup {
	if b.Every == 0 && b.Cron == "" {
		b.Every, b.Cron = below.Every, below.Cron
	}
	if b.Jitter == nil {
		b.Jitter = below.Jitter
	}
	if b.Timezone == "" {
		b.Timezone = below.Timezone
	}
	return b
}

// What a schedule can do, as schedule.MinEvery and schedule.MaxEvery say.
const (
	minEvery = Every(time.Second)
	maxEvery = Every(3660 * day)
)

// checkBackup checks what is said at a node; all is what results of it.
func (s *Settings) checkBackup(n strict.Node, b, all Backup) Problems {
	var p Problems
	if b.Every != 0 && b.Cron != "" {
		p = append(p, n.Get("cron").Problem("every and cron are two ways to say it: keep one of them"))
	}
	if b.Every > 0 && (b.Every < minEvery || b.Every > maxEvery) {
		p = append(p, n.Get("every").Problem("every must be from %s to %s", shown(minEvery), shown(maxEvery)))
	}
	if _, err := parseSpan(b.Cron); err == nil {
		p = append(p, n.Get("cron").Problem("%s is no cron expression: write every: %s", b.Cron, b.Cron))
	} else if b.Cron != "" && s.options.Cron != nil {
		if err := s.options.Cron(b.Cron); err != nil {
			p = append(p, n.Get("cron").Problem("cron: %v", err))
		}
	}
	if (b.Every != 0 || b.Jitter != nil) && all.Every > 0 && time.Duration(*all.Jitter) > time.Duration(all.Every) {
		p = append(p, at(n, "jitter", "every").Problem("a jitter of %s is more than every %s", shown(*all.Jitter), shown(all.Every)))
	}
	return p
}

// shown writes a time as a person would.
func shown[D ~int64](d D) string {
	v := time.Duration(d)
	switch {
	case v >= day && v%day == 0:
		return fmt.Sprintf("%dd", v/day)
	case v >= time.Hour && v%time.Hour == 0:
		return fmt.Sprintf("%dh", v/time.Hour)
	case v >= time.Minute && v%time.Minute == 0:
		return fmt.Sprintf("%dm", v/time.Minute)
	}
	return v.String()
}

// at returns the first of some keys that is there, or else the node itself.
func at(n strict.Node, keys ...string) strict.Node {
	for _, key := range keys {
		if k := n.Get(key); k.Present() {
			return k
		}
	}
	return n
}
