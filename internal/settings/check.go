package settings

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// check finds what is well formed and wrong all the same: names of nothing.
func (s *Settings) check() Problems {
	p := s.checkSources()
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		n := s.root.Get("groups").Get(name)
		if err := inventory.CheckGroup(name); err != nil {
			p = append(p, n.Problem("%v", err))
		}
		p = append(p, s.checkGroup(n, s.Groups[name].Group)...)
	}
	p = append(p, s.checkGroup(s.root.Get("defaults"), s.Defaults.Group)...)
	p = append(p, s.checkSecrets()...)
	p = append(p, s.checkServing()...)
	p = append(p, s.checkISE()...)
	if len(p) > 0 {
		return sorted(p) // rows inherit from groups: their mistakes would be told once a row
	}
	return s.checkDevices()
}

// checkGroup checks what a group, or the defaults, say for devices.
func (s *Settings) checkGroup(n strict.Node, g inventory.Group) Problems {
	var p Problems
	known := slices.Sorted(maps.Keys(s.Credentials))
	for _, name := range g.Credentials {
		if _, ok := s.Credentials[name]; !ok {
			p = append(p, n.Get("credentials").Problem("no credential is named %q%s", name, strict.Hint(name, known)))
		}
	}
	env := s.env(nil)
	if field, err := env.CheckSettings(g.Settings); err != nil {
		p = append(p, n.Get(field).Problem("%v", err))
	}
	if g.Limit < 0 {
		p = append(p, n.Get("limit").Problem("limit must not be negative"))
	}
	if g.Retries != nil && *g.Retries < 0 {
		p = append(p, n.Get("retries").Problem("retries must not be negative"))
	}
	return p
}

// checkDevices checks the devices that stand in the settings themselves.
func (s *Settings) checkDevices() Problems {
	o, err := s.newOpener(nil)
	if err != nil {
		return Problems{{File: s.File, Text: err.Error()}}
	}
	ring, err := s.keyring(o)
	if err != nil {
		return Problems{{File: s.File, Text: err.Error()}}
	}
	inv, err := inventory.Load(context.Background(), s.env(ring), s.inline()...)
	if err != nil {
		return Problems{{File: s.File, Text: err.Error()}}
	}
	var p Problems
	for _, bad := range inv.Bad {
		p = append(p, &strict.Problem{File: bad.File, Line: bad.Line, Col: max(bad.Col, 1), Text: bad.Err.Error()})
	}
	return p
}

func sorted(p Problems) Problems {
	slices.SortStableFunc(p, func(a, b *strict.Problem) int { return 1000*(a.Line-b.Line) + a.Col - b.Col })
	return p
}

// Env returns what inventory.Load needs, with the credentials of ring; prompt is that of Opener.
func (s *Settings) Env(ring *secret.Keyring, prompt secret.Prompt) inventory.Env {
	env := s.env(ring)
	env.Keep = KeepDir(s.DataDir)
	s.secrets(&env, prompt)
	return env
}

func (s *Settings) env(ring *secret.Keyring) inventory.Env {
	return inventory.Env{
		Keyring: ring, Defaults: s.Defaults.Group, Groups: s.groups(),
		Platform: s.options.Platform, Platforms: s.options.Platforms, Getenv: s.options.Getenv, Home: s.options.home(),
	}
}

// groups returns what the groups say of their devices. A group of which muster.yaml says only when it is backed up and how it
// is watched is left out, so that an inventory file can say the rest.
func (s *Settings) groups() map[string]inventory.Group {
	groups := map[string]inventory.Group{}
	for name, g := range s.Groups {
		if !reflect.ValueOf(g.Group).IsZero() {
			groups[name] = g.Group
		}
	}
	return groups
}

func (s *Settings) inline() []inventory.Spec {
	var specs []inventory.Spec
	if len(s.Devices) > 0 {
		specs = append(specs, inventory.Spec{Type: "yaml", File: s.File, Devices: s.Devices})
	}
	if len(s.added) > 0 {
		specs = append(specs, inventory.Spec{Type: "yaml", File: s.DevicesFile, Devices: s.added})
	}
	return specs
}
