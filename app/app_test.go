package app_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// withFleet starts a simulated fleet with an inventory of it and opens an App on both.
func withFleet(t *testing.T, c sim.Config, f func(ctx context.Context, fleet *sim.Fleet, a *app.App)) {
	t.Helper()
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, c)
		if err != nil {
			return err
		}
		defer fleet.Close()
		f(ctx, fleet, openApp(t, ctx, fleet, t.TempDir()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func openApp(t *testing.T, ctx context.Context, fleet *sim.Fleet, dir string) *app.App {
	t.Helper()
	var b bytes.Buffer
	if err := fleet.WriteInventory(&b, "csv"); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "list.csv")
	if err := os.WriteFile(list, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return reopen(t, ctx, dir)
}

// reopen opens an App on the list and data that are in a directory.
func reopen(t *testing.T, ctx context.Context, dir string) *app.App {
	t.Helper()
	a, err := app.Open(ctx, app.Options{
		DataDir: filepath.Join(dir, "data"), Inventory: []string{filepath.Join(dir, "list.csv")},
		Getenv: func(name string) string {
			if name == "HOME" {
				return dir
			}
			return ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// backUp backs up all devices and returns the results by name.
func backUp(t *testing.T, ctx context.Context, a *app.App) (map[string]muster.Result, app.Summary) {
	t.Helper()
	sel, err := a.Select(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sum app.Summary
	results := map[string]muster.Result{}
	for r, err := range a.Backup(ctx, sel.Devices, app.RunOptions{Retries: -1}, &sum) {
		if err != nil {
			t.Fatal(err)
		}
		results[r.Device.Name] = r
	}
	return results, sum
}

func TestEveryPlatformIsBackedUpExactly(t *testing.T) {
	t.Parallel()
	withFleet(t, sim.Config{Devices: 40, Seed: 1}, func(ctx context.Context, fleet *sim.Fleet, a *app.App) {
		results, sum := backUp(t, ctx, a)
		if sum.New != 40 || sum.Total != 40 || sum.Failed != 0 {
			t.Errorf("got %+v, want 40 new", sum)
		}
		for _, d := range fleet.Devices() {
			r := results[d.Name]
			if r.Failure != nil {
				t.Errorf("%s (%s): %v\n%s", d.Name, d.Platform, r.Failure, r.Failure.Transcript)
				continue
			}
			_, text, err := a.Text(ctx, d.Name, "")
			if err != nil {
				t.Fatal(err)
			}
			if want := fleet.Want(d.Name); !bytes.Equal(text, want) {
				t.Errorf("%s (%s): stored text differs from what the device has: %d bytes, want %d", d.Name, d.Platform, len(text), len(want))
			}
		}
	})
}

func TestOnlyChangesMakeRevisions(t *testing.T) {
	t.Parallel()
	withFleet(t, sim.Config{Devices: 20, Seed: 2}, func(ctx context.Context, fleet *sim.Fleet, a *app.App) {
		backUp(t, ctx, a)
		if _, sum := backUp(t, ctx, a); sum.Unchanged != 20 {
			t.Errorf("second run: got %+v, want 20 unchanged", sum)
		}
		changed := fleet.Change(3)
		results, sum := backUp(t, ctx, a)
		if sum.Changed != 3 || sum.Unchanged != 17 {
			t.Errorf("third run: got %+v, want 3 changed", sum)
		}
		for _, name := range changed {
			if results[name].Status != muster.StatusChanged {
				t.Errorf("%s: got %s, want changed", name, results[name].Status)
			}
			d, err := a.Diff(ctx, name)
			if err != nil || d.Added != results[name].Added || d.Removed != results[name].Removed || d.Added+d.Removed == 0 {
				t.Errorf("%s: diff %+d -%d (%v), result %+d -%d", name, d.Added, d.Removed, err, results[name].Added, results[name].Removed)
			}
			revs, err := a.History(ctx, name, 0)
			if err != nil || len(revs) != 2 {
				t.Errorf("%s: got %d revisions (%v), want 2", name, len(revs), err)
			}
		}
	})
}

func TestDetectedPlatformsAreRemembered(t *testing.T) {
	t.Parallel()
	withFleet(t, sim.Config{Devices: 15, Seed: 3}, func(ctx context.Context, fleet *sim.Fleet, a *app.App) {
		sel, err := a.Select(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		platforms := map[string]string{}
		for i := range sel.Devices {
			platforms[sel.Devices[i].Name] = sel.Devices[i].Platform
			sel.Devices[i].Platform = ""
		}
		for round := range 2 {
			var sum app.Summary
			before := fleet.Counts().Logins
			for r, err := range a.Backup(ctx, sel.Devices, app.RunOptions{Retries: -1}, &sum) {
				if err != nil {
					t.Fatal(err)
				}
				if r.Failure != nil {
					t.Errorf("%s (%s): %v\n%s", r.Device.Name, platforms[r.Device.Name], r.Failure, r.Failure.Transcript)
				} else if r.Device.Platform != platforms[r.Device.Name] {
					t.Errorf("%s: detected %s, is %s", r.Device.Name, r.Device.Platform, platforms[r.Device.Name])
				}
			}
			if logins := fleet.Counts().Logins - before; round == 1 && logins != 15 {
				t.Errorf("the second round took %d logins, want 15: the platform is known", logins)
			}
		}
	})
}

func TestCommandAnswersComeWithTheirDevice(t *testing.T) {
	t.Parallel()
	withFleet(t, sim.Config{Devices: 6, Seed: 4, Platforms: []string{"cisco_ios"}}, func(ctx context.Context, fleet *sim.Fleet, a *app.App) {
		sel, err := a.Select(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for ans, err := range a.Command(ctx, sel.Devices, "show version", app.RunOptions{Retries: -1}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[ans.Index] = true
			if ans.Failure != nil || !strings.Contains(ans.Output, "Cisco IOS") {
				t.Errorf("%s: got %q, %v", ans.Device.Name, ans.Output, ans.Failure)
			}
		}
		if len(seen) != 6 {
			t.Errorf("got %d answers, want 6", len(seen))
		}
	})
}

func TestAnInventoryThatIsCutOffIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, sim.Config{Devices: 10, Seed: 5})
		if err != nil {
			return err
		}
		defer fleet.Close()
		backUp(t, ctx, openApp(t, ctx, fleet, dir))
		list := filepath.Join(dir, "list.csv")
		for _, c := range []struct {
			rows   int
			shrunk bool
		}{{10, false}, {5, false}, {4, true}} {
			openApp(t, ctx, fleet, dir)
			if err := os.WriteFile(list, firstLines(t, list, 1+c.rows), 0o600); err != nil {
				return err
			}
			a := reopen(t, ctx, dir)
			sel, err := a.Select(ctx, nil)
			if err != nil {
				return err
			}
			if (sel.Shrunk != nil) != c.shrunk {
				t.Errorf("%d of 10 rows: got %v, want shrunk %v", c.rows, sel.Shrunk, c.shrunk)
			}
			one, err := a.Select(ctx, []string{"sim-0001"})
			if err != nil || one.Shrunk != nil {
				t.Errorf("%d of 10 rows: one device asked for: got %v, %v", c.rows, one.Shrunk, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func firstLines(t *testing.T, file string, n int) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:n], nil)
}

func TestADeviceThatBecameAnotherIsDetectedAnew(t *testing.T) {
	t.Parallel()
	withFleet(t, sim.Config{Devices: 4, Seed: 6, Platforms: []string{"cisco_ios", "juniper_junos"}}, func(ctx context.Context, _ *sim.Fleet, a *app.App) {
		sel, err := a.Select(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		of := func(platform string) muster.Device {
			i := slices.IndexFunc(sel.Devices, func(d muster.Device) bool { return d.Platform == platform })
			return sel.Devices[i]
		}
		var got []string
		for _, dev := range []muster.Device{of("cisco_ios"), of("juniper_junos"), of("juniper_junos")} {
			dev.Name, dev.Platform = "r1", ""
			var sum app.Summary
			for r, err := range a.Backup(ctx, []muster.Device{dev}, app.RunOptions{}, &sum) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(r.Status))
			}
		}
		if want := "new failed changed"; strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s: the second run forgets the platform that does not fit", got, want)
		}
	})
}
