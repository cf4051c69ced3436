package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// program is a muster that does no more than a release asks of it.
const program = `package main

import (
	"fmt"
	"os"

	"example.org/dep"
)

var version = "dev"

func main() {
	if os.Args[1] == "version" {
		fmt.Printf("{\"results\": [{\"version\": %q}]}\n", version)
		return
	}
	fmt.Println("#", dep.Name, os.Args[2])
}
`

const mit = "Permission is hereby granted, free of charge, to any person obtaining\na copy of this software\n"

// tree is a module with all that is released. Files of change replace those of the same name; "" removes one.
func tree(t *testing.T, change map[string]string) string {
	t.Helper()
	files := map[string]string{
		"go.mod":             "module example.org/muster\n\ngo 1.26\n\nrequire example.org/dep v1.0.0\n\nreplace example.org/dep => ./dep\n",
		"cmd/muster/main.go": program,
		"LICENSE":            "ours\n", "README.md": "read me\n", ".gitignore": "/dist/\n",
		"dep/go.mod": "module example.org/dep\n\ngo 1.26\n", "dep/dep.go": "package dep\n\nvar Name = \"completion for\"\n", "dep/LICENSE": mit,
	}
	maps.Copy(files, change)
	dir := t.TempDir()
	for name, text := range files {
		if text != "" {
			write(t, filepath.Join(dir, name), text)
		}
	}
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const committed = "2026-11-22T12:45:39Z"

// commit makes a repository of dir and commits everything.
func commit(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "all"}} {
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE="+committed, "GIT_COMMITTER_DATE="+committed)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

// of is a release of dir for this system and another.
func of(dir string) *release {
	other := target{"windows", "arm64"}
	return &release{dir: dir, out: filepath.Join(dir, "dist"), version: "v1.2.3", goCommand: "go", targets: []target{host(), other}, log: io.Discard}
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// contents are the files of a directory.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestTheSameCommitGivesTheSameBytes(t *testing.T) {
	var all [2]map[string][]byte
	for i := range all {
		if i == 1 { // what somebody else's environment may say
			t.Setenv("GOAMD64", "v3")
			t.Setenv("GOARM64", "v9.0")
			t.Setenv("CGO_ENABLED", "1")
			t.Setenv("GOFLAGS", "-buildvcs=false -tags=other")
			t.Setenv("TZ", "Asia/Kathmandu")
		}
		dir := tree(t, nil)
		commit(t, dir)
		if err := of(dir).run(bounded(t)); err != nil {
			t.Fatal(err)
		}
		all[i] = contents(t, filepath.Join(dir, "dist"))
	}
	if len(all[0]) != 3 || !maps.EqualFunc(all[0], all[1], bytes.Equal) {
		t.Errorf("two releases differ: %v and %v", slices.Sorted(maps.Keys(all[0])), slices.Sorted(maps.Keys(all[1])))
	}
	checkSums(t, all[0])
	checkTarGz(t, all[0])
	checkZip(t, all[0])
}

// checkSums wants a line for each archive, in the form that sha256sum -c reads.
func checkSums(t *testing.T, files map[string][]byte) {
	t.Helper()
	var want strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != "SHA256SUMS" {
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(files[name]), name)
		}
	}
	if got := string(files["SHA256SUMS"]); got != want.String() {
		t.Errorf("SHA256SUMS: got\n%swant\n%s", got, want.String())
	}
}

// wanted is what an archive holds: names, and words that the text has.
func wanted(binary string) map[string]string {
	return map[string]string{
		"LICENSE": "ours\n", "README.md": "read me\n", binary: "v1.2.3",
		"THIRD-PARTY-LICENSES":    "example.org/dep v1.0.0 => ./dep (devel)\n    LICENSE: MIT\n",
		"completions/_muster":     "# completion for zsh\n",
		"completions/muster.bash": "# completion for bash\n",
		"completions/muster.fish": "# completion for fish\n",
	}
}

func checkFiles(t *testing.T, top string, names []string, texts map[string]string, binary string) {
	t.Helper()
	want := wanted(binary)
	if !slices.IsSorted(names) || len(names) != len(want) {
		t.Errorf("%s holds %q", top, names)
	}
	for name, words := range want {
		if !strings.Contains(texts[top+"/"+name], words) {
			t.Errorf("%s: %s does not hold %q", top, name, words)
		}
	}
	if licences := texts[top+"/THIRD-PARTY-LICENSES"]; !strings.Contains(licences, mit) || !strings.Contains(licences, "Copyright 2009 The Go Authors.") {
		t.Errorf("%s: the licences are not there in full: %s", top, licences)
	}
}

func checkTarGz(t *testing.T, files map[string][]byte) {
	t.Helper()
	top := fmt.Sprintf("muster_v1.2.3_%s_%s", host().system, host().arch)
	if host().system == "windows" {
		return
	}
	packed, err := gzip.NewReader(bytes.NewReader(files[top+".tar.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	if packed.Name != "" || !packed.ModTime.IsZero() {
		t.Errorf("the gzip header says %q and %v", packed.Name, packed.ModTime)
	}
	var names []string
	texts := map[string]string{}
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		texts[h.Name] = string(data)
		mode := int64(0o644)
		if h.Name == top+"/muster" {
			mode = 0o755
		}
		if h.Mode != mode || h.Uid != 0 || h.Gid != 0 || cmp.Or(h.Uname, h.Gname) != "" || h.ModTime.UTC().Format(time.RFC3339) != committed {
			t.Errorf("%+v: want mode %o, owner 0 and the time of the commit", h, mode)
		}
	}
	checkFiles(t, top, names, texts, "muster")
}

func checkZip(t *testing.T, files map[string][]byte) {
	t.Helper()
	const top = "muster_v1.2.3_windows_arm64"
	data := files[top+".zip"]
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	texts := map[string]string{}
	for _, f := range r.File {
		open, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(open)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
		texts[f.Name] = string(data)
		if f.Modified.UTC().Format(time.RFC3339) != committed {
			t.Errorf("%s: changed %v, want the time of the commit", f.Name, f.Modified)
		}
	}
	checkFiles(t, top, names, texts, "muster.exe")
}

func TestWhatIsNotReleased(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change map[string]string
		spoil  func(t *testing.T, r *release)
		want   string
	}{
		"what is not committed": {
			spoil: func(t *testing.T, r *release) { write(t, filepath.Join(r.dir, "new.txt"), "x") },
			want:  `not everything is committed, such as "?? new.txt"`,
		},
		"what has no version": {
			spoil: func(_ *testing.T, r *release) { r.version = "unknown" },
			want:  `"unknown" is no version`,
		},
		"a version that is no file name": {
			spoil: func(_ *testing.T, r *release) { r.version = "feature/x" },
			want:  `"feature/x" is no version`,
		},
		"what was released before": {
			spoil: func(t *testing.T, r *release) { write(t, filepath.Join(r.out, "old"), "x") },
			want:  "is there already",
		},
		"a module without a licence": {
			change: map[string]string{"dep/LICENSE": "", "dep/NOTICE": "nothing is allowed"},
			want:   "example.org/dep v1.0.0 => ./dep (devel): there is no licence in ",
		},
		"a binary that does not know its version": {
			change: map[string]string{"cmd/muster/main.go": strings.Replace(program, "var version", "const version", 1)},
			want:   "the binary does not hold the version v1.2.3",
		},
		"a binary that says another version": {
			change: map[string]string{"cmd/muster/main.go": strings.Replace(program, "%q}]}\\n\"", "\\\"v9%s\\\"}]}\\n\"", 1)},
			want:   "want v1.2.3",
		},
		"what does not build": {
			change: map[string]string{"cmd/muster/main.go": "package main\n"},
			want:   "function main is undeclared",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, c.change)
			commit(t, dir)
			r := of(dir)
			if c.spoil != nil {
				c.spoil(t, r)
			}
			err := r.run(bounded(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(r.out, "SHA256SUMS")); err == nil {
				t.Error("there are checksums all the same")
			}
		})
	}
}

func TestUncommittedIsReleasedWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	dir := tree(t, nil)
	commit(t, dir)
	write(t, filepath.Join(dir, "new.txt"), "x")
	r := of(dir)
	r.allowDirty = true
	if err := r.run(bounded(t)); err != nil {
		t.Error(err)
	}
}

func TestSourcesWithoutGitNeedATime(t *testing.T) {
	t.Parallel()
	r := of(tree(t, nil))
	if err := r.run(bounded(t)); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Fatalf("got %v, want what to say", err)
	}
	r.epoch = "1795351539"
	if err := r.run(bounded(t)); err != nil {
		t.Fatal(err)
	}
	checkZip(t, contents(t, r.out))
}
