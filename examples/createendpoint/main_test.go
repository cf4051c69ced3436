package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnEndpointIsCreatedOnce(t *testing.T) {
	t.Parallel()
	lab.RunISE(t, sim.ISEConfig{}, func(ctx context.Context, there *sim.ISE, login ise.Config) {
		for _, want := range []string{`^aabb.cc00.1122: created as [0-9a-f-]{36}\n$`, `^aabb.cc00.1122: already there\n$`} {
			var out strings.Builder
			if err := run(ctx, &out, "aabb.cc00.1122", "Group-02", login); err != nil || !regexp.MustCompile(want).MatchString(out.String()) {
				t.Errorf("%v, printed %s", err, out.String())
			}
		}
		if got := there.Endpoints(); len(got) != 1 || got[0] != "AA:BB:CC:00:11:22" {
			t.Errorf("there are %v", got)
		}
	})
}

func TestAGroupThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	lab.RunISE(t, sim.ISEConfig{}, func(ctx context.Context, there *sim.ISE, login ise.Config) {
		err := run(ctx, &strings.Builder{}, "aabb.cc00.1122", "Phones", login)
		if !errors.Is(err, ise.ErrNotFound) || err.Error() != "find endpointgroup Phones: not found" || len(there.Endpoints()) > 0 {
			t.Errorf("got %v", err)
		}
	})
}
