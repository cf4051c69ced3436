package inventory_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
)

func nornirSubject(*testing.T) (spec, gone inventory.Spec) {
	return inventory.Spec{Type: "nornir", File: "testdata/nornir/hosts.yaml"}, inventory.Spec{Type: "nornir", File: "testdata/nornir/no-such-file"}
}

func TestNornirDirectories(t *testing.T) {
	t.Parallel()
	want := readAll(t, inventory.Spec{Type: "nornir", File: "testdata/nornir/hosts.yaml"})
	for _, kind := range []string{"nornir", ""} {
		if diff := cmp.Diff(want, readAll(t, inventory.Spec{Type: kind, File: "testdata/nornir"})); diff != "" {
			t.Errorf("the directory gives something else than its hosts.yaml: %s", diff)
		}
	}
	dir := t.TempDir()
	put(t, dir, "inventory/hosts.yml", "r1: {groups: [a]}\n")
	put(t, dir, "inventory/groups.yml", "a: {port: 2022}\n")
	inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{File: dir})
	if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Port != 2022 {
		t.Errorf("got %v, %v", inv.Devices, err)
	}
	if _, err = inventory.Load(t.Context(), env(t), inventory.Spec{Type: "nornir", File: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "has no hosts.yaml in it") {
		t.Errorf("got %v", err)
	}
}

func TestNornirPrecedence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ hosts, groups, defaults, want string }{
		"the host comes first":                   {"r: {username: h, groups: [a]}", "a: {username: a}", "username: d", "h"},
		"null inherits":                          {"r: {username: ~, groups: [a]}", "a: {username: a}", "username: d", "a"},
		"the first group comes before the next":  {"r: {groups: [a, b]}", "a: {}\nb: {username: b}", "username: d", "b"},
		"a group's groups before the next group": {"r: {groups: [a, b]}", "a: {groups: [c]}\nb: {username: b}\nc: {username: c}", "", "c"},
		"groups that are in each other":          {"r: {groups: [a]}", "a: {groups: [b]}\nb: {groups: [a], username: b}", "", "b"},
		"defaults come last":                     {"r: {groups: [a]}", "a: {username: ~}", "username: d", "d"},
		"an option of a group before the host":   {"r: {username: h, groups: [a]}", "a: {connection_options: {netmiko: {username: n}}}", "", "n"},
		"an option that is null is none":         {"r: {username: h, groups: [a]}", "a: {connection_options: {netmiko: {username: ~}}}", "", "h"},
		"netmiko before scrapli":                 {"r: {connection_options: {scrapli: {username: s}, netmiko: {username: n}}}", "", "", "n"},
		"a number is what it is written as":      {"r: {username: 0123}", "", "", "0123"},
		"nothing at all":                         {"r:", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, "groups.yaml", c.groups)
			put(t, dir, "defaults.yaml", c.defaults)
			inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "nornir", File: put(t, dir, "hosts.yaml", c.hosts)})
			if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Username != c.want {
				t.Errorf("got %+v, %v, %v, want the user %q", inv.Devices, inv.Bad, err, c.want)
			}
		})
	}
}

func TestNornirKeysAndFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	hosts := put(t, dir, "hosts.yaml", "r1:\n  connection_options:\n    scrapli:\n      extras: {auth_private_key: ~/.ssh/net, auth_private_key_passphrase: "+hidden+", auth_secondary: "+hidden+"}\n")
	e := env(t)
	inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "nornir", File: hosts})
	if err != nil || len(inv.Devices) != 1 {
		t.Fatal(err, inv.Bad)
	}
	c, _ := e.Keyring.Get("device/r1")
	if fmt.Sprint(c.Keys) != "[/home/netops/.ssh/net]" || c.Passphrase == nil || c.Enable == nil || c.Password != nil {
		t.Errorf("got the keys %v", c.Keys)
	}
	if runtime.GOOS == "windows" {
		return
	}
	groups := put(t, dir, "groups.yaml", "a: {password: "+hidden+"}\n")
	for _, path := range []string{hosts, groups} {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "hosts.yaml", "r1: {groups: [a]}\n")
	inv, err = inventory.Load(t.Context(), e, inventory.Spec{Type: "nornir", File: hosts})
	if err != nil || len(inv.Notes) != 1 || inv.Notes[0].File != groups {
		t.Errorf("got the notes %v, %v, want one on %s", inv.Notes, err, groups)
	}
	for name, text := range map[string]string{"groups.yaml": "a: [", "hosts.yaml": "- r1\n"} {
		put(t, dir, "hosts.yaml", "r1:\n")
		put(t, dir, name, text)
		if _, err = inventory.Load(t.Context(), e, inventory.Spec{Type: "nornir", File: hosts}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
