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
	what string   // for people who look for theirs
	keys []string // of Spec, as the settings call them, beside type and platforms
}

// sources is the table of all kinds of sources.
var sources = map[string]kind{
	"ansible":    {openAnsible, "an Ansible inventory, INI or YAML, with its group_vars and host_vars, or a directory of these", []string{"file"}},
	"cloginrc":   {openCloginrc, "RANCID's .cloginrc, for the devices of the router.db beside or below it", []string{"file"}},
	"csv":        {openCSV, "a table whose first line names the columns: name,address,platform...", []string{"file", "delimiter"}},
	"ise":        {openISE, "the network devices of a Cisco ISE, by ERS", []string{"url", "username", "password", "ca_file", "pin", "insecure", "max_age", "filter"}},
	"json":       {openJSON, "any list of JSON objects, in a file or over HTTP, by a map of its fields: LibreNMS, Oxidized's HTTP source", []string{"file", "url", "headers", "ca_file", "insecure", "max_age", "map"}},
	"list":       {openList, "a name, an address, user@host:port or a prefix a line", []string{"file"}},
	"netbox":     {openNetBox, "the devices of a NetBox, by its API", []string{"url", "token", "headers", "ca_file", "insecure", "max_age", "filter", "map"}},
	"nornir":     {openNornir, "Nornir's hosts.yaml, with the groups.yaml and defaults.yaml beside it, or the directory of these", []string{"file"}},
	"oxidized":   {openOxidized, "Oxidized's router.db: name:model:group...", []string{"file", "delimiter", "columns"}},
	"rancid":     {openRancid, "RANCID's router.db: name;type;up", []string{"file"}},
	"ssh_config": {openSSHConfig, "the hosts of an OpenSSH client configuration", []string{"file"}},
	"yaml":       {openYAML, "a list of devices, with groups and defaults if need be", []string{"file"}},
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
