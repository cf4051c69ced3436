package app

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/task"
)

// Columns of a list of endpoints: those that an import goes by, and those of an export that it passes over.
var (
	importColumns = []string{"mac", "group", "description", "static"}
	passedColumns = []string{"index", "id", "name", "group_id", "link", "profile_id", "address", "vendor", "device_type"}
)

// PlanImport reads a list of endpoints, CSV with the header mac,group,description of which mac is needed, and compares it with ISE:
// what is new, changed, the same or bad, in the order of the file. An empty cell says nothing, and where a column static says false,
// ISE's profiling found the group: a new endpoint is left to it, and one that is there is not put there for good. Nothing is changed.
// "-" is stdin.
func (i *ISE) PlanImport(ctx context.Context, file string, stdin io.Reader) ([]ISEChange, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usage(err)
		}
		defer f.Close()
		in = f
	}
	changes, err := readEndpoints(file, in)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", file, err))
	}
	groups, err := i.groupIDs(ctx)
	if err != nil {
		return nil, err
	}
	for n := range changes {
		changes[n].in(groups)
	}
	if err := i.compare(ctx, changes, groups); err != nil {
		return nil, err
	}
	for n := range changes {
		if c := &changes[n]; c.Status == ISENew && c.profiled {
			c.Group, c.groupID = nil, ""
		}
	}
	return changes, nil
}

// readEndpoints reads the rows of a file. A row that is wrong is bad and the rest goes on.
func readEndpoints(file string, in io.Reader) ([]ISEChange, error) {
	r := csv.NewReader(in)
	r.ReuseRecord, r.FieldsPerRecord, r.TrimLeadingSpace = true, -1, true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty: it begins with a line such as mac,group,description")
	}
	if err != nil {
		return nil, err
	}
	at, err := columnsOf(header)
	if err != nil {
		return nil, err
	}
	width := len(header)
	var changes []ISEChange
	seen := map[string]int{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return changes, nil
		}
		if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
			changes = append(changes, badRow(file, syntax.StartLine, "", "syntax", syntax.Err))
			return changes, nil // where the next row begins is not known
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if len(record) != width {
			changes = append(changes, badRow(file, line, "", "syntax", fmt.Errorf("it has %d columns, the header %d", len(record), width)))
			continue
		}
		changes = append(changes, readEndpoint(file, line, record, at, seen))
	}
}

// columnsOf finds the columns by the header.
func columnsOf(header []string) (map[string]int, error) {
	at := map[string]int{}
	for n, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		known := slices.Concat(importColumns, passedColumns)
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("unknown column %q%s", name, strict.Hint(name, known))
		}
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("the column %s is there twice", name)
		}
		at[name] = n
	}
	if _, ok := at["mac"]; !ok {
		return nil, errors.New("it has no column mac: it begins with a line such as mac,group,description")
	}
	return at, nil
}

func readEndpoint(file string, line int, record []string, at map[string]int, seen map[string]int) ISEChange {
	cell := func(column string) string {
		if n, ok := at[column]; ok {
			return strings.Clone(strings.TrimSpace(record[n]))
		}
		return ""
	}
	mac, err := ise.ParseMAC(cell("mac"))
	if err != nil {
		return badRow(file, line, cell("mac"), "invalid", err)
	}
	if first, twice := seen[mac]; twice {
		return badRow(file, line, mac, "duplicate", fmt.Errorf("%s stands in line %d already", mac, first))
	}
	static := cell("static")
	if !slices.Contains([]string{"", "true", "false"}, static) {
		return badRow(file, line, mac, "invalid", fmt.Errorf("static is %q: it is true or false", static))
	}
	seen[mac] = line
	return ISEChange{
		MAC: mac, Group: text(cell("group")), Description: text(cell("description")), Status: ISENew, Place: fmt.Sprintf("%s:%d", file, line),
		profiled: static == "false",
	}
}

func badRow(file string, line int, mac, code string, err error) ISEChange {
	return ISEChange{MAC: mac, Status: ISEBad, Place: fmt.Sprintf("%s:%d", file, line), Code: code, Error: err.Error(), Err: err}
}

// groupNames are the endpoint groups both ways.
type groupNames struct {
	byName map[string]string // id by name in lower case
	byID   map[string]string // name by id
}

func (i *ISE) groupIDs(ctx context.Context) (groupNames, error) {
	names, err := i.groupNames(ctx)
	g := groupNames{map[string]string{}, names}
	for id, name := range names {
		g.byName[strings.ToLower(name)] = id
	}
	return g, err
}

// in finds the id of the group that a row names.
func (c *ISEChange) in(groups groupNames) {
	if c.Status == ISEBad || c.Group == nil {
		return
	}
	id, ok := groups.byName[strings.ToLower(*c.Group)]
	if _, isID := groups.byID[*c.Group]; !ok && isID {
		id, ok = *c.Group, true
	}
	if !ok {
		place := c.Place
		*c = ISEChange{MAC: c.MAC, Group: c.Group, Status: ISEBad, Place: place, Code: "not-found"}
		c.Err = fmt.Errorf("ISE has no endpoint group %q", *c.Group)
		c.Error = c.Err.Error()
		return
	}
	c.groupID, c.Group = id, text(groups.byID[id])
}

// compare finds which endpoints ISE has already, and what would change. ISE's list says which they are; the rest of what it knows of
// those comes page by page or one by one, whichever takes fewer requests.
func (i *ISE) compare(ctx context.Context, changes []ISEChange, groups groupNames) error {
	wanted := map[string]int{}
	for n, c := range changes {
		if c.Status != ISEBad {
			wanted[c.MAC] = n
		}
	}
	var there []ise.Endpoint
	total := 0
	for e, err := range i.client.Endpoints(ctx, ise.Filter{}) {
		if err != nil {
			return iseError(err)
		}
		total++
		if _, ok := wanted[e.MAC]; ok {
			there = append(there, e)
		}
	}
	compared := func(e ise.Endpoint) {
		if n, ok := wanted[e.MAC]; ok {
			changes[n].against(e, groups)
		}
	}
	if len(there) > total/pageOfISE && i.hasOpenAPI(ctx) {
		for e, err := range i.client.FullEndpoints(ctx, ise.Filter{}) {
			if err != nil {
				return iseError(err)
			}
			compared(e)
		}
		return nil
	}
	full, err := task.Gather(ctx, there, func(ctx context.Context, e ise.Endpoint) (*ise.Endpoint, error) {
		full, err := i.client.Endpoint.Get(ctx, e.ID)
		if errors.Is(err, ise.ErrNotFound) { // deleted meanwhile
			return nil, nil
		}
		return &full, err
	}, task.Limit(i.limit), task.Named("compare endpoints"))
	for _, e := range full {
		if e != nil {
			compared(*e)
		}
	}
	return iseError(err)
}

// pageOfISE is how many endpoints come in one answer.
const pageOfISE = 100

// hasOpenAPI says whether full endpoints come by the page. Where that cannot be told they are read one by one.
func (i *ISE) hasOpenAPI(ctx context.Context) bool {
	_, err := i.client.Raw(ctx, "/api/v1/endpoint?page=1&size=1")
	return err == nil
}

// against says what would change in an endpoint that is there.
func (c *ISEChange) against(e ise.Endpoint, groups groupNames) {
	c.ID, c.Status = text(e.ID), ISESame
	switch is := groups.byID[e.GroupID]; {
	case c.Group == nil:
		c.groupID = ""
	case e.GroupID != c.groupID:
		c.Changes = append(c.Changes, "group: "+is+" -> "+*c.Group)
	case c.profiled:
		c.groupID = ""
	case e.StaticGroup != nil && !*e.StaticGroup:
		c.Changes = append(c.Changes, "group: "+is+", now for good")
	}
	if c.Description != nil && *c.Description != e.Description {
		c.Changes = append(c.Changes, fmt.Sprintf("description: %q -> %q", e.Description, *c.Description))
	}
	if len(c.Changes) > 0 {
		c.Status = ISEChanged
	}
}
