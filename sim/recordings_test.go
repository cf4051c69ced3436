package sim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
)

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
			for range 4 {
				for _, d := range f.Devices() {
					got, err := read(t.Context(), f, d, anyKey{}, session.Limits{})
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
