package inventory_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/musternet/muster/inventory"
)

// fuzzSource feeds one kind of source with anything: every device is fit to be used, every bad row has its place.
func fuzzSource(f *testing.F, kind string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	dir, err := os.ReadDir("testdata/" + kind)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range dir {
		data, err := os.ReadFile("testdata/" + kind + "/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 || strings.Contains(text, "/") && kind == "list" && strings.Count(text, "/") > 4 {
			t.Skip("large for no gain")
		}
		e := env(t)
		e.Stdin = strings.NewReader(text)
		src, err := inventory.Open(inventory.Spec{Type: kind, File: "-"}, &e)
		if err != nil {
			t.Fatal(err)
		}
		for dev, err := range src.Devices(t.Context()) {
			var row *inventory.RowError
			switch {
			case err == nil:
				if err := inventory.CheckName(dev.Name); err != nil || dev.Address == "" || dev.Port < 0 || dev.Port > 65535 {
					t.Errorf("got the device %+v: %v", dev, err)
				}
			case errors.As(err, &row):
				if row.Line < 1 || row.Line > 1+strings.Count(text, "\n")+strings.Count(text, "\r") || row.File != "stdin" {
					t.Errorf("a bad row has no place: %v", err)
				}
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\x07") {
				t.Errorf("an error holds what a terminal would obey: %q", err)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	fuzzSource(f, "csv", "name\n\"", "sep=;\nname;tags\nr;=", "address\n[::1]:22\n")
}

func FuzzYAML(f *testing.F) {
	fuzzSource(f, "yaml", "- &a [*a]", "a: &a {<<: *a}", "devices:\n- <<: *x\n", "- ? x\n", "- !!str r1\n", "- |\n r1\n", "{}", "\n- \r -")
}

func FuzzOxidized(f *testing.F) { fuzzSource(f, "oxidized", ":::::", "r1:ios") }
func FuzzRancid(f *testing.F)   { fuzzSource(f, "rancid", ";;up", "r1;cisco;down") }
func FuzzList(f *testing.F) {
	fuzzSource(f, "list", "0.0.0.0/0", "::/112", "a@b:1", "::ffff:1.2.3.4/120")
}
func FuzzSSHConfig(f *testing.F) {
	fuzzSource(f, "ssh_config", "Match\n", "Host\n", "Include /dev/null\nHost a")
}
