package main

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMapIsFilled(t *testing.T) {
	lab.Run(t, sim.Config{Devices: 3}, func(ctx context.Context, _ *sim.Fleet, c session.Config) {
		var out strings.Builder
		if err := run(ctx, &out, []string{"sw3", "sw1", "sw2"}, c); err != nil {
			t.Fatal(err)
		}
		if want := "sw3: ssh-ed25519\nsw1: ssh-ed25519\nsw2: ssh-ed25519\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}

func TestOneFailureLeavesNothing(t *testing.T) {
	lab.Run(t, sim.Config{Devices: 2}, func(ctx context.Context, _ *sim.Fleet, c session.Config) {
		var out strings.Builder
		err := run(ctx, &out, []string{"sw1", "sw9", "sw2"}, c)
		if err == nil || err.Error() != "sw9: connect: refused: nothing listens on sw9:22" || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
	})
}
