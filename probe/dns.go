package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
	"golang.org/x/net/dns/dnsmessage"
)

// DNS says what dns asks. The zero value asks for the name servers of the root, as dig does; a server that knows only
// its own zones refuses that.
type DNS struct {
	Name   string // empty: "."
	Type   string // one of DNSTypes; empty: "NS"
	Answer string // what one of the answers must be, as it is shown; empty: any of that type
}

// dnsTypes are the types that can be asked for.
var dnsTypes = map[string]dnsmessage.Type{
	"A":     dnsmessage.TypeA,
	"AAAA":  dnsmessage.TypeAAAA,
	"CNAME": dnsmessage.TypeCNAME,
	"MX":    dnsmessage.TypeMX,
	"NS":    dnsmessage.TypeNS,
	"PTR":   dnsmessage.TypePTR,
	"SOA":   dnsmessage.TypeSOA,
	"SRV":   dnsmessage.TypeSRV,
	"TXT":   dnsmessage.TypeTXT,
}

// DNSTypes returns the types that DNS.Type can name, sorted.
func DNSTypes() []string { return slices.Sorted(maps.Keys(dnsTypes)) }

// dns asks one server one question over UDP, and over TCP where the answer was too long for that. Its RTT is the time
// from the question to the answer that counts.
type dns struct {
	base
	question dnsmessage.Question
	words    string // the question, for people
	answer   string
}

var _ Prober = (*dns)(nil)

func openDNS(b base, o Options) (Prober, error) {
	kind := strings.ToUpper(o.DNS.Type)
	if kind == "" {
		kind = "NS"
	}
	typ, ok := dnsTypes[kind]
	if !ok {
		return nil, fmt.Errorf("probe dns: unknown type %q: there are %s", o.DNS.Type, strings.Join(DNSTypes(), ", "))
	}
	full := strings.TrimSuffix(o.DNS.Name, ".") + "."
	name, err := dnsmessage.NewName(full)
	if err != nil {
		return nil, fmt.Errorf("probe dns: name %q: %w", o.DNS.Name, err)
	}
	p := &dns{
		base: b, words: kind + " of " + full, answer: o.DNS.Answer,
		question: dnsmessage.Question{Name: name, Type: typ, Class: dnsmessage.ClassINET},
	}
	if _, err := p.query(0); err != nil {
		return nil, fmt.Errorf("probe dns: name %q: %w", o.DNS.Name, err)
	}
	return p, nil
}

func (p *dns) query(id uint16) ([]byte, error) {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{p.question},
	}
	return m.Pack()
}

func (p *dns) Probe(ctx context.Context, t Target) muster.Outcome { return p.ask(ctx, t, p.probe) }

func (p *dns) probe(ctx context.Context, t Target) (answer, error) {
	a, err := p.over(ctx, "udp", t)
	if errors.Is(err, errTruncated) {
		a, err = p.over(ctx, "tcp", t)
	}
	return a, err
}

// over asks by UDP or TCP.
func (p *dns) over(ctx context.Context, network string, t Target) (answer, error) {
	conn, release, rtt, err := p.connect(ctx, network, t)
	if err != nil {
		return answer{rtt: rtt}, err
	}
	defer release()
	id := uint16(rand.Uint32()) // the generator is ChaCha8 with a random key: nobody guesses the next one
	query, err := p.query(id)
	if err != nil {
		return answer{}, err
	}
	exchange := overUDP
	if network == "tcp" {
		exchange = overTCP
	}
	began := time.Now()
	reply, err := exchange(conn, query, func(b []byte) bool { return isReply(b, id, p.question) })
	a := answer{rtt: time.Since(began)}
	if err != nil {
		return p.lost(ctx, err, t, a)
	}
	a.detail, err = p.read(reply, network)
	return a, err
}

// lost reads the error of a question that got no answer. A datagram can come back as refused or unreachable.
func (p *dns) lost(ctx context.Context, err error, t Target, a answer) (answer, error) {
	switch code := codeOf(ctx, err); {
	case errors.Is(err, errForeign):
		return a, fail(muster.StageCommand, "wrong-answer", err)
	case code == "refused":
		return a, dialError(ctx, err, t.addrPort().String())
	case code == "unreachable":
		return answer{}, dialError(ctx, err, t.addrPort().String())
	}
	return answer{}, talkError(ctx, muster.StageCommand, err, "ask "+t.addrPort().String()+" for "+p.words)
}

// errForeign is the error of a server that answers something else.
var errForeign = errors.New("what answers does not answer the question")

// overUDP sends a question and reads until its answer comes. What is no answer to it is passed over: it may be a forgery.
// Only what is from the server's address is read at all, because the socket is connected.
func overUDP(conn net.Conn, query []byte, ours func([]byte) bool) ([]byte, error) {
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if ours(buf[:n]) {
			return buf[:n], nil
		}
	}
}

// overTCP sends a question and reads one answer; each has its length before it.
func overTCP(conn net.Conn, query []byte, ours func([]byte) bool) ([]byte, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, reply); err != nil {
		return nil, err
	}
	if !ours(reply) {
		return nil, errForeign
	}
	return reply, nil
}
