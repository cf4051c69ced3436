package platform

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"regexp/syntax"
	"sync"

	"github.com/goccy/go-yaml"
)

// definition is a file under defs/. docs/guides/add-a-platform.md explains every key, and a test compares the two.
type definition struct {
	Name           string         `yaml:"name"`
	Title          string         `yaml:"title"`
	Aliases        []string       `yaml:"aliases"`
	Mode           string         `yaml:"mode"` // exec or shell
	Prompt         string         `yaml:"prompt" kind:"regexp"`
	Modes          []modeChange   `yaml:"modes"`
	Login          []loginReply   `yaml:"login"`
	Pagers         []pagerReply   `yaml:"pagers"`
	Terminal       terminal       `yaml:"terminal"`
	LoginSuffix    string         `yaml:"login_suffix"`
	Prepare        []string       `yaml:"prepare"`
	Config         []alternatives `yaml:"config"`
	Complete       completeness   `yaml:"complete"`
	Facts          []factsOf      `yaml:"facts"`
	Errors         []string       `yaml:"errors" kind:"regexp"`
	Volatile       []string       `yaml:"volatile" kind:"regexp"`
	VolatileValues []string       `yaml:"volatile_values" kind:"regexp"`
	VolatileKeys   bool           `yaml:"volatile_keys"`
	Continuation   string         `yaml:"continuation"` // what a line ends with that goes on in the next one
	Secrets        []secretRule   `yaml:"secrets"`
	Sections       string         `yaml:"sections"` // indent, paths or files
	Changes        []changeRule   `yaml:"changes"`
	NoChanges      string         `yaml:"no_changes"` // why there are none
	Detect         detection      `yaml:"detect"`
}

// modeChange is how to get from the prompt after login to one where the configuration can be read.
type modeChange struct {
	When   string `yaml:"when" kind:"regexp"`
	Send   string `yaml:"send"`
	Ask    string `yaml:"ask" kind:"regexp"`
	Prompt string `yaml:"prompt" kind:"regexp"`
}

// loginReply answers what may be asked between login and first prompt.
type loginReply struct {
	Match string `yaml:"match" kind:"regexp"`
	Send  string `yaml:"send"`
	Raw   bool   `yaml:"raw"`  // without a newline
	Fail  string `yaml:"fail"` // instead: the failure code this question means
}

type pagerReply struct {
	Match string `yaml:"match" kind:"regexp"`
	Send  string `yaml:"send"`
}

type terminal struct {
	Term    string `yaml:"term"`
	Width   int    `yaml:"width"`
	Height  int    `yaml:"height"`
	Newline string `yaml:"newline"`
}

// alternatives is a command and what to say where the device rejects it.
type alternatives struct {
	Command string   `yaml:"command"`
	Or      []string `yaml:"or"`
}

// completeness is how to tell that a configuration is whole.
type completeness struct {
	Begin    string `yaml:"begin" kind:"regexp"` // one of the first lines
	End      string `yaml:"end" kind:"regexp"`   // the last line
	Balanced string `yaml:"balanced"`            // braces or config: what opens must close
	Status   bool   `yaml:"status"`              // exit status 0
	Sync     bool   `yaml:"sync"`                // an empty line, sent afterwards, prints nothing
	Gap      string `yaml:"gap" kind:"regexp"`   // no line at all: a part is missing
}

// factsOf says what to learn from one command; without a command, from the configuration as the device printed it.
type factsOf struct {
	Command  string `yaml:"command"`
	Hostname string `yaml:"hostname" kind:"regexp"`
	Model    string `yaml:"model" kind:"regexp"`
	Version  string `yaml:"version" kind:"regexp"`
	Serial   string `yaml:"serial" kind:"regexp"`
}

// secretRule finds secrets in a line: each group of Match is one.
type secretRule struct {
	Match   string `yaml:"match" kind:"regexp"`
	Section string `yaml:"section" kind:"regexp"` // only below such a top-level line
	Except  string `yaml:"except" kind:"regexp"`  // unless the group is this
}

// changeRule is a kind of syslog message that means that the configuration was changed. The groups user and from of Match say by
// whom and from where.
type changeRule struct {
	Mnemonic string `yaml:"mnemonic"` // one * stands for anything, but not in what follows the last hyphen
	App      string `yaml:"app"`      // one * stands for anything
	Match    string `yaml:"match" kind:"regexp"`
	Not      string `yaml:"not" kind:"regexp"`
}

// detection is what gives the platform away. Sure alone is proof; hints say whose probes to run first. Banner serves a
// guess without a login and is no part of the detection in one.
type detection struct {
	Banner []string `yaml:"banner" kind:"regexp"` // for Guess: the first line of a server, before any login
	Sure   string   `yaml:"sure" kind:"regexp"`   // in server version, banner, MOTD and prompt, a line each
	Server string   `yaml:"server" kind:"regexp"` // hint: the SSH server's version
	Login  string   `yaml:"login" kind:"regexp"`  // hint: in banner and MOTD
	Prompt string   `yaml:"prompt" kind:"regexp"` // hint
	Probes []probe  `yaml:"probes"`
}

// probe is a harmless command whose answer tells.
type probe struct {
	After   string `yaml:"after"` // only where this platform was found, of which the other is a special case
	Command string `yaml:"command"`
	Match   string `yaml:"match" kind:"regexp"`
}

// UnmarshalYAML takes a bare string for a rule that is nothing but its pattern.
func (r *secretRule) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&r.Match) == nil {
		return nil
	}
	type plain secretRule
	return unmarshal((*plain)(r))
}

// decodeDefinition reads one definition. An unknown key is an error that names line and column. The YAML reader panics
// on some input that is no YAML ("errors: ! "): that is an error like any other.
func decodeDefinition(data []byte) (read *definition, err error) {
	defer func() {
		if p := recover(); p != nil {
			read, err = nil, fmt.Errorf("read definition: the YAML cannot be read: %v", p)
		}
	}()
	var f definition
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	return &f, nil
}

// parseDefinition reads a definition and checks all of it, as the tests do with those that come with the binary.
func parseDefinition(data []byte) (*Def, error) {
	f, err := decodeDefinition(data)
	if err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	return newDef(f), nil
}

// newDef compiles nothing yet: each kind of work compiles what it needs when it is first done.
func newDef(f *definition) *Def {
	return &Def{
		Name: f.Name, file: f,
		lines: sync.OnceValue(func() *lineRules { return newLineRules(f) }),
		mask:  sync.OnceValue(func() *secretRules { return newSecretRules(f.Secrets, f.Sections, f.Continuation) }),
		talk:  sync.OnceValue(func() *talkRules { return newTalkRules(f) }),
		changes: sync.OnceValue(func() *changeSet {
			s := newChangeSet()
			s.add(f.Name, f.Changes)
			return s
		}),
	}
}

// check finds what the types do not.
func (f *definition) check() error {
	oneOf := func(key, value string, allowed ...string) error {
		for _, a := range allowed {
			if value == a {
				return nil
			}
		}
		return fmt.Errorf("%s: %q is none of %q", key, value, allowed)
	}
	err := errors.Join(
		oneOf("mode", f.Mode, "exec", "shell"),
		oneOf("sections", f.Sections, "indent", "paths", "files"),
		oneOf("complete.balanced", f.Complete.Balanced, "", "braces", "config"),
	)
	if f.Name == "" || f.Title == "" {
		err = errors.Join(err, errors.New("name and title must be given"))
	}
	if f.Mode == "shell" && len(f.Config) > 0 && f.Prompt == "" {
		err = errors.Join(err, errors.New("prompt: a platform of mode shell must have one"))
	}
	if len(f.Config) > 0 && f.Complete == (completeness{}) {
		err = errors.Join(err, errors.New("complete: a platform with a configuration must say when it is whole"))
	}
	return errors.Join(err, f.checkChanges(), checkPatterns("", reflect.ValueOf(*f), ""))
}

// checkPatterns parses every regular expression below v, so that one that is wrong is found before it is used. Parsing
// is cheap; compiling waits for the first use.
func checkPatterns(key string, v reflect.Value, kind string) error {
	var err error
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			err = errors.Join(err, checkPatterns(key+"."+field.Tag.Get("yaml"), v.Field(i), field.Tag.Get("kind")))
		}
	case reflect.Slice:
		for i := range v.Len() {
			err = errors.Join(err, checkPatterns(fmt.Sprintf("%s[%d]", key, i), v.Index(i), kind))
		}
	case reflect.String:
		if kind == "regexp" && v.String() != "" {
			if _, bad := syntax.Parse(v.String(), syntax.Perl); bad != nil {
				err = fmt.Errorf("%s: %w", key[1:], bad)
			}
		}
	}
	return err
}

// compile returns nil for a pattern that is not given.
func compile(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	return regexp.MustCompile(pattern)
}

func compileAll(patterns []string) []*regexp.Regexp {
	list := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		list[i] = regexp.MustCompile(p)
	}
	return list
}
