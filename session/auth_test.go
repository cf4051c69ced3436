package session_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

func password(user, secret string) session.Credential {
	return session.Credential{Name: user, User: user, Password: sessiontest.Secret(secret)}
}

func keys(signers ...ssh.Signer) func(context.Context) ([]ssh.Signer, error) {
	return func(context.Context) ([]ssh.Signer, error) { return signers, nil }
}

func TestLogins(t *testing.T) {
	key := sessiontest.NewKey(t)
	broken := session.Credential{Name: "vault", User: "admin", Password: func(context.Context) (string, error) { return "", errors.New("no such entry") }}
	cases := []struct {
		name     string
		device   sessiontest.Device
		creds    []session.Credential
		code     string // empty: accepted
		accepted string
		says     string
		rejected int64
	}{
		{"password", sessiontest.Device{Password: "s3cret"}, []session.Credential{password("admin", "s3cret")}, "", "admin", "", 0},
		{"keyboard-interactive only", sessiontest.Device{Password: "s3cret", KeyboardOnly: true}, []session.Credential{password("admin", "s3cret")}, "", "admin", "", 0},
		{"key only", sessiontest.Device{Keys: []ssh.PublicKey{key.PublicKey()}}, []session.Credential{{Name: "k", User: "admin", Keys: keys(key)}}, "", "k", "", 0},
		{"wrong key, right password", sessiontest.Device{Password: "s3cret", Keys: []ssh.PublicKey{key.PublicKey()}},
			[]session.Credential{{Name: "both", User: "admin", Keys: keys(sessiontest.NewKey(t)), Password: sessiontest.Secret("s3cret")}}, "", "both", "", 1},
		{"second credential", sessiontest.Device{Password: "s3cret"}, []session.Credential{password("old", "oldpw99"), password("new", "s3cret")}, "", "new", "", 1},
		{"broken secret, then a good one", sessiontest.Device{Password: "s3cret"}, []session.Credential{broken, password("new", "s3cret")}, "", "new", "", 0},
		{"wrong password", sessiontest.Device{Password: "s3cret"}, []session.Credential{password("admin", "wrongpw1")}, "auth-rejected", "", "admin: rejected (password)", 1},
		{"all wrong", sessiontest.Device{Password: "s3cret"}, []session.Credential{password("a", "wrongpw1"), password("b", "wrongpw2")}, "auth-rejected", "", "a: rejected (password); the device takes: password; b: rejected", 2},
		{"password for a key-only device", sessiontest.Device{Keys: []ssh.PublicKey{key.PublicKey()}}, []session.Credential{password("admin", "s3cret")}, "no-auth-method", "", "takes only: publickey", 0},
		{"secret missing", sessiontest.Device{Password: "s3cret"}, []session.Credential{broken}, "secret-missing", "", "no such entry", 0},
		{"password change asked by keyboard", sessiontest.Device{Configure: func(c *ssh.ServerConfig) {
			c.NoClientAuth = false
			c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				if _, err := ask("", "", []string{"Password: "}, []bool{false}); err != nil {
					return nil, err
				}
				_, err := ask("", "Password expired.", []string{"New password: ", "Retype new password: "}, []bool{false, false})
				return nil, errors.Join(err, errors.New("no"))
			}
		}}, []session.Credential{password("admin", "s3cret")}, "password-expired", "", "New password:", 0},
		{"asks again after the secret", sessiontest.Device{Configure: func(c *ssh.ServerConfig) {
			c.NoClientAuth = false
			c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				for {
					if a, err := ask("", "", []string{"Password: "}, []bool{false}); err != nil || a[0] == "right" {
						return nil, err
					}
				}
			}
		}}, []session.Credential{password("admin", "wrongpw1")}, "auth-rejected", "", "second time", 0},
		{"asks something else with echo", sessiontest.Device{Configure: func(c *ssh.ServerConfig) {
			c.NoClientAuth = false
			c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				a, err := ask("", "", []string{"Mother's maiden name? "}, []bool{true})
				if err == nil && strings.Contains(a[0], "s3cret") {
					t.Error("the secret went to a question with echo")
				}
				return nil, errors.New("no")
			}
		}}, []session.Credential{password("admin", "s3cret")}, "no-auth-method", "", "maiden name", 0},
		{"asks for the user, then the password", sessiontest.Device{Configure: func(c *ssh.ServerConfig) {
			c.NoClientAuth = false
			c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				u, err := ask("", "", []string{"Username: "}, []bool{true})
				if err != nil || u[0] != "admin" {
					return nil, errors.New("no")
				}
				if _, err := ask("", "Welcome", nil, nil); err != nil {
					return nil, err
				}
				p, err := ask("", "", []string{"Password: "}, []bool{false})
				if err != nil || p[0] != "s3cret" {
					return nil, errors.New("no")
				}
				return nil, nil
			}
		}}, []session.Credential{password("admin", "s3cret")}, "", "admin", "", 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := sessiontest.New(t, tc.device)
				c := srv.Config(t)
				c.Credentials = tc.creds
				s, err := session.Dial(t.Context(), srv.Addr, c)
				if n := srv.Rejected.Load(); n != tc.rejected {
					t.Errorf("the device rejected %d times, want %d", n, tc.rejected)
				}
				if tc.code == "" {
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					if got := s.Info().Credential; got != tc.accepted {
						t.Fatalf("accepted %q", got)
					}
					return
				}
				e := wantFailure(t, err, "auth", tc.code)
				if !strings.Contains(e.Error(), tc.says) {
					t.Fatalf("got %v, want it to say %q", e, tc.says)
				}
				for _, secret := range []string{"s3cret", "wrongpw1", "wrongpw2"} {
					if strings.Contains(e.Error(), secret) {
						t.Fatalf("a secret is in %v", e)
					}
				}
			})
		})
	}
}

func TestSecretThatTheDeviceRepeatsIsMasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := sessiontest.New(t, sessiontest.Device{Password: "s3cret", Shell: func(t *sessiontest.Terminal) {
			t.Print("your password is s3cret\r\nnow s3cret wait")
			for {
				if _, err := t.Key(); err != nil {
					return
				}
			}
		}})
		c := srv.Config(t)
		c.Shell = &session.Shell{}
		c.Mask = func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "wait", "<m>")) }
		_, err := session.Dial(t.Context(), srv.Addr, c)
		e := wantFailure(t, err, "prompt", "no-prompt")
		if all := e.Error() + string(e.Transcript); strings.Contains(all, "s3cret") || !strings.Contains(string(e.Transcript), "<m>") {
			t.Fatalf("got %s\n%s", e, e.Transcript)
		}
	})
}

func TestAgentLogsIn(t *testing.T) {
	_, key, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { agent.ServeAgent(ring, conn); conn.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	t.Setenv("SSH_AUTH_SOCK", socket)
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	srv := sessiontest.Start(t, sessiontest.Device{Keys: []ssh.PublicKey{signer.PublicKey()}})
	c := srv.Config(t)
	c.Credentials = []session.Credential{{Name: "agent", Agent: true}}
	s, err := session.Dial(t.Context(), srv.Addr, c)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	t.Setenv("HOME", t.TempDir())
	c.Credentials = nil // the agent again, by default
	if s, err = session.Dial(t.Context(), srv.Addr, c); err != nil {
		t.Fatal(err)
	}
	s.Close()
	t.Setenv("SSH_AUTH_SOCK", filepath.Join(t.TempDir(), "gone"))
	_, err = session.Dial(t.Context(), srv.Addr, c)
	wantFailure(t, err, "auth", "no-auth-method")
}

func generate() (*rsa.PublicKey, *rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	return &key.PublicKey, key, nil
}

// guard records what it is asked and told.
type guard struct {
	mu   sync.Mutex
	log  []string
	wait time.Duration
	err  error
}

func (g *guard) Acquire(ctx context.Context, credential, device string) (func(session.AuthOutcome), error) {
	g.mu.Lock()
	g.log = append(g.log, "ask "+credential)
	g.mu.Unlock()
	select {
	case <-time.After(g.wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if g.err != nil {
		return nil, g.err
	}
	return func(o session.AuthOutcome) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.log = append(g.log, credential+" "+[]string{"unknown", "accepted", "rejected"}[o])
	}, nil
}

func TestGuardIsAskedBeforeAndToldAfterALogin(t *testing.T) {
	cases := []struct {
		name  string
		guard *guard
		wrap  func(net.Conn) net.Conn
		creds []session.Credential
		log   string
		code  string
	}{
		{"accepted", &guard{}, nil, []session.Credential{password("a", "s3cret")}, "ask a, a accepted", ""},
		{"rejected, then accepted", &guard{}, nil, []session.Credential{password("a", "wrongpw1"), password("b", "s3cret")}, "ask a, a rejected, ask b, b accepted", ""},
		{"a long wait counts to no step", &guard{wait: time.Minute}, nil, []session.Credential{password("a", "s3cret")}, "ask a, a accepted", ""},
		{"suspended", &guard{err: errors.New("suspended")}, nil, []session.Credential{password("a", "s3cret"), password("b", "s3cret")}, "ask a, ask b", "locked-out"},
		{"impatient server", &guard{wait: time.Minute}, func(c net.Conn) net.Conn {
			return &impatient{Conn: c, timer: time.AfterFunc(50*time.Second, func() { c.Close() })}
		},
			[]session.Credential{password("a", "s3cret")}, "ask a, a accepted", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := sessiontest.New(t, sessiontest.Device{Password: "s3cret", Wrap: tc.wrap, OneSession: true, Commands: map[string]string{"x": "y\n"}})
				c := srv.Config(t)
				c.Guard, c.Credentials = tc.guard, tc.creds
				s, err := session.Dial(t.Context(), srv.Addr, c)
				if tc.code != "" {
					wantFailure(t, err, "auth", tc.code)
				} else if err != nil {
					t.Fatal(err)
				} else {
					for range 3 { // new connections, no new attempts
						if out, err := s.Run(t.Context(), "x"); err != nil || out.Text != "y\n" {
							t.Fatalf("got %q, %v", out.Text, err)
						}
					}
					s.Close()
				}
				if got := strings.Join(tc.guard.log, ", "); got != tc.log {
					t.Fatalf("guard heard %s, want %s", got, tc.log)
				}
			})
		})
	}
}

func TestAConnectionThatEndsAfterTheSecretCountsAsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last net.Conn
		srv := sessiontest.New(t, sessiontest.Device{
			Password: "s3cret",
			Wrap:     func(c net.Conn) net.Conn { last = c; return c },
			Configure: func(c *ssh.ServerConfig) {
				c.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
					last.Close()
					return nil, errors.New("no")
				}
				c.KeyboardInteractiveCallback = nil
			},
		})
		c := srv.Config(t)
		g := &guard{}
		c.Guard, c.Credentials = g, []session.Credential{password("a", "wrongpw1")}
		_, err := session.Dial(t.Context(), srv.Addr, c)
		wantFailure(t, err, "auth", "connection-lost")
		if got := strings.Join(g.log, ", "); got != "ask a, a rejected" {
			t.Errorf("guard heard %s, want a rejected", got)
		}
	})
}

// impatient is a connection that its server ends after a while.
type impatient struct {
	net.Conn
	timer *time.Timer
}

func (c *impatient) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

func TestCancelAtEveryMomentOfADial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(c net.Conn) net.Conn { return &slowConn{c} }
		srv := sessiontest.New(t, sessiontest.Device{Password: "s3cret", Wrap: slow, Latency: 30 * time.Millisecond})
		c := srv.Config(t)
		c.Shell = &session.Shell{}
		for after := time.Duration(0); ; after += 7 * time.Millisecond {
			ctx, cancel := context.WithCancel(t.Context())
			stop := context.AfterFunc(ctx, func() {})
			time.AfterFunc(after, cancel)
			s, err := session.Dial(ctx, srv.Addr, c)
			stop()
			if err == nil {
				s.Close()
				cancel()
				if after < 50*time.Millisecond {
					t.Fatalf("dialled within %v", after)
				}
				return
			}
			wantFailure(t, err, "canceled", "canceled")
		}
	})
}

// slowConn delays each read a little.
type slowConn struct{ net.Conn }

func (c *slowConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	time.Sleep(10 * time.Millisecond)
	return n, err
}
