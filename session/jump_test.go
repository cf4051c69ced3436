package session_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

// hop is a Hop to a jump host.
func hop(t *testing.T, srv *sessiontest.Server) session.Hop {
	return session.Hop{Address: srv.Addr, Credentials: []session.Credential{srv.Credential()}, HostKeys: srv.Config(t).HostKeys}
}

func TestJumpHosts(t *testing.T) {
	t.Parallel()
	far := sessiontest.Start(t, sessiontest.Device{Password: "router99", OneSession: true, Commands: map[string]string{"show run": "config\n"}})
	first := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true})
	second := sessiontest.Start(t, sessiontest.Device{Password: "second22", Forward: true})
	for _, hops := range [][]session.Hop{{hop(t, first)}, {hop(t, first), hop(t, second)}} {
		for _, shell := range []*session.Shell{nil, {}} {
			c := far.Config(t)
			c.Jump, c.Shell = hops, shell
			s, err := session.Dial(t.Context(), far.Addr, c)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if out, err := s.Run(t.Context(), "show run"); err != nil || out.Text != "config\n" {
					t.Fatalf("got %q, %v", out.Text, err)
				}
			}
			s.Close()
		}
	}
}

func TestJumpFailuresNameTheHop(t *testing.T) {
	t.Parallel()
	far := sessiontest.Start(t, sessiontest.Device{Password: "router99"})
	good := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true})
	closed := sessiontest.Start(t, sessiontest.Device{Password: "first111"})
	wrong := hop(t, good)
	wrong.Credentials = []session.Credential{password("admin", "wrongpw1")}
	cases := []struct {
		name, addr  string
		jump        []session.Hop
		stage, code string
		says        string
	}{
		{"hop refuses the password", far.Addr, []session.Hop{wrong}, "auth", "auth-rejected", "at jump host 1, " + good.Addr},
		{"second hop refuses the password", far.Addr, []session.Hop{hop(t, good), wrong}, "auth", "auth-rejected", "at jump host 2, " + good.Addr},
		{"hop is down", far.Addr, []session.Hop{{Address: "127.0.0.1:1"}}, "connect", "refused", "at jump host 1, 127.0.0.1:1"},
		{"hop forwards nothing", far.Addr, []session.Hop{hop(t, closed)}, "connect", "unreachable", "via " + closed.Addr},
		{"device refuses the hop", "127.0.0.1:1", []session.Hop{hop(t, good)}, "connect", "refused", "via " + good.Addr},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := far.Config(t)
			c.Jump = tc.jump
			_, err := session.Dial(t.Context(), tc.addr, c)
			if e := wantFailure(t, err, tc.stage, tc.code); !strings.Contains(e.Error(), tc.says) {
				t.Fatalf("got %v, want it to say %q", e, tc.says)
			}
		})
	}
}

func TestDeadlinesHoldThroughAJumpHost(t *testing.T) {
	t.Parallel()
	mute := listenMute(t)
	good := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true})
	c := session.Config{HostKeys: anyKey{}, Jump: []session.Hop{hop(t, good)}, Limits: session.Limits{Banner: 50 * time.Millisecond}}
	_, err := session.Dial(t.Context(), mute, c)
	wantFailure(t, err, "handshake", "timeout")
	hang := make(chan struct{})
	far := sessiontest.Start(t, sessiontest.Device{Answer: func(string) (string, bool) { <-hang; return "", true }})
	t.Cleanup(func() { close(hang) })
	c = far.Config(t)
	c.Jump, c.Limits = []session.Hop{hop(t, good)}, session.Limits{Command: 50 * time.Millisecond}
	s, err := session.Dial(t.Context(), far.Addr, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Run(t.Context(), "x")
	wantFailure(t, err, "command", "timeout")
}

func TestSessionsShareAJumpHost(t *testing.T) {
	t.Parallel()
	far := sessiontest.Start(t, sessiontest.Device{Password: "router99", Commands: map[string]string{"show run": "config\n"}})
	var conns []net.Conn
	var mu sync.Mutex
	bastion := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true, Wrap: func(c net.Conn) net.Conn {
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, c)
		return c
	}})
	jumps := new(session.Jumps)
	c := far.Config(t)
	c.Jump, c.Jumps, c.Shell = []session.Hop{hop(t, bastion)}, jumps, &session.Shell{}
	start := func() *session.Session {
		t.Helper()
		s, err := session.Dial(t.Context(), far.Addr, c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var wg sync.WaitGroup
	first := start()
	for range 20 {
		wg.Go(func() {
			s, err := session.Dial(t.Context(), far.Addr, c)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if out, err := s.Run(t.Context(), "show run"); err != nil || out.Text != "config\n" {
				t.Errorf("got %q, %v", out.Text, err)
			}
		})
	}
	wg.Wait()
	if n := bastion.Logins.Load(); n != 1 {
		t.Fatalf("%d logins at the jump host, want 1", n)
	}
	mu.Lock()
	conns[0].Close() // the jump host goes away
	mu.Unlock()
	_, err := first.Run(t.Context(), "show run")
	wantFailure(t, err, "command", "connection-lost")
	again := start()
	if out, err := again.Run(t.Context(), "show run"); err != nil || out.Text != "config\n" {
		t.Fatalf("got %q, %v", out.Text, err)
	}
	first.Close()
	again.Close()
	if n := bastion.Logins.Load(); n != 2 {
		t.Fatalf("%d logins at the jump host, want 2", n)
	}
}

func TestSharedJumpHostFailsAllWhoWaitForIt(t *testing.T) {
	t.Parallel()
	bastion := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true})
	wrong := hop(t, bastion)
	wrong.Credentials = []session.Credential{password("admin", "wrongpw1")}
	jumps := new(session.Jumps)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			_, err := session.Dial(t.Context(), "192.0.2.1", session.Config{HostKeys: anyKey{}, Jump: []session.Hop{wrong}, Jumps: jumps})
			wantFailure(t, err, "auth", "auth-rejected")
		})
	}
	wg.Wait()
}

func TestTheDeadlineOfOneSessionIsNotThatOfTheOthersBehindItsJumpHost(t *testing.T) {
	t.Parallel()
	var mute, always atomic.Bool
	mute.Store(true)
	always.Store(true)
	far := sessiontest.Start(t, sessiontest.Device{Password: "router99", Commands: map[string]string{"show run": "config\n"}})
	accepted := make(chan struct{})
	var once sync.Once
	bastion := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true, Wrap: func(c net.Conn) net.Conn {
		once.Do(func() { close(accepted) })
		if mute.Swap(false) {
			return frozen{c, &always}
		}
		return c
	}})
	c := far.Config(t)
	c.Jump, c.Jumps, c.Shell = []session.Hop{hop(t, bastion)}, new(session.Jumps), &session.Shell{}
	hurried, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := session.Dial(hurried, far.Addr, c)
		if e, ok := errors.AsType[*session.Error](err); !ok || e.Code != "timeout" {
			t.Errorf("got %v, want a timeout", err)
		}
	})
	<-accepted
	s, err := session.Dial(t.Context(), far.Addr, c)
	if err != nil {
		t.Fatalf("behind a session that ran out of time: %v", err)
	}
	s.Close()
	wg.Wait()
}

// frozen is a connection whose writes vanish once it is told so.
type frozen struct {
	net.Conn
	now *atomic.Bool
}

func (c frozen) Write(b []byte) (int, error) {
	if c.now.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func TestFrozenJumpHostHoldsNobodyForEver(t *testing.T) {
	t.Parallel()
	var now atomic.Bool
	far := sessiontest.Start(t, sessiontest.Device{Password: "router99"})
	bastion := sessiontest.Start(t, sessiontest.Device{Password: "first111", Forward: true, Wrap: func(c net.Conn) net.Conn { return frozen{c, &now} }})
	c := far.Config(t)
	c.Jump, c.Limits.Command = []session.Hop{hop(t, bastion)}, 50*time.Millisecond
	for _, jumps := range []*session.Jumps{nil, new(session.Jumps)} {
		now.Store(false)
		c.Jumps = jumps
		s, err := session.Dial(t.Context(), far.Addr, c)
		if err != nil {
			t.Fatal(err)
		}
		now.Store(true)
		_, err = s.Run(t.Context(), "x")
		wantFailure(t, err, "command", "timeout")
		s.Close()
	}
}
