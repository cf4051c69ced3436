package syslog

import (
	"bytes"
	"net/netip"
	"time"
)

// Message is one syslog message, read as far as it could be understood.
type Message struct {
	Received  time.Time      // when it came to this machine, by the kernel's clock where it tells; of Parse: zero
	Source    netip.AddrPort // who sent it; not valid for a unix socket, and of Parse
	Transport Transport      // how it came; of Parse: empty
	Peer      string         // of TLS: the name in the client's certificate, which was verified; else empty

	Format      Format
	Facility    Facility
	Severity    Severity
	Prioritized bool // it began with <PRI>; if not, Facility is User, and Severity is the mnemonic's or Notice (RFC 3164, 4.3.3)

	Host    []byte      // what it calls its sender: a name or an address; empty: nothing
	Relay   []byte      // the host of the header that a relay put in front; empty: there was none
	Time    time.Time   // of the sender's clock, in UTC; zero: it has none, or none that is a date
	Quality TimeQuality // how far Time can be trusted
	Uptime  time.Duration

	Counter  uint64 // Cisco's count of the messages to this receiver; 0: none
	Sequence uint64 // the sender's own number of the message: service sequence-numbers, meta sequenceId; 0: none

	App      []byte // the program or process
	ProcID   []byte
	MsgID    []byte // RFC 5424's
	Mnemonic []byte // what kind of message it is, in the vendor's words: SYS-5-CONFIG_I, UI_COMMIT, ASA-6-302013
	Data     []byte // structured data (with its brackets) or key=value pairs, as they came: see Pairs
	Text     []byte // the message itself, without a byte order mark, trailing line ends and NULs
	Raw      []byte // all of it, as it came
	// Truncated says that it was longer than the receiver takes: Raw is its beginning.
	Truncated bool
}

// Clone returns a copy that shares no memory with m.
func (m *Message) Clone() Message {
	c := *m
	for _, f := range []*[]byte{&c.Host, &c.Relay, &c.App, &c.ProcID, &c.MsgID, &c.Mnemonic, &c.Data, &c.Text, &c.Raw} {
		*f = bytes.Clone(*f)
	}
	return c
}

// Transport is how a message came.
type Transport string

// The transports.
const (
	UDP  Transport = "udp"
	TCP  Transport = "tcp"
	TLS  Transport = "tls"
	Unix Transport = "unix"
)

// Format is the form in which a message was written.
type Format string

// The formats. FormatText is what is none of the others: all of it is Text.
const (
	FormatRFC5424  Format = "rfc5424"
	FormatRFC3164  Format = "rfc3164"
	FormatIOS      Format = "cisco_ios" // IOS, IOS-XE, NX-OS and others that write as they do
	FormatIOSXR    Format = "cisco_iosxr"
	FormatNXOS     Format = "cisco_nxos"
	FormatASA      Format = "cisco_asa"
	FormatJunos    Format = "juniper_junos"
	FormatEOS      Format = "arista_eos"
	FormatPANOS    Format = "paloalto_panos"
	FormatFortiOS  Format = "fortinet_fortios"
	FormatHuawei   Format = "huawei_vrp"
	FormatRouterOS Format = "mikrotik_routeros"
	FormatAruba    Format = "aruba"
	FormatFRR      Format = "frr"
	FormatText     Format = "text"
)

// TimeQuality says what a device's time is made of. The zero TimeQuality is no time at all.
type TimeQuality struct {
	Known    bool  // there is a date and a time
	Year     bool  // with its year; if not, Time is of the last year in which it is not more than a month after it was received
	Zone     bool  // with its zone; if not, Time was read in the zone of the Config or Parser
	Digits   uint8 // of the fraction of a second
	Unsynced bool  // the device says that its clock is not set or has lost its source: Cisco's * and .
	Uptime   bool  // there is no date, but how long the device is up: Message.Uptime
}

// String is "none", "uptime", or the parts that are known, such as "year,zone,ms" or "s,unsynced".
func (q TimeQuality) String() string { return string(q.AppendTo(nil)) }

// AppendTo appends what String returns.
func (q TimeQuality) AppendTo(b []byte) []byte {
	switch {
	case q.Uptime:
		return append(b, "uptime"...)
	case !q.Known:
		return append(b, "none"...)
	}
	if q.Year {
		b = append(b, "year,"...)
	}
	if q.Zone {
		b = append(b, "zone,"...)
	}
	b = append(b, [...]string{"s", "ms", "us", "ns"}[min((q.Digits+2)/3, 3)]...)
	if q.Unsynced {
		b = append(b, ",unsynced"...)
	}
	return b
}
