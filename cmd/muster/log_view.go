package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// logOutput prints messages as -o wants them, each when it comes: there may be no last one.
type logOutput struct {
	p      *program
	out    *lines
	shown  int
	fields []field
	seen   map[string]bool // by list: senders
}

func newLogOutput(p *program, w io.Writer) *logOutput {
	o := &logOutput{p: p, out: newLines(w), fields: fieldsOf(reflect.TypeFor[muster.LogLine]()), seen: map[string]bool{}}
	p.closers = append(p.closers, o.out)
	return o
}

// row prints a message.
func (o *logOutput) row(l *muster.LogLine) error {
	switch o.p.format {
	case formatNDJSON, formatJSON:
		object, err := encodeJSON(l, "")
		if err != nil {
			return err
		}
		return o.line(append(object, '\n'))
	case formatCSV:
		return o.csv(l)
	case formatList:
		who := logSender(l)
		if o.seen[who] {
			return nil
		}
		o.seen[who] = true
		return o.write([]byte(visible(who) + "\n"))
	}
	return o.write([]byte(logText(l, o.p.colour) + "\n"))
}

// line prints a message that is a line of JSON.
func (o *logOutput) line(line []byte) error {
	if o.p.format == formatJSON {
		return o.object(bytes.TrimSuffix(line, []byte("\n")))
	}
	return o.write(line)
}

func (o *logOutput) write(text []byte) error {
	o.shown++
	if err := o.out.write(text); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// object prints one element of the results.
func (o *logOutput) object(object []byte) error {
	before := ",\n  "
	if o.shown == 0 {
		before = "{\"results\": [\n  "
	}
	return o.write(append([]byte(before), object...))
}

func (o *logOutput) csv(l *muster.LogLine) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	record := make([]string, len(o.fields))
	if o.shown == 0 {
		for i, f := range o.fields {
			record[i] = f.name
		}
		_ = w.Write(record) // memory takes it
	}
	for i, f := range o.fields {
		record[i] = ""
		if v := reflect.ValueOf(l).Elem().FieldByIndex(f.index); !v.IsZero() {
			record[i] = visible(csvCell(v)) // a message is one line, whatever it says
		}
	}
	_ = w.Write(record)
	w.Flush()
	return o.write(b.Bytes())
}

// end ends what begins with the first message.
func (o *logOutput) end(summary any) error {
	if o.p.format == formatJSON {
		text, err := encodeJSON(summary, "")
		if err != nil {
			return err
		}
		before := "\n],\n\"summary\": "
		if o.shown == 0 {
			before = "{\"results\": []" + before[len("\n]"):]
		}
		if err := o.write([]byte(before + string(text) + "}\n")); err != nil {
			return err
		}
	}
	return o.p.printed(func(io.Writer) error { return o.out.Close() })
}

// logSender is who a message is from.
func logSender(l *muster.LogLine) string {
	switch {
	case l.Device != "":
		return l.Device
	case l.Source.IsValid():
		return l.Source.String()
	case l.Host != "":
		return l.Host
	}
	return "local"
}

// logText is a message as a line for people.
func logText(l *muster.LogLine, colour bool) string {
	kind := l.Mnemonic
	if kind == "" || l.App != "" && len(l.Mnemonic) > 40 {
		kind = l.App
	}
	severity := fmt.Sprintf("%-9s", l.Severity)
	if colour {
		severity = severityTone(l.Severity).paint(severity)
	}
	text := fmt.Sprintf("%s  %s  %-12s  %s", l.Received.Local().Format("2006-01-02 15:04:05.000"), severity, visible(logSender(l)), visible(kind))
	if kind != "" {
		text += "  "
	}
	text += visible(l.Message)
	if notes := logNotes(l); notes != "" {
		if colour {
			notes = changed.paint(notes)
		}
		text += "  " + notes
	}
	return text
}

// logNotes is what a person should know of a message beside what it says.
func logNotes(l *muster.LogLine) string {
	var notes []string
	for _, f := range l.Flags {
		switch f {
		case muster.FlagForeignHost:
			notes = append(notes, "calls itself "+visible(l.Host))
		case muster.FlagReplayed:
			notes = append(notes, "sent "+l.Time.Local().Format("2006-01-02 15:04:05"))
		case muster.FlagTruncated:
			notes = append(notes, "truncated")
		}
	}
	if l.Missing > 0 {
		notes = append(notes, fmt.Sprintf("%d missing before it", l.Missing))
	}
	if len(notes) == 0 {
		return ""
	}
	return "[" + strings.Join(notes, "; ") + "]"
}

// severityTone is how a message looks by how bad it is.
func severityTone(word string) tone {
	switch word {
	case "emergency", "alert", "critical", "error":
		return bad
	case "warning":
		return changed
	case "debug":
		return faint
	}
	return plain
}

// logSummary is what search has found.
type logSummary struct {
	Found      int   `json:"found"`
	Problems   int   `json:"problems"` // places of the archive that could not be read
	DurationMS int64 `json:"duration_ms"`
}

// showLog prints messages of an archive. What of it cannot be read is told and makes the exit code 1.
func (p *program) showLog(ctx context.Context, lines iter.Seq2[muster.LogLine, error]) error {
	out := newLogOutput(p, p.stdout)
	began := time.Now()
	var sum logSummary
	for l, err := range lines {
		if err != nil {
			sum.Problems++
			p.warn([]string{visible(err.Error())})
			continue
		}
		sum.Found++
		if err := out.row(&l); err != nil {
			return err
		}
	}
	sum.DurationMS = time.Since(began).Milliseconds()
	if err := out.end(sum); err != nil {
		return err
	}
	if p.format == formatNDJSON {
		line, err := encodeJSON(sum, "")
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "%s\n", line)
	}
	if ctx.Err() != nil && p.forever {
		return nil
	}
	if sum.Found+sum.Problems == 0 && ctx.Err() == nil {
		return nothing("no message of the archive fits")
	}
	return interruptedOr(ctx, sum.Problems)
}
