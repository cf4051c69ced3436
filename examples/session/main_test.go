package main

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted counts the connections that are open.
type counted struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *counted) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

func count(login *session.Config, open *atomic.Int64) {
	dial := login.Dialer
	login.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &counted{Conn: conn, open: open}, nil
	}
}

func TestSessionsCloseThemselves(t *testing.T) {
	device := sessiontest.New(t, sessiontest.Device{Commands: map[string]string{"show version": strings.Repeat("v", 511) + "\n"}})
	login := device.Config(t)
	login.Shell = &session.Shell{}
	var open atomic.Int64
	count(&login, &open)
	var out strings.Builder
	if err := run(t.Context(), &out, device.Addr, login); err != nil {
		t.Fatal(err)
	}
	if want := "device:22: 512 bytes\ndevice:22: 512 bytes\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if device.Logins.Load() != 2 || open.Load() != 0 {
		t.Errorf("%d logins, %d connections open, want 2 and 0", device.Logins.Load(), open.Load())
	}
}

func TestSessionsCloseThemselvesAfterAFailure(t *testing.T) {
	lab.Run(t, sim.Config{Platforms: []string{"cisco_ios"}}, func(ctx context.Context, _ *sim.Fleet, login session.Config) {
		login.Shell = &session.Shell{}
		login.Limits.CommandBytes = 10
		var open atomic.Int64
		count(&login, &open)
		for _, version := range []func(context.Context, string, session.Config) (session.Output, error){asType, asFunction} {
			_, err := version(ctx, "sw1", login)
			if err == nil || !strings.HasPrefix(err.Error(), "command: flood: ") || open.Load() != 0 {
				t.Errorf("got %v and %d connections open", err, open.Load())
			}
		}
	})
}
