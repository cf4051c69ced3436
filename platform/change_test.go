package platform_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
)

// logged is a message as package syslog reads it, and the change that it means.
type logged struct {
	mnemonic, app, text string
	want                platform.Change
}

func by(user, from string) platform.Change { return platform.Change{User: user, From: from} }

func (l logged) changeOf(d *platform.Def) (platform.Change, bool) {
	return d.Change([]byte(l.mnemonic), []byte(l.app), []byte(l.text))
}

func (l logged) changeOfAny() (platform.Change, string, bool) {
	return platform.AnyChange([]byte(l.mnemonic), []byte(l.app), []byte(l.text))
}

func TestMessagesThatMeanAChange(t *testing.T) {
	t.Parallel()
	for name, messages := range changed {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := lookup(t, name)
			for _, m := range messages {
				if got, ok := m.changeOf(d); !ok || got != m.want {
					t.Errorf("%s %q: got %+v, %v, want %+v", m.mnemonic, m.text, got, ok, m.want)
				}
				got, of, ok := m.changeOfAny()
				if !ok {
					t.Errorf("%s %q: no change of any platform", m.mnemonic, m.text)
					continue
				}
				if same, ok := m.changeOf(lookup(t, of)); !ok || got != same {
					t.Errorf("%s %q: of any platform %+v, of %s %+v, %v", m.mnemonic, m.text, got, of, same, ok)
				}
			}
		})
	}
}

func TestMessagesThatMeanNoChange(t *testing.T) {
	t.Parallel()
	for name, messages := range unchanged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := lookup(t, name)
			for _, m := range messages {
				if got, ok := m.changeOf(d); ok {
					t.Errorf("%s %q is a change: %+v", m.mnemonic, m.text, got)
				}
				if got, of, ok := m.changeOfAny(); ok {
					t.Errorf("%s %q is a change of %s: %+v", m.mnemonic, m.text, of, got)
				}
			}
		})
	}
}

func TestABackupDoesNotTriggerTheNextOne(t *testing.T) {
	t.Parallel()
	for _, name := range platform.Names() {
		d := lookup(t, name)
		messages := slices.Clone(sessionLog)
		for _, log := range commandLogs[name] {
			for _, cmd := range append(d.Commands(), log.more...) {
				m := log.logged
				m.text = strings.ReplaceAll(m.text, "COMMAND", cmd)
				messages = append(messages, m)
			}
		}
		for _, m := range messages {
			if got, ok := m.changeOf(d); ok {
				t.Errorf("%s: %s %q is a change: %+v", name, m.mnemonic, m.text, got)
			}
			if got, of, ok := m.changeOfAny(); ok {
				t.Errorf("%s: %s %q is a change of %s: %+v", name, m.mnemonic, m.text, of, got)
			}
		}
	}
}

func TestEveryPlatformSaysWhatAChangeIsOrWhyNothingIs(t *testing.T) {
	t.Parallel()
	for _, name := range platform.Names() {
		d := lookup(t, name)
		if !d.HasConfig() {
			continue
		}
		if d.HasChanges() == (d.WhyNoChanges() != "") {
			t.Errorf("%s: write changes, or why there are none into no_changes", name)
		}
		if d.HasChanges() && (len(changed[name]) == 0 || len(unchanged[name]) == 0) {
			t.Errorf("%s: the tables of this test have no message of it that is a change, or none that is not", name)
		}
	}
}

func TestRulesOfChangesAreChecked(t *testing.T) {
	t.Parallel()
	const good = "name: x\ntitle: X\nmode: exec\nsections: indent\nconfig: [{command: x}]\ncomplete: {end: x}\n"
	for text, want := range map[string]string{
		"": "must have some, or say in no_changes why not",
		"changes: [{mnemonic: A-5-B}]\nno_changes: x\n":       "must have some, or say in no_changes why not",
		"changes: [{mnemonic: '*-5-*B'}]\n":                   "changes[0]: only one *",
		"changes: [{app: '*a*', match: 'abc'}]\n":             "changes[0]: only one *",
		"changes: [{mnemonic: 'A-5-B*'}]\n":                   "changes[0].mnemonic: the last part",
		"changes: [{mnemonic: A-5-}]\n":                       "changes[0].mnemonic: the last part",
		"changes: [{mnemonic: '*'}]\n":                        "changes[0].mnemonic: the last part",
		"changes: [{mnemonic: A-5-B}, {match: 'a.c'}]\n":      "changes[1].match: without a mnemonic",
		"changes: [{match: '(?i)change'}]\n":                  "changes[0].match: without a mnemonic",
		"changes: [{app: x}]\n":                               "changes[0].match: without a mnemonic",
		"changes: [{mnemonic: A-5-B, match: '(?P<who>x)'}]\n": `changes[0].match: there are the groups user and from, and no "who"`,
		"changes: [{mnemonic: A-5-B, match: '('}]\n":          "changes[0].match: error parsing regexp",
		"changes: [{mnemonic: A-5-B, not: '('}]\n":            "changes[0].not: error parsing regexp",
		"changes: [{mnemonics: A-5-B}]\n":                     `unknown field "mnemonics"`,
	} {
		if _, err := platform.ParseDefinition([]byte(good + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"no_changes: x\n", "changes: [{mnemonic: A-*-B}]\n", "changes: [{app: a*, match: 'abc'}]\n"} {
		if _, err := platform.ParseDefinition([]byte(good + text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTheFirstRuleThatFitsCounts(t *testing.T) {
	t.Parallel()
	d, err := platform.ParseDefinition([]byte(`
name: x
title: X
mode: exec
sections: indent
changes:
  - {mnemonic: A-5-B, app: cli*, match: '^one (?P<user>\S+)', not: 'never'}
  - {mnemonic: A-*-B, match: '^one (?P<from>\S+)'}
  - {match: 'two (?P<user>\S+)? *(?P<from>\S+)?'}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		logged
		ok bool
	}{
		{logged{"A-5-B", "cli", "one ada", by("ada", "")}, true},
		{logged{"A-5-B", "cli2", "one ada", by("ada", "")}, true},
		{logged{"A-5-B", "web", "one ada", by("", "ada")}, true},
		{logged{"A-5-B", "cli", "one never", by("", "never")}, true},
		{logged{"A-SW1-5-B", "cli", "one ada", by("", "ada")}, true},
		{logged{"A-5-B", "", "two ada 192.0.2.1", by("ada", "192.0.2.1")}, true},
		{logged{"", "", "and two ", by("", "")}, true},
		{logged{"A-5-BB", "cli", "one ada", by("", "")}, false},
		{logged{"A-B", "cli", "one ada", by("", "")}, false},
		{logged{"B", "cli", "one ada", by("", "")}, false},
		{logged{"a-5-b", "cli", "one ada", by("", "")}, false},
		{logged{"", "cli", "one ada", by("", "")}, false},
	} {
		if got, ok := c.changeOf(d); ok != c.ok || got != c.want {
			t.Errorf("%s of %q, %q: got %+v, %v, want %+v, %v", c.mnemonic, c.app, c.text, got, ok, c.want, c.ok)
		}
	}
}

func TestWhatADeviceCallsAPersonIsMadeHarmless(t *testing.T) {
	t.Parallel()
	d := lookup(t, "juniper_junos")
	for name, want := range map[string]string{
		"ada\x1b[31m\x07":              "ada[31m",
		" a\u0085d\x7fa\xff\xfe ":      "ada",
		strings.Repeat("é", 500):       strings.Repeat("é", 64),
		"a" + strings.Repeat("é", 500): "a" + strings.Repeat("é", 63),
		"":                             "",
	} {
		m := logged{mnemonic: "UI_COMMIT", text: "User '" + name + "' requested 'commit' operation (comment: none)"}
		if got, ok := m.changeOf(d); !ok || got.User != want {
			t.Errorf("%q: got %q, %v, want %q", name, got.User, ok, want)
		}
	}
}

func TestALongTextIsLookedAtNoFurtherThanItsBeginning(t *testing.T) {
	t.Parallel()
	d := lookup(t, "aruba_aoscx")
	for blanks, want := range map[int]bool{4000: true, 4096: false} {
		m := logged{text: "rec=x" + strings.Repeat(" ", blanks) + "isconfig=yes"}
		if _, ok := m.changeOf(d); ok != want {
			t.Errorf("behind %d blanks: got %v, want %v", blanks, ok, want)
		}
	}
}

func TestAMessageThatIsNoChangeCostsNoMemory(t *testing.T) {
	for name, m := range misses {
		mnemonic, app, text := []byte(m.mnemonic), []byte(m.app), []byte(m.text)
		for _, d := range platform.Names() {
			d := lookup(t, d)
			if n := testing.AllocsPerRun(10, func() { d.Change(mnemonic, app, text) }); n != 0 {
				t.Errorf("%s, %s: %v allocations", d.Name, name, n)
			}
		}
		if n := testing.AllocsPerRun(10, func() { platform.AnyChange(mnemonic, app, text) }); n != 0 {
			t.Errorf("any platform, %s: %v allocations", name, n)
		}
	}
}

func FuzzChange(f *testing.F) {
	for _, table := range []map[string][]logged{changed, unchanged} {
		for _, messages := range table {
			for _, m := range messages {
				f.Add(m.mnemonic, m.app, []byte(m.text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, mnemonic, app string, text []byte) {
		var of []string
		for _, name := range platform.Names() {
			d := lookup(t, name)
			c, ok := d.Change([]byte(mnemonic), []byte(app), text)
			if want, sure := d.SlowChange([]byte(mnemonic), []byte(app), text); c != want || ok != sure {
				t.Errorf("%s: got %+v, %v, each rule by itself gives %+v, %v", name, c, ok, want, sure)
			}
			if ok {
				of = append(of, name)
			}
			for _, s := range []string{c.User, c.From} {
				if len(s) > 128 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
					t.Errorf("%s: got %q", name, s)
				}
			}
		}
		c, name, ok := platform.AnyChange([]byte(mnemonic), []byte(app), text)
		if ok != (len(of) > 0) || ok && !slices.Contains(of, name) {
			t.Fatalf("a change of %q, and of any: %q, %v", of, name, ok)
		}
		if ok {
			same, _ := lookup(t, name).Change([]byte(mnemonic), []byte(app), text)
			if diff := cmp.Diff(same, c); diff != "" {
				t.Errorf("of %s and of any: %s", name, diff)
			}
		}
	})
}

func BenchmarkChangeMiss(b *testing.B) {
	for name, m := range misses {
		mnemonic, app, text := []byte(m.mnemonic), []byte(m.app), []byte(m.text)
		b.Run(name, func(b *testing.B) {
			d := lookup(b, m.platform)
			b.ReportAllocs()
			for b.Loop() {
				d.Change(mnemonic, app, text)
			}
		})
		b.Run(name+", any platform", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				platform.AnyChange(mnemonic, app, text)
			}
		})
	}
}

func BenchmarkChange(b *testing.B) {
	m := changed["cisco_ios"][0]
	mnemonic, app, text := []byte(m.mnemonic), []byte(m.app), []byte(m.text)
	d := lookup(b, "cisco_ios")
	b.ReportAllocs()
	for b.Loop() {
		d.Change(mnemonic, app, text)
	}
}
