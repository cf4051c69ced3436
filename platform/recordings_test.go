package platform_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
)

var update = flag.Bool("update", false, "write what is wanted of the recordings anew; read the diff")

// recorded is a recording with its file and its definition.
type recorded struct {
	*platform.Recording
	file string
	def  *platform.Def
	raw  string // the answer of the configuration commands
	code int    // its exit status
}

// everyRecording calls f as a subtest for each recording of a platform that has a configuration.
func everyRecording(t *testing.T, f func(t *testing.T, r recorded)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "testdata/"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := platform.ParseRecording(data)
			if err != nil {
				t.Fatal(err)
			}
			r := recorded{Recording: parsed, file: file}
			var ok bool
			if r.def, ok = platform.Lookup(parsed.Platform); !ok || r.def.Name != filepath.Base(filepath.Dir(file)) {
				t.Fatalf("no definition of platform %q, or not that of the folder", parsed.Platform)
			}
			if r.raw, r.code, ok = r.def.RecordedConfig(parsed); !ok && r.def.HasConfig() {
				t.Fatal("none of the configuration commands is in the recording")
			}
			f(t, r)
		})
	}
}

func TestARecordingGivesExactlyTheConfigurationItSays(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() {
			t.Skip("this platform has no configuration command")
		}
		config := string(r.def.Clean([]byte(r.raw)))
		masked := string(r.def.Mask([]byte(config)))
		if *update {
			rewrite(t, r, config, masked)
			return
		}
		if diff := cmp.Diff(r.Want.Config, config); diff != "" {
			t.Errorf("configuration (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(r.Want.Masked, masked); diff != "" {
			t.Errorf("masked configuration (-want +got):\n%s", diff)
		}
		facts := r.def.LearnedFrom(r.Recording)
		got := [4]string{facts.Hostname, facts.Model, facts.Version, facts.Serial}
		want := [4]string{r.Want.Hostname, r.Want.Model, r.Want.Version, r.Want.Serial}
		if got != want {
			t.Errorf("hostname, model, version, serial: got %q, want %q", got, want)
		}
		if lacks := r.def.Lacks(r.raw, r.code); lacks != "" {
			t.Errorf("the whole configuration is taken for incomplete: %s", lacks)
		}
	})
}

// rewrite puts the results into the file, the rest of which stays as a person wrote it.
func rewrite(t *testing.T, r recorded, config, masked string) {
	t.Helper()
	data, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.Index(data, []byte("\n-- want config --\n")); i >= 0 {
		data = data[:i+1]
	}
	want := platform.Recording{Want: platform.Want{Config: config, Masked: masked}}
	if err := os.WriteFile(r.file, append(data, want.Format()...), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestNoSecretOfARecordingSurvivesMasking(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if r.def.HasConfig() && len(r.Want.Secrets) == 0 && !strings.Contains(r.raw, "<secret>") {
			t.Error("the recording names no secret: a configuration without one shows nothing about masking")
		}
		masked := r.def.Mask([]byte(r.raw))
		hashed := r.def.Hash([]byte(r.raw), []byte("key"))
		anyhow := platform.MaskAny([]byte(r.raw))
		for _, secret := range r.Want.Secrets {
			if !strings.Contains(r.raw, secret) {
				t.Errorf("secret %q is not in the configuration at all", secret)
			}
			for how, text := range map[string][]byte{"Mask": masked, "Hash": hashed, "MaskAny": anyhow} {
				if bytes.Contains(text, []byte(secret)) {
					t.Errorf("%s leaves %q", how, secret)
				}
			}
		}
		for how, text := range map[string][]byte{"Mask": masked, "Hash": hashed, "MaskAny": anyhow} {
			if got, want := bytes.Count(text, []byte("\n")), strings.Count(r.raw, "\n"); got != want {
				t.Errorf("%s: %d lines, want %d", how, got, want)
			}
		}
		if !bytes.Equal(r.def.Hash([]byte(r.raw), []byte("key")), hashed) {
			t.Error("Hash is not the same twice")
		}
		if len(r.Want.Secrets) > 0 && bytes.Equal(r.def.Hash([]byte(r.raw), []byte("other")), hashed) {
			t.Error("Hash does not depend on its key")
		}
	})
}

func TestSecretsAreMaskedInADiffToo(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		for _, sign := range []string{"+", "-", " "} {
			diff := "@@ -1 +1 @@\n"
			for line := range strings.Lines(r.raw) {
				diff += sign + line
			}
			masked := r.def.Mask([]byte(diff))
			for _, secret := range r.Want.Secrets {
				if bytes.Contains(masked, []byte(secret)) {
					t.Errorf("in lines that begin with %q, %q stays", sign, secret)
				}
			}
		}
	})
}

func TestPromptsAreToldFromLinesThatLookLikeOne(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if r.def.Name == "generic" {
			t.Skip("this platform learns its prompt")
		}
		for _, line := range append(r.Want.Match, r.Prompt) {
			if line != "" && !r.def.MatchPrompt(line) {
				t.Errorf("%q is a prompt", line)
			}
		}
		for _, line := range r.Want.NoMatch {
			if r.def.MatchPrompt(line) {
				t.Errorf("%q is no prompt", line)
			}
		}
		for _, s := range r.Steps {
			if s.Prompt != "" && !r.def.MatchPrompt(s.Prompt) {
				t.Errorf("%q is a prompt", s.Prompt)
			}
		}
		for line := range strings.Lines(r.raw) {
			if line = strings.TrimRight(line, "\r\n"); r.def.MatchPrompt(line) {
				t.Errorf("a line of the configuration is taken for a prompt: %q", line)
			}
		}
	})
}

func TestALineThatChangesByItselfIsNoChange(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		for _, line := range r.Want.Unchanged {
			if got := r.def.Clean([]byte(line + "\n" + r.raw)); string(got) != r.Want.Config {
				t.Errorf("%q is a change", line)
			}
		}
	})
}

func TestCleanIsTheSameTwiceAndWithCRLF(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if got := r.def.Clean([]byte(r.Want.Config)); string(got) != r.Want.Config {
			t.Errorf("cleaned twice:\n%s", cmp.Diff(r.Want.Config, string(got)))
		}
		if got := r.def.Clean([]byte(strings.ReplaceAll(r.raw, "\n", " \r\n"))); string(got) != r.Want.Config {
			t.Errorf("with CRLF:\n%s", cmp.Diff(r.Want.Config, string(got)))
		}
		if got := r.def.Mask([]byte(r.Want.Masked)); string(got) != r.Want.Masked {
			t.Errorf("masked twice:\n%s", cmp.Diff(r.Want.Masked, string(got)))
		}
	})
}

func TestAConfigurationCutOffIsNotWhole(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasEndMark() && !r.def.IsBalanced() {
			t.Skip("nothing in the text itself tells its end: the exit status or an empty line sent afterwards does")
		}
		lines := strings.SplitAfter(strings.TrimSpace(r.raw), "\n")
		for n := 1; n < len(lines); n++ {
			if !r.def.HasEndMark() && isTopLevel(lines[n-1]) {
				continue // what opened is closed here
			}
			if text := strings.Join(lines[:n], ""); r.def.Lacks(text, 0) == "" {
				t.Errorf("whole after %d of %d lines", n, len(lines))
			}
		}
	})
}

func isTopLevel(line string) bool { return line != "" && line[0] != ' ' }

func TestEveryDefinitionHasARecording(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, r := range platform.Recordings() {
		have[r.Platform] = true
	}
	for _, name := range platform.Names() {
		if !have[name] {
			t.Errorf("%s has no recording: make one with muster record, or write testdata/%s/<hardware>_<version>.txtar", name, name)
		}
	}
	if !slices.IsSorted(platform.Names()) {
		t.Error("Names is not sorted")
	}
}
