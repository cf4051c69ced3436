//go:build e2e && linux

package e2e

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tryGit runs git on the site's history; what it says on stderr is no part of the output, unless it fails.
func (s *site) tryGit(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", filepath.Join(s.data, "configs.git"), "--no-pager"}, args...)...)
	cmd.Env = append(s.env, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s%s", strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String(), nil
}

// git runs git itself on the site's history.
func (s *site) git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.tryGit(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pathOf is where a commit has the text of a device.
func (s *site) pathOf(t *testing.T, commit, device string) string {
	t.Helper()
	for path := range strings.Lines(s.git(t, "ls-tree", "-r", "--name-only", commit)) {
		if path = strings.TrimSpace(path); filepath.Base(path) == device+".cfg" {
			return path
		}
	}
	t.Fatalf("%s has nothing of %s", commit, device)
	return ""
}

// blobID is the name git gives to a text.
func blobID(text []byte) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text)))
}
