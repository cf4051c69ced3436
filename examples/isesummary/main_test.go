package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestThreeCallsAtOnce(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	c := sim.ISEConfig{Endpoints: 1234, Groups: 17, Hook: func(r *http.Request) { asked <- r.Method + " as " + r.Header.Get("Accept") }}
	lab.RunISE(t, c, func(ctx context.Context, _ *sim.ISE, login ise.Config) {
		var out strings.Builder
		err := run(ctx, &out, login)
		if want := "Endpoints: 1234\nGroups: 17\nPolicies: 3\n"; err != nil || out.String() != want {
			t.Errorf("%v, printed\n%s", err, out.String())
		}
		if len(asked) != 3 {
			t.Errorf("%d calls", len(asked))
		}
		for range len(asked) {
			if got := <-asked; got != "GET as application/json" {
				t.Errorf("asked %s", got)
			}
		}
	})
}

func TestOneCallThatFailsIsSaid(t *testing.T) {
	t.Parallel()
	lab.RunISE(t, sim.ISEConfig{NoOpenAPI: true}, func(ctx context.Context, _ *sim.ISE, login ise.Config) {
		var out strings.Builder
		err := run(ctx, &out, login)
		if err == nil || !strings.Contains(err.Error(), "list policy-set: not found (404 Not Found)") || out.Len() > 0 {
			t.Errorf("got %v, printed %s", err, out.String())
		}
	})
}
