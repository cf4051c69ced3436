package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestErrorsAreKept(t *testing.T) {
	fetch := func(_ context.Context, host string) (platform.Config, error) {
		switch host {
		case "sw2":
			return platform.Config{}, errors.New("connection refused")
		case "sw3":
			panic("a bug of ours")
		}
		return platform.Config{Text: make([]byte, 512)}, nil
	}
	var out strings.Builder
	run(t.Context(), &out, []string{"sw1", "sw2", "sw3", "sw4"}, fetch)
	want := "sw1: 512 bytes\nsw2: FAILED - connection refused\nsw3: FAILED - panic: a bug of ours\nsw4: 512 bytes\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestErrorsOfASimulatedFleet(t *testing.T) {
	lab.Run(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, fleet *sim.Fleet, c session.Config) {
		t.Setenv("MUSTER_ENABLE", "wrong")
		var out strings.Builder
		run(ctx, &out, []string{"sw1", "sw9", "sw2"}, login(c).fetch)
		want := fmt.Sprintf("sw1: %d bytes\n", len(fleet.Want("sim-0001"))) +
			"sw9: FAILED - connect: refused: nothing listens on sw9:22\n" +
			"sw2: FAILED - prompt: enable-rejected: the device asks for the enable secret again\n"
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}
