package lab

import (
	"context"
	"testing"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// RunISE starts the simulated ISE that c describes, calls f with it and with how to ask it, and ends it.
func RunISE(t *testing.T, c sim.ISEConfig, f func(ctx context.Context, lab *sim.ISE, login ise.Config)) {
	t.Helper()
	err := task.Scope(t.Context(), "lab", func(ctx context.Context, g *task.Group) error {
		lab, err := sim.StartISE(ctx, g, c)
		if err != nil {
			return err
		}
		defer lab.Close()
		user, password := lab.Login()
		f(ctx, lab, ise.Config{URL: lab.URL(), Username: user, Password: Secret(password), Pin: lab.Pin()})
		return nil
	})
	if err != nil {
		t.Fatalf("the ISE failed: %v", err)
	}
}
