package logwatch

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// sameLine fails unless the quick encoding of a message is that of package json.
func sameLine(t *testing.T, m *syslog.Message, a about) {
	t.Helper()
	var e encoder
	line := e.append(nil, m, a)
	for _, r := range strings.TrimSuffix(string(line), "\n") {
		if !unicode.IsPrint(r) {
			t.Errorf("the line holds %U:\n%q", r, line)
		}
	}
	if !utf8.Valid(line) || line[len(line)-1] != '\n' {
		t.Errorf("this is no line: %q", line)
	}
	var got, want muster.LogLine
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("%v:\n%q", err, line)
	}
	slow, err := json.Marshal(lineOf(m, a))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(slow, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("%q (-json +quick):\n%s", m.Raw, diff)
	}
	if keys(t, line) != keys(t, slow) {
		t.Errorf("the keys are\n%s, want\n%s", keys(t, line), keys(t, slow))
	}
	if raw := got.RawBytes; raw != nil && string(raw) != string(m.Raw) || raw == nil && got.Raw != string(m.Raw) {
		t.Errorf("the raw text %q came back as %q", m.Raw, got.Raw)
	}
}

// keys are the keys of an object in their order.
func keys(t *testing.T, line []byte) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(line)))
	var all []string
	depth, key := 0, true
	for {
		token, err := d.Token()
		if err != nil {
			return strings.Join(all, " ")
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				depth++
			} else if depth--; depth == 1 {
				key = true
			}
		case string:
			if depth == 1 {
				if key {
					all = append(all, token)
				}
				key = !key
			}
		default:
			key = depth == 1 || key
		}
	}
}

func testSender() *sender {
	w := Watcher{}
	w.book, _ = NewBook([]muster.Device{{Name: `r"1`, Address: "192.0.2.1"}}, nil, nil)
	return w.newSender(netip.MustParseAddr("192.0.2.1"), w.book.Device(netip.MustParseAddr("192.0.2.1")))
}

func TestALineIsWhatPackageJSONMakesOfIt(t *testing.T) {
	t.Parallel()
	s := testSender()
	at := time.Date(2026, 11, 29, 4, 8, 48, 123456000, time.UTC)
	for _, raw := range []string{
		"<189>123: sw1: 000045: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.1)",
		`<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 42 ID47 [x@1 a="b\"c"] ` + "\ufeffAn \u00e4pplication \\event\\ \"log\"",
		"<13>\x1b[31mred\x1b[0m \x07\x7f\xc2\x9b and \u202e backwards \U0001F600 \U000E0001",
		"<13>\xff\xfe\x80 is no UTF-8 \xc3", "", "a\nb\r\nc\x00d", strings.Repeat(`"\`, 50), "\ufffd stays",
	} {
		var m syslog.Message
		new(syslog.Parser).ParseInto(&m, []byte(raw), at)
		m.Received, m.Source, m.Transport = at, netip.MustParseAddrPort("192.0.2.1:514"), syslog.UDP
		sameLine(t, &m, about{sender: s})
		m.Received, m.Transport, m.Peer = at.Truncate(time.Second), syslog.TLS, "r1.example.net"
		sameLine(t, &m, about{sender: s, flags: []string{"foreign-host", "truncated"}, noise: "n1", missing: 12})
	}
	sameLine(t, &syslog.Message{Received: at, Raw: []byte("x"), Text: []byte("x"), Format: syslog.FormatText, Transport: syslog.Unix},
		about{sender: (&Watcher{book: &Book{}}).newSender(netip.Addr{}, nil)})
}

func TestALineIsRightWhereverItsTextIsInAllThatCame(t *testing.T) {
	t.Parallel()
	s := testSender()
	raw := []byte("<1>\xc3\xa4 \"\\\xe2\x80\xae\xe2\x80 \xff\xf0\x9f\x98\x80\x7f\xc3\r\n")
	for from := range raw {
		for to := from; to <= len(raw); to++ {
			for _, text := range [][]byte{raw[from:to], raw[from:to:to], []byte(string(raw[from:to]))} {
				m := syslog.Message{Raw: raw, Text: text, Source: netip.MustParseAddrPort("192.0.2.1:514"), Format: syslog.FormatText}
				if sameLine(t, &m, about{sender: s}); t.Failed() {
					t.Fatalf("the text is %q", text)
				}
			}
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add([]byte("<13>Nov 29 04:08:48 host app[1]: hello"), int64(0))
	f.Add([]byte("<189>123: \x1b\xff\"\\: *Mar  1 18:46:11.123: %SYS-5-X: \u202e"), int64(1_764_000_000_123_456_789))
	s := testSender()
	f.Fuzz(func(t *testing.T, raw []byte, at int64) {
		var m syslog.Message
		m.Received, m.Source = time.Unix(0, at).UTC(), netip.MustParseAddrPort("192.0.2.1:514")
		new(syslog.Parser).ParseInto(&m, raw, m.Received)
		if y := m.Time.Year(); y < 0 || y > 9999 {
			t.Skip() // is nothing that JSON has
		}
		sameLine(t, &m, about{sender: s})
	})
}

func BenchmarkLine(b *testing.B) {
	s := testSender()
	var m syslog.Message
	at := time.Date(2026, 11, 29, 4, 8, 48, 123456000, time.UTC)
	raw := []byte("<189>123: sw1: *Mar  1 18:46:11.123: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/1, changed state to up")
	new(syslog.Parser).ParseInto(&m, raw, at)
	m.Received, m.Source, m.Transport = at, netip.MustParseAddrPort("192.0.2.1:514"), syslog.UDP
	var e encoder
	var line []byte
	b.Run("quick", func(b *testing.B) {
		for b.Loop() {
			line = e.append(line[:0], &m, about{sender: s})
		}
		b.SetBytes(int64(len(line)))
	})
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			line, _ = json.Marshal(lineOf(&m, about{sender: s}))
		}
		b.SetBytes(int64(len(line)))
	})
}
