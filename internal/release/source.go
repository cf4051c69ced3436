package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// versionPattern is what may stand in the name of a file on every system.
var versionPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]*$`)

// prepare looks at the sources: what they are called, whether all of them are committed, and when that was.
func (r *release) prepare(ctx context.Context) error {
	if r.version == "unknown" || !versionPattern.MatchString(r.version) {
		return fmt.Errorf("%q is no version: say one, as in make release VERSION=v1.2.3", r.version)
	}
	if _, err := os.Lstat(r.out); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already", r.out)
	}
	_, err := os.Stat(filepath.Join(r.dir, ".git")) // a repository further up is not that of these sources
	r.git = err == nil
	if err := r.checkTree(ctx); err != nil {
		return err
	}
	r.made, err = r.sourceTime(ctx)
	return err
}

// checkTree refuses what nobody could build again from the commit.
func (r *release) checkTree(ctx context.Context) error {
	if !r.git || r.allowDirty {
		return nil
	}
	changes, err := r.command(ctx, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		first, _, _ := strings.Cut(changes, "\n")
		return fmt.Errorf("not everything is committed, such as %q: commit it, or say ALLOW_DIRTY=1", first)
	}
	return nil
}

// sourceTime is when the sources were committed, or what SOURCE_DATE_EPOCH says.
func (r *release) sourceTime(ctx context.Context) (time.Time, error) {
	seconds := r.epoch
	if seconds == "" && !r.git {
		return time.Time{}, errors.New("without git nobody knows the time of the sources: say SOURCE_DATE_EPOCH, in seconds since 1970")
	}
	if seconds == "" {
		out, err := r.command(ctx, "git", "log", "-1", "--format=%ct")
		if err != nil {
			return time.Time{}, err
		}
		seconds = strings.TrimSpace(out)
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of the sources: %w", err)
	}
	return time.Unix(n, 0).UTC(), nil
}

// command runs a command in the sources and returns what it prints.
func (r *release) command(ctx context.Context, name string, args ...string) (string, error) {
	return r.commandEnv(ctx, nil, name, args...)
}

func (r *release) commandEnv(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "LC_ALL=C")
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
