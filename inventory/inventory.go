// Package inventory says which devices there are: it reads them from files of many kinds, completes them from groups and
// defaults, and picks out of them what a selector names.
//
// A row that is wrong is reported with its file, line and column, and the rest goes on. No Device holds a secret: a
// password that stands in a file goes into a secret.Keyring, and the Device names it.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/musternet/muster"
	"github.com/musternet/muster/secret"
)

// Inventory is all devices of some sources, each name once, in the order of the sources and of their rows.
type Inventory struct {
	Devices []muster.Device
	Bad     []*RowError // rows that were left out, in their order
	Notes   []*RowError // what a person should look at although nothing was left out, and rows left out on purpose
	Counts  []Count     // one a source, in order: what Shrunk compares

	env    *Env
	byName map[string]int
}

// Count says how many devices one source gave.
type Count struct {
	Source  string // as Spec.String
	Devices int
}

// Load reads all sources. A bad row never fails it, a source that cannot be read at all does: then the error names each
// such source and the Inventory holds what the others gave.
func Load(ctx context.Context, env Env, specs ...Spec) (*Inventory, error) {
	inv := &Inventory{byName: map[string]int{}}
	env.found = map[string]Group{}
	if env.Keyring == nil {
		env.Keyring = &secret.Keyring{}
	}
	told := env.Note
	env.Note = func(n *RowError) {
		inv.Notes = append(inv.Notes, n)
		if told != nil {
			told(n)
		}
	}
	env.ssh = sync.OnceValues(env.sshConfig)
	inv.env = &env
	seen := seenNames{devices: map[string]muster.Device{}, groups: map[string]string{}}
	var failed []error
	for _, spec := range specs {
		n, err := inv.read(ctx, spec, seen)
		if ctx.Err() != nil {
			return inv, context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		inv.Counts = append(inv.Counts, Count{spec.String(), n})
	}
	inv.parents(seen)
	return inv, errors.Join(failed...)
}

// read adds the devices of one source.
func (inv *Inventory) read(ctx context.Context, spec Spec, seen seenNames) (n int, err error) {
	src, err := Open(spec, inv.env)
	if err != nil {
		return 0, err
	}
	for dev, err := range src.Devices(ctx) {
		var row *RowError
		switch {
		case errors.As(err, &row):
			inv.Bad = append(inv.Bad, row)
		case err != nil:
			return n, err
		default:
			n++
			if err := seen.add(dev, inv.env); err != nil {
				inv.Bad = append(inv.Bad, err)
				continue
			}
			inv.byName[dev.Name] = len(inv.Devices)
			inv.Devices = append(inv.Devices, dev)
		}
	}
	return n, nil
}

// seenNames finds names that are there already, or would be on a file system that knows no case.
type seenNames struct {
	devices map[string]muster.Device
	groups  map[string]string
}

func (s seenNames) add(dev muster.Device, env *Env) *RowError {
	folded := strings.ToLower(dev.Name)
	if first, ok := s.devices[folded]; ok {
		if first.Name == dev.Name {
			return originError(dev, "%s is already in %s", dev.Name, first.Origin)
		}
		return originError(dev, "%s differs only in case from %s in %s; their files would be one", dev.Name, first.Name, first.Origin)
	}
	s.devices[folded] = dev
	group := dev.GroupName()
	first, ok := s.groups[strings.ToLower(group)]
	if !ok {
		s.groups[strings.ToLower(group)] = group
	} else if first != group {
		env.Note(originError(dev, "the group %s differs only in case from the group %s", group, first))
		s.groups[strings.ToLower(group)] = group
	}
	return nil
}

// originError makes a RowError of a device's origin ("devices.csv:12").
func originError(dev muster.Device, format string, args ...any) *RowError {
	e := &RowError{File: dev.Origin, Err: fmt.Errorf(format, args...)}
	if i := strings.LastIndexByte(dev.Origin, ':'); i > 0 {
		if line, err := strconv.Atoi(dev.Origin[i+1:]); err == nil { // not so in http://nb:8080/api/dcim/devices/7/
			e.File, e.Line = dev.Origin[:i], line
		}
	}
	return e
}

// Lookup returns a device by its name.
func (inv *Inventory) Lookup(name string) (muster.Device, bool) {
	i, ok := inv.byName[name]
	if !ok {
		return muster.Device{}, false
	}
	return inv.Devices[i], true
}

// Check says what would be wrong with a device if a source listed it, nil if nothing: a name that cannot be one, an unknown
// platform, a credential that nobody has. It touches no file and no network.
func (inv *Inventory) Check(dev muster.Device) error {
	_, err := inv.env.device(Row{Name: dev.Name, Address: dev.Address, Group: dev.Group, Settings: Settings{
		Platform: dev.Platform, Port: dev.Port, Transport: dev.Transport, Username: dev.Username, Credentials: dev.Credentials,
		Jump: dev.Jump, Parents: dev.Parents, Tags: dev.Tags, LegacyCrypto: &dev.LegacyCrypto, Secrets: dev.Secrets,
	}}, "argument")
	return err
}

// Group returns the settings that hold for the devices of a group: the group's own, completed from the defaults.
func (inv *Inventory) Group(name string) Group {
	if g, ok := inv.env.found[name]; ok {
		return g
	}
	return inv.env.group(name)
}

// GroupLimit returns how many devices of a group may be at work at once by the group's own word, beside what holds for all;
// 0: it says nothing.
func (inv *Inventory) GroupLimit(name string) int { return inv.env.Groups[name].Limit }

// Keyring returns the keyring that the devices' credentials are in.
func (inv *Inventory) Keyring() *secret.Keyring { return inv.env.Keyring }

// Shrunk refuses a source that gives less than half of the devices it gave last time: that is an export cut off, not a
// network that lost its devices. last is the count of the last good reading, which the caller keeps; 0: there was none.
func Shrunk(source string, last, now int) error {
	if last <= 0 || 2*now >= last {
		return nil
	}
	return fmt.Errorf("%s gives %d devices where it gave %d before; less than half is taken for a broken export", source, now, last)
}
