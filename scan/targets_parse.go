package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/musternet/muster/task"
)

// ParseOptions says how terms are understood. The zero value takes DefaultMax addresses and no names.
type ParseOptions struct {
	// Exclude are terms that are taken out; host names are not allowed here.
	Exclude []string
	// Max is the most addresses; 0: DefaultMax. More than IPv4 has are never taken.
	Max int
	// OnLink are the prefixes of this machine's interfaces, as function OnLink says. Their network and broadcast addresses
	// are left out of prefixes and ranges.
	OnLink []netip.Prefix
	// Lookup says the addresses of a host name. It is called by several tasks at once. Without it names are refused.
	Lookup func(ctx context.Context, name string) ([]netip.Addr, error)
}

// How names are looked up.
const (
	lookupsAtOnce = 32
	lookupTimeout = 10 * time.Second
)

// Parse reads terms and returns their addresses, each once, without those that are excluded and those that are no host's.
//
// A term is a prefix (10.50.1.0/24, also with host bits set), a range (10.50.1.10-10.50.1.40, 10.50.1.10-40), an address
// (fe80::1%eth0 with its interface) or a host name, which stands for all its addresses. An IPv4 address that ends in .0
// means its /24; as 10.50.1.0/32 it means itself. How terms were understood is in Targets.Notes.
//
// Multicast, reserved and unspecified addresses, and link-local ones without an interface, are left out of prefixes and
// ranges, and refused where they are named alone; so is the broadcast address of a link.
//
// An error matches ErrTargets when it is about the terms. Nothing is enumerated, whatever the size.
func Parse(ctx context.Context, terms []string, o ParseOptions) (Targets, error) {
	p := parser{ParseOptions: o, links: linksOf(o.OnLink), most: uint64(min(cmp.Or(max(o.Max, 0), DefaultMax), mostEver))}
	p.withheld = p.withhold()
	if err := p.read(terms); err != nil {
		return Targets{}, err
	}
	if err := p.lookUp(ctx); err != nil {
		return Targets{}, err
	}
	for _, t := range p.terms {
		if err := p.admit(t); err != nil {
			return Targets{}, err
		}
	}
	return p.join()
}

// parser reads one set of targets.
type parser struct {
	ParseOptions
	most     uint64
	links    []link
	withheld []block // merged: what prefixes and ranges are asked without

	terms    []*term
	excluded []*term
	ranges   []block // of prefixes and ranges
	singles  []block
	named    []block // merged: all that is named
}

// withhold is the addresses that no prefix or range is asked for.
func (p *parser) withhold() []block {
	var all []block
	for _, n := range never {
		all = append(all, n.block)
	}
	for _, l := range p.links {
		all = append(all, single(l.network), single(l.broadcast))
	}
	return merge(all)
}

// read reads all terms and exclusions.
func (p *parser) read(terms []string) (err error) {
	if len(terms) == 0 {
		return refuse("there are no targets: name prefixes, ranges, addresses or host names")
	}
	if p.terms, err = readTerms(terms); err != nil {
		return err
	}
	if p.excluded, err = readTerms(p.Exclude); err != nil {
		return &refusal{text: "exclusion: " + err.Error()}
	}
	for _, t := range p.excluded {
		if t.kind == kindName {
			return refuse("exclusion: %s is a host name: name its addresses", shown(t.text))
		}
	}
	return nil
}

// readTerms reads all terms of one list.
func readTerms(texts []string) ([]*term, error) {
	all := make([]*term, len(texts))
	for i, text := range texts {
		if text == "" {
			return nil, refuse("term %d is empty: leave it out", i+1)
		}
		t, err := readTerm(text)
		if err != nil {
			return nil, err
		}
		all[i] = &t
	}
	return all, nil
}

// lookUp finds the addresses of all names.
func (p *parser) lookUp(ctx context.Context) error {
	var names []*term
	for _, t := range p.terms {
		if t.kind != kindName {
			continue
		}
		if p.Lookup == nil {
			return refuse("%s is a host name: only addresses are taken here", shown(t.text))
		}
		names = append(names, t)
	}
	results := task.Settle(ctx, names, func(ctx context.Context, t *term) ([]netip.Addr, error) {
		return p.Lookup(ctx, t.text)
	}, task.Limit(lookupsAtOnce), task.Each(lookupTimeout), task.Named("look up"))
	for i, r := range results {
		if err := names[i].resolved(r.Value, r.Err); err != nil {
			return err
		}
	}
	return nil
}

// resolved takes what a lookup said.
func (t *term) resolved(addrs []netip.Addr, err error) error {
	var dns *net.DNSError
	switch {
	case err == nil && len(addrs) > 0, errors.As(err, &dns) && dns.IsNotFound:
	case err != nil:
		return fmt.Errorf("look up %s: %w", shown(t.text), err)
	}
	for _, a := range addrs {
		if a.IsValid() {
			t.addrs = append(t.addrs, a.Unmap())
		}
	}
	slices.SortFunc(t.addrs, compare)
	if t.addrs = slices.Compact(t.addrs); len(t.addrs) == 0 {
		return &refusal{text: fmt.Sprintf("no address is known for %s: check the name, or name the address", shown(t.text)), cause: err}
	}
	return nil
}

// admit takes the addresses of a term, if they can be asked.
func (p *parser) admit(t *term) error {
	switch t.kind {
	case kindName:
		for _, a := range t.addrs {
			if err := p.admitSingle(shown(t.text)+" is "+a.String()+", and that", a); err != nil {
				return err
			}
		}
		return nil
	case kindAddress:
		return p.admitSingle(t.block.first.String(), t.block.first)
	}
	if t.block.first.Is6() && t.block.size() > mostEver {
		return refuse("%s is %s and cannot be swept: name the addresses to ask, such as those of known neighbours and devices", t.label, sizeText(t.block))
	}
	if t.block.common(p.withheld) == t.block.size() {
		return p.admitSingle("every address of "+t.label, t.block.first)
	}
	p.ranges = append(p.ranges, t.block)
	return nil
}

// admitSingle takes one address, which is called by a name in the error.
func (p *parser) admitSingle(name string, a netip.Addr) error {
	for _, n := range never {
		if len(touching([]block{n.block}, single(a))) > 0 {
			return refuse("%s is %s, which is never asked: %s", name, n.what, n.instead)
		}
	}
	for _, l := range p.links {
		if a == l.broadcast {
			return refuse("%s is the broadcast address of %s on this link, which is never asked: name a host's own address", name, l.prefix)
		}
	}
	p.singles = append(p.singles, single(a))
	return nil
}

// join makes one set of all that was admitted.
func (p *parser) join() (Targets, error) {
	ranges := merge(slices.Clone(p.ranges))
	p.named = merge(slices.Concat(ranges, p.singles))
	wanted := merge(slices.Concat(subtract(ranges, p.withheld), p.singles))
	left := subtract(wanted, merge(blocksOf(p.excluded)))
	if len(left) == 0 {
		return Targets{}, &refusal{
			text:  fmt.Sprintf("the exclusions leave none of the %s of %s: there is nothing to ask", plural(sizeOf(wanted), "address"), p.label()),
			cause: ErrNothingLeft,
		}
	}
	if err := p.tooMany(sizeOf(left)); err != nil {
		return Targets{}, err
	}
	t := newTargets(left)
	t.label = p.label()
	t.notes = p.notes(t, wanted)
	return t, nil
}

// tooMany refuses a number of addresses that is above the most, naming the term that is to blame if one is.
func (p *parser) tooMany(n uint64) error {
	if n <= p.most {
		return nil
	}
	biggest := slices.MaxFunc(p.terms, func(a, b *term) int { return cmp.Compare(a.size(), b.size()) })
	what := fmt.Sprintf("%s is %s", biggest.label, plural(biggest.size(), "address"))
	if biggest.size() <= p.most {
		what = fmt.Sprintf("the targets are %s together", plural(n, "address"))
	}
	allow := ""
	if need := max(n, biggest.size()); need <= mostEver {
		allow = fmt.Sprintf(", or allow it with --max %d", need)
	}
	return refuse("%s, more than the %s a scan takes: name smaller prefixes%s", what, thousands(p.most), allow)
}

// size is the number of addresses of a term.
func (t *term) size() uint64 {
	if t.kind == kindName {
		return uint64(len(t.addrs))
	}
	return t.block.size()
}

// blocks is the addresses of a term.
func (t *term) blocks() (all []block) {
	if t.kind != kindName {
		return []block{t.block}
	}
	for _, a := range t.addrs {
		all = append(all, single(a))
	}
	return all
}

func blocksOf(terms []*term) (all []block) {
	for _, t := range terms {
		all = append(all, t.blocks()...)
	}
	return all
}

// never is what is no host's address.
var never = []struct {
	block         block
	what, instead string
}{
	{prefixBlock(netip.MustParsePrefix("0.0.0.0/32")), "the unspecified address", ownAddress},
	{prefixBlock(netip.MustParsePrefix("224.0.0.0/4")), "a multicast address", ownAddress},
	{block{netip.MustParseAddr("240.0.0.0"), netip.MustParseAddr("255.255.255.254")}, "a reserved address (class E)", ownAddress},
	{prefixBlock(netip.MustParsePrefix("255.255.255.255/32")), "the broadcast address of every link", ownAddress},
	{prefixBlock(netip.MustParsePrefix("::/128")), "the unspecified address", ownAddress},
	{prefixBlock(netip.MustParsePrefix("fe80::/10")), "a link-local address without an interface", "name both, as fe80::1%eth0"},
	{prefixBlock(netip.MustParsePrefix("ff00::/8")), "a multicast address", ownAddress},
}

const ownAddress = "name a host's own address"
