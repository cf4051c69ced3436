package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAllPagesAreListed(t *testing.T) {
	t.Parallel()
	lab.RunISE(t, sim.ISEConfig{Endpoints: 250}, func(ctx context.Context, there *sim.ISE, login ise.Config) {
		var out strings.Builder
		err := run(ctx, &out, login)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if err != nil || len(lines) != 251 || lines[250] != "Found 250 endpoints" {
			t.Fatalf("%v, printed %d lines", err, len(lines))
		}
		for i, mac := range there.Endpoints() {
			if want := fmt.Sprintf("%q", mac); !strings.HasSuffix(lines[i], want) {
				t.Errorf("line %d is %s, want %s", i, lines[i], want)
			}
		}
	})
}

func TestAWrongPasswordIsSaid(t *testing.T) {
	t.Parallel()
	lab.RunISE(t, sim.ISEConfig{}, func(ctx context.Context, _ *sim.ISE, login ise.Config) {
		login.Password = lab.Secret("wrong")
		err := run(ctx, &strings.Builder{}, login)
		if err == nil || !strings.HasPrefix(err.Error(), "list endpoint: ISE rejects the user name or the password") {
			t.Errorf("got %v", err)
		}
	})
}
