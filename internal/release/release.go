package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// target is a system to release for.
type target struct{ system, arch string }

func (t target) String() string { return t.system + "/" + t.arch }

// targets are the systems that are released for.
var targets = []target{
	{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"},
}

// release is one run of this program.
type release struct {
	dir, out   string
	version    string
	goCommand  string
	epoch      string
	allowDirty bool
	targets    []target
	log        io.Writer

	made time.Time // of every file in the archives
	git  bool      // dir is a git repository, and not only sources
}

// run makes the archives and their checksums. Nothing is written to r.out before all binaries are built and checked.
func (r *release) run(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "muster-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	binaries, err := r.buildAll(ctx, work)
	if err != nil {
		return err
	}
	common, err := r.commonEntries(ctx, binaries[host()])
	if err != nil {
		return err
	}
	goroot, err := r.command(ctx, r.goCommand, "env", "GOROOT")
	if err != nil {
		return err
	}
	if err := os.Mkdir(r.out, 0o755); err != nil {
		return err
	}
	for _, t := range r.targets {
		if err := r.archive(ctx, t, binaries[t], strings.TrimSpace(goroot), common); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return writeSums(r.out)
}

// host is the system this program runs on.
func host() target { return target{runtime.GOOS, runtime.GOARCH} }

// buildAll builds and checks the binary of each target, and that of the host, which is asked for completions.
func (r *release) buildAll(ctx context.Context, work string) (map[target]string, error) {
	all := r.targets
	if !slices.Contains(all, host()) {
		all = append(slices.Clone(all), host())
	}
	binaries := map[target]string{}
	for _, t := range all {
		file := filepath.Join(work, t.system+"_"+t.arch, binaryName(t))
		began := time.Now()
		if err := r.build(ctx, t, file); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
		if err := checkBinary(file, t, r.version); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
		fmt.Fprintf(r.log, "built %-13s %s in %.1fs\n", t, sizeOf(file), time.Since(began).Seconds())
		binaries[t] = file
	}
	return binaries, r.checkRuns(ctx, binaries[host()])
}

func binaryName(t target) string {
	if t.system == "windows" {
		return "muster.exe"
	}
	return "muster"
}

func sizeOf(file string) string {
	info, err := os.Stat(file)
	if err != nil {
		return "?"
	}
	return fmt.Sprintf("%.1f MB", float64(info.Size())/1e6)
}

// build builds the binary of one target. What the environment says of builds is put aside, so that everybody gets the
// same bytes.
func (r *release) build(ctx context.Context, t target, file string) error {
	_, err := r.commandEnv(ctx,
		[]string{"CGO_ENABLED=0", "GOOS=" + t.system, "GOARCH=" + t.arch, "GOAMD64=v1", "GOARM64=v8.0"},
		r.goCommand, "build", "-trimpath", fmt.Sprintf("-buildvcs=%t", r.git), "-ldflags", "-s -w -X main.version="+r.version,
		"-o", file, "./cmd/muster")
	return err
}

// commonEntries are the files that are the same for every target.
func (r *release) commonEntries(ctx context.Context, muster string) ([]entry, error) {
	var entries []entry
	for _, name := range []string{"LICENSE", "README.md"} {
		data, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{name: name, mode: 0o644, data: data})
	}
	for shell, name := range map[string]string{"bash": "muster.bash", "zsh": "_muster", "fish": "muster.fish"} {
		script, err := r.command(ctx, muster, "completion", shell)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{name: "completions/" + name, mode: 0o644, data: []byte(script)})
	}
	return entries, nil
}

// archive writes the archive of one target.
func (r *release) archive(ctx context.Context, t target, binary, goroot string, common []entry) error {
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	modules, err := r.modules(ctx, binary, goroot)
	if err != nil {
		return err
	}
	licences := licenceText(fmt.Sprintf("muster %s for %s", r.version, t), modules)
	entries := append(slices.Clone(common),
		entry{name: binaryName(t), mode: 0o755, data: program},
		entry{name: "THIRD-PARTY-LICENSES", mode: 0o644, data: licences})
	name := fmt.Sprintf("muster_%s_%s_%s", r.version, t.system, t.arch)
	file := filepath.Join(r.out, name+extension(t))
	if err := writeArchive(file, name, entries, r.made); err != nil {
		return err
	}
	fmt.Fprintf(r.log, "made  %s %s, %d modules\n", file, sizeOf(file), len(modules))
	return nil
}

func extension(t target) string {
	if t.system == "windows" {
		return ".zip"
	}
	return ".tar.gz"
}
