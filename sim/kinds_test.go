package sim_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// anyKey takes every host key.
type anyKey struct{}

func (anyKey) Algorithms(string) []string                  { return nil }
func (anyKey) Check(string, net.Addr, ssh.PublicKey) error { return nil }

// read reads a configuration as the product does, by the definition of its platform.
func read(ctx context.Context, f *sim.Fleet, d sim.Device, keys session.HostKeys, limits session.Limits) (platform.Config, error) {
	def, ok := platform.Lookup(d.Platform)
	if !ok {
		return platform.Config{}, &session.Error{Stage: "prompt", Code: "platform-unknown"}
	}
	user, password, enable := f.Login()
	conn, err := def.Open(ctx, address(d), session.Config{
		HostKeys: keys, Limits: limits,
		Credentials: []session.Credential{{
			Name: "sim", User: user, Password: func(context.Context) (string, error) { return password, nil },
		}},
	}, platform.Options{Enable: func(context.Context) (string, error) { return enable, nil }})
	if err != nil {
		return platform.Config{}, err
	}
	defer conn.Close()
	return conn.Config(ctx)
}

// limitsOf are the product's own but where the fault is that a device hangs.
func limitsOf(kind sim.Kind) session.Limits {
	limits := session.Limits{CommandBytes: 1 << 20}
	switch kind.Name {
	case "hang-banner":
		limits.Banner = moment
	case "hang-handshake":
		limits.Handshake = moment
	case "mute":
		limits.Prompt, limits.Command = time.Second, time.Second
	case "hang-command", "trickle":
		limits.Command = time.Second
	}
	return limits
}

// everything is tried of a shell and an exec platform; of the others what depends on how a platform talks.
var (
	everything = []string{"cisco_ios", "frr"}
	depends    = []string{"cut", "empty", "enable", "limit", "reject", "reset", "slow", "truncated"}
)

// impossible are the faults that some devices cannot have; Start says so.
var impossible = []string{"cut", "enable", "expired", "mute"}

func TestEachFaultFailsAsItsKindSays(t *testing.T) {
	t.Parallel()
	withConfig(t, func(t *testing.T, r *platform.Recording) {
		for _, k := range sim.Kinds() {
			if !slices.Contains(everything, r.Platform) && !slices.Contains(depends, k.Name) {
				continue
			}
			t.Run(k.Name, func(t *testing.T) {
				t.Parallel()
				c := sim.Config{Seed: 3, Recordings: []*platform.Recording{r}, Faults: []sim.Share{{Kind: k.Name, Share: 1}}}
				if slices.Contains(impossible, k.Name) && !startable(t, c) {
					t.Skip("devices of this platform cannot have this fault")
				}
				f := start(t, c)
				failsAs(t, f, f.Devices()[0], k)
			})
		}
	})
}

// startable reports whether such a fleet can be.
func startable(t *testing.T, c sim.Config) bool {
	return nil == task.Scope(t.Context(), "try", func(ctx context.Context, g *task.Group) error {
		f, err := sim.Start(ctx, g, c)
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// failsAs demands that a right client fails as the kind says. What fails from the second connection on, or only the
// first time, is tried twice.
func failsAs(t *testing.T, f *sim.Fleet, d sim.Device, k sim.Kind) {
	keys, err := session.OpenKnownHosts(true, filepath.Join(t.TempDir(), "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t.Context(), f, d, keys, limitsOf(k))
	if k.Name == "flaky" || k.Name == "wrong-key" {
		if (err == nil) != (k.Name == "wrong-key") {
			t.Errorf("the first time: %v", err)
		}
		got, err = read(t.Context(), f, d, keys, limitsOf(k))
	}
	if k.Stage == "" {
		if err != nil || string(got.Text) != string(f.Want(d.Name)) {
			t.Errorf("it has not succeeded: %v", err)
		}
		return
	}
	failure, ok := errors.AsType[*session.Error](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	stage, code := d.Expected()
	if failure.Stage != stage || failure.Code != code {
		t.Errorf("got %v, want %s %s", err, stage, code)
	}
}
