package platform_test

import (
	"os"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

func TestDefinitionsAreStrict(t *testing.T) {
	t.Parallel()
	const good = "name: x\ntitle: X\nmode: exec\nsections: indent\n"
	for text, want := range map[string]string{
		good + "promt: 'x'\n":                     "[5:1] unknown field \"promt\"",
		good + "complete:\n  edn: x\n":            "[6:3] unknown field \"edn\"",
		good + "secrets:\n  - {mach: x}\n":        "unknown field \"mach\"",
		good + "secrets:\n  - 'a('\n":             "secrets[0].match: error parsing regexp",
		good + "prompt: '['\n":                    "prompt: error parsing regexp",
		good + "mode: exec\n":                     "[5:1] mapping key \"mode\" already defined",
		good + "config: [{command: x}]\n":         "complete: a platform with a configuration must say when it is whole",
		"name: x\nmode: exec\nsections: indent\n": "name and title must be given",
		"name: x\ntitle: X\nsections: indent\n":   `mode: "" is none of ["exec" "shell"]`,
		"name: x\ntitle: X\nmode: shell\n":        `sections: "" is none of`,
		good + "prepare: {}\n":                    "[5:10]",
	} {
		_, err := platform.ParseDefinition([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := platform.ParseDefinition([]byte(good)); err != nil {
		t.Fatal(err)
	}
}

func TestNamesOfOtherToolsMeanTheSamePlatform(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range platform.Names() {
		d, ok := platform.Lookup(name)
		if !ok || d.Name != name {
			t.Fatalf("%s: Lookup gives %v", name, d)
		}
		for _, alias := range append(d.Aliases(), name) {
			folded := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(alias))
			if other, twice := seen[folded]; twice && other != name {
				t.Errorf("%q means %s and %s", alias, other, name)
			}
			seen[folded] = name
			for _, spelled := range []string{alias, strings.ToUpper(alias), strings.ReplaceAll(alias, "_", "-")} {
				if got, ok := platform.Lookup(spelled); !ok || got != d {
					t.Errorf("Lookup(%q) is not %s", spelled, name)
				}
			}
		}
	}
	if d, ok := platform.Lookup("no_such_os"); ok || d != nil {
		t.Errorf("Lookup of an unknown name: %v", d)
	}
}

func TestSecretPatternsHaveAWordToLookFor(t *testing.T) {
	t.Parallel()
	for _, name := range platform.Names() {
		d, _ := platform.Lookup(name)
		for _, pattern := range d.WeakSecretRules() {
			t.Errorf("%s: %s has no literal of three letters that every match holds: it would be tried on every line", name, pattern)
		}
	}
}

func FuzzDefinition(f *testing.F) {
	for _, name := range platform.Names() {
		data, err := os.ReadFile("defs/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := platform.ParseDefinition(data)
		if err != nil {
			return
		}
		d.Clean([]byte("a\nb\n"))
		d.Mask([]byte("a\nb\n"))
	})
}
