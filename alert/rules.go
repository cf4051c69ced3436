package alert

import (
	"fmt"
	"strings"

	"github.com/musternet/muster"
)

// Kind describes one kind of rule.
type Kind struct {
	Name    string
	Summary string // for people who look for theirs
}

// kind is a line of the table.
type kind struct {
	Kind
	fields               []string         // the fields of a Rule that are its own, see fields
	check                func(Rule) error // what no other kind has
	open                 func() judge     // for each rule one
	summary, description string           // the templates of a rule that has none
}

// judge is what a kind does with what is known. It finds by the methods on, off and hold of the desk, and is called by one
// goroutine at a time.
type judge interface {
	// hear takes an event, which the desk has already added to what it knows.
	hear(d *desk, r *rule, ev muster.Event)
	// look judges all subjects anew by what the desk knows: after a start, after a reload, and when this machine lost or
	// found its way to the network. A kind that knows of nothing but events leaves its subjects as they are.
	look(d *desk, r *rule)
}

// kinds is the table of all kinds, sorted by name.
var kinds = []kind{
	{Kind{"event", "a backup failed, a configuration changed"}, []string{"event", "match", "keep", "count"},
		checkEvent, openEvent, "{{.Text}}", "{{.Detail}}"},
	{Kind{"group", "so many of some devices are in a state"}, []string{"for", "states", "count", "share", "least", "by"},
		checkGroup, openGroup, "{{.Count}} of {{.Of}} devices{{with .By}} of {{.}}{{end}} are {{.State}}",
		"{{.List}}"},
	{Kind{"log", "a device logs what the rule watches for"}, []string{"keep"}, checkLog, openLog, logSummary, logDescription},
	{Kind{"promql", "an expression over the history has a result"}, []string{"for", "expr", "every"},
		checkPromQL, openPromQL, "{{.Rule}}{{with .Device}} of {{.}}{{end}}: {{.Value}}", "{{.Reason}}"},
	{Kind{"state", "a device is in a state"}, []string{"for", "states"},
		checkState, openState, "{{.Device}} is {{.State}}", "{{.Reason}}"},
	{Kind{"uplink", "this machine has no way to the network"}, []string{"for"},
		checkUplink, openUplink, "muster has no way to the network", "{{.Reason}}"},
}

// Kinds returns all kinds of rules, sorted by name.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.Kind
	}
	return all
}

// lookup finds a kind by its name.
func lookup(name string) (kind, error) {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		if k.Name == name {
			return k, nil
		}
		names[i] = k.Name
	}
	return kind{}, fmt.Errorf("unknown kind %q: there are %s", name, strings.Join(names, ", "))
}
