package syslog_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/syslog"
)

var update = flag.Bool("update", false, "write what is wanted of the messages in testdata anew; read the diff")

// golden is one block of a file in testdata/parse: comments, the message, and a line for each field that is set. A message or a
// value that is a Go string literal is unquoted. A line "received: ..." in front of the message overrides the default.
type golden struct {
	file     string
	comment  []string
	received time.Time
	message  []byte
	want     []string
}

var receivedByDefault = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestMessagesOfDevicesAreUnderstood(t *testing.T) {
	t.Parallel()
	for file, blocks := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			for i, g := range blocks {
				if g.message == nil {
					continue
				}
				m := new(syslog.Parser).Parse(g.message, g.received)
				got := fields(&m)
				if *update {
					blocks[i].want = got
				} else if d := cmp.Diff(g.want, got); d != "" {
					t.Errorf("%q (-want +got):\n%s", g.message, d)
				}
				if !bytes.Equal(m.Raw, g.message) {
					t.Errorf("%q: raw is %q", g.message, m.Raw)
				}
			}
			if *update {
				write(t, file, blocks)
			}
		})
	}
}

// fields tells every field that is set, and no other.
func fields(m *syslog.Message) []string {
	var lines []string
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, name+": "+quoted(value))
		}
	}
	priority := fmt.Sprintf("%s.%s", m.Facility, m.Severity)
	if !m.Prioritized {
		priority += " (assumed)"
	}
	add("priority", priority)
	add("format", string(m.Format))
	add("host", string(m.Host))
	add("relay", string(m.Relay))
	if !m.Time.IsZero() || m.Quality != (syslog.TimeQuality{}) || m.Uptime != 0 {
		add("time", clockText(m))
	}
	add("counter", decimal(m.Counter))
	add("sequence", decimal(m.Sequence))
	add("app", string(m.App))
	add("procid", string(m.ProcID))
	add("msgid", string(m.MsgID))
	add("mnemonic", string(m.Mnemonic))
	add("data", string(m.Data))
	if len(m.Data) > 0 && m.Data[0] == '[' {
		for p := range m.Pairs() {
			add("pair", fmt.Sprintf("%s %s=%s", p.ID, p.Name, p.Value))
		}
	}
	add("text", string(m.Text))
	return lines
}

// clockText has as many digits of the second as the device told.
func clockText(m *syslog.Message) string {
	q := m.Quality
	if q.Uptime {
		text := m.Uptime.String() + " uptime"
		if q.Unsynced {
			text += ",unsynced"
		}
		return text
	}
	layout := "2006-01-02T15:04:05"
	if q.Digits > 0 {
		layout += "." + strings.Repeat("0", int(q.Digits))
	}
	return m.Time.Format(layout+"Z07:00") + " " + q.String()
}

func decimal(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// quoted is the value, as a Go string literal if it could not be read back otherwise.
func quoted(value string) string {
	plain := strings.TrimSpace(value) == value && value != ""
	for _, r := range value {
		plain = plain && strconv.IsPrint(r) && r != '\ufffd'
	}
	if _, err := strconv.Unquote(value); err == nil || !plain {
		return strconv.Quote(value)
	}
	return value
}

func unquoted(text string) string {
	if value, err := strconv.Unquote(text); err == nil {
		return value
	}
	return text
}

func goldens(t testing.TB) map[string][]golden {
	t.Helper()
	files, err := filepath.Glob("testdata/parse/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages in testdata/parse: %v", err)
	}
	all := make(map[string][]golden)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for block := range strings.SplitSeq(string(text), "\n\n") {
			if strings.TrimSpace(block) != "" {
				all[file] = append(all[file], readGolden(t, file, block))
			}
		}
	}
	return all
}

func readGolden(t testing.TB, file, block string) golden {
	t.Helper()
	g := golden{file: file, received: receivedByDefault}
	for line := range strings.SplitSeq(strings.Trim(block, "\n"), "\n") {
		received, ok := strings.CutPrefix(line, "received: ")
		switch {
		case g.message != nil:
			g.want = append(g.want, line)
		case strings.HasPrefix(line, "#"):
			g.comment = append(g.comment, line)
		case ok:
			at, err := time.Parse(time.RFC3339, received)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			g.received = at
		default:
			g.message = []byte(unquoted(line))
		}
	}
	return g
}

func write(t *testing.T, file string, blocks []golden) {
	t.Helper()
	var b strings.Builder
	for i, g := range blocks {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, line := range g.comment {
			fmt.Fprintln(&b, line)
		}
		if g.message == nil {
			continue // a comment on what follows
		}
		if g.received != receivedByDefault {
			fmt.Fprintln(&b, "received:", g.received.Format(time.RFC3339))
		}
		fmt.Fprintln(&b, quoted(string(g.message)))
		for _, line := range g.want {
			fmt.Fprintln(&b, line)
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
