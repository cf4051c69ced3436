package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTenSessionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		commands := map[string]string{"show version": strings.Repeat("v", 511) + "\n"}
		device := sessiontest.New(t, sessiontest.Device{Commands: commands, Latency: time.Second})
		login := device.Config(t)
		login.Shell = &session.Shell{}
		var hosts []string
		var want strings.Builder
		for range 25 {
			hosts = append(hosts, device.Addr)
			fmt.Fprintf(&want, "%s: 512 bytes\n", device.Addr)
		}
		var dialled []time.Duration
		begin, slot := time.Now(), make(chan struct{}, 1)
		login.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
			slot <- struct{}{}
			dialled = append(dialled, time.Since(begin).Truncate(time.Second))
			<-slot
			return device.Dial(ctx, network, address)
		}
		var out strings.Builder
		if err := run(t.Context(), &out, hosts, login); err != nil {
			t.Fatal(err)
		}
		if out.String() != want.String() {
			t.Errorf("got %q, want %q", out.String(), want.String())
		}
		for i, d := range dialled { // ten a second, which is what a session takes
			if d != time.Duration(i/10)*time.Second {
				t.Fatalf("session %d was opened at %v", i, d)
			}
		}
	})
}

func TestVersionsOfASimulatedFleet(t *testing.T) {
	c := sim.Config{Devices: 12, Platforms: []string{"cisco_nxos"}}
	lab.Run(t, c, func(ctx context.Context, fleet *sim.Fleet, login session.Config) {
		login.Shell = &session.Shell{}
		var hosts []string
		for i := range fleet.Devices() {
			hosts = append(hosts, fmt.Sprintf("sw%d", i+1))
		}
		var out strings.Builder
		if err := run(ctx, &out, hosts, login); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(out.String(), " bytes\n"); lines != 12 || fleet.Counts().Peak > 10 {
			t.Errorf("%d devices answered, %d at once: %s", lines, fleet.Counts().Peak, out.String())
		}
	})
}

func TestRefusedIsTheError(t *testing.T) {
	keys, err := session.OpenKnownHosts(true, filepath.Join(t.TempDir(), "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = run(t.Context(), &out, []string{"127.0.0.1:1"}, session.Config{HostKeys: keys})
	if err == nil || err.Error() != "item 0: connect: refused: nothing listens on 127.0.0.1:1" || out.Len() > 0 {
		t.Errorf("got %v and %q", err, out.String())
	}
}
