package strict_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/internal/settings/strict"
)

type upper string

func (u *upper) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must not be empty")
	}
	*u = upper(strings.ToUpper(string(text)))
	return nil
}

type base struct {
	Name string `yaml:"name"`
	Port int    `yaml:"port"`
}

type thing struct {
	base
	Big   int64             `yaml:"big"`
	On    bool              `yaml:"on"`
	Maybe *bool             `yaml:"maybe"`
	Upper upper             `yaml:"upper"`
	Mode  string            `yaml:"mode" enum:"a,b"`
	List  []string          `yaml:"list"`
	Tags  map[string]string `yaml:"tags"`
	Inner []base            `yaml:"inner"`
	Raw   strict.Node       `yaml:"raw"`
	Not   string
}

func decode(t *testing.T, text string) (thing, []string) {
	t.Helper()
	n, problem := strict.Parse("f", []byte(text))
	if problem != nil {
		return thing{}, []string{problem.Error()}
	}
	var v thing
	var problems []string
	for _, p := range n.Decode(&v) {
		problems = append(problems, p.Error())
	}
	return v, problems
}

func TestScalarsStayWhatStandsThere(t *testing.T) {
	t.Parallel()
	v, problems := decode(t, `
name: 0123
tags: {a: 1.10, b: yes, c: 0x1F, d: "x y", e: ~, f: 2026-11-22, g: 1_000}
list: one
upper: äb
on: true
maybe: false
inner: [{name: x, port: 1}, {}]
raw: {any: [thing]}
big: 9223372036854775807
port: ~
`)
	if problems != nil {
		t.Fatal(problems)
	}
	if v.Name != "0123" || v.Upper != "ÄB" || !v.On || v.Maybe == nil || *v.Maybe || v.Big != 9223372036854775807 || v.Port != 0 {
		t.Errorf("got %+v", v)
	}
	want := map[string]string{"a": "1.10", "b": "yes", "c": "0x1F", "d": "x y", "e": "", "f": "2026-11-22", "g": "1_000"}
	if diff := cmp.Diff(want, v.Tags); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"one"}, v.List); diff != "" {
		t.Error(diff)
	}
	if len(v.Inner) != 2 || v.Inner[0].Port != 1 || !v.Raw.IsMap() || v.Raw.IsList() {
		t.Errorf("got %+v", v)
	}
	if got := v.Raw.Get("any").Items(); len(got) != 1 {
		t.Errorf("got %v", got)
	} else if text, ok := got[0].Text(); !ok || text != "thing" {
		t.Errorf("got %q", text)
	} else if line, col := got[0].Place(); line != 9 || col != 13 {
		t.Errorf("got the place %d:%d, want 9:13", line, col)
	}
}

// keyed is a struct for which one word can stand.
type keyed struct {
	Kind string `yaml:"kind"`
	Port int    `yaml:"port"`
}

func (k *keyed) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		return errors.New("must not be none")
	}
	k.Kind = "word " + string(text)
	return nil
}

// clock is a struct without keys, which is always one word.
type clock struct{ at string }

func (c *clock) UnmarshalText(text []byte) error {
	c.at = string(text)
	return nil
}

func TestAWordCanStandForAStruct(t *testing.T) {
	t.Parallel()
	var v struct {
		One   keyed   `yaml:"one"`
		Two   *keyed  `yaml:"two"`
		Some  []keyed `yaml:"some"`
		Alone []keyed `yaml:"alone"`
		Ports []int   `yaml:"ports"`
		At    clock   `yaml:"at"`
	}
	n, problem := strict.Parse("f", []byte("one: ssh\ntwo: {kind: http, port: 80}\nsome: [icmp, {kind: tcp}]\nalone: dns\nports: 22\nat: 02:00\n"))
	if problem != nil {
		t.Fatal(problem)
	}
	if problems := n.Decode(&v); problems != nil {
		t.Fatal(problems)
	}
	if v.One.Kind != "word ssh" || *v.Two != (keyed{"http", 80}) || v.Alone[0].Kind != "word dns" || v.Ports[0] != 22 || v.At.at != "02:00" {
		t.Errorf("got %+v", v)
	}
	if len(v.Some) != 2 || v.Some[0].Kind != "word icmp" || v.Some[1].Kind != "tcp" {
		t.Errorf("got %+v", v.Some)
	}
	n, _ = strict.Parse("f", []byte("one: none\ntwo: {knid: x}\nsome: {kind: x}\nalone: [[a]]\nat: {kind: x}\n"))
	var problems []string
	for _, p := range n.Decode(&v) {
		problems = append(problems, p.Error())
	}
	want := []string{
		"f:1:6: one: must not be none",
		`f:2:7: unknown key "knid" in two: did you mean "kind"?`,
		"f:3:7: some must be a list",
		"f:4:9: alone[0] must be one value",
		"f:5:5: at must be one value",
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsComeAllAndInOrder(t *testing.T) {
	t.Parallel()
	_, problems := decode(t, "nmae: x\nport: hunter2\non: hunter2\nupper: ''\nmode: c\nlist: {a: b}\ninner: [hunter2]\nnot: x\nbig: 9223372036854775808\ntags: [x]\n")
	want := []string{
		`f:1:1: unknown key "nmae": did you mean "name"?`,
		`f:2:7: port must be a whole number`,
		`f:3:5: on must be true or false`,
		`f:4:8: upper: must not be empty`,
		`f:5:7: mode: unknown word "c"; there are a, b`,
		`f:6:7: list must be a list`,
		`f:7:9: inner[0] must be a set of keys with their values`,
		`f:8:1: unknown key "not"; there are name, port, big, on, maybe, upper, mode, list, tags, inner, raw`,
		`f:9:6: big must be a whole number`,
		`f:10:7: tags must be a set of keys with their values`,
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
}

func TestTheNearestWord(t *testing.T) {
	t.Parallel()
	words := []string{"platform", "port", "password", "group"}
	for name, want := range map[string]string{
		"plaform": "platform", "prot": "port", "Passwrod": "password", "passphrase": "", "x": "", "": "", "grp": "", "groups": "group",
		strings.Repeat("x", 1000): "",
	} {
		if got := strict.Nearest(name, words); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"name: x", "- a", "a: &a {<<: *a}", "&a [*a]", "? x", "{", "---\n---", "list: [1, ~, {}]", "raw: !!x y", "tags:\n  ? [a]\n  : b", "\"", "%YAML 1.2\n---\nname: x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2048 {
			t.Skip("large for no gain")
		}
		n, problem := strict.Parse("f", []byte(text))
		if problem != nil {
			if strings.ContainsAny(problem.Error(), "\n\x1b") {
				t.Errorf("a problem of more than one line: %q", problem)
			}
			return
		}
		var v thing
		for _, p := range n.Decode(&v) {
			if p.Line < 1 || p.Col < 1 || p.File != "f" || strings.ContainsAny(p.Error(), "\n\x1b") {
				t.Errorf("a problem without a place or of more than one line: %q", p)
			}
		}
		n.Get("raw").Get("x").Items()
	})
}

func TestPairsAndTags(t *testing.T) {
	t.Parallel()
	n, problem := strict.Parse("f", []byte("b: !vault |\n  x\n  y\na: &k !unsafe 'z'\n<<: {c: 1, b: 2}\n7: *k\n? q\n: 1\ne: ~\n"))
	if problem != nil {
		t.Fatal(problem)
	}
	var got []string
	for key, value := range n.Pairs() {
		name, ok := key.Text()
		text, _ := value.Text()
		line, col := key.Place()
		got = append(got, fmt.Sprintf("%d:%d %s %t %s %q", line, col, name, ok, value.Tag(), text))
	}
	want := []string{`1:1 b true !vault "x\ny\n"`, `4:1 a true !unsafe "z"`, `6:1 7 true !unsafe "z"`, `7:1  false  "1"`, `9:1 e true  ""`, `5:6 c true  "1"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for range n.Pairs() {
		break
	}
	for range n.Get("b").Pairs() {
		t.Error("a scalar has pairs")
	}
	loop, _ := strict.Parse("f", []byte("a: &a *a\n"))
	if tag := loop.Get("a").Tag(); tag != "" {
		t.Errorf("an alias of itself has the tag %q", tag)
	}
}
