//go:build e2e && linux

package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/sim"
)

const (
	killRounds = 100
	killSeed   = 11
)

// A run with changes is killed at a random moment, a hundred times over, the same data directory each time.
func TestKillingARunLosesNothingThatWasReported(t *testing.T) {
	s := newSite(t)
	fleet := startFleet(t, sim.Config{Devices: 40, Seed: killSeed, Listen: "127.83.0.0/16", ConfigBytes: 20_000})
	list := s.inventory(t, rowsOf(fleet)...)
	chance := rand.New(rand.NewPCG(killSeed, 0))
	began := time.Now()
	s.ok(t, "backup", "-i", list, "-q")
	whole := time.Since(began)
	reported := 0
	for round := range killRounds {
		fleet.Change(20)
		after := time.Duration(chance.Float64() * float64(whole) * 1.1)
		lines := s.killed(t, after, round%2 == 0, "backup", "-i", list, "-o", "ndjson", "-q")
		reported += len(lines)
		if !s.intact(t, fleet, lines) {
			t.Fatalf("round %d of seed %d, killed after %v", round, killSeed, after)
		}
		s.ok(t, "backup", "-i", list, "-q")
		for _, d := range fleet.Devices() {
			s.latestIs(t, d, fleet.Want(d.Name))
		}
		if t.Failed() {
			t.Fatalf("round %d of seed %d: the run after the kill has not mended it", round, killSeed)
		}
	}
	t.Logf("%d rounds, %d results reported before the kills, a whole run takes %v", killRounds, reported, whole.Round(time.Millisecond))
	if reported == 0 || reported == killRounds*len(fleet.Devices()) {
		t.Error("the kills all came too early or too late to show anything")
	}
	for _, d := range fleet.Devices() {
		for _, r := range s.history(t, d.Name, list) {
			s.git(t, "cat-file", "-e", r.Revision+"^{commit}")
		}
	}
}

// killed starts muster, kills it after a while, alone or with the git that it runs, and returns the results that it had
// reported whole. A git that was left alone ends by itself.
func (s *site) killed(t *testing.T, after time.Duration, alone bool, args ...string) []outcome {
	t.Helper()
	cmd := s.command(t.Context(), args...)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() {
		if alone {
			cmd.Process.Kill()
			return
		}
		for _, pid := range append(s.processes(), cmd.Process.Pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	defer timer.Stop()
	cmd.Wait()
	within(t, time.Minute, "all of it has ended", func() bool { return len(s.processes()) == 0 })
	whole := stdout.String()
	return lines[outcome](t, whole[:strings.LastIndexByte(whole, '\n')+1])
}

// intact reports whether the repository is sound and holds everything that was reported.
func (s *site) intact(t *testing.T, fleet *sim.Fleet, reported []outcome) bool {
	t.Helper()
	if out, err := s.tryGit("fsck", "--full", "--strict", "--no-dangling"); err != nil || out != "" {
		t.Errorf("git fsck: %v %s", err, out)
	}
	for _, o := range reported {
		if o.Status == "failed" {
			t.Errorf("%s: %s: %s", o.Device, o.word(), o.Error)
			continue
		}
		if got := s.git(t, "show", o.Revision+":"+s.pathOf(t, o.Revision, o.Device)); got != string(fleet.Want(o.Device)) {
			t.Errorf("%s was reported as %s in %s, which holds another text", o.Device, o.Status, o.Revision)
		}
		if got := s.ok(t, "show", o.Device, "-q"); got != string(fleet.Want(o.Device)) {
			t.Errorf("%s was reported as %s, show has another text", o.Device, o.Status)
		}
	}
	return !t.Failed()
}

// latestIs compares the file with the latest text.
func (s *site) latestIs(t *testing.T, d sim.Device, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(s.data, "configs", d.Group, d.Name+".cfg"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, want %d (%v)", d.Name, len(got), len(want), err)
	}
}

// processes are those that work in the site's data directory.
func (s *site) processes() []int {
	var pids []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if strings.HasPrefix(cwd, s.data) || strings.Contains(string(args), s.data) {
			if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
