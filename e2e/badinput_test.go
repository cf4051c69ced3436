//go:build e2e && linux

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// complaint fails the test unless the run ended with that exit code and with one sentence on stderr that has all the
// words.
func (a answer) complaint(t *testing.T, code int, words ...string) {
	t.Helper()
	said := strings.TrimSpace(a.stderr)
	if a.code != code {
		t.Errorf("exit %d, want %d", a.code, code)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("no word of %q", word)
		}
	}
	if said == "" || strings.Contains(said, "\n") || strings.Contains(said, "goroutine ") {
		t.Error("not one sentence")
	}
	if t.Failed() {
		t.Logf("stdout: %s\nstderr: %s", a.stdout, a.stderr)
	}
}

func TestWhatIsWrongWithTheInputIsSaidInOneSentence(t *testing.T) {
	t.Parallel()
	noise := "\x00\x01\xff\xfe"
	cases := map[string]struct {
		file, text string   // what is written first
		args       []string // FILE is its path
		code       int
		words      []string
	}{
		"unknown key in the settings":       {"muster.yaml", "inventroy: []\n", []string{"--config", "FILE", "backup"}, 2, []string{"muster.yaml:1", "inventroy", "inventory"}},
		"settings that are no YAML":         {"muster.yaml", "a: [1\n", []string{"--config", "FILE", "backup"}, 2, []string{"muster.yaml"}},
		"settings that are not there":       {"x", "", []string{"--config", "/nowhere/muster.yaml", "backup"}, 2, []string{"/nowhere/muster.yaml"}},
		"inventory that is not there":       {"x", "", []string{"backup", "-i", "/nowhere/list.csv"}, 2, []string{"/nowhere/list.csv"}},
		"inventory that is a directory":     {"x", "", []string{"backup", "-i", "/usr"}, 2, []string{"/usr"}},
		"inventory without a known column":  {"list.csv", "nombre,direccion\nr1,1\n", []string{"backup", "-i", "FILE"}, 2, []string{"list.csv"}},
		"inventory of noise":                {"list.csv", noise, []string{"backup", "-i", "FILE"}, 2, []string{"list.csv"}},
		"empty inventory":                   {"list.csv", "name,address\n", []string{"backup", "-i", "FILE"}, 3, nil},
		"unknown flag":                      {"x", "", []string{"backup", "--no-such-flag"}, 2, []string{"--no-such-flag"}},
		"unknown command":                   {"x", "", []string{"bakup"}, 2, []string{"bakup", "backup"}},
		"unknown format":                    {"x", "", []string{"backup", "-o", "xml"}, 2, []string{"xml", "ndjson"}},
		"history of nothing":                {"x", "", []string{"history", "r1"}, 3, nil},
		"show of nothing":                   {"x", "", []string{"show", "r1"}, 3, nil},
		"unknown failure code to explain":   {"x", "", []string{"explain", "no-such-code"}, 2, []string{"no-such-code"}},
		"a password where none may be said": {"x", "", []string{"backup", "--password", "x"}, 2, []string{"--password"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			path := s.write(t, c.file, c.text)
			args := append([]string{}, c.args...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "FILE", path)
			}
			s.muster(t, args...).complaint(t, c.code, c.words...)
		})
	}
}

func TestABadRowDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := s.inventory(t, of("r1"), row{name: "bad", address: "198.19.173.1", port: 99999}, of("r2"))
	a := s.muster(t, "backup", "-i", list, "-o", "ndjson", "-q")
	got := outcomes(t, a.stdout)
	if got["r1"].Status != "new" || got["r2"].Status != "new" || !strings.Contains(a.stderr, "devices.csv:3") {
		t.Errorf("exit %d, r1 %s, r2 %s\n%s", a.code, got["r1"].word(), got["r2"].word(), a.stderr)
	}
}

func TestAnUnknownPlatformIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	strange := of("r1")
	strange.platform = "cisco_iso"
	a := s.muster(t, "backup", "-i", s.inventory(t, strange, of("r2")), "-o", "ndjson", "-q")
	if said := a.stdout + a.stderr; !strings.Contains(said, "devices.csv:2") || !strings.Contains(said, "cisco_iso") || !strings.Contains(said, "cisco_ios") {
		t.Errorf("not said where, what and what was meant: %s", said)
	}
	if outcomes(t, a.stdout)["r2"].Status != "new" {
		t.Error("r2 was not backed up")
	}
}

func TestAMissingSecretIsNamedAndNotTried(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	before := loginsRefused(t)["r2"]
	config := s.write(t, "muster.yaml", `credentials:
  lab: {username: admin, password: "env:NO_SUCH_VARIABLE"}
devices:
  - {name: r2, address: 198.19.173.12, platform: frr, credentials: [lab]}
`)
	a := s.muster(t, "--config", config, "backup", "-o", "ndjson", "-q")
	o := outcomes(t, a.stdout)["r2"]
	if a.code != 1 || o.word() != "auth secret-missing" || !strings.Contains(o.Error, "NO_SUCH_VARIABLE") {
		t.Errorf("exit %d, %s: %s\n%s", a.code, o.word(), o.Error, a.stderr)
	}
	if loginsRefused(t)["r2"] != before {
		t.Error("a login was tried")
	}
}

func TestWithoutGitNothingIsTried(t *testing.T) {
	t.Parallel()
	s := newSite(t).set("PATH", t.TempDir())
	s.muster(t, "backup", "-i", s.inventory(t, of("r1")), "-q").complaint(t, 4, "git")
}

func TestADataDirectoryThatAnotherProcessWritesIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := withMute(t, s)
	cmd, _, _ := halfDone(t, s, list)
	began := time.Now()
	s.muster(t, "backup", "r1", "-i", list, "-q").complaint(t, 4, strconv.Itoa(cmd.Process.Pid), "muster backup")
	if took := time.Since(began); took < 4*time.Second || took > 9*time.Second {
		t.Errorf("it gave up after %v, want 5 s", took)
	}
	s.ok(t, "show", "r1", "-i", list) // readers work beside the writer
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	s.ok(t, "backup", "r1", "-i", list, "-q")
}

func TestAFullDiskLosesNothingThatWasStored(t *testing.T) {
	s := newSite(t)
	if err := os.Mkdir(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", s.data, "tmpfs", 0, "size=8m,mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(s.data, syscall.MNT_DETACH) })
	list := s.inventory(t, of("r1"), of("r2"))
	s.ok(t, "backup", "r2", "-i", list, "-q")
	before := s.ok(t, "show", "r2", "-i", list)
	the.nodes["r2"].describe(t, "a disk is full")

	filler := filepath.Join(s.data, "filler")
	fill(t, filler)
	a := s.muster(t, "backup", "-i", list, "-o", "ndjson", "-q")
	if a.code != 1 && a.code != 4 {
		t.Errorf("exit %d, want 1 or 4", a.code)
	}
	if said := strings.ToLower(a.stdout + a.stderr); !strings.Contains(said, "space") || strings.Contains(said, "goroutine ") {
		t.Errorf("no word of the space that is missing:\n%s%s", a.stdout, a.stderr)
	}
	for name, o := range outcomes(t, a.stdout) {
		if o.word() != "store disk-full" {
			t.Errorf("%s: %s, want store disk-full: %s", name, o.word(), o.Error)
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if got := s.ok(t, "show", "r2", "-i", list); got != before {
		t.Error("what was stored before is gone")
	}
	if out := s.git(t, "fsck", "--full"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	got := outcomes(t, s.ok(t, "backup", "-i", list, "-o", "ndjson", "-q"))
	if got["r1"].Status != "new" || got["r2"].Status != "changed" {
		t.Errorf("after the disk has space again: r1 %s, r2 %s", got["r1"].word(), got["r2"].word())
	}
}

// fill writes a file until its file system has no space left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
}
