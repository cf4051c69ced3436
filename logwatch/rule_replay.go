package logwatch

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// DefaultExamples is how many examples a Replay keeps of each rule, where its options do not say.
const DefaultExamples = 3

// ReplayOptions say how history is replayed. The zero value is ready.
type ReplayOptions struct {
	// Device finds a device of the inventory by its name; nil: there is none.
	Device func(name string) (muster.Device, bool)
	// Noise says what is noise; nil: what was noise when it was heard, as the lines say.
	Noise    *NoiseSet
	Examples int // of each rule at the most; 0: DefaultExamples; below: none
}

// Report says what rules would have found in history.
type Report struct {
	Lines    int
	Noise    int          // lines that are noise
	From, To time.Time    // the arrival of the first and the last line
	Rules    []RuleReport // of each rule, in their order
}

// RuleReport says what one rule would have found.
type RuleReport struct {
	Rule     string
	Matched  int       // messages that fulfil it, noise apart
	Fired    int       // hits: each is an alert that begins, or goes on if it is not over yet
	Told     int       // events: hits, and what became of them while more messages came
	First    time.Time // when it fired first; zero: never
	Last     time.Time
	Senders  []SenderReport   // who fulfilled it, those with the most hits and then messages first
	Examples []muster.LogLine // that it fired at, the first ones
}

// SenderReport says what one sender did of a rule.
type SenderReport struct {
	Key     string // the device's name, an address, or "local"
	Matched int
	Fired   int
}

// Replay says how often each of some rules would have fired at lines of history, which come in the order in which they arrived.
// Its error is that of Check, of the lines, or the cause of the end of ctx; what was found until then is in the Report.
//
// A line is judged by the fields that it was archived with, and not read anew from its raw text: rules are tried on what people see
// when they search, though a newer muster may read such a message better. Bytes that are no UTF-8 are U+FFFD in it. A window goes
// by the device's clock where the line says that it is one, as when messages are heard. The device of a line is looked up by its
// name; one that the inventory does not have any more is an unknown sender.
func Replay(ctx context.Context, lines iter.Seq2[muster.LogLine, error], rules []Rule, o ReplayOptions) (Report, error) {
	set, err := Compile(rules)
	if err != nil {
		return Report{}, err
	}
	p := replay{
		o: o, set: set, rules: rules, teller: NewTeller(rules), places: map[string]int{}, devices: map[string]*muster.Device{},
		senders: make([]map[string]*SenderReport, len(rules)),
	}
	p.report.Rules = make([]RuleReport, len(rules))
	for i, r := range rules {
		p.report.Rules[i].Rule = r.Name
		p.senders[i], p.places[r.Name] = map[string]*SenderReport{}, i
	}
	for line, err := range lines {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return p.finish(), err
		}
		p.take(&line)
	}
	return p.finish(), nil
}

// replay is one Replay.
type replay struct {
	o       ReplayOptions
	set     *Set
	rules   []Rule
	teller  *Teller
	report  Report
	places  map[string]int // of the rules, by their name
	devices map[string]*muster.Device
	senders []map[string]*SenderReport // of each rule

	message syslog.Message // and its bytes, for each line anew
	bytes   []byte
	hits    []int
}

// take takes a line.
func (p *replay) take(line *muster.LogLine) {
	r := &p.report
	if r.Lines++; r.Lines == 1 {
		r.From = line.Received
	}
	r.To = line.Received
	for _, t := range p.teller.Due(line.Received) {
		p.told(t)
	}
	m, dev := p.read(line), p.device(line.Device)
	noisy := line.Noise != ""
	if p.o.Noise != nil {
		_, noisy = p.o.Noise.Find(m, dev)
	}
	if noisy {
		r.Noise++
	}
	p.hits = p.set.Match(p.hits[:0], m, dev)
	for _, i := range p.hits {
		if !noisy || p.rules[i].Noisy {
			p.hit(i, line, dev)
		}
	}
}

// hit takes a line that fulfils a rule.
func (p *replay) hit(rule int, line *muster.LogLine, dev *muster.Device) {
	r, key := &p.report.Rules[rule], keyOf(line)
	r.Matched++
	sender := p.senders[rule][key]
	if sender == nil {
		sender = &SenderReport{Key: key}
		p.senders[rule][key] = sender
	}
	sender.Matched++
	at, replayed := when(line)
	told, ok := p.teller.Hear(line.Received, rule, key, dev, at, replayed, func() muster.LogLine { return *line })
	if !ok {
		return
	}
	if r.Told++; told.Again {
		return
	}
	sender.Fired++
	if r.Fired++; r.Fired == 1 {
		r.First = at
	}
	r.Last = at
	if len(r.Examples) < cmp.Or(p.o.Examples, DefaultExamples) {
		r.Examples = append(r.Examples, *line)
	}
}

// told counts what became of a hit.
func (p *replay) told(t Told) {
	p.report.Rules[p.places[t.Rule]].Told++
}

// finish puts the report in order.
func (p *replay) finish() Report {
	for _, t := range p.teller.Last(p.report.To) {
		p.told(t)
	}
	for i := range p.report.Rules {
		r := &p.report.Rules[i]
		for _, s := range p.senders[i] {
			r.Senders = append(r.Senders, *s)
		}
		slices.SortFunc(r.Senders, func(a, b SenderReport) int {
			return cmp.Or(cmp.Compare(b.Fired, a.Fired), cmp.Compare(b.Matched, a.Matched), cmp.Compare(a.Key, b.Key))
		})
	}
	return p.report
}

// device finds the device of a name; nil: there is none.
func (p *replay) device(name string) *muster.Device {
	if name == "" || p.o.Device == nil {
		return nil
	}
	dev, known := p.devices[name]
	if !known {
		if d, ok := p.o.Device(name); ok {
			dev = &d
		}
		p.devices[name] = dev
	}
	return dev
}

// read makes a message of a line, as far as rules look at it. It is valid until the next one.
func (p *replay) read(line *muster.LogLine) *syslog.Message {
	m := &p.message
	m.Severity, m.Facility = syslog.Notice, syslog.User
	if s, err := syslog.ParseSeverity(line.Severity); err == nil {
		m.Severity = s
	}
	if f, err := syslog.ParseFacility(line.Facility); err == nil {
		m.Facility = f
	}
	b := append(append(append(p.bytes[:0], line.App...), line.Mnemonic...), line.Message...)
	text := len(line.App) + len(line.Mnemonic)
	m.App, m.Mnemonic, m.Text, p.bytes = b[:len(line.App)], b[len(line.App):text], b[text:], b
	return m
}

// keyOf is the sender of a line.
func keyOf(line *muster.LogLine) string {
	switch {
	case line.Device != "":
		return line.Device
	case line.Source.IsValid():
		return line.Source.String()
	}
	return "local"
}

// when is the time of a line that windows go by, and whether it is of a time that was over when it came.
func when(line *muster.LogLine) (at time.Time, replayed bool) {
	if line.Time.IsZero() || strings.HasSuffix(line.TimeQuality, "unsynced") {
		return line.Received, false
	}
	return line.Time, slices.Contains(line.Flags, muster.FlagReplayed)
}
