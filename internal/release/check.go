package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

// checkBinary makes sure that a binary is what was asked for: of that system, of that version and, on Linux, static.
func checkBinary(file string, t target, version string) error {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return err
	}
	for key, want := range map[string]string{"GOOS": t.system, "GOARCH": t.arch, "CGO_ENABLED": "0", "-trimpath": "true"} {
		if got := setting(info, key); got != want {
			return fmt.Errorf("the binary is built with %s=%q, want %q", key, got, want)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !holdsVersion(data, info, version) {
		return fmt.Errorf("the binary does not hold the version %s", version)
	}
	if t.system == "linux" {
		return checkStatic(bytes.NewReader(data))
	}
	return nil
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// holdsVersion looks for the version beside what Go itself notes of the build, which names tag and commit in any case.
func holdsVersion(data []byte, info *debug.BuildInfo, version string) bool {
	_, noted, _ := strings.Cut(info.String(), "\n") // without the line of the Go version
	return bytes.Contains(bytes.ReplaceAll(data, []byte(noted), nil), []byte(version))
}

// checkStatic makes sure that a Linux binary needs no loader and no library.
func checkStatic(r io.ReaderAt) error {
	f, err := elf.NewFile(r)
	if err != nil {
		return err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			return errors.New("the binary is not static")
		}
	}
	return nil
}

// checkRuns asks the binary of this system for its version.
func (r *release) checkRuns(ctx context.Context, binary string) error {
	out, err := r.command(ctx, binary, "version", "-o", "json")
	if err != nil {
		return err
	}
	var said struct{ Results []struct{ Version string } }
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return fmt.Errorf("muster version: %w", err)
	}
	if len(said.Results) != 1 || said.Results[0].Version != r.version {
		return fmt.Errorf("muster version says %q, want %s", strings.TrimSpace(out), r.version)
	}
	return nil
}
