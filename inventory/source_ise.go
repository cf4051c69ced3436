package inventory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/musternet/muster/ise"
)

// openISE asks a Cisco ISE for its network devices: the switches, routers and controllers that it authenticates for.
func openISE(spec Spec, env *Env) (Source, error) {
	if spec.URL == "" {
		return nil, errors.New("ise: the source has no url: write https:// and the host of the PAN, or a section ise in muster.yaml")
	}
	u, err := parseURL(spec.URL)
	if err != nil {
		return nil, err
	}
	if spec.Username == "" || len(spec.Password) == 0 {
		return nil, fmt.Errorf("%s: the source needs a username and a password", shown(u))
	}
	return &remote{spec, env, func(ctx context.Context) ([]found, error) {
		client, err := env.dialISE(spec)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(u), err)
		}
		defer client.Close()
		if spec.Insecure {
			env.note(shown(u), 0, "%s", insecureNote)
		}
		var all []found
		for dev, err := range client.NetworkDevice.Full(ctx, iseFilter(spec)) {
			if err != nil {
				return nil, &serverError{fmt.Errorf("%s: %w", shown(u), err)}
			}
			row, err := iseRow(dev)
			all = append(all, found{shown(u) + "/ers/config/networkdevice/" + printable(dev.ID), row, err})
		}
		return all, nil
	}}, nil
}

func (e *Env) dialISE(spec Spec) (*ise.Client, error) {
	src, err := e.open(spec.Password...)
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	return ise.New(ise.Config{
		URL: spec.URL, Standby: spec.Standby, Username: spec.Username, CAFile: e.expand(spec.CAFile), Pin: spec.Pin, Insecure: spec.Insecure,
		Password: func(ctx context.Context) (string, error) {
			s, err := src.Secret(ctx)
			return s.Reveal(), err
		},
	})
}

// iseFilter makes conditions of a filter: a field, with an operator behind a dot where that is not EQ.
func iseFilter(spec Spec) ise.Filter {
	var f ise.Filter
	for _, field := range slices.Sorted(maps.Keys(spec.Filter)) {
		for _, value := range spec.Filter[field] {
			if !strings.Contains(field, ".") {
				field += ".EQ"
			}
			f.Match = append(f.Match, field+"."+value)
		}
	}
	return f
}

// iseRow makes a row of a network device: its first address that is one, and its groups as tags. Its secrets are between
// it and ISE, and are not looked at.
func iseRow(dev ise.NetworkDevice) (Row, error) {
	row := Row{Name: dev.Name, foreign: true}
	for _, group := range dev.Groups {
		levels := strings.Split(group, "#")
		if len(levels) > 2 { // the second is All Locations, and of no use alone
			row.tag(iseTag(levels[0]), levels[len(levels)-1])
		}
	}
	row.tag("profile", dev.Profile)
	row.tag("model", dev.Model)
	var last error
	for _, a := range dev.Addresses {
		prefix, err := a.Prefix()
		switch {
		case err != nil:
			last = err
		case prefix.Bits() < prefix.Addr().BitLen():
			last = fmt.Errorf("%v is a network: of one device ISE has an address with the mask 32", netip.PrefixFrom(prefix.Addr(), prefix.Bits()))
		case row.Address == "":
			row.Address = prefix.Addr().String()
		}
	}
	switch {
	case row.Address != "":
		return row, nil
	case last != nil:
		return row, fmt.Errorf("%s: %w", printable(dev.Name), last)
	}
	return row, fmt.Errorf("%s: it has no address", printable(dev.Name))
}

// iseTag makes the name of a tag of the name of a group type: Device Type is device_type.
func iseTag(name string) string {
	return strings.Map(func(r rune) rune {
		if nameRune(r) {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}
