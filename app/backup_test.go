package app_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func TestARevisionIsByThePersonWhoChangedTheDevice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, sim.Config{Devices: 3, Seed: 5, Platforms: []string{"cisco_ios"}})
		if err != nil {
			return err
		}
		defer fleet.Close()
		a := openApp(t, ctx, fleet, dir)
		backUp(t, ctx, a)
		changed := fleet.Change(2)
		known, unknown := changed[0], changed[1]
		authors := map[string]string{known: "ada"}
		for _, d := range fleet.Devices() {
			if !slices.Contains(changed, d.Name) {
				authors[d.Name] = "nobody: nothing changed"
			}
		}
		got := backUpFor(t, ctx, a, authors)
		if got[known].Author != "ada" || got[unknown].Author != "" {
			t.Errorf("results are by %q and %q, want ada and nobody", got[known].Author, got[unknown].Author)
		}
		wantNewest(t, ctx, a, known, "ada", "syslog")
		wantNewest(t, ctx, a, unknown, "muster", "syslog")
		want := map[string]string{known: "ada <ada@localhost> syslog\n", unknown: "muster <muster@localhost> syslog\n"}
		if diff := cmp.Diff(want, map[string]string{known: lastCommit(t, dir, known), unknown: lastCommit(t, dir, unknown)}); diff != "" {
			t.Errorf("commits (-want +got):\n%s", diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// backUpFor backs all devices up as their messages ask for it, and returns the results by name.
func backUpFor(t *testing.T, ctx context.Context, a *app.App, authors map[string]string) map[string]muster.Result {
	t.Helper()
	sel, err := a.Select(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]muster.Result{}
	var sum app.Summary
	for r, err := range a.Backup(ctx, sel.Devices, app.RunOptions{Retries: -1, Trigger: "syslog", Authors: authors}, &sum) {
		if err != nil {
			t.Fatal(err)
		}
		results[r.Device.Name] = r
	}
	if sum.Changed != 2 || sum.Unchanged != 1 {
		t.Errorf("got %+v, want 2 changed and 1 unchanged", sum)
	}
	return results
}

// wantNewest compares the newest of a device's revisions, of which the one before was made by hand.
func wantNewest(t *testing.T, ctx context.Context, a *app.App, device, author, trigger string) {
	t.Helper()
	revs, err := a.History(ctx, device, 0)
	if err != nil || len(revs) != 2 {
		t.Fatalf("%s: got %d revisions, %v, want 2", device, len(revs), err)
	}
	if revs[0].Author != author || revs[0].Trigger != trigger || revs[1].Author != "muster" || revs[1].Trigger != "manual" {
		t.Errorf("%s: got %s by %q and before it %s by %q", device, revs[0].Trigger, revs[0].Author, revs[1].Trigger, revs[1].Author)
	}
}

// lastCommit is what git itself says of the newest commit about a device.
func lastCommit(t *testing.T, dir, device string) string {
	t.Helper()
	out, err := exec.Command("git", "-C", filepath.Join(dir, "data", "configs.git"), "log", "-1", "--grep=^Muster-Device: "+device+"$",
		"--format=%an <%ae> %(trailers:key=Muster-Trigger,valueonly,separator=%x2C)").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
