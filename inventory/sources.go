package inventory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/musternet/muster/internal/settings/strict"
)

// Opener makes a Source of a Spec. It touches no file yet.
type Opener func(spec Spec, env *Env) (Source, error)

// kind is one kind of source.
type kind struct {
	open Opener
	what string // for people who look for theirs
}

// sources is the table of all kinds of sources.
var sources = map[string]kind{
	"ansible":    {openAnsible, "an Ansible inventory, INI or YAML, with its group_vars and host_vars, or a directory of these"},
	"cloginrc":   {openCloginrc, "RANCID's .cloginrc, for the devices of the router.db beside or below it"},
	"csv":        {openCSV, "a table whose first line names the columns: name,address,platform..."},
	"ise":        {openISE, "the network devices of a Cisco ISE, by ERS"},
	"json":       {openJSON, "any list of JSON objects, in a file or over HTTP, by a map of its fields: LibreNMS, Oxidized's HTTP source"},
	"list":       {openList, "a name, an address, user@host:port or a prefix a line"},
	"netbox":     {openNetBox, "the devices of a NetBox, by its API"},
	"nornir":     {openNornir, "Nornir's hosts.yaml, with the groups.yaml and defaults.yaml beside it, or the directory of these"},
	"oxidized":   {openOxidized, "Oxidized's router.db: name:model:group..."},
	"rancid":     {openRancid, "RANCID's router.db: name;type;up"},
	"ssh_config": {openSSHConfig, "the hosts of an OpenSSH client configuration"},
	"yaml":       {openYAML, "a list of devices, with groups and defaults if need be"},
}

// Sources returns the kinds of sources, sorted.
func Sources() []string { return slices.Sorted(maps.Keys(sources)) }

// Describe says what a kind of source is, in a few words; empty where there is none of that name.
func Describe(name string) string { return sources[name].what }

// Open returns the Source of a Spec; without a type, the one that fits name and content.
func Open(spec Spec, env *Env) (Source, error) {
	if spec.Type == "" {
		return openDetected(spec, env)
	}
	k, ok := sources[spec.Type]
	if !ok {
		return nil, fmt.Errorf("%s: unknown kind of inventory %q%s", spec.File, spec.Type, strict.Hint(spec.Type, Sources()))
	}
	return k.open(spec, env)
}
