package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slow is a fleet in which sw1 is the slowest and has the longest configuration; sw0 fails after half a second.
func slow(ctx context.Context, host string) (platform.Config, error) {
	if host == "sw0" {
		time.Sleep(time.Second / 2)
		return platform.Config{}, errors.New("sw0: refused")
	}
	n := map[string]int{"sw1": 3, "sw2": 2, "sw3": 1}[host]
	select {
	case <-time.After(time.Duration(n) * time.Second):
		return platform.Config{Text: make([]byte, n*512)}, nil
	case <-ctx.Done():
		return platform.Config{}, ctx.Err()
	}
}

func TestResultsHaveTheOrderOfTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var out strings.Builder
		if err := run(t.Context(), &out, []string{"sw2", "sw1", "sw3"}, slow); err != nil {
			t.Fatal(err)
		}
		if want := "sw2: 1024 bytes\nsw1: 1536 bytes\nsw3: 512 bytes\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %v, want the three seconds of the slowest", took)
		}
	})
}

func TestOneFailureEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var out strings.Builder
		err := run(t.Context(), &out, []string{"sw1", "sw0", "sw3"}, slow)
		if err == nil || err.Error() != "item 1: sw0: refused" || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
		if took := time.Since(begin); took != time.Second/2 {
			t.Errorf("took %v", took)
		}
	})
}

func TestConfigurationsOfASimulatedFleet(t *testing.T) {
	lab.Run(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, fleet *sim.Fleet, c session.Config) {
		_, _, enable := fleet.Login()
		t.Setenv("MUSTER_ENABLE", enable)
		var out strings.Builder
		if err := run(ctx, &out, []string{"sw2", "sw1"}, login(c).fetch); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("sw2: %d bytes\nsw1: %d bytes\n", len(fleet.Want("sim-0002")), len(fleet.Want("sim-0001")))
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}
