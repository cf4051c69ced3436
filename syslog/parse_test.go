package syslog_test

import (
	"bytes"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/syslog"
)

func TestParsingDoesNotAllocate(t *testing.T) {
	for file, blocks := range goldens(t) {
		for _, g := range blocks {
			p := syslog.Parser{Location: time.FixedZone("", 3600)}
			var m syslog.Message
			if n := testing.AllocsPerRun(10, func() { p.ParseInto(&m, g.message, g.received) }); n != 0 {
				t.Errorf("%s: %q: %v allocations", file, g.message, n)
			}
		}
	}
}

func TestAMessageThatIsUsedAgainKeepsNothingOfTheOneBefore(t *testing.T) {
	t.Parallel()
	var all []golden
	for _, blocks := range goldens(t) {
		all = append(all, blocks...)
	}
	var p syslog.Parser
	m := syslog.Message{Received: receivedByDefault, Transport: syslog.UDP, Peer: "peer", Truncated: true}
	for _, g := range all {
		p.ParseInto(&m, g.message, g.received)
		want := p.Parse(g.message, g.received)
		want.Received, want.Transport, want.Peer, want.Truncated = receivedByDefault, syslog.UDP, "peer", true
		if d := cmp.Diff(want, m, byAddr); d != "" {
			t.Fatalf("%q (-want +got):\n%s", g.message, d)
		}
	}
}

func TestParseTakesTheTimeOfNow(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	m := syslog.Parse([]byte("<13>" + now.Format(time.Stamp) + " host app: text"))
	if got := m.Time; !got.Equal(now.Truncate(time.Second)) || !m.Received.IsZero() {
		t.Errorf("got %s of %s, received %s", got, now, m.Received)
	}
}

// Each part of a Cisco's header may be missing: what is there is found whatever is not.
func TestEveryCiscoHeaderIsUnderstood(t *testing.T) {
	t.Parallel()
	type part struct{ text, want string }
	counters := []part{{"", ""}, {": ", ""}, {"123: ", "counter: 123"}, {"123: 123: ", "counter: 123"}}
	hosts := []part{
		{"", ""}, {"sw1: ", "host: sw1"}, {"sw-1.example.com: ", "host: sw-1.example.com"}, {"192.0.2.1: ", "host: 192.0.2.1"},
		{"2001:db8::1: ", "host: 2001:db8::1"}, {"::1: ", "host: ::1"}, {"sw1: sw1: ", "host: sw1"},
	}
	sequences := []part{{"", ""}, {"000104: ", "sequence: 104"}, {"000104: 000104: ", "sequence: 104"}}
	times := []part{
		{"", ""}, {"*Mar  1 18:46:11.123: ", "time: 2026-03-01T18:46:11.123Z ms,unsynced"}, {"Mar  1 18:46:11: ", "time: 2026-03-01T18:46:11Z s"},
		{".Mar 01 2026 18:46:11 CET: ", "time: 2026-03-01T17:46:11Z year,zone,s,unsynced"},
		{"Mar  1 18:46:11.123 UTC+07:30: ", "time: 2026-03-01T11:16:11.123Z zone,ms"}, {"2y10w: ", "time: 19200h0m0s uptime"},
		{"00:00:12: ", "time: 12s uptime"}, {"*2026 Mar 11 18:46:11.123456 GMT: ", "time: 2026-03-11T18:46:11.123456Z year,zone,us,unsynced"},
	}
	for _, c := range counters {
		for _, h := range hosts {
			for _, s := range sequences {
				for _, at := range times {
					raw := "<189>" + c.text + h.text + s.text + at.text + "%SYS-5-CONFIG_I: Configured"
					format := "cisco_ios"
					if len(at.text) > 6 && at.text[1:5] == "2026" {
						format = "cisco_nxos"
					}
					want := []string{"priority: local7.notice", "format: " + format}
					for _, line := range []string{h.want, at.want, c.want} {
						if line != "" {
							want = append(want, line)
						}
					}
					doubled := c.text == "123: 123: " && s.want == ""
					if doubled { // the second of two is the sequence number, if there is no other
						want = append(want, "sequence: 123")
					} else if s.want != "" {
						want = append(want, s.want)
					}
					want = append(want, "mnemonic: SYS-5-CONFIG_I", "text: Configured")
					m := new(syslog.Parser).Parse([]byte(raw), receivedByDefault)
					if d := cmp.Diff(want, fields(&m)); d != "" {
						t.Errorf("%q (-want +got):\n%s", raw, d)
					}
				}
			}
		}
	}
}

// byAddr compares what has no exported fields.
var byAddr = cmp.Comparer(func(a, b syslog.Message) bool {
	return equal(&a, &b)
})

// equal compares all fields but the memory that they are in.
func equal(a, b *syslog.Message) bool {
	return cmp.Equal(fields(a), fields(b)) && bytes.Equal(a.Raw, b.Raw) && a.Received.Equal(b.Received) && a.Time.Equal(b.Time) &&
		a.Quality == b.Quality && a.Uptime == b.Uptime && a.Transport == b.Transport && a.Peer == b.Peer && a.Truncated == b.Truncated
}

// FuzzParse: whatever comes, nothing of it is lost, and no byte that could be meant for a terminal or make a second line of a
// file gets into a field of the header.
func FuzzParse(f *testing.F) {
	for _, blocks := range goldens(f) {
		for _, g := range blocks {
			f.Add(g.message)
		}
	}
	f.Add([]byte("<10>Nov 00000000000")) // a day of nothing but zeros
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		p := syslog.Parser{}
		m := p.Parse(raw, receivedByDefault)
		if !bytes.Equal(m.Raw, before) {
			t.Fatalf("raw is %q", m.Raw)
		}
		for name, field := range map[string][]byte{
			"host": m.Host, "relay": m.Relay, "app": m.App, "procid": m.ProcID, "msgid": m.MsgID, "mnemonic": m.Mnemonic,
		} {
			within(t, name, field, raw)
			if !harmless(field) {
				t.Errorf("%s is %q", name, field)
			}
		}
		within(t, "data", m.Data, raw)
		within(t, "text", m.Text, raw)
		if m.Format == syslog.FormatText && !m.Prioritized && !bytes.Contains(m.Text, bytes.TrimPrefix(bytes.TrimRight(raw, "\r\n\x00"), []byte("\ufeff"))) {
			t.Errorf("text is %q", m.Text)
		}
		if m.Severity > syslog.Debug || m.Facility > syslog.Local7 {
			t.Errorf("%s.%s", m.Facility, m.Severity)
		}
		if m.Quality.Known == m.Time.IsZero() && m.Time.Year() != 1 || m.Quality.Uptime && m.Quality.Known {
			t.Errorf("%s: %s", m.Time, m.Quality)
		}
		if again := p.Parse(m.Raw, receivedByDefault); !equal(&m, &again) {
			t.Errorf("the second time it is another: %v, %v", fields(&m), fields(&again))
		}
	})
}

// within wants a field to be a part of the message.
func within(t *testing.T, name string, field, raw []byte) {
	t.Helper()
	if len(field) == 0 {
		return
	}
	first, at := uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(unsafe.Pointer(unsafe.SliceData(field)))
	if at < first || at+uintptr(len(field)) > first+uintptr(len(raw)) {
		t.Errorf("%s, %q, is no part of the message", name, field)
	}
}

// harmless says that a field is UTF-8 of characters that leave a mark, and has no space.
func harmless(field []byte) bool {
	for _, r := range string(field) {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return false
		}
	}
	return utf8.Valid(field)
}
