package logwatch

import (
	"bytes"
	"encoding/json"
	"net/netip"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/syslog"
)

// mostSenders is how many addresses are remembered that messages came from. When more come, as when somebody invents them, all are
// forgotten: what is lost is who has which numbers and clock.
const mostSenders = 100_000

// sender is who messages come from.
type sender struct {
	device *muster.Device // nil: unknown
	key    string         // the name of the device, or the address
	def    *platform.Def  // of the device's platform; nil: that is not known

	source, deviceKey []byte // of its lines

	host   []byte // what it called itself last
	flags  []string
	stale  []string // flags, of a message that was played back
	number gaps     // by Cisco's count for this receiver
	order  gaps     // by its own numbers, where there is no count

	clock clock
	via   map[string]*sender // of a relay: the devices whose messages it passes on, by what they call themselves
}

func (w *Watcher) newSender(addr netip.Addr, d *muster.Device) *sender {
	s := &sender{device: d, key: addr.String()}
	if !addr.IsValid() {
		s.key = "local"
	}
	if d != nil {
		s.key = d.Name
		s.def, _ = platform.Lookup(d.Platform)
	} else if addr.IsValid() {
		s.flags = []string{muster.FlagUnknownSource}
	}
	s.stale = append(s.flags[:len(s.flags):len(s.flags)], muster.FlagReplayed)
	source, _ := json.Marshal(addr) // texts always marshal
	device, _ := json.Marshal(s.name())
	s.source = append([]byte(`,"source":`), source...)
	s.deviceKey = append([]byte(`,"device":`), device...)
	return s
}

func (s *sender) name() string {
	if s.device == nil {
		return ""
	}
	return s.device.Name
}

// meet makes the sender of an address.
func (w *Watcher) meet(addr netip.Addr) *sender {
	s := w.newSender(addr, w.book.Device(addr))
	if w.book.relays[addr] {
		s.via = map[string]*sender{}
	}
	return s
}

// sender finds who a message is from.
func (w *Watcher) sender(m *syslog.Message) *sender {
	addr := plain(m.Source.Addr())
	s := w.senders[addr]
	if s == nil {
		if len(w.senders) >= mostSenders {
			clear(w.senders)
		}
		s = w.meet(addr)
		w.senders[addr] = s
	}
	if s.via == nil || len(m.Host) == 0 {
		return s
	}
	one, ok := s.via[string(m.Host)]
	if !ok {
		if len(s.via) >= mostSenders {
			clear(s.via)
		}
		if d := w.book.named(string(m.Host)); d != nil {
			one = w.newSender(addr, d)
		}
		s.via[string(m.Host)] = one
	}
	if one == nil {
		return s
	}
	return one
}

// flagsOf says what to be wary of in a message.
func (w *Watcher) flagsOf(s *sender, m *syslog.Message, replayed bool) []string {
	if !bytes.Equal(m.Host, s.host) {
		s.host = append(s.host[:0], m.Host...)
		s.flags, s.stale = w.suspect(s)
	}
	flags := s.flags
	if replayed {
		flags = s.stale
	}
	if m.Truncated {
		flags = append(flags[:len(flags):len(flags)], muster.FlagTruncated)
	}
	return flags
}

// suspect compares what a sender calls itself with whose address it has.
func (w *Watcher) suspect(s *sender) (flags, stale []string) {
	if s.device == nil && s.key != "local" {
		flags = append(flags, muster.FlagUnknownSource)
	}
	if len(s.host) > 0 {
		if claimed := w.book.named(string(s.host)); claimed != nil && claimed != s.device {
			flags = append(flags, muster.FlagForeignHost)
		}
	}
	return flags, append(flags[:len(flags):len(flags)], muster.FlagReplayed)
}
