package gitrepo

import (
	"strings"
	"testing"
	"unicode"

	"github.com/musternet/muster/store"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int{
		"git version 2.39.5":                 {2, 39},
		"git version 2.39.5 (Apple Git-154)": {2, 39},
		"git version 2.45.1.windows.1":       {2, 45},
		"git version 3.0":                    {3, 0},
		"git version":                        {0, 0},
		"sh: git: not found":                 {0, 0},
	} {
		if major, minor := parseVersion(text); major != want[0] || minor != want[1] {
			t.Errorf("%q: got %d.%d", text, major, minor)
		}
	}
}

func FuzzPerson(f *testing.F) {
	f.Add("Ada Lovelace")
	f.Add("x> 0 +0000\ncommitter Eve <e@x")
	f.Add("\x00\xff<>")
	f.Fuzz(func(t *testing.T, name string) {
		p := person(name)
		if strings.Count(p, "<") != 1 || strings.Count(p, ">") != 1 || !strings.HasSuffix(p, "@localhost>") ||
			strings.HasPrefix(p, "<") || strings.ContainsFunc(p, unicode.IsControl) {
			t.Errorf("%q became %q", name, p)
		}
		if again := store.PersonName(store.PersonName(name)); again != store.PersonName(name) {
			t.Errorf("%q is cleaned twice: %q", name, again)
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	f.Add("r1: +1 -2 lines\n\nMuster-Run: x\nMuster-Device: r1\nMuster-Trigger: manual\n", 1, 2)
	f.Fuzz(func(t *testing.T, text string, added, removed int) {
		parseMessage(text)
		if added < 0 || removed < 0 {
			return
		}
		in := store.Commit{Device: oneLine(text), Run: "run", Trigger: "manual", Added: added, Removed: removed}
		if in.Device == "" {
			return
		}
		c, ok := parseMessage(string(message(in)))
		if !ok || c.Device != in.Device || c.Added != added || c.Removed != removed || c.Run != "run" {
			t.Errorf("%+v became %+v, %v", in, c, ok)
		}
	})
}
