package inventory_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/inventory"
)

func TestYAMLGroupsAndDefaultsOfAFile(t *testing.T) {
	t.Parallel()
	e := env(t)
	e.Groups = map[string]inventory.Group{"core": {Limit: 1}}
	e.Defaults.Username = "settings"
	for text, want := range map[string]string{
		"groups: {core: {port: 22}}\ndevices: [r1]":        "stdin:1:16: the group core stands in the settings already",
		"groups: {all: {port: 22}}":                        `a group cannot be named "all"`,
		"groups: {edge: {prot: 22}}":                       `stdin:1:17: unknown key "prot" in groups.edge: did you mean "port"?`,
		"defaults: {port: x}\ndevices: [r1]":               "stdin:1:18: defaults.port must be a whole number",
		"devices: r1 r2":                                   "stdin:1:10: devices must be a list",
		"devices:\n  - r1\n  bad":                          "this is no YAML",
		"a: &a [*a]\ndevices: [*a]":                        `unknown key "a"`,
		"just words, not a mapping and not a list at all!": "the file must be a set of keys",
	} {
		_, err := load(t, e, "yaml", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
	inv, err := load(t, e, "yaml", "defaults: {port: 2022}\ngroups: {edge: {transport: telnet}}\ndevices: [{name: r1, group: edge}, {name: r2, group: core}]")
	if err != nil || len(inv.Devices) != 2 {
		t.Fatal(err, inv.Bad)
	}
	if r1 := inv.Devices[0]; r1.Port != 2022 || r1.Transport != "telnet" || r1.Username != "settings" {
		t.Errorf("got %+v", r1)
	}
	if inv.Group("core").Limit != 1 || inv.Group("edge").Transport != "telnet" {
		t.Error("the groups of settings and file do not come together")
	}
	if _, ok := e.Groups["edge"]; ok {
		t.Error("the caller's groups were changed")
	}
}
