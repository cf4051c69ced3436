package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// view says how rows of one kind are shown. R is the row as JSON and CSV have it: a struct whose json tags are the names
// of the fields, in their order. For people there are columns, made of the same row.
type view[R any] struct {
	columns []column[R]
	tails   []tail[R]
	bare    bool             // the table has no line of headings
	array   bool             // -o json is the array of the rows alone
	shown   func(R) bool     // which rows the table has; nil: all
	note    func(R) []string // lines below a row of the table; nil: none
	word    func(R) string   // what -o list prints of a row
}

// column is one column of a table. What cell returns may come from a device: it is escaped before it is printed.
type column[R any] struct {
	head  string
	cell  func(R) string
	tone  func(R) tone // nil: plain
	right bool         // numbers
}

// tail is further columns of some rows of a table. Each tail is aligned by itself: a failure says other things than a
// change, and neither pushes the other aside.
type tail[R any] struct {
	of      func(R) bool
	columns []column[R]
}

// table prints the rows for people.
func (v view[R]) table(w io.Writer, rows []R, colour bool) error {
	if v.shown != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r R) bool { return !v.shown(r) })
	}
	if len(rows) == 0 {
		return nil
	}
	lines := rendered(v.columns, rows, !v.bare, colour)
	for _, t := range v.tails {
		t.join(lines[len(lines)-len(rows):], rows, colour)
	}
	return v.interleave(w, lines, rows)
}

// join puts the columns of a tail behind the lines of its rows.
func (t tail[R]) join(lines []string, rows []R, colour bool) {
	var own []R
	var at []int
	for i, r := range rows {
		if t.of(r) {
			own, at = append(own, r), append(at, i)
		}
	}
	if len(own) == 0 {
		return
	}
	for i, line := range rendered(t.columns, own, false, colour) {
		lines[at[i]] += line
	}
}

// rendered is the lines of a table, each as wide as the others. A cell has no line feed, so that a row is a line.
func rendered[R any](columns []column[R], rows []R, heading, colour bool) []string {
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	t.SetColumnConfigs(configs(columns))
	if heading {
		t.AppendHeader(headings(columns))
	}
	for _, r := range rows {
		t.AppendRow(cells(columns, r, colour))
	}
	return strings.Split(t.Render(), "\n")
}

// interleave prints the lines of a table with the notes of each row below it.
func (v view[R]) interleave(w io.Writer, lines []string, rows []R) error {
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
		row := i - (len(lines) - len(rows))
		if row < 0 {
			continue
		}
		for _, note := range v.notes(rows[row]) {
			fmt.Fprintln(&b, noteIndent+visible(note))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// noteIndent is where the line below another begins that says more of it.
const noteIndent = "         "

func (v view[R]) notes(r R) []string {
	if v.note == nil {
		return nil
	}
	return v.note(r)
}

func headings[R any](columns []column[R]) table.Row {
	row := make(table.Row, len(columns))
	for i, c := range columns {
		row[i] = c.head
	}
	return row
}

func cells[R any](columns []column[R], r R, colour bool) table.Row {
	row := make(table.Row, len(columns))
	for i, c := range columns {
		cell := visible(c.cell(r))
		if c.tone != nil && colour {
			cell = c.tone(r).paint(cell)
		}
		row[i] = cell
	}
	return row
}

func configs[R any](columns []column[R]) []table.ColumnConfig {
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		configs[i].Number = i + 1
		if c.right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	return configs
}

func plainStyle() table.Style {
	s := table.StyleDefault
	s.Box.PaddingLeft, s.Box.PaddingRight = "", "  "
	s.Options = table.OptionsNoBordersAndSeparators
	s.Format.Header, s.Format.HeaderAlign = text.FormatDefault, text.AlignLeft
	return s
}

// csv writes the fields of the rows, in the order of JSON, with a heading.
func (v view[R]) csv(w io.Writer, rows []R) error {
	fields := fieldsOf(reflect.TypeFor[R]())
	out := csv.NewWriter(w)
	record := make([]string, len(fields))
	for i, f := range fields {
		record[i] = f.name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, r := range rows {
		for i, f := range fields {
			record[i] = visibleText(csvCell(reflect.ValueOf(r).FieldByIndex(f.index)))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

type field struct {
	name  string
	index []int
}

// fieldsOf lists what encoding/json would write of a struct, also of the structs embedded in it.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		fields = append(fields, field{name, f.Index})
	}
	return fields
}

// csvCell is one value as a spreadsheet wants it: nothing for null, JSON for what has parts.
func csvCell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if x.IsZero() {
			return ""
		}
		return x.Format(time.RFC3339Nano)
	case netip.Addr:
		if !x.IsValid() {
			return ""
		}
		return x.String()
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	}
	if v.IsZero() {
		return ""
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return err.Error()
	}
	return string(text)
}
