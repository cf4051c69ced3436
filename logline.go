package muster

import (
	"net/netip"
	"time"
)

// LogLine is one syslog message as it is archived and shown: what the device said, and what is known of who said it. The texts
// are as they came but for bytes that are no UTF-8, which became U+FFFD: then RawBytes has the message as it was.
type LogLine struct {
	Received    time.Time  `json:"received"`
	Source      netip.Addr `json:"source"` // who sent it; not valid: a program on this machine
	Transport   string     `json:"transport,omitempty"`
	Peer        string     `json:"peer,omitempty"`  // the name in the sender's certificate, verified
	Device      string     `json:"device"`          // of the inventory, by the source; empty: it is unknown
	Flags       []string   `json:"flags,omitempty"` // what to be wary of: see the constants Flag...
	Host        string     `json:"host"`            // what the message calls its sender
	Relay       string     `json:"relay,omitempty"` // the host in the header that a relay put in front
	Time        time.Time  `json:"time,omitzero"`   // by the device's clock
	TimeQuality string     `json:"time_quality"`    // how far Time can be trusted: "none", "uptime", "year,zone,ms", "s,unsynced"
	Facility    string     `json:"facility"`
	Severity    string     `json:"severity"`
	App         string     `json:"app"`
	ProcID      string     `json:"procid,omitempty"`
	Mnemonic    string     `json:"mnemonic"` // the vendor's word for the kind of message: "SYS-5-CONFIG_I"; RFC 5424's MSGID
	Counter     uint64     `json:"counter,omitempty"`
	Sequence    uint64     `json:"sequence,omitempty"`
	Noise       string     `json:"noise,omitempty"`   // the rule by which nobody is alarmed by it
	Missing     int        `json:"missing,omitempty"` // so many messages of the device before this one never came
	Message     string     `json:"message"`
	Raw         string     `json:"raw"`
	RawBytes    []byte     `json:"raw_bytes,omitempty"`
	Format      string     `json:"format"`
}

// What a LogLine can be flagged with.
const (
	FlagUnknownSource = "unknown-source" // no device of the inventory has the address it came from
	FlagForeignHost   = "foreign-host"   // it calls itself by the name of another device than the one whose address it came from
	FlagTruncated     = "truncated"      // it was longer than the receiver takes
	FlagReplayed      = "replayed"       // the device's clock says that it is much older than its arrival
)
