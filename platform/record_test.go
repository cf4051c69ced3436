package platform_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
)

func TestARecordingOfADeviceIsMaskedAndPlaysAgain(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		addr, c := player{Recording: r.Recording}.serve(t)
		made, err := platform.Record(t.Context(), addr, r.def, c, options())
		if err != nil {
			t.Fatal(err)
		}
		file := made.Format()
		for _, secret := range append(r.Want.Secrets, enableSecret, "W4lrusLogin") {
			if bytes.Contains(file, []byte(secret)) {
				t.Errorf("%q is in the recording", secret)
			}
		}
		if r.Want.Serial != "" && bytes.Contains(file, []byte(r.Want.Serial)) {
			t.Errorf("the serial number is in the recording")
		}
		again, err := platform.ParseRecording(file)
		if diff := cmp.Diff(made, again); err != nil || diff != "" {
			t.Fatalf("read again: %v\n%s", err, diff)
		}
		if !r.def.HasConfig() {
			return
		}
		if made.Host != "device1" || !strings.Contains(made.Want.Config, "device1") && strings.Contains(r.raw, r.Host) {
			t.Errorf("host %q is not disguised", made.Host)
		}
		if made.Version != r.Want.Version || !strings.Contains(made.Origin, "recorded from ") {
			t.Errorf("version %q, origin %q", made.Version, made.Origin)
		}
		got, err := fetch(t, recorded{Recording: made, def: r.def}, player{Recording: made})
		if err != nil {
			t.Fatalf("played: %v\n%s", err, file)
		}
		if diff := cmp.Diff(made.Want.Config, string(got.Text)); diff != "" {
			t.Errorf("played, the configuration is another (-want +got):\n%s", diff)
		}
	})
}
