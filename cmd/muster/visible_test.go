package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestVisibleEscapesWhatATerminalWouldObeyOrHide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"plain text stays":         {"uplink to r2 (müsli, 漢字) \\", "uplink to r2 (müsli, 漢字) \\"},
		"ansi colours":             {"\x1b[31mred", `\x1b[31mred`},
		"window title":             {"\x1b]0;owned\a", `\x1b]0;owned\x07`},
		"one-character csi":        {"\u009b31m", `\u009b31m`},
		"carriage return":          {"ok\rFAILED", `ok\rFAILED`},
		"line feed":                {"one\ntwo", `one\ntwo`},
		"tab":                      {"a\tb", `a\tb`},
		"text turned around":       {"\u202egnp.exe", `\u202egnp.exe`},
		"isolates":                 {"\u2066a\u2069", `\u2066a\u2069`},
		"zero width":               {"r\u200b1\ufeff", `r\u200b1\ufeff`},
		"tags beyond the plane":    {"\U000e0041", `\U000e0041`},
		"line separator":           {"a\u2028b", `a\u2028b`},
		"bytes that are not UTF-8": {"M\xfcnchen", `M\xfcnchen`},
		"the replacement itself":   {"\ufffd", "\ufffd"},
		"delete and nul":           {"\x7f\x00", `\x7f\x00`},
	} {
		if got := visible(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got, want := visibleText("a\tb\n\x1bc\r\n"), "a\tb\n\\x1bc\\r\n"; got != want {
		t.Errorf("text: got %q, want %q", got, want)
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("r1\x1b[2J\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range visible(s) {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q is left in %q", r, visible(s))
			}
		}
		if !utf8.ValidString(visibleText(s)) {
			t.Fatalf("not UTF-8: %q", visibleText(s))
		}
	})
}

func FuzzEncodeJSON(f *testing.F) {
	f.Add("r1\x1b[2J\u202e\xff\U000e0041\u009b")
	f.Fuzz(func(t *testing.T, s string) {
		type row struct {
			Text string `json:"text"`
		}
		text, err := encodeJSON(row{s}, "")
		if err != nil {
			t.Fatal(err)
		}
		line := withIndex(7, text)
		if strings.ContainsFunc(string(line), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("a character that does not print is left in %q", line)
		}
		var back struct {
			Index int    `json:"index"`
			Text  string `json:"text"`
		}
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if back.Index != 7 {
			t.Fatalf("index: %q", line)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back.Text != want {
			t.Fatal(cmp.Diff(want, back.Text))
		}
	})
}
