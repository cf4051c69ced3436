package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/probe"
)

// sourcesFile remembers how many devices each source of the inventory gave at the last backup.
const sourcesFile = "sources.json"

// shrunk tells whether a source gives less than half of what it gave at the last backup: an export that was cut off must
// not quietly leave the rest of the fleet without backups.
func (a *App) shrunk() error {
	last := a.lastCounts()
	var errs []error
	for _, c := range a.inv.Counts {
		errs = append(errs, inventory.Shrunk(c.Source, last[sourceKey(c.Source)], c.Devices))
	}
	return errors.Join(errs...)
}

// countSources remembers what the sources give now. It needs the lock of the data directory.
func (a *App) countSources() error {
	counts := a.lastCounts()
	for _, c := range a.inv.Counts {
		counts[sourceKey(c.Source)] = c.Devices
	}
	text, err := json.MarshalIndent(counts, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(a.dir, sourcesFile)
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("remember the size of the inventory: %w", err)
	}
	return os.Rename(file+".new", file)
}

// lastCounts reads what was remembered; what cannot be read is as good as nothing.
func (a *App) lastCounts() map[string]int {
	counts := map[string]int{}
	text, err := os.ReadFile(filepath.Join(a.dir, sourcesFile))
	if err != nil || json.Unmarshal(text, &counts) != nil {
		return map[string]int{}
	}
	return counts
}

// sourceKey names a source whatever directory muster was started in.
func sourceKey(source string) string {
	if source == "-" || strings.Contains(source, "://") { // no file
		return source
	}
	spec, err := inventory.ParseSpec(source)
	if err != nil {
		return source
	}
	if spec.File, err = filepath.Abs(spec.File); err != nil {
		return source
	}
	return spec.String()
}

// wantsAll tells whether selectors ask for the whole inventory.
func wantsAll(terms []string) bool { return len(terms) == 0 || slices.Contains(terms, "@all") }

// Source is one kind of device list.
type Source struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// Probe is one kind of probe.
type Probe struct {
	Name string `json:"name"`
	What string `json:"what"`
	Port int    `json:"port"` // where nothing else is said; 0: there are none
}

// Probes returns the kinds of probes, sorted.
func Probes() []Probe {
	var all []Probe
	for _, k := range probe.Kinds() {
		all = append(all, Probe{k.Name, k.Summary, k.Port})
	}
	return all
}

// Sources returns the kinds of device lists that can be read, sorted.
func Sources() []Source {
	var all []Source
	for _, name := range inventory.Sources() {
		all = append(all, Source{name, inventory.Describe(name)})
	}
	return all
}
