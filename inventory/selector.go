package inventory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path"
	"strings"

	"github.com/musternet/muster"
)

// Outside answers what an inventory cannot know by itself. The zero Outside knows nothing.
type Outside struct {
	// Failed returns the names of the devices that failed in the last run: @failed.
	Failed func(ctx context.Context) ([]string, error)
	// Stale returns the names of the devices without a good backup within the age that counts: @stale.
	Stale func(ctx context.Context) ([]string, error)
	// Unknown makes a device of a name that no inventory knows; usually Inventory.Argument. nil: such a name matches nothing.
	Unknown func(ctx context.Context, name string) (muster.Device, error)
	// Stdin is what the term "-" reads; nil: os.Stdin.
	Stdin io.Reader
}

// Selection is what terms picked.
type Selection struct {
	Devices   []muster.Device // in the order of the inventory, none twice; devices it does not know follow in the order of the terms
	Unmatched []string        // terms that matched nothing
}

// TermError says which term of a selector is wrong.
type TermError struct {
	Term string
	Err  error
}

// Error names the term and what is wrong with it.
func (e *TermError) Error() string { return fmt.Sprintf("selector %q: %v", printable(e.Term), e.Err) }

// Unwrap returns what is wrong.
func (e *TermError) Unwrap() error { return e.Err }

// Argument makes a device of a name that the inventory does not know; see the function Argument.
func (inv *Inventory) Argument(ctx context.Context, name string) (muster.Device, error) {
	return Argument(ctx, name, inv.env)
}

// ReadTerms reads selector terms, one a line, with # comments: what -f FILE and "-" name.
func ReadTerms(r io.Reader) ([]string, error) {
	var terms []string
	in := bufio.NewScanner(io.LimitReader(r, maxFile))
	for in.Scan() {
		text, _, _ := strings.Cut(strings.TrimPrefix(in.Text(), "\ufeff"), "#")
		if text = strings.TrimSpace(text); text != "" && text != "-" {
			terms = append(terms, text)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read the list of devices: %w", err)
	}
	return terms, nil
}

// Select picks devices: any of the terms is enough. A term is a name, a glob (core-*), @group, @all, @failed, @stale,
// conditions on tags and on group, platform, name and address that must all hold (site=ams,role!=lab), an address, a
// prefix, or "-" for terms on standard input. Names, globs, groups and addresses may stand together with commas between.
// No term is @all.
func (inv *Inventory) Select(ctx context.Context, terms []string, o Outside) (Selection, error) {
	terms, err := flatten(terms, o)
	if err != nil {
		return Selection{}, err
	}
	p := picker{inv: inv, o: o, picked: make([]bool, len(inv.Devices)), extra: map[string]bool{}}
	for _, term := range terms {
		if err := p.term(ctx, term); err != nil {
			if ctx.Err() != nil {
				return Selection{}, context.Cause(ctx)
			}
			return Selection{}, &TermError{term, err}
		}
	}
	var s Selection
	for i, dev := range inv.Devices {
		if p.picked[i] {
			s.Devices = append(s.Devices, dev)
		}
	}
	s.Devices, s.Unmatched = append(s.Devices, p.more...), p.unmatched
	return s, nil
}

// flatten reads "-" and parts terms at their commas, where these do not part conditions.
func flatten(terms []string, o Outside) ([]string, error) {
	if len(terms) == 0 {
		return []string{"@all"}, nil
	}
	var flat []string
	for _, term := range terms {
		switch {
		case term == "-":
			in := o.Stdin
			if in == nil {
				in = os.Stdin
			}
			read, err := ReadTerms(in)
			if err != nil {
				return nil, err
			}
			for _, t := range read {
				flat = append(flat, parts(t)...)
			}
		default:
			flat = append(flat, parts(term)...)
		}
	}
	return flat, nil
}

func parts(term string) []string {
	if strings.Contains(term, "=") {
		return []string{term}
	}
	return strings.Split(term, ",")
}

// picker gathers what terms match.
type picker struct {
	inv       *Inventory
	o         Outside
	picked    []bool
	more      []muster.Device
	extra     map[string]bool
	unmatched []string
}

func (p *picker) term(ctx context.Context, term string) error {
	switch {
	case term == "":
		return errors.New("it is empty")
	case term[0] == '@':
		return p.group(ctx, term)
	case strings.Contains(term, "="):
		match, err := p.inv.conditions(term)
		if err != nil {
			return err
		}
		p.pick(term, match)
		return nil
	case strings.ContainsAny(term, "*?["):
		return p.glob(term)
	case strings.Contains(term, "/") && !strings.HasPrefix(term, "ssh://"):
		return p.prefix(term)
	}
	return p.name(ctx, term)
}

// pick takes the devices that match.
func (p *picker) pick(term string, match func(muster.Device) bool) {
	if !p.matches(match) {
		p.unmatched = append(p.unmatched, term)
	}
}

func (p *picker) matches(match func(muster.Device) bool) bool {
	any := false
	for i, dev := range p.inv.Devices {
		if match(dev) {
			p.picked[i], any = true, true
		}
	}
	return any
}

// group takes @all, @failed, @stale or the devices of a group. A set that is empty is reported like any term without match.
func (p *picker) group(ctx context.Context, term string) error {
	var set func(context.Context) ([]string, error)
	switch name := term[1:]; name {
	case "":
		return errors.New("after @ there must be the name of a group")
	case "all":
		p.pick(term, func(muster.Device) bool { return true })
		return nil
	case "failed":
		set = p.o.Failed
	case "stale":
		set = p.o.Stale
	default:
		if err := CheckName(strings.NewReplacer("*", "x", "?", "x").Replace(name)); err != nil {
			return err
		}
		p.pick(term, func(d muster.Device) bool { return globbed(name, d.GroupName()) })
		return nil
	}
	if set == nil {
		return errors.New("nothing is known of earlier runs here")
	}
	names, err := set(ctx)
	if err != nil {
		return err
	}
	wanted, before := map[string]bool{}, len(p.more)
	for _, n := range names {
		wanted[n] = true
		if _, known := p.inv.byName[n]; !known && p.o.Unknown != nil {
			if err := p.name(ctx, n); err != nil {
				return err
			}
		}
	}
	if !p.matches(func(d muster.Device) bool { return wanted[d.Name] }) && len(p.more) == before {
		p.unmatched = append(p.unmatched, term)
	}
	return nil
}

func (p *picker) glob(term string) error {
	if _, err := path.Match(term, ""); err != nil {
		return errors.New("the pattern is wrong: a [ without its ]")
	}
	p.pick(term, func(d muster.Device) bool { return globbed(term, d.Name) })
	return nil
}

func globbed(pattern, s string) bool {
	ok, _ := path.Match(pattern, s)
	return ok
}

func (p *picker) prefix(term string) error {
	prefix, err := netip.ParsePrefix(term)
	if err != nil {
		return errors.New("it is no prefix: write 192.0.2.0/24")
	}
	p.pick(term, func(d muster.Device) bool {
		addr, err := netip.ParseAddr(d.Address)
		return err == nil && prefix.Masked().Contains(addr.Unmap().WithZone(""))
	})
	return nil
}

// name takes the device of that name; else those of that address; else one that only the outside knows.
func (p *picker) name(ctx context.Context, term string) error {
	if i, ok := p.inv.byName[term]; ok {
		p.picked[i] = true
		return nil
	}
	if p.matches(func(d muster.Device) bool { return strings.EqualFold(d.Name, term) }) {
		return nil // the inventory holds no two names that differ only in case
	}
	addr, err := netip.ParseAddr(term)
	if p.matches(func(d muster.Device) bool {
		if a, e := netip.ParseAddr(d.Address); err == nil && e == nil {
			return a == addr
		}
		return strings.EqualFold(d.Address, term)
	}) {
		return nil
	}
	if p.o.Unknown == nil {
		p.unmatched = append(p.unmatched, term)
		return nil
	}
	dev, err := p.o.Unknown(ctx, term)
	if err != nil {
		return err
	}
	if i, ok := p.inv.byName[dev.Name]; ok {
		p.picked[i] = true
	} else if !p.extra[dev.Name] {
		p.extra[dev.Name] = true
		p.more = append(p.more, dev)
	}
	return nil
}

// conditions reads site=ams,role!=lab.
func (inv *Inventory) conditions(term string) (func(muster.Device) bool, error) {
	var all []func(muster.Device) bool
	for part := range strings.SplitSeq(term, ",") {
		key, value, ok := strings.Cut(part, "=")
		key, not := strings.CutSuffix(strings.TrimSpace(key), "!")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || strings.ContainsAny(key+value, "=!") {
			return nil, fmt.Errorf("%q is no condition: write key=value or key!=value", printable(part))
		}
		if _, err := path.Match(value, ""); err != nil {
			return nil, fmt.Errorf("the pattern in %q is wrong: a [ without its ]", printable(part))
		}
		if c, err := inv.env.canonical(value); key == "platform" && err == nil {
			value = c
		}
		all = append(all, func(d muster.Device) bool { return globbed(value, attribute(d, key)) != not })
	}
	return func(d muster.Device) bool {
		for _, holds := range all {
			if !holds(d) {
				return false
			}
		}
		return true
	}, nil
}

// attribute returns what a condition looks at: a tag, or else one of the device's own fields.
func attribute(d muster.Device, key string) string {
	if v, ok := d.Tags[key]; ok {
		return v
	}
	switch key {
	case "name":
		return d.Name
	case "address":
		return d.Address
	case "group":
		return d.GroupName()
	case "platform":
		return d.Platform
	}
	return ""
}
