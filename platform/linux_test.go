package platform_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A file that breaks off while it is read must not look like a shorter one.
func TestAFileThatCannotBeReadToItsEndIsNoConfig(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here")
	}
	if _, err := os.Stat("/etc/hosts"); err != nil {
		t.Skip("there is no /etc/hosts here")
	}
	bin := t.TempDir()
	broken := "#!" + sh + "\necho half\necho 'cat: read error: Input/output error' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "cat"), []byte(broken), 0o700); err != nil {
		t.Fatal(err)
	}
	def := lookup(t, "linux")
	everyRecording(t, func(t *testing.T, r recorded) {
		if r.def.Name != def.Name {
			t.Skip("another platform")
		}
		cmd := exec.CommandContext(t.Context(), sh, "-c", r.Steps[0].Send)
		cmd.Env = []string{"PATH=" + bin}
		out, err := cmd.Output()
		if !strings.Contains(string(out), "half\n") {
			t.Fatalf("got %q, %v", out, err)
		}
		if lacks := def.Lacks(string(out), cmd.ProcessState.ExitCode()); lacks == "" {
			t.Errorf("status %d and this are taken for a whole configuration:\n%s", cmd.ProcessState.ExitCode(), out)
		}
	})
}
