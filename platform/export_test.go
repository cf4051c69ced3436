package platform

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/musternet/muster/session"
)

// ParseDefinition is for tests: definitions come from the files of this package only.
var ParseDefinition = parseDefinition

// RecordedConfig returns the recorded answer of the definition's configuration commands, as a device gives it, and its
// exit status.
func (d *Def) RecordedConfig(r *Recording) (raw string, status int, ok bool) {
	for _, a := range d.file.Config {
		for _, cmd := range append([]string{a.Command}, a.Or...) {
			if s, found := r.step(cmd); found && !ok {
				raw, status, ok = raw+s.Output, s.Exit, true
			}
		}
	}
	return raw, status, ok
}

func (r *Recording) step(cmd string) (Step, bool) {
	for _, s := range r.Steps {
		if s.Send == cmd {
			return s, true
		}
	}
	return Step{}, false
}

// Lacks is what keeps an output from being a complete configuration.
func (d *Def) Lacks(raw string, status int) string { return d.lacks([]byte(raw), status) }

// HasEndMark reports whether the last line of a configuration tells that it is the last one.
func (d *Def) HasEndMark() bool { return d.file.Complete.End != "" }

// IsBalanced reports whether what opens in a configuration must close.
func (d *Def) IsBalanced() bool { return d.file.Complete.Balanced != "" }

// MatchPrompt reports whether line is a prompt of the platform.
func (d *Def) MatchPrompt(line string) bool {
	pattern := d.talk().shell.Prompt
	return pattern != nil && pattern.MatchString(line)
}

// IsExec reports whether every command is an exec request of its own.
func (d *Def) IsExec() bool { return d.file.Mode == "exec" }

// LearnedFrom returns the facts that the recorded answers give.
func (d *Def) LearnedFrom(r *Recording) (c Config) {
	for i, f := range d.file.Facts {
		raw, _, _ := d.RecordedConfig(r)
		if f.Command != "" {
			s, _ := r.step(f.Command)
			raw = s.Output
		}
		d.lines().facts[i].read([]byte(raw), &c)
	}
	return c
}

// WeakSecretRules returns the secret patterns that the finder can only try on every line, or nearly so.
func (d *Def) WeakSecretRules() (weak []string) {
	for _, r := range d.file.Secrets {
		if shortest(requiredLiterals(r.Match)) < 3 {
			weak = append(weak, r.Match)
		}
	}
	return weak
}

// Commands returns what a backup sends, and what tells the platform.
func (d *Def) Commands() (list []string) {
	list = append(list, d.file.Prepare...)
	for _, m := range d.file.Modes {
		list = append(list, m.Send)
	}
	for _, a := range d.file.Config {
		list = append(append(list, a.Command), a.Or...)
	}
	for _, f := range d.file.Facts {
		list = append(list, f.Command)
	}
	for _, p := range d.file.Detect.Probes {
		list = append(list, p.Command)
	}
	return slices.DeleteFunc(list, func(cmd string) bool { return cmd == "" })
}

// HasChanges reports whether any message means a change.
func (d *Def) HasChanges() bool { return len(d.file.Changes) > 0 }

// WhyNoChanges returns what the definition gives as the reason for none.
func (d *Def) WhyNoChanges() string { return d.file.NoChanges }

// SlowChange is Change without what makes it fast: it tries every rule.
func (d *Def) SlowChange(mnemonic, app, text []byte) (Change, bool) {
	text = text[:min(len(text), maxText)]
	for _, named := range []bool{true, false} {
		for _, r := range d.file.Changes {
			if named != (r.Mnemonic != "") || named && !fits(r.Mnemonic, mnemonic) || r.App != "" && !fits(r.App, app) {
				continue
			}
			if r.Not != "" && compiled(r.Not).Match(text) {
				continue
			}
			re := compiled(r.Match)
			if m := re.FindSubmatchIndex(text); m != nil {
				return Change{User: who(text, m, re.SubexpIndex("user")), From: who(text, m, re.SubexpIndex("from"))}, true
			}
		}
	}
	return Change{}, false
}

func fits(glob string, word []byte) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, `(?s:.*)`)
	return compiled(`\A(?:` + pattern + `)\z`).Match(word)
}

var compiledBefore sync.Map

func compiled(pattern string) *regexp.Regexp {
	re, _ := compiledBefore.LoadOrStore(pattern, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) }))
	return re.(func() *regexp.Regexp)()
}

// BannerPatterns returns the patterns of what the platform's servers say first.
func (d *Def) BannerPatterns() []string { return d.file.Detect.Banner }

// SuffixedUsers returns the user names that a shell is asked for with.
func (d *Def) SuffixedUsers(credentials []session.Credential) (users []string) {
	for _, c := range withSuffix(credentials, d.file.LoginSuffix) {
		users = append(users, c.User)
	}
	return users
}

// Shell is what a session with a terminal is opened with.
func (d *Def) Shell() *session.Shell {
	shell := d.talk().shell
	return &shell
}

// DefinitionKeys returns every key of a definition, those of inner maps behind a dot, in their order.
func DefinitionKeys() []string { return keysOf(reflect.TypeFor[definition](), "") }

func keysOf(t reflect.Type, prefix string) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("yaml")
		keys = append(keys, key)
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, keysOf(inner, key+".")...)
		}
	}
	return keys
}
