package platform_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

// bird asks sh for the configuration of a BIRD whose files lie in a directory of the test, /etc/bird in their text.
func bird(t *testing.T, files map[string]string) (text string, status int) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here")
	}
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "/etc/bird", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range platform.Recordings() {
		if r.Platform == "bird" {
			cmd := exec.CommandContext(t.Context(), sh, "-c", strings.ReplaceAll(r.Steps[0].Send, "/etc/bird", dir))
			out, _ := cmd.Output() // its status says it
			text, status = strings.ReplaceAll(string(out), dir, "/etc/bird"), cmd.ProcessState.ExitCode()
		}
	}
	return text, status
}

func TestBirdGivesWhatItsFilesInclude(t *testing.T) {
	t.Parallel()
	text, status := bird(t, map[string]string{
		"bird.conf":       "one;\ninclude \"/etc/bird/conf.d/*.conf\";\n  include  \"peers/all.conf\" ; # relative\ninclude \"none/*.conf\";\n# include \"/etc/bird/not.conf\";\n",
		"conf.d/a.conf":   "two;\n",
		"conf.d/b.conf":   "three;\ninclude \"deeper/*.conf\";\n",
		"conf.d/c.txt":    "no;\n",
		"peers/all.conf":  "four;\ninclude \"some.conf\";\n",
		"peers/some.conf": "five;\ninclude \"/etc/bird/peers/all.conf\";\n", // a circle, which BIRD refuses: it must end
		"not.conf":        "no;\n", "conf.d/deeper/x.conf": "six;\n", "none/x.txt": "no;\n",
	})
	for _, want := range []string{"one;", "two;", "three;", "four;", "five;", "six;", "# end of configuration"} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s is not there", want)
		}
	}
	if status != 0 || strings.Contains(text, "\nno;\n") || len(text) > 4000 {
		t.Errorf("status %d, %d bytes:\n%.2000s", status, len(text), text)
	}
}

func TestBirdFailsWhereAFileIsMissing(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"included":    {"bird.conf": "one;\ninclude \"/etc/bird/gone.conf\";\n"},
		"a directory": {"bird.conf": "one;\ninclude \"/etc/bird/gone/*.conf\";\n"},
		"deeper":      {"bird.conf": "include \"a.conf\";\n", "a.conf": "include \"gone.conf\";\n"},
		"all":         {},
	} {
		if text, status := bird(t, files); status == 0 || strings.Contains(text, "# end of configuration") {
			t.Errorf("%s: status %d, %s", name, status, text)
		}
	}
}
