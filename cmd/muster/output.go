package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// format is what -o says.
type format string

const (
	formatTable  format = "table"
	formatJSON   format = "json"
	formatNDJSON format = "ndjson"
	formatCSV    format = "csv"
	formatList   format = "list"
)

func (f *format) String() string { return string(*f) }

func (f *format) Set(s string) error {
	switch format(s) {
	case formatTable, formatJSON, formatNDJSON, formatCSV, formatList:
		*f = format(s)
		return nil
	}
	return errors.New("it is one of table, json, ndjson, csv and list")
}

// Type is the word that help shows for the value.
func (f *format) Type() string { return "FORMAT" }

// output prints the rows of one command as -o wants them: ndjson as they come, all else in the order of the input when
// the last one is there.
type output[R any] struct {
	p     *program
	view  view[R]
	rows  []indexed[R]
	taken int // rows that add was given
	lines *lines
	row   R // the one that goes to lines, here because passing it on by value would cost an allocation each
}

type indexed[R any] struct {
	index int
	row   R
}

func newOutput[R any](p *program, v view[R]) *output[R] { return &output[R]{p: p, view: v} }

// add takes one row, with its place in the input.
func (o *output[R]) add(index int, row R) error {
	o.taken++
	if o.p.format != formatNDJSON {
		o.rows = append(o.rows, indexed[R]{index, row})
		return nil
	}
	if o.lines == nil {
		o.lines = newLines(o.p.stdout)
		o.p.closers = append(o.p.closers, o.lines) // where the command ends without end
	}
	o.row = row
	return o.p.printed(func(io.Writer) error { return o.lines.add(index, &o.row) })
}

// end prints what add has kept, then the summary: for programs summary, for people the sentence foot.
func (o *output[R]) end(summary any, foot string) error {
	rows := o.inOrder()
	switch o.p.format {
	case formatNDJSON:
		return o.endNDJSON(summary)
	case formatJSON:
		return o.json(summary)
	case formatCSV:
		return o.p.printed(func(w io.Writer) error { return o.view.csv(w, rows) })
	case formatList:
		return o.list()
	}
	if err := o.p.printed(func(w io.Writer) error { return o.view.table(w, rows, o.p.colour) }); err != nil {
		return err
	}
	if foot == "" {
		return nil
	}
	return o.p.print(foot + "\n")
}

// inOrder returns the rows that add has kept, in the order of the input.
func (o *output[R]) inOrder() []R {
	slices.SortStableFunc(o.rows, func(a, b indexed[R]) int { return cmp.Compare(a.index, b.index) })
	rows := make([]R, len(o.rows))
	for i, r := range o.rows {
		rows[i] = r.row
	}
	return rows
}

func (o *output[R]) endNDJSON(summary any) error {
	if o.lines != nil {
		if err := o.p.printed(func(io.Writer) error { return o.lines.Close() }); err != nil {
			return err
		}
	}
	line, err := encodeJSON(summary, "")
	if err != nil || o.view.array {
		return err
	}
	fmt.Fprintf(o.p.stderr, "%s\n", line)
	return nil
}

// json prints one document: {"results": [...], "summary": {...}}, or the bare array where that is the contract.
func (o *output[R]) json(summary any) error {
	var b strings.Builder
	b.WriteString("[")
	for i, r := range o.rows {
		object, err := encodeJSON(r.row, "")
		if err != nil {
			return err
		}
		if !o.view.array {
			object = withIndex(r.index, object)
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  ")
		b.Write(object)
	}
	if len(o.rows) > 0 {
		b.WriteString("\n")
	}
	b.WriteString("]")
	if o.view.array {
		return o.p.print(b.String() + "\n")
	}
	end, err := encodeJSON(summary, "")
	if err != nil {
		return err
	}
	return o.p.print(fmt.Sprintf("{\"results\": %s,\n\"summary\": %s}\n", b.String(), end))
}

// list prints the word of each row, each word once.
func (o *output[R]) list() error {
	var b strings.Builder
	seen := map[string]bool{}
	for _, r := range o.rows {
		if word := visible(o.view.word(r.row)); !seen[word] {
			fmt.Fprintln(&b, word)
			seen[word] = true
		}
	}
	return o.p.print(b.String())
}

// count is the summary of commands that have nothing else to sum up.
type count struct {
	Total int `json:"total"`
}

// all prints rows that are there at once.
func all[R any](p *program, v view[R], rows []R) error {
	o := newOutput(p, v)
	for i, r := range rows {
		if err := o.add(i, r); err != nil {
			return err
		}
	}
	return o.end(count{len(rows)}, "")
}
