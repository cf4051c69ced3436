package probe_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

func TestOnlyAnIdentificationIsSSH(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, said, detail, code, words string
	}{
		{"old", "SSH-1.99-Cisco-1.25\n", "SSH-1.99-Cisco-1.25", "", ""},
		{"after other lines", "Authorised access only\r\n\r\nSSH-2.0-x y\r\n", "SSH-2.0-x y", "", ""},
		{"the longest", "SSH-2.0-" + strings.Repeat("a", 245) + "\r\n", "SSH-2.0-" + strings.Repeat("a", 245), "", ""},
		{"bytes that are no text", "SSH-2.0-\xff\r\n", "SSH-2.0-\uFFFD", "", ""},
		{"too long", "SSH-2.0-" + strings.Repeat("a", 300) + "\r\n", "", "not-ssh", `it said "SSH-2.0-aaa`},
		{"too many lines", strings.Repeat("motd\n", 1000), "", "not-ssh", `it said "motd"`},
		{"nothing but blank lines without end", strings.Repeat("\r\n", 3000), "", "not-ssh", "does not speak SSH"},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n", "", "not-ssh", `it said "HTTP/1.1 400 Bad Request"`},
		{"a prompt", "login: ", "", "not-ssh", `it said "login: "`},
		{"half of one", "SSH-2.0-Open", "", "timeout", `it said "SSH-2.0-Open"`},
		{"blank lines", "\r\n\r\n", "", "mute", "said nothing within 3s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, _ := inBubble(t, "ssh", probe.Options{Dial: wire(0, say(c.said))}, probe.Target{Addr: addr}, whole)
			if c.code == "" {
				if !o.Up || o.Detail != c.detail {
					t.Errorf("got %+v (%v)", o, o.Failure)
				}
				return
			}
			want(t, o, muster.StageHandshake, c.code)
			if !strings.Contains(o.Failure.Err.Error(), c.words) {
				t.Errorf("got %v, want %s", o.Failure, c.words)
			}
		})
	}
}

func TestAServerThatIsFullIsNoOtherProtocol(t *testing.T) {
	t.Parallel()
	full := func(_ string, conn net.Conn) { io.WriteString(conn, "Exceeded MaxStartups\r\n") }
	o, took := inBubble(t, "ssh", probe.Options{Dial: wire(0, full)}, target, whole)
	if want(t, o, muster.StageHandshake, "connection-lost"); took != 0 || !strings.Contains(o.Failure.Err.Error(), "Exceeded MaxStartups") {
		t.Errorf("after %s: %v", took, o.Failure)
	}
}

// sshServer greets, reads the other side's identification, and begins the key exchange; heard is what it read.
func sshServer(id string, heard *string) server {
	return func(_ string, conn net.Conn) {
		io.WriteString(conn, id+"\r\n")
		b := make([]byte, 255)
		n, err := conn.Read(b)
		if heard != nil {
			*heard = string(b[:n])
		}
		if err == nil {
			io.WriteString(conn, "\x00\x00\x04\x3c")
		}
		drain(conn)
	}
}

func TestTheProbeIdentifiesItselfBeforeItLeaves(t *testing.T) {
	t.Parallel()
	var heard string
	o, took := inBubble(t, "ssh", probe.Options{Dial: wire(0, sshServer("SSH-2.0-x", &heard))}, target, whole)
	if !o.Up || heard != "SSH-2.0-muster\r\n" || took != 0 {
		t.Errorf("%+v after %s: the server read %q", o, took, heard)
	}
}

func TestAServerThatSendsAllAtOnceIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	o, took := inBubble(t, "ssh", probe.Options{Dial: wire(0, say("SSH-2.0-dropbear\r\n\x00\x00\x01\x8c"))}, target, whole)
	if !o.Up || took != 0 {
		t.Errorf("%+v after %s", o, took)
	}
}

// On a real connection: a reset could overtake the identification of the probe.
func TestAServerThatSendsAllAtOnceSeesAQuietEnd(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	port, stop := listen(t, "tcp", func(_ string, conn net.Conn) {
		io.WriteString(conn, "SSH-2.0-dropbear\r\n\x00\x00\x01\x8c")
		_, err := io.ReadAll(conn)
		ended <- err
	})
	defer stop()
	o := prober(t, "ssh", probe.Options{}).Probe(t.Context(), probe.Target{Addr: loopback, Port: port, Timeout: time.Minute})
	if err := <-ended; !o.Up || err != nil {
		t.Errorf("%+v: the server saw %v", o, err)
	}
}

func TestAServerThatDoesNotGoOnHoldsNobodyForLong(t *testing.T) {
	t.Parallel()
	stubborn := func(_ string, conn net.Conn) {
		io.WriteString(conn, "SSH-2.0-x\r\n")
		time.Sleep(30 * time.Second) // reads nothing
	}
	o, took := inBubble(t, "ssh", probe.Options{Dial: wire(0, stubborn)}, target, whole)
	if !o.Up || took > 250*time.Millisecond {
		t.Errorf("%+v after %s", o, took)
	}
}

// FuzzSSH: whatever a server says, an outcome is up exactly with an identification.
func FuzzSSH(f *testing.F) {
	for _, said := range []string{"", "SSH-2.0-x\r\n", "a\nSSH-2.0-x\n", "SSH-", "\xff\xfb\x01", strings.Repeat("x", 5000)} {
		f.Add([]byte(said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		p := prober(t, "ssh", probe.Options{Dial: wire(0, func(_ string, conn net.Conn) { conn.Write(said) })})
		o := p.Probe(t.Context(), probe.Target{Addr: addr})
		check(t, "ssh", o)
		if o.Up != strings.HasPrefix(o.Detail, "SSH-") || strings.ContainsAny(o.Detail, "\n") {
			t.Errorf("%+v", o)
		}
		if o.Up && !strings.Contains(string(said), "SSH-") {
			t.Errorf("an identification out of nothing: %+v", o)
		}
	})
}
