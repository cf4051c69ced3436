package session_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

func TestExecEndings(t *testing.T) {
	cases := []struct {
		name string
		exec func(conn net.Conn, ch ssh.Channel) int
		code string // empty: it went well
		exit int
	}{
		{"status", func(_ net.Conn, ch ssh.Channel) int { io.WriteString(ch, "text\n"); return 3 }, "", 3},
		{"channel closed without a status", func(_ net.Conn, ch ssh.Channel) int { io.WriteString(ch, "text\n"); ch.Close(); return 0 }, "", -1},
		{"connection closed in mid-output", func(conn net.Conn, ch ssh.Channel) int { io.WriteString(ch, "te"); conn.Close(); return 0 }, "connection-lost", 0},
		{"connection closed behind a status", func(conn net.Conn, ch ssh.Channel) int {
			io.WriteString(ch, "text\n")
			ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
			conn.Close()
			return 0
		}, "", 0},
		{"end of output, then the connection closed without a status", func(conn net.Conn, ch ssh.Channel) int {
			io.WriteString(ch, "text\n")
			ch.CloseWrite()
			conn.Close()
			return 0
		}, "connection-lost", 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var conn net.Conn
				srv := sessiontest.New(t, sessiontest.Device{
					Wrap: func(c net.Conn) net.Conn { conn = c; return c },
					Exec: func(cmd string, ch ssh.Channel) int { return tc.exec(conn, ch) },
				})
				s, err := session.Dial(t.Context(), srv.Addr, srv.Config(t))
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				out, err := s.Run(t.Context(), "x")
				if tc.code != "" {
					e := wantFailure(t, err, "command", tc.code)
					if out.Text != "" || len(e.Transcript) == 0 {
						t.Fatalf("got %+v with transcript %q", out, e.Transcript)
					}
					return
				}
				if err != nil || out.Text != "text\n" || out.ExitStatus != tc.exit {
					t.Fatalf("got %+v, %v", out, err)
				}
			})
		})
	}
}

func TestExecReadsStdinAndUndoesTerminals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := sessiontest.New(t, sessiontest.Device{Exec: func(cmd string, ch ssh.Channel) int {
			if cmd == "cat" {
				io.Copy(ch, ch)
				return 0
			}
			io.WriteString(ch, "\x1b[1mbold\x1b[0m\r\nlast without newline")
			io.WriteString(ch.Stderr(), "careful")
			return 0
		}})
		s, err := session.Dial(t.Context(), srv.Addr, srv.Config(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		in := strings.Repeat("some line of input\n", 10_000)
		if out, err := s.Do(t.Context(), session.Command{Text: "cat", Stdin: in}); err != nil || out.Text != in {
			t.Fatalf("got %d bytes, %v", len(out.Text), err)
		}
		out, err := s.Run(t.Context(), "show")
		if err != nil || out.Text != "bold\nlast without newline" || out.Stderr != "careful" {
			t.Fatalf("got %+v, %v", out, err)
		}
		if tr := string(s.Transcript()); !strings.Contains(tr, ">>> show\n") {
			t.Fatalf("transcript %q", tr)
		}
	})
}

func TestRefusedExecSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		talk := sessiontest.New(t, sessiontest.Device{NoExec: true})
		s, err := session.Dial(t.Context(), talk.Addr, talk.Config(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		_, err = s.Run(t.Context(), "show")
		if e := wantFailure(t, err, "command", "command-rejected"); e.Hint == "" {
			t.Fatal("no hint")
		}
	})
}
