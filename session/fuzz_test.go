package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

// converse logs in by telnet to a device that sends login, then answer to one command, cut in two at cut.
func converse(t *testing.T, login, answer string, cut int) (text string, err error) {
	t.Helper()
	c := telnetConfig(t, func(d *telnetDevice) {
		d.say(login)
		if _, ok := d.line(); !ok {
			return
		}
		at := min(max(cut, 0), len(answer))
		d.say(answer[:at])
		time.Sleep(time.Millisecond)
		d.say(answer[at:])
		for {
			if _, ok := d.line(); !ok {
				return
			}
		}
	}, password("admin", "s3cret"))
	c.Limits = session.Limits{Prompt: 20 * time.Second, Auth: 20 * time.Second, Command: 20 * time.Second, CommandBytes: 1 << 16}
	s, err := session.Dial(t.Context(), "r1", c)
	if err != nil {
		return "", err
	}
	defer s.Close()
	out, err := s.Run(t.Context(), "show run")
	return out.Text, err
}

// FuzzConversation feeds a login and an answer of any bytes: the session ends in time, and what it reports is fit to
// be printed.
func FuzzConversation(f *testing.F) {
	f.Add("\r\nr1#", "show run\r\nhostname r1\r\nr1#", 10)
	f.Add("\xff\xfb\x01Username: ", "x", 0)
	f.Add("r1> ", "show run\r\n --More-- \b\b\b\x1b[K\x1b[6n\x1b]0;x\x07line\r\nr1> ", 20)
	f.Add("# motd #\r\nPress any key to continue", "\x1b[999999999C\x1b[5P\x1b[@\x1b[1K\x1b[2J\x1b[H\r\nr1#", 5)
	f.Fuzz(func(t *testing.T, login, answer string, cut int) {
		synctest.Test(t, func(t *testing.T) {
			text, err := converse(t, login, answer, cut)
			if len(text) > 1<<17 {
				t.Fatalf("%d bytes of text came from %d", len(text), len(answer))
			}
			var e *session.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("got %T", err)
			}
			if e != nil && (strings.ContainsFunc(e.Error(), unicode.IsControl) || strings.Contains(e.Error()+string(e.Transcript), "s3cret")) {
				t.Fatalf("got %q\n%s", e.Error(), e.Transcript)
			}
		})
	})
}

// FuzzTextArrives sends any lines of text, cut anywhere, with a pager before one of them, and wants them back.
func FuzzTextArrives(f *testing.F) {
	f.Add("hostname r1\n!\n interface x\nend", 7, 2)
	f.Add("r1#\nr1# show\n--More--", 12, 1)
	f.Add("\n\n  \n", 0, 0)
	f.Fuzz(func(t *testing.T, text string, cut, paged int) {
		if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7f }) || strings.Contains(text, "\xff") {
			t.Skip("control bytes are another test's")
		}
		want := strings.TrimRight(text, "\n") + "\n"
		lines := strings.SplitAfter(want, "\n")
		paged = min(max(paged, 0), len(lines)-2)
		if paged >= 0 && paged < len(lines) && strings.TrimSpace(lines[paged]) == "" {
			t.Skip("blanks behind a pager are its wiping")
		}
		synctest.Test(t, func(t *testing.T) {
			sent := ""
			for i, l := range lines {
				if i == paged {
					sent += "\x00"
				}
				sent += strings.ReplaceAll(l, "\n", "\r\n")
			}
			before, after, _ := strings.Cut(sent, "\x00")
			d := raw("r1#", func(t *sessiontest.Terminal, cmd string) {
				t.Print(before + " --More-- ")
				t.Key()
				answer := "\r          \r" + after + "r1#"
				at := min(max(cut, 0), len(answer))
				t.Print(answer[:at])
				time.Sleep(time.Millisecond)
				t.Print(answer[at:])
			})
			s := dialShell(t, d, session.Shell{})
			if got := mustRun(t, s, "show run"); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		})
	})
}

// FuzzKnownHosts reads any file: it never fails on what is no entry, and a key that was trusted is right afterwards.
func FuzzKnownHosts(f *testing.F) {
	key := sessiontest.NewKey(f).PublicKey()
	f.Add([]byte("sw1 ssh-ed25519 AAAA\n|1|x|y ssh-rsa AAAA\n@revoked * ssh-rsa AAAA\n[sw1]:22"), "sw1")
	f.Fuzz(func(t *testing.T, data []byte, host string) {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := session.TrustKey(file, host, key); err != nil {
			if got, readErr := os.ReadFile(file); readErr != nil || string(got) != string(data) {
				t.Fatalf("%v, and the file was changed", err)
			}
			t.Skip("no host name")
		}
		keys, err := session.OpenKnownHosts(false, file)
		if err != nil {
			t.Fatal(err)
		}
		keys.Algorithms(host)
		if err := keys.Check(host, nil, key); err != nil {
			t.Fatal(err)
		}
	})
}
