package settings

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Syslog is what `muster serve` does about what devices log. Without an address nothing listens.
type Syslog struct {
	UDP  []Socket `yaml:"udp" doc:"where messages are received by UDP: ports, or addresses with a port; anybody who reaches them can write in any device's name"`
	TCP  []Socket `yaml:"tcp" doc:"likewise by TCP"`
	TLS  []Socket `yaml:"tls" doc:"likewise by TLS, by custom at port 6514"`
	Unix []string `yaml:"unix" doc:"paths of sockets for the programs of this machine; a relative one begins where muster.yaml is"`

	TLSCert     string `yaml:"tls_cert" doc:"file of the certificate that tls shows, and of those it is signed by"`
	TLSKey      string `yaml:"tls_key" doc:"file of its private key"`
	TLSClientCA string `yaml:"tls_client_ca" doc:"file of the authorities that sign the certificates of clients, which have to show one then; absent: anybody may send"`

	Timezone   Zone  `yaml:"timezone" doc:"of the devices whose time stamps name none, such as Europe/Amsterdam; absent: UTC"`
	MaxMessage Bytes `yaml:"max_message" doc:"of a longer message the beginning is taken; absent: 64KiB"`

	Archive   Switch         `yaml:"archive" doc:"whether all messages are kept; absent: on"`
	Retention Span           `yaml:"retention" doc:"what is older is forgotten; absent: 365d"`
	MaxSize   Bytes          `yaml:"max_size" doc:"the oldest is forgotten where all takes more room, compressed; absent: a quarter of the disk"`
	Sources   []SyslogSource `yaml:"sources" doc:"addresses that devices send from beside the one that the inventory has"`
	Relays    []Addr         `yaml:"relays" doc:"addresses of servers that pass messages of others on: of those the name in the message says whose it is; who can write there can write in any device's name"`
	Noise     Noise          `yaml:"noise" doc:"the messages that alarm nobody; or off: all alarm"`
	Changes   Changes        `yaml:"changes" doc:"when a device whose log says that it was configured is backed up; or off"`
}

// Listens tells whether messages are received anywhere.
func (y Syslog) Listens() bool { return len(y.UDP)+len(y.TCP)+len(y.TLS)+len(y.Unix) > 0 }

// Location returns the zone of time stamps that name none.
func (y Syslog) Location() *time.Location {
	if y.Timezone == "" {
		return time.UTC
	}
	return y.Timezone.Location()
}

// SyslogSource says that a device sends from addresses.
type SyslogSource struct {
	Address []Addr `yaml:"address" doc:"IP addresses of the device, as of its loopback or its other interfaces"`
	Device  string `yaml:"device" doc:"its name in the inventory"`
}

// Noise is which messages alarm nobody: they are kept, and rules do not hear them.
type Noise struct {
	Without []string    `yaml:"off" doc:"names of shipped noise that alarms all the same"`
	Add     []NoiseRule `yaml:"add" doc:"more of it"`

	Off bool // noise: off
}

// UnmarshalText reads "off" and "on", which may stand in the place of the keys.
func (n *Noise) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text)
	n.Off = !on
	return err
}

// NoiseRule says which messages alarm nobody.
type NoiseRule struct {
	Name     string   `yaml:"name" doc:"its name, under which the messages are archived"`
	Reason   string   `yaml:"reason" doc:"why nobody needs to know, for whoever wonders later"`
	Severity string   `yaml:"severity" doc:"messages at least as bad as this, such as error"`
	Facility []string `yaml:"facility" doc:"of any of these facilities, such as local7"`
	App      []string `yaml:"app" doc:"of any of these programs or processes; * stands for any characters, ? for one"`
	Mnemonic []string `yaml:"mnemonic" doc:"any of the vendor's words for kinds of messages, such as SYS-6-*; likewise"`
	Text     string   `yaml:"text" doc:"what is in the message, in upper or lower case"`
	Match    string   `yaml:"match" doc:"a regular expression that the message must match"`
	Select   []string `yaml:"select" doc:"the devices, as on the command line; absent: all, and senders that are none"`
}

// Changes is when a device is backed up because its log says that it was configured.
type Changes struct {
	Quiet  Span `yaml:"quiet" doc:"when it has said no more of that for so long; absent: 5s"`
	AtMost Span `yaml:"at_most" doc:"or so long after it has said it first; absent: 60s"`

	Off bool // changes: off
}

// UnmarshalText reads "off" and "on", which may stand in the place of the keys.
func (c *Changes) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text)
	c.Off = !on
	return err
}

// Socket is an address and a port to receive messages on; with a port alone it is :514, all addresses of this machine.
type Socket string

var errSocket = errors.New("must be a port, or an address and a port, such as 514, 192.0.2.1:514 or [::1]:514")

// UnmarshalText reads 514, :514, 192.0.2.1:514, [::1]:514 or localhost:514. No name is looked up: localhost is 127.0.0.1.
func (k *Socket) UnmarshalText(text []byte) error {
	s := string(text)
	if port, err := strconv.ParseUint(strings.TrimPrefix(s, ":"), 10, 16); err == nil {
		*k = Socket(":" + strconv.FormatUint(port, 10))
		return nil
	}
	if port, ok := strings.CutPrefix(s, "localhost:"); ok {
		s = "127.0.0.1:" + port
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil {
		return errSocket
	}
	*k = Socket(addr.String())
	return nil
}

// Addr is an IP address.
type Addr string

// UnmarshalText takes an IP address without a prefix length.
func (a *Addr) UnmarshalText(text []byte) error {
	addr, err := netip.ParseAddr(string(text))
	if err != nil || addr.IsUnspecified() {
		return errors.New("must be an IP address, such as 192.0.2.1 or 2001:db8::1")
	}
	*a = Addr(addr.Unmap().String())
	return nil
}

// IP returns the address; of an Addr that was not read from a file it may not be valid.
func (a Addr) IP() netip.Addr {
	addr, _ := netip.ParseAddr(string(a))
	return addr
}

// Switch is on unless the file says off.
type Switch struct{ Off bool }

// UnmarshalText reads "off" and "on".
func (s *Switch) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text)
	if err != nil {
		return errors.New("must be on or off")
	}
	s.Off = !on
	return nil
}
