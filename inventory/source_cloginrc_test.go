package inventory_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
)

func cloginrcSubject(*testing.T) (spec, gone inventory.Spec) {
	return inventory.Spec{Type: "cloginrc", File: "testdata/cloginrc/.cloginrc"}, inventory.Spec{Type: "cloginrc", File: "testdata/cloginrc/no-such-file"}
}

// cloginrcWords are values as they stand in a file, and what clogin makes of them.
var cloginrcWords = map[string]string{
	`simple`:              "simple",
	`{braces}`:            "braces",
	`"quotes"`:            "quotes",
	`{a\ b}`:              "a b",
	`{a b}`:               "ab",
	`a\ b`:                "ab",
	`"a b"`:               "ab",
	`{a\}b}`:              "a}b",
	`{a\{b}`:              "a{b",
	`{{a b}}`:             "a b",
	`{{a}{b}x`:            "",
	`{a\\b}`:              `a\b`,
	`a\\b`:                "a\b",
	`{a\x41\101\u41g\xz}`: "aAAAgxz",
	`{\ö}`:                "ö",
	`{$env(X)[x];#}`:      "$env(X)[x];#",
	`a#b`:                 "a#b",
	`{}`:                  "",
	`{"a b"}`:             "a b",
	`{a"b}`:               `a"b`,
	`{&%!}`:               "&%!",
	`{пароль}`:            "пароль",
	`{àРх }`:              "àРх ",
	`à b`:                 "à b",
	`x{y}`:                "x{y}",
	`{a\;b}`:              "a;b",
	`{tab\there}`:         "tab\there",
	`{a\}\{\ \\\"b}`:      `a}{ \"b`,
	`"\{a"`:               "",
	`{a}; add user z y`:   "a",
}

func TestCloginrcWords(t *testing.T) {
	t.Parallel()
	tclsh, _ := exec.LookPath("tclsh")
	for word, want := range cloginrcWords {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			line := "add password * " + word
			dir := t.TempDir()
			put(t, dir, "router.db", "r1;cisco;up\n")
			e := env(t)
			inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "cloginrc", File: put(t, dir, ".cloginrc", line+"\n")})
			if err != nil || len(inv.Devices) != 1 {
				t.Fatal(err, inv.Bad)
			}
			got := ""
			if c, ok := e.Keyring.Get("device/r1"); ok {
				s, err := c.Password.Secret(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got = s.Reveal()
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if tclsh == "" {
				return
			}
			if tcl, ok := tclSays(t, tclsh, line); ok != (len(inv.Bad) == 0) || ok && tcl != got {
				t.Errorf("got %q, %v, Tcl says %q, %t", got, errorTexts(inv.Bad), tcl, ok)
			}
		})
	}
}

// tclSays evaluates a line as clogin does: the file is a program in Tcl, and each value is joined as a list.
func tclSays(t *testing.T, tclsh, line string) (string, bool) {
	t.Helper()
	const program = `
fconfigure stdin -encoding utf-8
set n 0
proc add {what glob args} { global n; if {[incr n] == 1} { puts [binary encode hex [encoding convertto utf-8 [join [lindex $args 0] ""]]] } }
gets stdin line
if {[catch {eval $line}]} { exit 3 }
`
	cmd := exec.CommandContext(t.Context(), tclsh, put(t, t.TempDir(), "words.tcl", program))
	cmd.Stdin = strings.NewReader(line + "\n")
	out, err := cmd.Output()
	if err != nil {
		return "", false
	}
	text, err := hex.DecodeString(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}

func TestCloginrcPatterns(t *testing.T) {
	t.Parallel()
	for pattern, names := range map[string]string{
		"*":             "r1 core-1.example.net",
		"r?":            "r1",
		"core*net":      "core-1.example.net",
		"*.EXAMPLE.*":   "core-1.example.net",
		"{[a-r]1}":      "r1",
		"{[r-a]1}":      "r1",
		"{[^r]1}":       "r1",
		"{r[0-9x]}":     "r1",
		"{[q-s}":        "",
		`{r\1}`:         "r1",
		"r":             "",
		"*1*":           "r1 core-1.example.net",
		"**e*****.*n*t": "core-1.example.net",
	} {
		dir := t.TempDir()
		put(t, dir, "router.db", "r1;cisco;up\ncore-1.example.net;cisco;up\n")
		inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{File: put(t, dir, ".cloginrc", "add user "+pattern+" u\n")})
		if err != nil || len(inv.Bad) > 0 {
			t.Fatal(err, inv.Bad)
		}
		var got []string
		for _, d := range inv.Devices {
			if d.Username == "u" {
				got = append(got, d.Name)
			}
		}
		if diff := cmp.Diff(names, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", pattern, diff)
		}
	}
}

func TestCloginrcFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := put(t, dir, ".cloginrc", "include more\nadd user * u\n")
	more := put(t, dir, "more", "add password * {"+hidden+"}\ninclude "+filepath.Join(dir, "more")+"\n")
	if _, err := inventory.Load(t.Context(), env(t), inventory.Spec{File: file}); err == nil || !strings.Contains(err.Error(), "there is no router.db") {
		t.Errorf("got %v", err)
	}
	put(t, dir, "core/router.db", "r1;cisco;up\n")
	for _, path := range []string{file, dir} {
		if kind, ok := inventory.Recognise(path); kind != "cloginrc" || !ok {
			t.Errorf("%s: got %q, %t", path, kind, ok)
		}
	}
	inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "cloginrc", File: dir})
	if err != nil || fmt.Sprint(names(inv.Devices), errorTexts(inv.Bad), inv.Notes) != "[r1] ["+more+":2:1: it includes itself] []" {
		t.Errorf("got %v, %v, %v, %v", names(inv.Devices), errorTexts(inv.Bad), inv.Notes, err)
	}
	if inv.Devices[0].Group != "core" {
		t.Errorf("got the group %q, want that of RANCID", inv.Devices[0].Group)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, path := range []string{file, more} { // the first holds no password
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	inv, err = inventory.Load(t.Context(), env(t), inventory.Spec{File: dir})
	if err != nil || len(inv.Notes) != 1 || inv.Notes[0].File != more {
		t.Errorf("got the notes %v, %v, want one on %s", inv.Notes, err, more)
	}
}

// Who may write the file must not have a secret of the environment shown as a user, or looked up as a name.
func TestCloginrcShowsNoSecretOfTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := put(t, dir, ".cloginrc", "add user * $env(NET_PASSWORD)\nadd password * $env(NET_PASSWORD)\nadd user r1 $env(WHO)\n")
	put(t, dir, "router.db", "r1;cisco;up\n")
	e := env(t)
	e.Getenv = func(name string) string { return map[string]string{"WHO": "me", "NET_PASSWORD": hidden}[name] }
	inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "cloginrc", File: file})
	if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Username != "me" {
		t.Fatalf("got %v, %v", inv.Devices, err)
	}
	if diff := cmp.Diff([]string{file + ":1:1: the environment variable NET_PASSWORD is a secret by its name: here it would be shown"}, errorTexts(inv.Bad)); diff != "" {
		t.Error(diff)
	}
	c, _ := e.Keyring.Get("device/r1")
	if s, err := c.Password.Secret(t.Context()); err != nil || s.Reveal() != hidden {
		t.Errorf("where it belongs it is not used: %v", err)
	}
}
