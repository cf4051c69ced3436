//go:build e2e && linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// startFleet runs a simulated fleet until the test ends.
func startFleet(t *testing.T, c sim.Config) *sim.Fleet {
	t.Helper()
	c.Username, c.Password, c.Enable = "admin", the.sec.password, the.sec.level
	return simulated(t, func(ctx context.Context, g *task.Group) (*sim.Fleet, error) { return sim.Start(ctx, g, c) })
}

// simulated runs what start starts until the test ends.
func simulated[T any](t *testing.T, start func(context.Context, *task.Group) (T, error)) (none T) {
	t.Helper()
	started, done := make(chan T, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		done <- task.Scope(ctx, "simulated", func(ctx context.Context, g *task.Group) error {
			it, err := start(ctx, g)
			if err != nil {
				return err
			}
			started <- it
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	select {
	case it := <-started:
		return it
	case err := <-done:
		t.Fatal(err)
		return none
	}
}

// rowsOf lists a simulated fleet.
func rowsOf(fleet *sim.Fleet) []row {
	var rows []row
	for _, d := range fleet.Devices() {
		rows = append(rows, row{name: d.Name, address: d.Address, port: d.Port, platform: d.Platform, group: d.Group, user: "admin",
			password: the.sec.password, enable: the.sec.level})
	}
	return rows
}

// fivePercent is that share of every one of the faults.
func fivePercent(kinds ...string) []sim.Share {
	var shares []sim.Share
	for _, k := range kinds {
		shares = append(shares, sim.Share{Kind: k, Share: 0.05})
	}
	return shares
}

// faults are all that the simulator knows, in two fleets, because in one fleet with five percent of each hardly anybody would be healthy.
var faults = map[string][]string{
	"what networks do":             {"hang-banner", "hang-command", "refuse", "reset", "garbage", "slow", "auth", "endless", "truncated", "cut", "flaky"},
	"what devices do":              {"hang-handshake", "trickle", "enable", "limit", "expired", "mute", "reject", "empty", "legacy"},
	"what is seen the second time": {"wrong-key"},
}

func TestEveryFaultOfTheSimulatorIsTried(t *testing.T) {
	t.Parallel()
	tried := slices.Sorted(func(yield func(string) bool) {
		for _, kinds := range faults {
			for _, kind := range kinds {
				if !yield(kind) {
					return
				}
			}
		}
	})
	var all []string
	for _, k := range sim.Kinds() {
		all = append(all, k.Name)
	}
	if !slices.Equal(tried, all) {
		t.Errorf("tried are %q, the simulator has %q", tried, all)
	}
}

func TestAThousandDevicesWithEveryFaultLoseNothing(t *testing.T) {
	fleets := map[string]string{"what networks do": "127.81.0.0/16", "what devices do": "127.82.0.0/16"}
	for name, prefix := range fleets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			fleet := startFleet(t, sim.Config{Devices: 1000, Seed: 7, Listen: prefix, Faults: fivePercent(faults[name]...)})
			list := s.inventory(t, rowsOf(fleet)...)
			// Fifty devices that never end would else send some gigabytes, which on a busy machine takes longer than they have.
			settings := s.write(t, "muster.yaml", "limits: {command_bytes: 8MiB}\n")
			began := time.Now()
			a := s.muster(t, "backup", "--config", settings, "-i", list, "-o", "ndjson", "--timeout", "90s", "-q")
			t.Logf("1000 devices in %v", time.Since(began).Round(time.Second))
			if a.code != 1 {
				t.Errorf("exit %d, want 1\n%.2000s", a.code, a.stderr)
			}
			s.fleetIsAsExpected(t, fleet, outcomes(t, a.stdout), "new")
			if out := s.git(t, "fsck", "--full", "--strict"); out != "" {
				t.Errorf("git fsck: %s", out)
			}
		})
	}
}

func TestAFleetThatChangesIsFollowedExactly(t *testing.T) {
	s := newSite(t)
	fleet := startFleet(t, sim.Config{Devices: 200, Seed: 3, Listen: "127.84.0.0/16", Faults: fivePercent("wrong-key")})
	list := s.inventory(t, rowsOf(fleet)...)
	got := outcomes(t, s.ok(t, "backup", "-i", list, "-o", "ndjson", "-q"))
	for name, o := range got {
		if o.word() != "new" {
			t.Errorf("%s: %s, want new: %s", name, o.word(), o.Error)
		}
	}
	before := map[string]string{}
	for _, d := range fleet.Devices() {
		before[d.Name] = string(fleet.Want(d.Name))
	}
	touched := fleet.Change(50)
	got = outcomes(t, s.muster(t, "backup", "-i", list, "-o", "ndjson", "-q").stdout)
	for _, d := range fleet.Devices() {
		want, text := "unchanged", string(fleet.Want(d.Name))
		if slices.Contains(touched, d.Name) {
			want = "changed"
		}
		if d.Fault == "wrong-key" {
			want, text = "hostkey hostkey-changed", before[d.Name]
		}
		if o := got[d.Name]; o.word() != want {
			t.Errorf("%s: %s, want %s: %s", d.Name, o.word(), want, o.Error)
		}
		s.latestIs(t, d, []byte(text))
	}
}

// fleetIsAsExpected fails the test for each device that did not fail of its own fault, and each healthy one that is not
// kept exactly, on disk and in git.
func (s *site) fleetIsAsExpected(t *testing.T, fleet *sim.Fleet, got map[string]outcome, status string) {
	t.Helper()
	kinds := map[string]sim.Kind{}
	for _, k := range sim.Kinds() {
		kinds[k.Name] = k
	}
	wrong := 0
	for _, d := range fleet.Devices() {
		o, there := got[d.Name]
		want, kind := status, kinds[d.Fault]
		if kind.Stage != "" {
			want = kind.Stage + " " + kind.Code
		}
		path := filepath.Join(s.data, "configs", d.Group, d.Name+".cfg")
		text, err := os.ReadFile(path)
		switch {
		case !there || o.word() != want:
			wrong++
			if wrong <= 20 {
				t.Errorf("%s (%s, fault %q): %q, want %s: %s", d.Name, d.Platform, d.Fault, o.word(), want, o.Error)
			}
		case kind.Stage != "" && !os.IsNotExist(err):
			t.Errorf("%s (fault %s): something is stored: %v", d.Name, d.Fault, err)
		case kind.Stage == "" && string(text) != string(fleet.Want(d.Name)):
			t.Errorf("%s (%s): %d bytes are stored, want %d (%v)", d.Name, d.Platform, len(text), len(fleet.Want(d.Name)), err)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d devices came out wrong", wrong, len(fleet.Devices()))
	}
	s.gitHolds(t, fleet, got)
}

// gitHolds compares the head of the history with what the fleet has.
func (s *site) gitHolds(t *testing.T, fleet *sim.Fleet, got map[string]outcome) {
	t.Helper()
	blobs := map[string]string{}
	for line := range strings.Lines(s.git(t, "ls-tree", "-r", "HEAD")) {
		about, path, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		blobs[strings.TrimSuffix(filepath.Base(path), ".cfg")] = strings.Fields(about)[2]
	}
	good := 0
	for name, o := range got {
		if o.Status == "failed" {
			continue
		}
		good++
		if want := blobID(fleet.Want(name)); blobs[name] != want {
			t.Errorf("%s: git has blob %q, want %s", name, blobs[name], want)
		}
	}
	if len(blobs) != good {
		t.Errorf("git holds %d devices, %d are good", len(blobs), good)
	}
}

func TestTheSimulatorServesItsOwnInventory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := filepath.Join(s.dir, "sim.csv")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := s.command(ctx, "sim", "--devices", "20", "--fault", "auth:5%", "--fault", "refuse:5%", "--inventory", list)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stop()
	within(t, 20*time.Second, "the inventory is there", func() bool {
		data, err := os.ReadFile(list)
		return err == nil && strings.Count(string(data), "\n") == 21
	})
	a := s.muster(t, "backup", "-i", list, "-o", "ndjson")
	words := map[string]int{}
	for _, o := range outcomes(t, a.stdout) {
		words[o.word()]++
	}
	if want := fmt.Sprint(map[string]int{"new": 18, "auth auth-rejected": 1, "connect refused": 1}); fmt.Sprint(words) != want {
		t.Errorf("%v, want %s", words, want)
	}
}

// within waits for something that another process does.
func within(t *testing.T, d time.Duration, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !so(); {
		if time.Now().After(end) {
			t.Fatalf("after %v still not: %s", d, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
