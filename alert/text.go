package alert

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/musternet/muster"
)

// The names of the annotations that every alert has.
const (
	AnnotationSummary     = "summary"
	AnnotationDescription = "description"
	AnnotationCount       = "count"
	AnnotationFirst       = "first"
	AnnotationLast        = "last"
	AnnotationSample      = "sample"
)

// How long the texts of an alert may be, in bytes. What is longer is cut, and says so.
const (
	MostSummary     = 400
	MostDescription = 16 << 10
)

// mostListed is how many devices a List names.
const mostListed = 10

// Subject is what the templates of a Rule may name: {{.Device}}, {{.Tags.site}}. What does not apply is empty.
type Subject struct {
	Rule     string
	Device   string
	Address  string
	Group    string
	Platform string
	Tags     map[string]string
	Labels   map[string]string // of the alert

	State  string // of state and group: "down"
	Reason string // why, in words; of promql the expression
	Count  int    // of group: how many devices are in the state; of log: how many messages there were
	Of     int    // of group: of how many
	By     string // of group: the group or the value of the tag
	List   string // of group: the names of the devices, the first ten of many
	Value  string // of promql
	Event  string // of event: its kind
	Text   string // of event: one sentence; of log: the last message
	Detail string // of event: more lines, such as a diff

	// Of log, what is known of the last message. What cannot be printed stands as an escape.
	Source   string // who sent it, by address
	Severity string // "critical"
	Facility string // "local7"
	App      string
	Mnemonic string // "BGP-5-ADJCHANGE"
	Time     string // by the device's clock, as RFC 3339; empty: it tells none
	First    string // when the first of Count came, by the clock that the rule goes by, and the last
	Last     string
}

// parseText parses a template; where there is none, the other. Running it shows whether it names what there is.
func parseText(text, other string) (*template.Template, error) {
	if text == "" {
		text = other
	}
	t, err := template.New("text").Option("missingkey=zero").Parse(text)
	if err == nil {
		err = t.Execute(io.Discard, Subject{Tags: map[string]string{}, Labels: map[string]string{}})
	}
	return t, err
}

// write runs a template. One that fails on this subject alone leaves what is known.
func write(t *template.Template, s Subject) string {
	var b strings.Builder
	if err := t.Execute(&b, s); err != nil {
		return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s (%v)", s.Rule, s.Device, s.State, s.Reason, err)), " ")
	}
	return b.String()
}

// line makes one line of a text, and a short one.
func line(text string) string {
	text = strings.Join(strings.Fields(clean(text)), " ")
	if len(text) <= MostSummary {
		return text
	}
	return strings.ToValidUTF8(text[:MostSummary-3], "") + "..."
}

// lines keeps the lines of a text, as many as there is room for.
func lines(text string) string {
	text = strings.TrimRight(clean(text), " \n\t")
	if len(text) <= MostDescription {
		return text
	}
	kept := strings.ToValidUTF8(text[:MostDescription], "")
	if i := strings.LastIndexByte(kept, '\n'); i > 0 {
		kept = kept[:i]
	}
	rest := strings.TrimPrefix(text[len(kept):], "\n")
	return fmt.Sprintf("%s\n... and %d more lines", kept, strings.Count(rest, "\n")+1)
}

// clean takes out what a terminal or a receiver would obey: texts come from devices.
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return '\uFFFD'
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// printable makes one line of what a device said, cut to some bytes. What is not to be printed stands as an escape such as \n,
// \x1b or \u202e: nothing obeys it, and people see that it was there.
func printable(text string, most int) string {
	var b strings.Builder
	for i, n := 0, 0; i < len(text); i += n {
		var c rune
		c, n = utf8.DecodeRuneInString(text[i:])
		piece := text[i : i+n]
		if c == utf8.RuneError && n == 1 || !unicode.IsPrint(c) {
			piece = strconv.QuoteToASCII(piece)
			piece = piece[1 : len(piece)-1]
		}
		if b.Len()+len(piece) > most-len("...") {
			return b.String() + "..."
		}
		b.WriteString(piece)
	}
	return b.String()
}

// list names some of many, which are sorted.
func list(names []string) string {
	if len(names) <= mostListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostListed], ", "), len(names)-mostListed)
}

// annotations are those of an alert.
func (s *subject) annotations() map[string]string {
	return map[string]string{
		AnnotationSummary:     s.Summary,
		AnnotationDescription: s.Description,
		AnnotationCount:       strconv.Itoa(s.Count),
		AnnotationFirst:       shown(s.First),
		AnnotationLast:        shown(s.Last),
		AnnotationSample:      s.Sample,
	}
}

// shown is a time as the texts tell it.
func shown(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// describe fills in what the templates see of rule and device, and writes the texts.
func (s *subject) describe(r *rule, f finding) {
	s.Sample = line(s.Sample)
	if f.summary != "" {
		s.Summary, s.Description = line(f.summary), lines(f.description)
		return
	}
	t := f.text
	t.Rule, t.Labels = r.Name, s.Labels
	if f.device.Name != "" {
		t.Device, t.Address, t.Group = f.device.Name, f.device.Address, f.device.GroupName()
		t.Platform, t.Tags = f.device.Platform, f.device.Tags
	}
	s.Summary, s.Description = line(write(r.summary, t)), lines(write(r.description, t))
}

// words joins states as a person says them.
func words(states []muster.Health) string {
	all := make([]string, len(states))
	for i, s := range states {
		all[i] = string(s)
	}
	return strings.Join(all, " or ")
}
