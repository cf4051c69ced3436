package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/examples/internal/lab"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestYourFunctionOverAnInventory(t *testing.T) {
	lab.Run(t, sim.Config{Devices: 4}, func(ctx context.Context, fleet *sim.Fleet, _ session.Config) {
		var list bytes.Buffer
		if err := fleet.WriteInventory(&list, "csv"); err != nil {
			t.Fatal(err)
		}
		list.WriteString("closed,127.0.0.1,1,,,,,\n")
		file := filepath.Join(t.TempDir(), "fleet.csv")
		if err := os.WriteFile(file, list.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, d := range fleet.Devices() {
			fmt.Fprintf(&all, "%s: %s\n", d.Name, d.HostKey)
		}
		all.WriteString("closed: FAILED - connect: refused: nothing listens on 127.0.0.1:1\n")
		for _, c := range []struct {
			selectors []string
			want      string
		}{
			{nil, all.String()},
			{[]string{"sim-0003"}, fmt.Sprintf("sim-0003: %s\n", fleet.Devices()[2].HostKey)},
		} {
			var out strings.Builder
			if err := run(ctx, &out, file, c.selectors); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("%q: got %q, want %q", c.selectors, out.String(), c.want)
			}
		}
	})
}

func TestInventoryThatIsNotThereIsAnError(t *testing.T) {
	if err := run(t.Context(), t.Output(), filepath.Join(t.TempDir(), "none.csv"), nil); err == nil {
		t.Error("no error")
	}
}
