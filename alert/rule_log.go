package alert

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// MostSources is how many alerts of a rule of kind log may be about senders that are no devices of the inventory. Further
// ones share an alert: who forges source addresses makes no alert of each.
const MostSources = 100

// otherSources is the key of what those share, and its label source.
const otherSources = "others"

// How much of what a device says the texts of an alert hold, in bytes.
const (
	mostMessage = 2 << 10
	mostWord    = 100
)

// What an alert says that has no texts of its own.
const (
	logSummary     = "{{or .Device .Source}}: {{.Text}}"
	logDescription = "{{.Severity}}{{with .Mnemonic}} {{.}}{{end}}{{with .App}} of {{.}}{{end}}{{with .Time}}, at {{.}} by its own clock{{end}}\n" +
		"{{.Text}}{{if gt .Count 1}}\n{{.Count}} messages from {{.First}} to {{.Last}}{{end}}"
)

// logJudge fires for each sender of messages that are what a rule of its name watches for, as long as more of them come, and
// ends by itself Keep after the last one. Which messages that are is not judged here: an event of the log says it.
//
// A rule that names no severity takes that of the messages. One alert cannot change its labels, so a worse message ends that
// of lesser ones and fires anew, or nobody would be told of it; a lesser message is counted to the worse one that fires.
type logJudge struct{}

func openLog() judge { return logJudge{} }

func checkLog(r Rule) error {
	if _, ok := r.Labels[muster.LabelSource]; ok {
		return errors.New("the label source is the sender's address, and no rule's")
	}
	return nil
}

func (logJudge) hear(d *desk, r *rule, ev muster.Event) {
	hit := ev.Log
	if ev.Kind != muster.EventLog || hit == nil || hit.Rule != r.Name {
		return
	}
	dev := sender(d, ev)
	if !r.hears(dev) {
		return
	}
	text := logSubject(hit, ev.Time)
	f := finding{
		key: hit.Key, device: dev, labels: map[string]string{}, news: true, sample: text.Text, text: text,
		at: tellable(hit.Last, ev.Time), first: tellable(hit.First, ev.Time), count: hit.Count,
		until: d.now.run + cmp.Or(r.Keep, DefaultKeep), more: true,
	}
	if dev.Name == "" {
		if crowded(r, hit.Key) {
			f.key, f.count, f.first = otherSources, 0, time.Time{} // these are one sender's
		}
		f.labels[muster.LabelSource] = printable(f.key, mostWord)
		f.text.Source = cmp.Or(f.text.Source, f.labels[muster.LabelSource])
	}
	if _, own := r.Labels[muster.LabelSeverity]; !own {
		grade := graded(d, r, f.key, gradeOf(hit.Line.Severity))
		f.key, f.labels[muster.LabelSeverity] = gradeKey(f.key, grade), grade
	}
	d.on(r, f)
}

// look leaves messages as they are: they are over when they have been heard.
func (logJudge) look(*desk, *rule) {}

// sender is the device that an event of the log is about; zero: it is none of the inventory.
func sender(d *desk, ev muster.Event) muster.Device {
	if ev.Device.Name != "" {
		return ev.Device
	}
	return d.devices[ev.Log.Key]
}

// logSubject is what the templates see of a message: all of it made fit to be printed, and cut.
func logSubject(hit *muster.LogHit, heard time.Time) Subject {
	l := hit.Line
	s := Subject{
		Text:     printable(cmp.Or(l.Message, l.Raw), mostMessage),
		Severity: printable(l.Severity, mostWord), Facility: printable(l.Facility, mostWord),
		App: printable(l.App, mostWord), Mnemonic: printable(l.Mnemonic, mostWord),
		Count: hit.Count, First: shown(tellable(hit.First, heard)), Last: shown(tellable(hit.Last, heard)),
	}
	if l.Source.IsValid() {
		s.Source = l.Source.String()
	}
	if !l.Time.IsZero() && l.Time.Equal(tellable(l.Time, heard)) {
		s.Time = l.Time.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
		if strings.Contains(l.TimeQuality, "unsynced") {
			s.Time += " (not set)"
		}
	}
	return s
}

// tellable is a time, or the other one where there is none, or one of a clock so far astray that JSON has no form for it.
func tellable(t, other time.Time) time.Time {
	if year := t.UTC().Year(); t.IsZero() || year < 1 || year > 9998 {
		return other
	}
	return t
}

// crowded tells whether a sender that is no device is one too many.
func crowded(r *rule, key string) bool {
	if r.subjects[key] != nil || slices.ContainsFunc(grades, func(g string) bool { return r.subjects[gradeKey(key, g)] != nil }) {
		return false
	}
	n := 0
	for _, s := range r.subjects {
		if s.Device == "" {
			n++
		}
	}
	return n >= MostSources
}

// grades are the severities of alerts, the worst last.
var grades = []string{"info", DefaultSeverity, "critical"}

// gradeOf is the severity of an alert about a message of a severity.
func gradeOf(severity string) string {
	switch severity {
	case "emergency", "alert", "critical":
		return "critical"
	case "error", "warning":
		return DefaultSeverity
	}
	return "info"
}

func gradeKey(key, grade string) string { return key + "@" + grade }

// graded is the grade of the alert that a message of a sender belongs to: its own, or a worse one that fires. Lesser ones
// end.
func graded(d *desk, r *rule, key, grade string) string {
	i := slices.Index(grades, grade)
	for _, worse := range grades[i+1:] {
		if s := r.subjects[gradeKey(key, worse)]; s != nil && s.firing() {
			return worse
		}
	}
	for _, lesser := range grades[:i] {
		d.off(r, gradeKey(key, lesser))
	}
	return grade
}
