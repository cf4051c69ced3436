// Package platform knows what each network operating system looks like at its command line: one YAML definition and
// some recordings an OS, and one driver that reads them all.
package platform

import (
	"embed"
	"slices"
	"strings"
	"sync"
)

//go:embed defs/*.yaml
var definitionFiles embed.FS

// Def is one platform definition, read from defs/<name>.yaml.
type Def struct {
	Name string // canonical: cisco_ios

	file    *definition
	lines   func() *lineRules   // what Clean and completeness need
	mask    func() *secretRules // what Mask and Hash need
	talk    func() *talkRules   // what a conversation needs
	changes func() *changeSet   // what Change needs
}

// Lookup returns the definition of a platform by its canonical name or by any alias (Netmiko, Oxidized, Ansible, NAPALM,
// scrapli and NetBox names); case, '-' and '_' do not matter.
func Lookup(name string) (*Def, bool) {
	if load, ok := definitions()[name]; ok {
		return load(), true
	}
	load, ok := definitions()[aliases()[fold(name)]]
	if !ok || fold(name) == "" {
		return nil, false
	}
	return load(), true
}

// Names returns the canonical names, sorted.
func Names() []string { return slices.Clone(names()) }

// Aliases returns the other names of a platform, sorted.
func (d *Def) Aliases() []string { return slices.Sorted(slices.Values(d.file.Aliases)) }

// Title returns the name of the platform as people write it: "Cisco IOS and IOS-XE".
func (d *Def) Title() string { return d.file.Title }

// HasConfig reports whether the platform has a configuration to fetch; generic has none.
func (d *Def) HasConfig() bool { return len(d.file.Config) > 0 }

// names lists the embedded files; that needs no YAML.
var names = sync.OnceValue(func() []string {
	entries, err := definitionFiles.ReadDir("defs")
	if err != nil {
		panic(err)
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	slices.Sort(list)
	return list
})

// definitions holds a loader for each platform: a definition is parsed when it is first asked for, since most runs need
// one or two of them. One that does not parse cannot be in a binary whose tests passed.
var definitions = sync.OnceValue(func() map[string]func() *Def {
	loaders := make(map[string]func() *Def)
	for _, name := range names() {
		loaders[name] = sync.OnceValue(func() *Def {
			data, err := definitionFiles.ReadFile("defs/" + name + ".yaml")
			if err != nil {
				panic(err)
			}
			f, err := decodeDefinition(data)
			if err != nil {
				panic("defs/" + name + ".yaml: " + err.Error())
			}
			return newDef(f)
		})
	}
	return loaders
})

// aliases maps every folded name to the canonical one. The definitions are not parsed for it, which would cost a short
// command more than all it does: what stands between the brackets of "aliases: [...]" is enough, and a test compares.
var aliases = sync.OnceValue(func() map[string]string {
	table := make(map[string]string)
	for _, name := range names() {
		table[fold(name)] = name
		data, err := definitionFiles.ReadFile("defs/" + name + ".yaml")
		if err != nil {
			panic(err)
		}
		_, rest, _ := strings.Cut(string(data), "\naliases: [")
		list, _, _ := strings.Cut(rest, "]")
		for alias := range strings.SplitSeq(list, ",") {
			table[fold(alias)] = name
		}
	}
	return table
})

// fold drops what does not matter in a platform name.
func fold(name string) string { return nameSeparators.Replace(strings.ToLower(name)) }

var nameSeparators = strings.NewReplacer("-", "", "_", "", " ", "", "\n", "")
