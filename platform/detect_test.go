package platform_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

func TestEveryRecordedPlatformIsDetected(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() {
			t.Skip("this platform is what no other fits")
		}
		p := player{Recording: r.Recording}
		if r.def.Name == "mikrotik_routeros" {
			p.unknown = "bad command name show (line 1 column 1)\n"
		}
		addr, c := p.serve(t)
		got, err := platform.Detect(t.Context(), addr, c, platform.Options{})
		if err != nil || got != r.def {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}

func TestAPlatformIsDetectedWithoutItsMotd(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() || r.Exec {
			t.Skip("nothing to see")
		}
		bare := *r.Recording
		bare.Motd, bare.Banner = "", ""
		addr, c := player{Recording: &bare}.serve(t)
		got, err := platform.Detect(t.Context(), addr, c, platform.Options{})
		if err != nil || got != r.def {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}

func TestDetectSaysWhenNothingFits(t *testing.T) {
	t.Parallel()
	r := *recordingOf(t, "generic").Recording
	addr, c := player{Recording: &r}.serve(t)
	got, err := platform.Detect(t.Context(), addr, c, platform.Options{})
	e := fails(t, err, "prompt", "platform-unknown")
	if got != nil || !strings.Contains(e.Error(), `prompt "oddbox=> "`) {
		t.Errorf("got %v, %v", got, e)
	}
}

func TestDetectSaysWhyItCouldNotLogIn(t *testing.T) {
	t.Parallel()
	r := recordingOf(t, "generic")
	addr, c := player{Recording: r.Recording}.serve(t)
	c.Credentials = []session.Credential{{User: "admin", Password: sessiontest.Secret("wrong")}}
	_, err := platform.Detect(t.Context(), addr, c, platform.Options{})
	fails(t, err, "auth", "auth-rejected")
}
