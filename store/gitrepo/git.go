package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/musternet/muster/store"
)

// ErrNoGit says that no usable git is on this machine.
var ErrNoGit = errors.New("git 2.34 or newer is needed: install the package git")

// settings go with every command, so that nothing depends on what a person wrote into the repository's own file.
// core.fsync lets a power loss keep what was reported; unpackLimit keeps each checkpoint one file instead of many.
var settings = []string{
	"-c", "core.fsync=all", "-c", "fastimport.unpackLimit=0", "-c", "gc.auto=0", "-c", "gc.autoDetach=false",
	"-c", "maintenance.auto=false", "-c", "core.sharedRepository=0600", "-c", "core.logAllRefUpdates=false",
	"-c", "log.showRoot=true", "-c", "log.showSignature=false", "-c", "i18n.logOutputEncoding=UTF-8",
	"-c", "safe.bareRepository=all", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false",
}

// command prepares a git process: our settings, our repository, nothing of the caller's environment that could point it
// elsewhere, and a bounded place for what it says on stderr.
func command(ctx context.Context, dir string, args ...string) (*exec.Cmd, *complaint, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, nil, ErrNoGit
	}
	if dir != "" {
		args = append([]string{"--git-dir=" + dir}, args...)
	}
	cmd := exec.CommandContext(ctx, git, append(append([]string{}, settings...), args...)...)
	cmd.Env = environment(os.Environ())
	cmd.WaitDelay = 5 * time.Second // a grandchild that holds a pipe open does not hold us
	detach(cmd)
	said := new(complaint)
	cmd.Stderr = said
	return cmd, said, nil
}

// environment drops what would change what git does or says, and what is none of its business: our own passwords.
func environment(env []string) []string {
	out := make([]string, 0, len(env)+8)
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "MUSTER_") || strings.HasPrefix(name, "GIT_") || strings.HasPrefix(name, "LC_") || name == "LANG" || name == "LANGUAGE" {
			continue
		}
		out = append(out, kv)
	}
	return append(out, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_DEFAULT_HASH=sha1",
		"GIT_DEFAULT_REF_FORMAT=files", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1",
		"LC_ALL=C")
}

// run runs one git command to its end.
func run(ctx context.Context, dir string, args ...string) error {
	cmd, said, err := command(ctx, dir, args...)
	if err != nil {
		return err
	}
	return said.explain(ctx, args[0], cmd.Run())
}

// complaint keeps the end of what a git process says on stderr.
type complaint struct {
	mu   sync.Mutex
	text []byte
}

const complaintSize = 4096

func (c *complaint) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, p...)
	if over := len(c.text) - complaintSize; over > 0 {
		c.text = append(c.text[:0], c.text[over:]...)
	}
	return len(p), nil
}

// last returns the last line that names a reason.
func (c *complaint) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(c.text)), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "fatal: ") || strings.HasPrefix(lines[i], "error: ") {
			return lines[i]
		}
	}
	return lines[len(lines)-1]
}

// fullWords are what git and the C library say of a full disk. Only words are there to go by: git's status is 128
// whatever happened.
var fullWords = []string{"No space left on device", "Out of diskspace", "Disk quota exceeded"}

func (c *complaint) diskFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(fullWords, func(w string) bool { return strings.Contains(string(c.text), w) })
}

// explain puts what git said in the place of "exit status 128".
func (c *complaint) explain(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", what, context.Cause(ctx))
	}
	if c.diskFull() {
		return fmt.Errorf("git %s: %w", what, store.ErrDiskFull)
	}
	if last := c.last(); last != "" {
		return fmt.Errorf("git %s: %s (%w)", what, strconv.QuoteToGraphic(last), err)
	}
	return fmt.Errorf("git %s: %w", what, err)
}

// checkVersion refuses a git that lacks what is used here: repack --geometric came with 2.33, and 2.34 is the oldest
// one in use that was looked at.
func checkVersion(ctx context.Context) error {
	cmd, said, err := command(ctx, "", "version")
	if err != nil {
		return err
	}
	out, err := cmd.Output()
	if err != nil {
		return said.explain(ctx, "version", err)
	}
	major, minor := parseVersion(string(out))
	if major < 2 || major == 2 && minor < 34 {
		return fmt.Errorf("%w (this is %s)", ErrNoGit, strings.TrimSpace(string(out)))
	}
	return nil
}

// parseVersion reads "git version 2.39.5 (Apple Git-154)".
func parseVersion(text string) (major, minor int) {
	fields := strings.Fields(text)
	if len(fields) < 3 {
		return 0, 0
	}
	parts := strings.SplitN(fields[2], ".", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(parts[0])
	minor, _ = strconv.Atoi(parts[1])
	return major, minor
}
