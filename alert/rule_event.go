package alert

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster"
)

// events are the kinds that a rule may name, in the order in which people are told.
var events = []muster.EventKind{
	muster.EventBackupChanged, muster.EventBackupFailed, muster.EventBackupGood, muster.EventBackupNew, muster.EventRunDone,
}

// ends are the kinds that say that what another said is over.
var ends = map[muster.EventKind][]muster.EventKind{
	muster.EventBackupFailed: {muster.EventBackupGood, muster.EventBackupChanged, muster.EventBackupNew},
}

// eventJudge fires when something happened, for each device, and ends by itself after Keep or when it is well.
//
// A changed configuration has its revision as a label: two changes within Keep are two alerts, so that the second is told.
type eventJudge struct{}

func openEvent() judge { return eventJudge{} }

func checkEvent(r Rule) error {
	if !slices.Contains(events, r.Event) {
		names := make([]string, len(events))
		for i, e := range events {
			names[i] = string(e)
		}
		return fmt.Errorf("unknown event %q: there are %s", r.Event, strings.Join(names, ", "))
	}
	if _, err := regexp.Compile(r.Match); err != nil {
		return fmt.Errorf("match %q is no regular expression: %w", r.Match, err)
	}
	return nil
}

func (eventJudge) hear(d *desk, r *rule, ev muster.Event) {
	key := ev.Device.Name
	if slices.Contains(ends[r.Event], ev.Kind) {
		d.off(r, key)
		return
	}
	if ev.Kind != r.Event || !r.match.MatchString(ev.Text) || !r.hears(ev.Device) {
		return
	}
	f := finding{
		key: key, device: ev.Device, at: ev.Time, news: true, sample: ev.Text, need: max(r.Count, 1),
		text: Subject{Event: string(ev.Kind), Text: ev.Text, Detail: ev.Detail},
	}
	if rev := revision(ev); rev != "" && f.need == 1 {
		f.key += "@" + rev
		f.labels = map[string]string{LabelRevision: rev}
	}
	if r.Keep > 0 || len(ends[r.Event]) == 0 {
		f.until = d.now.run + cmp.Or(r.Keep, DefaultKeep)
	}
	d.on(r, f)
}

// hears tells whether an event of a device, or of none, is the rule's.
func (r *rule) hears(d muster.Device) bool {
	if d.Name == "" {
		return r.Select == nil
	}
	return r.selects(d)
}

// revision is the revision that an event brought, shortened as git does.
func revision(ev muster.Event) string {
	if ev.Result == nil || ev.Kind != muster.EventBackupChanged && ev.Kind != muster.EventBackupNew {
		return ""
	}
	return ev.Result.Revision[:min(len(ev.Result.Revision), 12)]
}

// look leaves events as they are: they are over when they have been heard.
func (eventJudge) look(d *desk, r *rule) {}
