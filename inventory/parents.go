package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/musternet/muster"
)

// checkParents says whether texts can be names of parents, and parts those that stand in one text, as tags do.
func checkParents(texts []string) ([]string, error) {
	var names []string
	for _, text := range texts {
		for _, name := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("; ,|", r) }) {
			if err := CheckName(name); err != nil {
				return nil, fmt.Errorf("parents: %w", err)
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// behindItself refuses a device that names itself as its parent. One that its group names so has none: what a group says
// holds for the devices behind the parents, which may stand in the group too.
func behindItself(dev *muster.Device, own bool) error {
	if !slices.ContainsFunc(dev.Parents, func(name string) bool { return strings.EqualFold(name, dev.Name) }) {
		return nil
	}
	if own {
		return &fieldError{"parents", errors.New("parents: a device cannot lie behind itself")}
	}
	dev.Parents = nil
	return nil
}

// parents writes the names of parents as the devices have them, and notes each that is no device: such a parent is never
// down, so it hides nothing.
func (inv *Inventory) parents(seen seenNames) {
	noted := map[string]bool{}
	for i := range inv.Devices {
		dev := &inv.Devices[i]
		for j, name := range dev.Parents {
			parent, ok := seen.devices[strings.ToLower(name)]
			if ok {
				dev.Parents[j] = parent.Name
			} else if !noted[name] {
				noted[name] = true
				inv.env.Note(originError(*dev, "the parent %s of %s is no device of this inventory", name, dev.Name))
			}
		}
	}
}
