// Package sessiontest is a scripted device for tests: an SSH server inside the test's own process that logs in, shows a
// prompt, answers commands and misbehaves as it is told.
package sessiontest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/session"
)

// Device says what a Server is. The zero Device takes any login, shows the prompt "sw1# " and knows no command.
type Device struct {
	User, Password string                               // empty Password: every login is taken without one
	Keys           []ssh.PublicKey                      // these may log in, as any user
	KeyboardOnly   bool                                 // the password by keyboard-interactive only
	Configure      func(*ssh.ServerConfig)              // last word on the SSH server's settings
	HostKey        ssh.Signer                           // nil: a fresh ed25519 key
	Banner         string                               // before the login
	Motd           string                               // after it, as bytes of the terminal
	Prompt         string                               // empty: "sw1# "
	Commands       map[string]string                    // what a command prints; LF becomes CRLF in a shell
	Answer         func(cmd string) (string, bool)      // asked where Commands has nothing
	Exec           func(cmd string, ch ssh.Channel) int // serves exec requests; nil: Commands and Answer, status 127 where unknown
	Shell          func(*Terminal)                      // serves shells; nil: the scripted one
	Latency        time.Duration                        // before each answer
	NoEcho         bool                                 // commands are not echoed
	Chunk          int                                  // writes to the terminal are cut into pieces of this size; 0: whole
	Pager          *Pager                               // outputs longer than its screen are paged
	NoExec         bool                                 // exec requests are refused
	OneSession     bool                                 // the connection ends after its first session
	Forward        bool                                 // is a jump host: connects where it is asked to
	Wrap           func(net.Conn) net.Conn              // round each connection, for faults below SSH
}

// Pager is how a Device pages.
type Pager struct {
	Prompt string // " --More-- "
	Erase  string // what wipes it after the key
	Lines  int
	Off    string // the command that switches it off
}

// Server is a running Device.
type Server struct {
	Addr   string // host:port
	Device Device

	Logins   atomic.Int64 // successful ones
	Rejected atomic.Int64 // passwords and keys refused
	Conns    atomic.Int64 // connections accepted

	config   *ssh.ServerConfig
	listener net.Listener
	signer   ssh.Signer
	running  sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
	closed   bool
}

// Start serves d on a loopback port until the test ends.
func Start(tb testing.TB, d Device) *Server {
	tb.Helper()
	s := New(tb, d)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	s.listener, s.Addr = l, l.Addr().String()
	s.spawn(s.accept)
	return s
}

// New is Start without a port: it is reached by Dial only, over connections in memory. It works inside
// testing/synctest bubbles.
func New(tb testing.TB, d Device) *Server {
	tb.Helper()
	if d.Prompt == "" {
		d.Prompt = "sw1# "
	}
	s := &Server{Device: d, Addr: "device:22", signer: d.HostKey, open: map[net.Conn]bool{}}
	if s.signer == nil {
		s.signer = NewKey(tb)
	}
	s.config = s.serverConfig()
	tb.Cleanup(s.Close)
	return s
}

// NewKey returns a fresh ed25519 key.
func NewKey(tb testing.TB) ssh.Signer {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatalf("generate key: %v", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		tb.Fatalf("signer: %v", err)
	}
	return signer
}

// HostKey is the public key the server shows.
func (s *Server) HostKey() ssh.PublicKey { return s.signer.PublicKey() }

// Config returns what reaches and logs in to the server: its password, and its host key on record.
func (s *Server) Config(tb testing.TB) session.Config {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "known_hosts")
	if err := session.TrustKey(file, s.Addr, s.HostKey()); err != nil {
		tb.Fatalf("trust key: %v", err)
	}
	keys, err := session.OpenKnownHosts(false, file)
	if err != nil {
		tb.Fatalf("known hosts: %v", err)
	}
	c := session.Config{HostKeys: keys, Credentials: []session.Credential{s.Credential()}}
	if s.listener == nil {
		c.Dialer = s.Dial
	}
	return c
}

// Credential is the one the server takes.
func (s *Server) Credential() session.Credential {
	user := s.Device.User
	if user == "" {
		user = "admin"
	}
	return session.Credential{Name: user, User: user, Password: Secret(s.Device.Password)}
}

// Secret returns a function for Credential.Password.
func Secret(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// Dial connects in memory; it fits session.Config.Dialer.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	near, far := Pipe()
	if !s.serveSoon(far) {
		return nil, errors.New("server closed")
	}
	return near, nil
}

// Close ends all connections and waits for what serves them.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	if s.listener != nil {
		s.listener.Close()
	}
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// spawn runs f beside the test. A timer starts it: package task would need a scope round the whole test.
func (s *Server) spawn(f func()) {
	s.running.Add(1)
	time.AfterFunc(0, func() {
		defer s.running.Done()
		f()
	})
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.serveSoon(c)
	}
}

func (s *Server) serveSoon(c net.Conn) bool {
	if s.Device.Wrap != nil {
		c = s.Device.Wrap(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.open[c] = true
	s.Conns.Add(1)
	s.spawn(func() {
		defer func() {
			c.Close()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		}()
		s.serve(c)
	})
	return true
}

func (s *Server) serverConfig() *ssh.ServerConfig {
	d := s.Device
	c := &ssh.ServerConfig{MaxAuthTries: 6, NoClientAuth: d.Password == "" && len(d.Keys) == 0}
	check := func(user, password string) (*ssh.Permissions, error) {
		if password == d.Password && (d.User == "" || user == d.User) {
			return nil, nil
		}
		s.Rejected.Add(1)
		return nil, errors.New("rejected")
	}
	if d.Password != "" && !d.KeyboardOnly {
		c.PasswordCallback = func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) { return check(m.User(), string(p)) }
	}
	if d.Password != "" && d.KeyboardOnly {
		c.KeyboardInteractiveCallback = func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, errors.New("no answer")
			}
			return check(m.User(), answers[0])
		}
	}
	if len(d.Keys) > 0 {
		c.PublicKeyCallback = s.checkKey
	}
	if d.Banner != "" {
		c.BannerCallback = func(ssh.ConnMetadata) string { return d.Banner }
	}
	c.AddHostKey(s.signer)
	if d.Configure != nil {
		d.Configure(c)
	}
	return c
}

func (s *Server) checkKey(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	for _, k := range s.Device.Keys {
		if string(k.Marshal()) == string(key.Marshal()) {
			return nil, nil
		}
	}
	s.Rejected.Add(1)
	return nil, errors.New("rejected")
}

func (s *Server) serve(c net.Conn) {
	conn, chans, reqs, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	s.Logins.Add(1)
	s.spawn(func() { ssh.DiscardRequests(reqs) })
	for nc := range chans {
		switch {
		case nc.ChannelType() == "direct-tcpip" && s.Device.Forward:
			s.spawn(func() { s.forward(nc) })
		case nc.ChannelType() != "session":
			nc.Reject(ssh.UnknownChannelType, "only sessions")
		default:
			ch, requests, err := nc.Accept()
			if err != nil {
				continue
			}
			s.spawn(func() {
				s.session(ch, requests)
				if s.Device.OneSession {
					conn.Close()
				}
			})
		}
	}
}

// session serves one channel: what comes before the shell or the command is answered with yes.
func (s *Server) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	t := &Terminal{Channel: ch, Device: &s.Device}
	for r := range reqs {
		switch r.Type {
		case "pty-req":
			t.readPty(r.Payload)
			r.Reply(true, nil)
		case "shell", "exec":
			if r.Type == "exec" && s.Device.NoExec {
				r.Reply(false, nil)
				continue
			}
			r.Reply(true, nil)
			s.spawn(func() { ssh.DiscardRequests(reqs) })
			status := 0
			if r.Type == "shell" {
				t.serve()
			} else {
				status = s.exec(string(r.Payload[4:]), ch)
			}
			ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(status)))
			ch.Close()
			return
		default:
			r.Reply(r.Type == "env", nil)
		}
	}
}

func (s *Server) exec(cmd string, ch ssh.Channel) int {
	if s.Device.Exec != nil {
		return s.Device.Exec(cmd, ch)
	}
	time.Sleep(s.Device.Latency)
	out, ok := s.Device.answer(cmd)
	if !ok {
		ch.Stderr().Write([]byte("unknown command\n"))
		return 127
	}
	ch.Write([]byte(out))
	return 0
}

func (d *Device) answer(cmd string) (string, bool) {
	if out, ok := d.Commands[cmd]; ok {
		return out, true
	}
	if d.Answer != nil {
		return d.Answer(cmd)
	}
	return "", false
}
