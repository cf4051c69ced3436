package session_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/musternet/muster/session"
)

// telnetDevice is the far end of a telnet connection in a test: it reads lines and keeps what was negotiated.
type telnetDevice struct {
	net.Conn
	told []byte
}

// line reads a line, keeping the protocol's bytes apart.
func (d *telnetDevice) line() (string, bool) {
	var text []byte
	b := make([]byte, 1)
	for {
		if _, err := io.ReadFull(d.Conn, b); err != nil {
			return "", false
		}
		switch {
		case b[0] == 255:
			rest := make([]byte, 2)
			if _, err := io.ReadFull(d.Conn, rest); err != nil {
				return "", false
			}
			d.told = append(append(d.told, 255), rest...)
			for rest[0] == 250 && !bytes.HasSuffix(d.told, []byte{255, 240}) {
				if _, err := io.ReadFull(d.Conn, b); err != nil {
					return "", false
				}
				d.told = append(d.told, b[0])
			}
		case b[0] == '\n':
			return strings.TrimRight(string(text), "\r"), true
		default:
			text = append(text, b[0])
		}
	}
}

func (d *telnetDevice) say(s string) { io.WriteString(d.Conn, s) }

// router asks for user and password and echoes commands.
func router(d *telnetDevice) {
	d.say("\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f\xff\xfd\x2a\xff\xfb\x1f\xff\xfa\x18\x01\xff\xf0\r\n# Welcome > here #\r\n\r\nUsername: ")
	for range 3 {
		user, ok := d.line()
		if !ok {
			return
		}
		d.say(user + "\r\nPassword: ")
		secret, ok := d.line()
		if !ok {
			return
		}
		if user == "admin" && secret == "s3cret" {
			d.shell()
			return
		}
		d.say("\r\n% Login invalid\r\n\r\nUsername: ")
	}
}

func (d *telnetDevice) shell() {
	d.say("\r\nr1#")
	for {
		cmd, ok := d.line()
		if !ok {
			return
		}
		d.say(cmd + "\r\n")
		if cmd == "show run" {
			d.say("hostname r1\r\nbyte \xff\xff here\r\n\xff\xf1end\r\n")
		}
		d.say("r1#")
	}
}

func telnetConfig(t *testing.T, f func(d *telnetDevice), creds ...session.Credential) session.Config {
	return session.Config{Transport: "telnet", Credentials: creds, Dialer: talker(t, func(c net.Conn) {
		defer c.Close()
		f(&telnetDevice{Conn: c})
	})}
}

func TestTelnetLogsInAndRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []byte
		var mu sync.Mutex
		g := &guard{}
		c := telnetConfig(t, func(d *telnetDevice) {
			router(d)
			mu.Lock()
			defer mu.Unlock()
			told = append(told, d.told...)
		},
			password("old", "wrongpw1"), password("admin", "s3cret"))
		c.Guard = g
		err := session.With(t.Context(), "r1", c, func(ctx context.Context, s *session.Session) error {
			out, err := s.Run(ctx, "show run")
			if out.Text != "hostname r1\nbyte \xff here\nend\n" {
				t.Errorf("got %q", out.Text)
			}
			if i := s.Info(); i.Prompt != "r1#" || i.Credential != "admin" || !strings.Contains(i.Motd, "# Welcome") {
				t.Errorf("info %+v", i)
			}
			if strings.Contains(string(s.Transcript()), "s3cret") {
				t.Errorf("transcript: %s", s.Transcript())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for _, want := range []string{"\xff\xfd\x01", "\xff\xfd\x03", "\xff\xfb\x18", "\xff\xfb\x1f\xff\xfa\x1f\x01\xff\xff\x00\x18\xff\xf0", "\xff\xfc\x2a", "\xff\xfe\x1f", "\xff\xfa\x18\x00vt100\xff\xf0"} {
			if !bytes.Contains(told, []byte(want)) {
				t.Errorf("told %q, want %q in it", told, want)
			}
		}
		if got := strings.Join(g.log, ", "); got != "ask old, old rejected, ask admin, admin accepted" {
			t.Fatalf("guard heard %s", got)
		}
	})
}

func TestTelnetFailures(t *testing.T) {
	cases := []struct {
		name        string
		device      func(d *telnetDevice)
		creds       []session.Credential
		stage, code string
	}{
		{"wrong password", router, []session.Credential{password("admin", "wrongpw1")}, "auth", "auth-rejected"},
		{"wrong password and closed", func(d *telnetDevice) {
			d.say("Password: ")
			d.line()
			d.say("\r\n% Bad passwords\r\n")
		}, []session.Credential{password("admin", "wrongpw1")}, "auth", "auth-rejected"},
		{"no secret", router, []session.Credential{{User: "admin"}}, "auth", "no-auth-method"},
		{"closes", func(*telnetDevice) {}, nil, "prompt", "connection-lost"},
		{"mute", func(d *telnetDevice) { io.Copy(io.Discard, d.Conn) }, nil, "prompt", "timeout"},
		{"mute after the password", func(d *telnetDevice) { d.say("Password: "); d.line(); io.Copy(io.Discard, d.Conn) }, []session.Credential{password("admin", "s3cret")}, "prompt", "no-prompt"},
		{"flood", func(d *telnetDevice) {
			for {
				if _, err := io.WriteString(d.Conn, strings.Repeat("x", 10_000)+"\n"); err != nil {
					return
				}
			}
		}, nil, "prompt", "flood"},
		{"negotiates for ever", func(d *telnetDevice) {
			d.say(strings.Repeat("\xff\xfb\x05\xff\xfc\x05\xff\xfa", 1000))
			io.Copy(io.Discard, d.Conn)
		}, nil, "prompt", "timeout"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := session.Dial(t.Context(), "r1", telnetConfig(t, tc.device, tc.creds...))
				wantFailure(t, err, tc.stage, tc.code)
			})
		})
	}
}
