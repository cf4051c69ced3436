package probe_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers every question with these addresses; without any it says that there is no such name.
func nameServer(addrs ...string) server {
	return answering(func(m *dnsmessage.Message) {
		if len(addrs) == 0 {
			m.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range addrs {
			m.Answers = append(m.Answers, record(m, &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()}))
		}
	})
}

func record(m *dnsmessage.Message, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60}, Body: body}
}

// answering makes a name server whose answers are completed by f. A nil answer to UDP is none.
func answering(f func(*dnsmessage.Message)) server {
	return func(network string, conn net.Conn) {
		query, err := readQuery(network, conn)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(query) != nil {
			return
		}
		m.Response = true
		f(&m)
		writeReply(network, conn, pack(m))
		drain(conn)
	}
}

func pack(m dnsmessage.Message) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func readQuery(network string, conn net.Conn) ([]byte, error) {
	b := make([]byte, 512)
	if network == "udp" {
		n, err := conn.Read(b)
		return b[:n], err
	}
	if _, err := io.ReadFull(conn, b[:2]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(b)
	_, err := io.ReadFull(conn, b[:n])
	return b[:n], err
}

func writeReply(network string, conn net.Conn, reply []byte) {
	if network == "tcp" {
		reply = append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
	}
	conn.Write(reply)
}

func name(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }

func TestEveryTypeIsShownAsZoneFilesHaveIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  string
		body dnsmessage.ResourceBody
		want string
	}{
		{"a", &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}, "192.0.2.1"},
		{"AAAA", &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}, "2001:db8::1"},
		{"CNAME", &dnsmessage.CNAMEResource{CNAME: name("x.example.org.")}, "x.example.org."},
		{"MX", &dnsmessage.MXResource{Pref: 10, MX: name("mx.example.org.")}, "10 mx.example.org."},
		{"NS", &dnsmessage.NSResource{NS: name("ns.example.org.")}, "ns.example.org."},
		{"PTR", &dnsmessage.PTRResource{PTR: name("r1.example.org.")}, "r1.example.org."},
		{"SOA", &dnsmessage.SOAResource{NS: name("ns.example.org."), MBox: name("root.example.org."), Serial: 7}, "ns.example.org. root.example.org. 7"},
		{"SRV", &dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 389, Target: name("ldap.example.org.")}, "1 2 389 ldap.example.org."},
		{"TXT", &dnsmessage.TXTResource{TXT: []string{"v=spf1 ", "-all\xff"}}, "v=spf1 -all\uFFFD"},
	} {
		t.Run(c.typ, func(t *testing.T) {
			t.Parallel()
			serve := answering(func(m *dnsmessage.Message) {
				alias := &dnsmessage.UnknownResource{Type: 46, Data: []byte("a signature")}
				m.Answers = []dnsmessage.Resource{record(m, alias), record(m, c.body)}
			})
			o, _ := inBubble(t, "dns", probe.Options{Dial: wire(0, serve), DNS: probe.DNS{Name: "example.org.", Type: c.typ}}, target, whole)
			if !o.Up || o.Detail != c.want {
				t.Errorf("got %+v (%v), want %q", o, o.Failure, c.want)
			}
		})
	}
	if len(probe.DNSTypes()) != 9 {
		t.Errorf("there are other types than are tested: %v", probe.DNSTypes())
	}
}

func TestAnAnswerIsJudgedInWords(t *testing.T) {
	t.Parallel()
	code := func(c dnsmessage.RCode) server {
		return answering(func(m *dnsmessage.Message) { m.RCode, m.Questions = c, nil })
	}
	for _, c := range []struct {
		name   string
		serve  server
		answer string
		words  string // empty: up
	}{
		{"the expected one, among others", nameServer("192.0.2.1", "192.0.2.2"), "192.0.2.2", ""},
		{"not the expected one", nameServer("192.0.2.1"), "192.0.2.9", `A of www.example.org.: the answer is "192.0.2.1", not "192.0.2.9"`},
		{"no such name", nameServer(), "", "A of www.example.org.: NXDOMAIN: there is no such name"},
		{"a failure", code(dnsmessage.RCodeServerFailure), "", "SERVFAIL"},
		{"a refusal without the question", code(dnsmessage.RCodeRefused), "", "REFUSED"},
		{"a code without a name", code(11), "", "answer code 11"},
		{"no record of the type", answering(func(m *dnsmessage.Message) {
			m.Answers = []dnsmessage.Resource{record(m, &dnsmessage.CNAMEResource{CNAME: name("x.")})}
		}), "", "NOERROR, but there is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ask := probe.DNS{Name: "www.example.org", Type: "A", Answer: c.answer}
			o, took := inBubble(t, "dns", probe.Options{Dial: wire(0, c.serve), DNS: ask}, target, whole)
			if c.words == "" {
				if !o.Up || o.Detail != c.answer {
					t.Errorf("got %+v (%v)", o, o.Failure)
				}
				return
			}
			want(t, o, muster.StageCommand, "wrong-answer")
			if took != 0 || !strings.Contains(o.Failure.Err.Error(), c.words) {
				t.Errorf("after %s: %v, want %s", took, o.Failure, c.words)
			}
		})
	}
}

func TestWhatDoesNotAnswerTheQuestionIsPassedOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		forge func(*dnsmessage.Message)
	}{
		{"another id", func(m *dnsmessage.Message) { m.ID++ }},
		{"another name", func(m *dnsmessage.Message) { m.Questions[0].Name = name("evil.example.org.") }},
		{"another type", func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeAAAA }},
		{"another class", func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }},
		{"a question", func(m *dnsmessage.Message) { m.Response = false }},
		{"no question", func(m *dnsmessage.Message) { m.Questions = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, network := range []string{"udp", "tcp"} {
				serve := func(got string, conn net.Conn) {
					query, _ := readQuery(got, conn)
					var m dnsmessage.Message
					m.Unpack(query)
					m.Response, m.Truncated = true, got == "udp" && network == "tcp"
					m.Answers = []dnsmessage.Resource{record(&m, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 66}})}
					forged := m
					forged.Questions = append([]dnsmessage.Question(nil), m.Questions...)
					if c.forge(&forged); got == network {
						writeReply(got, conn, []byte("\x00\x01garbage"))
						writeReply(got, conn, pack(forged))
					}
					m.Answers = []dnsmessage.Resource{record(&m, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}})}
					writeReply(got, conn, pack(m))
				}
				o, _ := inBubble(t, "dns", probe.Options{Dial: wire(0, serve), DNS: probe.DNS{Name: "www.example.org", Type: "A"}}, target, whole)
				if network == "tcp" { // a stream is one server's word
					want(t, o, muster.StageCommand, "wrong-answer")
				} else if !o.Up || o.Detail != "192.0.2.1" {
					t.Errorf("got %+v (%v)", o, o.Failure)
				}
			}
		})
	}
}

func TestATruncatedAnswerIsAskedForOverTCP(t *testing.T) {
	t.Parallel()
	serve := func(network string, conn net.Conn) {
		answering(func(m *dnsmessage.Message) {
			if m.Truncated = true; network == "tcp" { // where the bit means nothing
				m.Answers = []dnsmessage.Resource{record(m, &dnsmessage.TXTResource{TXT: []string{strings.Repeat("a", 200)}})}
			}
		})(network, conn)
	}
	o, _ := inBubble(t, "dns", probe.Options{Dial: wire(0, serve), DNS: probe.DNS{Name: "example.org", Type: "TXT"}}, target, whole)
	if !o.Up || o.Detail != strings.Repeat("a", 200) {
		t.Errorf("got %+v (%v)", o, o.Failure)
	}
}

// FuzzDNS: whatever comes back, with the right id and question before it or not, is an outcome.
func FuzzDNS(f *testing.F) {
	question := "\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01"
	f.Add([]byte(question + "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"))
	f.Add([]byte("\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01"))
	f.Add([]byte("\x83\x80\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01"))
	f.Add([]byte(question))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, reply []byte) {
		serve := func(network string, conn net.Conn) {
			if query, err := readQuery(network, conn); err == nil {
				writeReply(network, conn, append(query[:2:2], reply...))
			}
		}
		p := prober(t, "dns", probe.Options{Dial: wire(0, serve), DNS: probe.DNS{Name: "www.example.org", Type: "A"}})
		o := p.Probe(t.Context(), probe.Target{Addr: addr})
		check(t, "dns", o)
		if _, err := netip.ParseAddr(o.Detail); o.Up && err != nil {
			t.Errorf("up without an address: %+v", o)
		}
	})
}
