package sim_test

import (
	"context"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
)

// anyKey takes every host key.
type anyKey struct{}

func (anyKey) Algorithms(string) []string                  { return nil }
func (anyKey) Check(string, net.Addr, ssh.PublicKey) error { return nil }

// read reads a configuration as the product does, by the definition of its platform.
func read(ctx context.Context, f *sim.Fleet, d sim.Device) (platform.Config, error) {
	def, ok := platform.Lookup(d.Platform)
	if !ok {
		return platform.Config{}, &session.Error{Stage: "prompt", Code: "platform-unknown"}
	}
	user, password, enable := f.Login()
	conn, err := def.Open(ctx, address(d), session.Config{
		HostKeys: anyKey{},
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

// withConfig calls f for each recording that has a configuration.
func withConfig(t *testing.T, f func(t *testing.T, r *platform.Recording)) {
	for _, r := range platform.Recordings() {
		if r.Want.Config == "" {
			continue
		}
		t.Run(r.Platform+"/"+r.Hardware, func(t *testing.T) {
			t.Parallel()
			f(t, r)
		})
	}
}

func TestEachRecordingIsReadByItsPlatformAsItIsWanted(t *testing.T) {
	t.Parallel()
	withConfig(t, func(t *testing.T, r *platform.Recording) {
		for _, size := range []int{0, len(r.Want.Config) + 20_000} {
			f := start(t, sim.Config{Devices: 2, Seed: 2, ConfigBytes: size, Recordings: []*platform.Recording{r}})
			for range 8 {
				for _, d := range f.Devices() {
					got, err := read(t.Context(), f, d)
					if err != nil {
						t.Fatalf("%d bytes: %v", size, err)
					}
					if diff := cmp.Diff(string(f.Want(d.Name)), string(got.Text)); diff != "" {
						t.Fatalf("%d bytes: %s", size, diff)
					}
					if got.Hostname != "" && got.Hostname != d.Name {
						t.Errorf("host name %q, want %q", got.Hostname, d.Name)
					}
					if got.Version != r.Want.Version || got.Model != r.Want.Model || got.Serial != r.Want.Serial {
						t.Errorf("facts %q %q %q, want %q %q %q", got.Version, got.Model, got.Serial, r.Want.Version, r.Want.Model, r.Want.Serial)
					}
				}
				if n := len(f.Change(2)); n != 2 {
					t.Fatalf("%d changed", n)
				}
			}
		}
	})
}
