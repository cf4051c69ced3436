package inventory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/musternet/muster/internal/settings/strict"
)

// Opener makes a Source of a Spec. It touches no file yet.
type Opener func(spec Spec, env *Env) (Source, error)

// sources is the table of all kinds of sources.
var sources = map[string]Opener{
	"csv":        openCSV,
	"list":       openList,
	"oxidized":   openOxidized,
	"rancid":     openRancid,
	"ssh_config": openSSHConfig,
	"yaml":       openYAML,
}

// Sources returns the kinds of sources, sorted.
func Sources() []string { return slices.Sorted(maps.Keys(sources)) }

// Open returns the Source of a Spec; without a type, the one that fits name and content.
func Open(spec Spec, env *Env) (Source, error) {
	if spec.Type == "" {
		return openDetected(spec, env)
	}
	open, ok := sources[spec.Type]
	if !ok {
		return nil, fmt.Errorf("%s: unknown kind of inventory %q%s", spec.File, spec.Type, strict.Hint(spec.Type, Sources()))
	}
	return open(spec, env)
}
