package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
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

// table prints the rows for people.
func (v view[R]) table(w io.Writer, rows []R, colour bool) error {
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	t.SuppressTrailingSpaces()
	t.SetColumnConfigs(v.configs())
	if !v.bare {
		t.AppendHeader(v.headings())
	}
	var notes [][]string
	for _, r := range rows {
		if v.shown != nil && !v.shown(r) {
			continue
		}
		t.AppendRow(v.cells(r, colour))
		notes = append(notes, v.notes(r))
	}
	if len(notes) == 0 {
		return nil
	}
	return v.interleave(w, t.Render(), notes)
}

// interleave prints the lines of a table with the notes of each row below it. A cell has no line feed, so that a row is
// a line.
func (v view[R]) interleave(w io.Writer, rendered string, notes [][]string) error {
	lines := strings.Split(rendered, "\n")
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintln(&b, line)
		row := i - (len(lines) - len(notes))
		if row < 0 {
			continue
		}
		for _, note := range notes[row] {
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

func (v view[R]) headings() table.Row {
	row := make(table.Row, len(v.columns))
	for i, c := range v.columns {
		row[i] = c.head
	}
	return row
}

func (v view[R]) cells(r R, colour bool) table.Row {
	row := make(table.Row, len(v.columns))
	for i, c := range v.columns {
		cell := visible(c.cell(r))
		if c.tone != nil && colour {
			cell = c.tone(r).paint(cell)
		}
		row[i] = cell
	}
	return row
}

func (v view[R]) configs() []table.ColumnConfig {
	configs := make([]table.ColumnConfig, len(v.columns))
	for i, c := range v.columns {
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
	if t, ok := v.Interface().(time.Time); ok {
		return t.Format(time.RFC3339)
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
