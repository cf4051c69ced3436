package inventory_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/musternet/muster/inventory"
)

func TestNamesAreSafeInPaths(t *testing.T) {
	t.Parallel()
	good := []string{
		"r1", "core-sw1.example.net", "192.0.2.1", "2001:db8::1", "::1", "127.0.0.1:2201", "R_1", "_x", "köln-sw1", "東京1",
		"r1+r2", "a", "1", "r1.cfg", "r1.git", "HEAD", strings.Repeat("x", 240),
	}
	for _, name := range good {
		if err := inventory.CheckName(name); err != nil {
			t.Errorf("%q: got %v, want nil", name, err)
		}
	}
	bad := []string{
		"", ".", "..", "../r1", "r1/..", "a/b", "/etc/passwd", `a\b`, "-r1", "--upload-pack=x", ".git", ".GIT", ".hidden", "r1.",
		"r1.lock", "R1.Lock", "r..1", "r1\x00", "r1\n", "r1\x1b[31m", "\u200br1", "r1\u202e", "r 1", "r1*", "r?", "r[1]", "@core",
		"site=ams", "r1,r2", "r1;r2", "r1|x", "$(x)", "`x`", `"r1"`, "git~1", "+x", "fe80::1%eth0", "r1\xff", "e\u0301",
		strings.Repeat("x", 241), strings.Repeat("x", 256),
	}
	for _, name := range bad {
		if err := inventory.CheckName(name); err == nil {
			t.Errorf("%q: got nil, want an error", name)
		} else if strings.ContainsAny(err.Error(), "\n\x00\x1b\u202e") {
			t.Errorf("%q: the error holds what a terminal would obey", name)
		}
	}
	for _, name := range []string{"all", "failed", "stale", "", "a/b"} {
		if inventory.CheckGroup(name) == nil {
			t.Errorf("the group %q: got nil, want an error", name)
		}
	}
	if err := inventory.CheckGroup("core"); err != nil {
		t.Errorf("the group core: got %v", err)
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"r1", "../x", "2001:db8::1", "köln", ".git", "x.lock"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if inventory.CheckName(name) != nil {
			return
		}
		if !utf8.ValidString(name) || filepath.Base(name) != name || !filepath.IsLocal(name) || len(name)+len(".cfg") > 255 {
			t.Errorf("%q is taken and is no safe path component", name)
		}
	})
}
