package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRancidStates(t *testing.T) {
	t.Parallel()
	inv, err := load(t, env(t), "rancid", "r1;cisco;up\nr2;cisco;down\nr3;cisco;ticketed\nr4;cisco;Up;since May\n r5 ; cisco ; up \n2001:db8::1;cisco;up\nr6:cisco:up\nr7:cisco:down\n\x1b[31m;cisco;down\n")
	if err != nil || len(inv.Bad) > 0 {
		t.Fatalf("%v %v", err, inv.Bad)
	}
	if diff := cmp.Diff([]string{"r1", "r4", "r5", "2001:db8::1", "r6"}, names(inv.Devices)); diff != "" {
		t.Error(diff)
	}
	notes := errorTexts(inv.Notes)
	if len(notes) != 4 || !strings.HasPrefix(notes[0], "stdin:2: r2 is not up") || strings.Contains(notes[3], "\x1b") {
		t.Errorf("got the notes %q, want one for each device that is not up", notes)
	}
}
