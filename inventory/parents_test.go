package inventory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
)

func TestParents(t *testing.T) {
	t.Parallel()
	e := env(t)
	e.Groups = map[string]inventory.Group{"site": {Settings: inventory.Settings{Parents: []string{"r1; r2"}}}}
	e.Defaults.Parents = []string{"edge"}
	inv, err := load(t, e, "yaml", `
- {name: edge}
- {name: sw1, group: site}
- {name: sw2, group: site, parents: SW1}
- {name: r1, group: site}
- {name: r2, group: site, parents: []}
- {name: lone}
- {name: many, parents: [r2, "r1,sw1|r2", gone]}
- {name: other, parents: [gone]}
- {name: self, parents: [r1, Self]}
- {name: bad, parents: [../r1]}
`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, dev := range inv.Devices {
		got[dev.Name] = dev.Parents
	}
	want := map[string][]string{
		"edge": nil, "sw1": {"r1", "r2"}, "sw2": {"sw1"}, "r1": nil, "r2": nil, "lone": {"edge"}, "many": {"r2", "r1", "sw1", "gone"}, "other": {"gone"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a device's own parents come before its group's, these before the defaults', and a parent of all is behind none: %s", diff)
	}
	var told []string
	for _, rows := range [][]*inventory.RowError{inv.Bad, inv.Notes} {
		for _, row := range rows {
			told = append(told, row.Error())
		}
	}
	if diff := cmp.Diff([]string{
		"stdin:10:25: parents: a device cannot lie behind itself",
		`stdin:11:24: parents: the name "../r1" begins with ".": a name begins with a letter or a digit`,
		"stdin:8: the parent gone of many is no device of this inventory",
	}, told); diff != "" {
		t.Error(diff)
	}
	dev, _ := inv.Lookup("many")
	if dev.Parents = append(dev.Parents, "many"); inv.Check(dev) == nil {
		t.Error("a device behind itself was found right")
	}
}
