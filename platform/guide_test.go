package platform_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
)

// guide returns the guide for those who add a platform.
func guide(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../docs/guides/add-a-platform.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheGuideExplainsEveryKeyAndNoOther(t *testing.T) {
	t.Parallel()
	var explained []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| \\S").FindAllStringSubmatch(guide(t), -1) {
		explained = append(explained, m[1])
	}
	if diff := cmp.Diff(platform.DefinitionKeys(), explained); diff != "" {
		t.Errorf("keys (-there +explained):\n%s", diff)
	}
}

// example returns the code block behind a comment.
func example(t *testing.T, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(guide(t), "<!-- "+name+" -->\n```")
	if !ok {
		t.Fatalf("the guide has no %s", name)
	}
	_, rest, _ = strings.Cut(rest, "\n")
	text, _, _ := strings.Cut(rest, "```\n")
	return text
}

func TestTheExampleOfTheGuideWorks(t *testing.T) {
	t.Parallel()
	def, err := platform.ParseDefinition([]byte(example(t, "definition")))
	if err != nil {
		t.Fatal(err)
	}
	r, err := platform.ParseRecording([]byte(example(t, "recording")))
	if err != nil {
		t.Fatal(err)
	}
	addr, c := player{Recording: r}.serve(t)
	conn, err := def.Open(t.Context(), addr, c, options())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, err := conn.Config(t.Context())
	if err != nil || string(got.Text) != r.Want.Config || got.Hostname != r.Want.Hostname || got.Version != r.Want.Version {
		t.Errorf("got %q %v, %v", got.Text, got, err)
	}
	if masked := string(def.Mask(got.Text)); masked != r.Want.Masked {
		t.Errorf("masked: %s", masked)
	}
	for _, line := range append(slices.Clone(r.Want.Match), r.Prompt) {
		if !def.MatchPrompt(line) {
			t.Errorf("%q is a prompt", line)
		}
	}
	for _, line := range r.Want.NoMatch {
		if def.MatchPrompt(line) {
			t.Errorf("%q is no prompt", line)
		}
	}
}
