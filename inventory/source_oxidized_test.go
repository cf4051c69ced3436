package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func TestOxidizedColumns(t *testing.T) {
	t.Parallel()
	e := env(t)
	e.Stdin = strings.NewReader("192.0.2.1|core|r1|ios|2222\n")
	spec := inventory.Spec{Type: "oxidized", File: "-", Delimiter: "|", Columns: map[string]int{"ip": 0, "group": 1, "name": 2, "model": 3, "ssh_port": 4}}
	inv, err := inventory.Load(t.Context(), e, spec)
	want := []muster.Device{{Name: "r1", Address: "192.0.2.1", Port: 2222, Group: "core", Platform: "cisco_ios", Origin: "stdin:1"}}
	if err != nil || cmp.Diff(want, inv.Devices) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, inv.Devices))
	}
	for want, columns := range map[string]map[string]int{
		`unknown column "modl"`: {"name": 0, "modl": 1},
		"negative or that of":   {"name": 0, "group": 0},
	} {
		spec.Columns = columns
		if _, err := inventory.Load(t.Context(), env(t), spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

// A password of another tool is that, whatever it looks like: it names no file here and is no variable of muster's.
func TestOxidizedPasswordsAreNoReferences(t *testing.T) {
	t.Parallel()
	e := env(t)
	e.Stdin = strings.NewReader("r1|ios|admin|env:HOME|file:/etc/hostname\n")
	inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "oxidized", File: "-", Delimiter: "|"})
	if err != nil || len(inv.Bad) > 0 {
		t.Fatal(err, inv.Bad)
	}
	c, _ := e.Keyring.Get("device/r1")
	for want, src := range map[string]secret.Source{"env:HOME": c.Password, "file:/etc/hostname": c.Enable} {
		if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != want {
			t.Errorf("a reference was followed: %v", err)
		}
	}
}
