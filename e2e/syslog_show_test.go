//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// What `muster syslog` does with messages that mean harm, and how they are shown.

// hostile are messages that want to be two, to move a cursor, to be no text, or to be very long. Each has its place in its text.
func hostile() [][]byte {
	texts := []string{
		"good",
		"a line feed\n<0>2026-11-29T04:08:48Z forged app[1]: a second line",
		"carriage return\rover it\r\n and more\n",
		"colours \x1b[31mred\x1b[0m, a title \x1b]0;owned\x07, a clear \x1b[2J\x1b[H, C1 \u009b31m",
		"NUL \x00 and what is behind it, DEL \x7f, BEL \x07, backspace \b\b\b\b, tab\tstop, vertical \v, form \f",
		"no UTF-8 \xff\xfe\xc0\x80\xed\xa0\x80\xf8 at all",
		"right to left \u202eevil\u202c, zero\u200bwidth, a line separator \u2028, a paragraph \u2029, a BOM \ufeff, next line \u0085",
		`quotes " and ' and \ and \" and \u0000 and </script> and =cmd|' /C calc'!A0`,
		"latin: Gerät im Hörsaal, 日本語, \U0001f525",
		strings.Repeat("60 KB of it, ", 60_000/13),
	}
	var all [][]byte
	for i, text := range texts {
		all = append(all, fmt.Appendf(nil, "<187>Nov 29 04:08:48 host1 app[1]: m%02d %s", i, text))
	}
	return append(all,
		[]byte("\n"), []byte("\x00"), []byte("<"), []byte("<999>"), []byte("=1+1"),
		[]byte("<187>Nov 29 04:08:48 ho\x1b[31mst a\np\x1b[2Jp[\n1]: m90 in every field"),
		[]byte("<187>1 2026-11-29T04:08:48Z ho\x1b[31mst a\x1b[2Jpp 1 ID\x1b[2J [x@1 k=\"\x1b[2J\n\"] m91 in every field"),
		[]byte("<187>9: sw\x1b[31m1: *Mar  1 18:46:11.123: %A\x1b[2JB-3-C\nD: m92 in every field"))
}

// tell sends datagrams, in their order.
func tell(t *testing.T, address string, messages [][]byte) {
	t.Helper()
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, m := range messages {
		if _, err := conn.Write(m); err != nil {
			t.Fatal(err)
		}
	}
}

// shown is what `muster syslog listen` prints of the hostile messages in a format.
func shown(t *testing.T, s *site, format string, args ...string) string {
	t.Helper()
	stdout := &console{}
	all := hostile()
	h := s.hear(t, nil, stdout, append([]string{"--udp", "127.0.0.1:0", "--count", fmt.Sprint(len(all)), "-o", format}, args...)...)
	tell(t, h.at["udp"], all)
	select {
	case <-h.ended:
	case <-time.After(10 * time.Second):
		t.Fatalf("it does not end after %d messages: %s", len(all), h.stderr)
	}
	if code := h.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d: %s", code, h.stderr)
	}
	return stdout.String()
}

// clean fails the test where a text has what a terminal obeys or hides.
func clean(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) || !unicode.IsPrint(r) && r != '\n' {
			t.Fatalf("%q is shown raw in %q", r, text[max(0, i-60):min(len(text), i+60)])
		}
	}
}

func TestSyslogShowsHostileMessagesAsOneHarmlessLineEach(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	archive := filepath.Join(s.dir, "log")
	heard := shown(t, s, "table", "--archive", archive)
	for name, text := range map[string]string{"listen": heard, "search": s.ok(t, "syslog", "search", "--archive", archive)} {
		clean(t, text)
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != len(hostile()) {
			t.Errorf("%s: %d lines of %d messages", name, len(lines), len(hostile()))
		}
		for i := range 10 {
			if mark := fmt.Sprintf("m%02d ", i); !strings.Contains(lines[i], mark) || strings.Count(text, mark) != 1 {
				t.Errorf("%s: line %d is not that of %s: %.300s", name, i, mark, lines[i])
			}
		}
		if n := len(lines[9]); n < 60_000 {
			t.Errorf("%s: %d bytes of a message of 60 KB", name, n)
		}
		for _, word := range []string{`\n<0>`, `\x1b[31mred`, `\x00 and what`, `\xff\xfe`, `\u202eevil`, "Gerät im Hörsaal, 日本語, \U0001f525"} {
			if !strings.Contains(text, word) && !(word == `\xff\xfe` && strings.Contains(text, "\ufffd\ufffd")) {
				t.Errorf("%s: no %s in it", name, word)
			}
		}
	}
}

var paint = regexp.MustCompile("\x1b\\[[0-9;]*m")

// At a terminal with colours, what is not a colour of muster's own is harmless too; and Ctrl-C there ends it well.
func TestSyslogAtATerminal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env     string
		colours bool
	}{"with colours": {"TERM=xterm", true}, "without": {"NO_COLOR=1", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			person, tty := terminal(t)
			s := newSite(t)
			cmd := s.command(t.Context(), "syslog", "listen", "--udp", "127.0.0.1:0")
			cmd.Env = append(cmd.Env, "TERM=xterm", c.env)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			tty.Close()
			screen := &console{}
			copied := make(chan struct{})
			go func() {
				defer close(copied)
				io.Copy(screen, person) // until the program has closed its end
			}()
			t.Cleanup(func() { cmd.Process.Kill() })
			address := ""
			within(t, 10*time.Second, "it listens", func() bool {
				if m := regexp.MustCompile(`muster listens on udp (\S+)`).FindStringSubmatch(screen.String()); m != nil {
					address = m[1]
				}
				return address != ""
			})
			began := len(screen.String())
			tell(t, address, hostile())
			within(t, 10*time.Second, "all are shown", func() bool { return strings.Contains(screen.String(), "m92 ") })
			if _, err := person.WriteString("\x03"); err != nil {
				t.Fatal(err)
			}
			select {
			case <-copied:
			case <-time.After(10 * time.Second):
				t.Fatal("Ctrl-C does not end it")
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit %d", code)
			}
			text := strings.ReplaceAll(screen.String()[began:], "\r\n", "\n")
			if painted := paint.MatchString(text); painted != c.colours {
				t.Errorf("colours: %v", painted)
			}
			text = paint.ReplaceAllString(text, "")
			clean(t, text)
			rows, rest, _ := strings.Cut(text, "^C")
			if n := strings.Count(rows, "\n"); n != len(hostile()) {
				t.Errorf("%d lines of %d messages:\n%.5000s", n, len(hostile()), rows)
			}
			if !strings.Contains(rest, fmt.Sprintf("%d messages", len(hostile()))) {
				t.Errorf("the counts are not told: %s", rest)
			}
		})
	}
}

func TestSyslogSpeaksEveryFormat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	archive := filepath.Join(s.dir, "log")
	all := hostile()
	asked := func(format string) string { return s.ok(t, "syslog", "search", "--archive", archive, "-o", format) }
	type message struct {
		Source   string
		Raw      string
		RawBytes []byte `json:"raw_bytes"`
		Flags    []string
	}
	same := func(t *testing.T, what string, got []message) {
		if len(got) != len(all) {
			t.Fatalf("%s: %d objects of %d messages", what, len(got), len(all))
		}
		for i, m := range got {
			raw := m.RawBytes
			if raw == nil {
				raw = []byte(m.Raw)
			}
			if !bytes.Equal(raw, all[i]) || m.Source != "127.0.0.1" || slices.Contains(m.Flags, "truncated") {
				t.Errorf("%s: message %d was %.200q and is %.200q, %v", what, i, all[i], raw, m.Flags)
			}
		}
	}
	for name, text := range map[string]string{"listen": shown(t, s, "ndjson", "--archive", archive), "search": asked("ndjson")} {
		clean(t, text)
		same(t, name+" ndjson", lines[message](t, text))
	}
	for name, text := range map[string]string{"listen": shown(t, s, "json"), "search": asked("json")} {
		clean(t, text)
		var doc struct {
			Results []message
			Summary map[string]any
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Summary) == 0 {
			t.Errorf("%s: %v, %v", name, err, doc.Summary)
		}
		same(t, name+" json", doc.Results)
	}
	for name, text := range map[string]string{"listen": shown(t, s, "csv"), "search": asked("csv")} {
		clean(t, strings.ReplaceAll(text, "\t", " "))
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if raw := slices.Index(rows[0], "raw"); len(rows) != 1+len(all) || raw < 0 || !strings.HasSuffix(rows[1][raw], "m00 good") {
			t.Errorf("%s: %d rows, %q", name, len(rows), rows[:2])
		}
		if n := strings.Count(text, "\n"); n != len(rows) {
			t.Errorf("%s: %d lines of %d rows: a message is more than one line", name, n, len(rows))
		}
	}
	for name, text := range map[string]string{"listen": shown(t, s, "list"), "search": asked("list")} {
		if text != "127.0.0.1\n" {
			t.Errorf("%s list: %q", name, text)
		}
	}
}
