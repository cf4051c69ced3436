package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/store"
)

// DefaultMaxAge is how old the last good backup of a device may be before the device counts as stale.
const DefaultMaxAge = 25 * time.Hour

// Select applies selectors to the inventory; no terms means all. Names that no inventory knows are tried as ssh would.
// ErrNothing where nothing is selected.
//
// Without any inventory, all means every device that something is stored of.
func (a *App) Select(ctx context.Context, terms []string) (Selection, error) {
	if onlyAll(terms) && a.noInventory() {
		return a.stored(ctx)
	}
	picked, err := a.inv.Select(ctx, terms, inventory.Outside{
		Failed: a.failed, Unknown: a.inv.Argument, Stdin: a.opts.Stdin,
		Stale: func(ctx context.Context) ([]string, error) { return a.stale(ctx) },
	})
	if err != nil {
		if ctx.Err() != nil {
			return Selection{}, context.Cause(ctx)
		}
		if errors.Is(err, ErrStore) {
			return Selection{}, err
		}
		return Selection{}, usage(err)
	}
	s := Selection{Devices: picked.Devices, Warnings: a.warnings()}
	if wantsAll(terms) {
		s.Bad, s.Shrunk = len(a.inv.Bad), a.shrunk()
	}
	if len(s.Devices) > 0 {
		for _, term := range picked.Unmatched {
			s.Warnings = append(s.Warnings, fmt.Sprintf("nothing matches %s", term))
		}
		return s, nil
	}
	if onlyAll(terms) {
		return s, fmt.Errorf("%w: the inventory lists no device that can be used", ErrNothing)
	}
	return s, fmt.Errorf("%w: no device matches %s", ErrNothing, strings.Join(terms, " "))
}

// onlyAll tells whether selectors say no more than all.
func onlyAll(terms []string) bool {
	return !slices.ContainsFunc(terms, func(term string) bool { return term != "@all" })
}

// noInventory tells whether nobody has named any source of devices. A list that is empty is a list.
func (a *App) noInventory() bool { return len(a.inv.Counts) == 0 }

func (a *App) maxAge() time.Duration {
	if a.opts.MaxAge > 0 {
		return a.opts.MaxAge
	}
	return DefaultMaxAge
}

// warnings are what was odd in the inventory.
func (a *App) warnings() []string {
	var out []string
	for _, rows := range [][]*inventory.RowError{a.inv.Bad, a.inv.Notes} {
		for _, row := range rows {
			out = append(out, row.Error())
		}
	}
	return out
}

// stored are the devices that were backed up or should have been, each as its name would be tried by ssh, at the address
// that it had then. A name that has never had an address is none of them: it was mistyped once.
func (a *App) stored(ctx context.Context) (Selection, error) {
	s := Selection{Warnings: a.warnings()}
	nobody := fmt.Errorf("%w: there is no inventory: name devices, or a list with -i FILE, or begin one with: muster init", ErrNothing)
	r, err := a.reader(ctx)
	if errors.Is(err, errNoData) {
		return s, nobody
	}
	if err != nil {
		return s, err
	}
	known, err := r.index.Devices(ctx)
	if err != nil {
		return s, storeError(err)
	}
	for _, k := range known {
		if mistyped(k) {
			continue
		}
		dev, err := a.inv.Argument(ctx, k.Name)
		if err != nil {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %v", k.Name, err))
			continue
		}
		dev.Group = k.Group
		if dev.Address == dev.Name && k.Address != "" {
			dev.Address, dev.Port = k.Address, k.Port
		}
		s.Devices = append(s.Devices, dev)
	}
	if len(s.Devices) == 0 {
		return s, nobody
	}
	return s, nil
}

// mistyped tells whether a device is nothing but a name that was never found.
func mistyped(k store.Device) bool {
	return k.LastGood.IsZero() && k.Address == k.Name && k.Failure != nil && k.Failure.Stage == muster.StageResolve
}

// failed are the devices that failed in the last run.
func (a *App) failed(ctx context.Context) ([]string, error) {
	s, err := a.reader(ctx)
	if errors.Is(err, errNoData) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	runs, err := s.index.Runs(ctx, 1)
	if err != nil || len(runs) == 0 {
		return nil, storeError(err)
	}
	names, err := s.index.RunDevices(ctx, runs[0].Run, muster.StatusFailed)
	return names, storeError(err)
}

// stale are the devices of the inventory without a good backup within the age that counts.
func (a *App) stale(ctx context.Context) ([]string, error) {
	states, err := a.Status(ctx, a.inv.Devices, a.maxAge())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range states {
		if s.Stale {
			names = append(names, s.Device.Name)
		}
	}
	return names, nil
}

// SelectOne is Select for commands that take exactly one device; it returns the warnings too.
func (a *App) SelectOne(ctx context.Context, name string) (muster.Device, []string, error) {
	s, err := a.Select(ctx, []string{name})
	if err != nil {
		return muster.Device{}, s.Warnings, err
	}
	if len(s.Devices) > 1 {
		return muster.Device{}, s.Warnings, fmt.Errorf("%w: %s names %d devices; this command takes one", ErrUsage, name, len(s.Devices))
	}
	return s.Devices[0], s.Warnings, nil
}
