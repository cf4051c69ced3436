//go:build e2e && linux

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every run of muster in every test is searched for secrets by site.muster. These look at the rest: other processes'
// view of it, and what it leaves on disk.

func TestNoSecretIsInAnyCommandLine(t *testing.T) {
	t.Parallel()
	asked := filepath.Join(t.TempDir(), "asked")
	s := newSite(t).identity(t).set("PATH", noting(t, "git", asked)+":"+os.Getenv("PATH"))
	rows := healthy()
	list := s.inventory(t, rows...)
	stop, seen := make(chan struct{}), make(chan string)
	go func() { seen <- commandLines(stop) }()
	for range 3 {
		s.muster(t, "backup", "-i", list, "-q", "-v")
	}
	close(stop)
	all := <-seen
	noted, err := os.ReadFile(asked)
	if err != nil || !strings.Contains(all, "muster backup") || !strings.Contains(string(noted), "fast-import") {
		t.Errorf("muster and git were not seen at work: %v", err)
	}
	the.sec.mustNotBeIn(t, "a command line of git", string(noted), false)
	the.sec.mustNotBeIn(t, "a command line", all, false)
}

// noting makes a command of a name that notes its arguments in a file before it is the real one: git is over too soon to be
// seen from outside. It returns the directory.
func noting(t *testing.T, name, file string) (dir string) {
	t.Helper()
	real, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$*\" >>'%s'\nexec '%s' \"$@\"\n", file, real)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// commandLines collects the arguments of every process until it is told to stop.
func commandLines(stop <-chan struct{}) string {
	seen := map[string]bool{}
	for {
		select {
		case <-stop:
			var all strings.Builder
			for line := range seen {
				all.WriteString(line + "\n")
			}
			return all.String()
		case <-time.After(2 * time.Millisecond):
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				if data, err := os.ReadFile(file); err == nil {
					seen[strings.ReplaceAll(string(data), "\x00", " ")] = true
				}
			}
		}
	}
}

func TestNoSecretIsLeftOnDiskBesideTheConfigurations(t *testing.T) {
	t.Parallel()
	s := newSite(t).identity(t)
	wrong := of("r2")
	wrong.name, wrong.password = "wrong", the.sec.wrong
	refused := of("srv1")
	refused.name, refused.platform = "refused", "cisco_ios" // its shell sees every command and keeps a transcript
	list := s.inventory(t, append(healthy(), wrong, refused)...)
	s.muster(t, "backup", "-i", list, "-q", "-v")
	for _, name := range []string{"r1", "b1", "wrong", "refused"} {
		s.muster(t, "device", "test", name, "-i", list, "-v")
	}
	files := 0
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(s.data, path)
		if d.IsDir() {
			if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 && rel == "." {
				t.Errorf("the data directory has mode %v", info.Mode())
			}
			return nil
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inside := strings.HasPrefix(rel, "configs/") || strings.HasPrefix(rel, "configs.git/objects/")
		the.sec.mustNotBeIn(t, rel, string(data), inside)
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("%d files looked at: %v", files, err)
	}
	the.sec.mustNotBeIn(t, "git log", s.git(t, "log", "--all", "--format=fuller"), false)
}

func TestARecordingIsMasked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := s.inventory(t, of("r1"), of("b1"))
	for _, name := range []string{"r1", "b1"} { // site.muster searches what is printed, configuration or not
		if out := s.ok(t, "record", name, "-i", list); !strings.Contains(out, "<secret>") {
			t.Errorf("the recording of %s has nothing masked:\n%.2000s", name, out)
		}
	}
}
