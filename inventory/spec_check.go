package inventory

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/musternet/muster/internal/settings/strict"
)

// SpecProblem is one thing wrong with a Spec.
type SpecProblem struct {
	Key string // of the settings that it is about; empty: the source as a whole
	Err error
}

// Problems returns what is wrong with a Spec. It touches no file and asks nobody.
func (s Spec) Problems() []SpecProblem {
	switch {
	case s.Type == "" && s.URL == "" && s.File == "":
		return []SpecProblem{{"", errors.New("the source has no file: add file: PATH")}}
	case s.Type == "" && s.URL == "":
		return nil // what it is shows when it is read
	case s.Type == "":
		u, err := parseURL(s.URL)
		if err == nil && detectURL(u) == "" {
			err = errors.New("the URL does not tell what is there: add type: json, netbox or ise")
		}
		if err != nil {
			return []SpecProblem{{"url", err}}
		}
		s.Type = detectURL(u)
	}
	k, ok := sources[s.Type]
	if !ok {
		return []SpecProblem{{"type", fmt.Errorf("unknown kind of inventory %q%s", s.Type, strict.Hint(s.Type, Sources()))}}
	}
	return slices.Concat(s.misplaced(k), s.missing(k), s.wrong(k))
}

// specKeys are the keys that only some kinds have, and whether a Spec says something there.
var specKeys = []struct {
	key   string
	given func(Spec) bool
}{
	{"file", func(s Spec) bool { return s.File != "" }},
	{"delimiter", func(s Spec) bool { return s.Delimiter != "" }},
	{"columns", func(s Spec) bool { return s.Columns != nil }},
	{"url", func(s Spec) bool { return s.URL != "" }},
	{"username", func(s Spec) bool { return s.Username != "" }},
	{"password", func(s Spec) bool { return len(s.Password) > 0 }},
	{"token", func(s Spec) bool { return len(s.Token) > 0 }},
	{"headers", func(s Spec) bool { return len(s.Headers) > 0 }},
	{"ca_file", func(s Spec) bool { return s.CAFile != "" }},
	{"pin", func(s Spec) bool { return s.Pin != "" }},
	{"insecure", func(s Spec) bool { return s.Insecure }},
	{"max_age", func(s Spec) bool { return s.MaxAge != 0 }},
	{"filter", func(s Spec) bool { return len(s.Filter) > 0 }},
	{"map", func(s Spec) bool { return !reflect.ValueOf(s.Map).IsZero() }},
}

// misplaced returns the keys that do not go with a kind.
func (s Spec) misplaced(k kind) (all []SpecProblem) {
	for _, one := range specKeys {
		if one.given(s) && !slices.Contains(k.keys, one.key) {
			all = append(all, SpecProblem{one.key, fmt.Errorf("%s is not for a source of the type %s, which has %s", one.key, s.Type, strings.Join(k.keys, ", "))})
		}
	}
	return all
}

// missing returns what a kind needs and is not there.
func (s Spec) missing(k kind) (all []SpecProblem) {
	file, url := slices.Contains(k.keys, "file"), slices.Contains(k.keys, "url")
	switch {
	case file && url && s.File != "" && s.URL != "":
		all = append(all, SpecProblem{"url", errors.New("a source has a file or a url, not both")})
	case file && s.File == "" && s.URL == "":
		all = append(all, SpecProblem{"", errors.New("the source has no file: add file: PATH")})
	case s.Type == "ise" && s.URL == "":
		all = append(all, SpecProblem{"", errors.New("the source has no url: add url: https://HOST, or a section ise that says how to ask it")})
	case !file && s.URL == "":
		all = append(all, SpecProblem{"", errors.New("the source has no url: add url: https://HOST")})
	}
	if slices.Contains(k.keys, "password") && s.URL != "" && (s.Username == "" || len(s.Password) == 0) {
		all = append(all, SpecProblem{"", errors.New("the source needs a username and a password")})
	}
	return all
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// wrong returns what is wrong with what a kind has.
func (s Spec) wrong(k kind) (all []SpecProblem) {
	bad := func(key string, err error) {
		if err != nil && slices.Contains(k.keys, key) {
			all = append(all, SpecProblem{key, err})
		}
	}
	if s.Type == "csv" && utf8.RuneCountInString(s.Delimiter) > 1 {
		bad("delimiter", errors.New("the delimiter of a CSV file is one character"))
	}
	_, err := oxidizedColumns(s)
	bad("columns", err)
	if s.URL != "" {
		_, err := parseURL(s.URL)
		bad("url", err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if !headerName.MatchString(name) {
			bad("headers", fmt.Errorf("%q cannot be the name of a header", printable(name)))
		}
	}
	if s.Insecure && (s.CAFile != "" || s.Pin != "") {
		bad("insecure", errors.New("insecure does not go with ca_file or pin: nothing is verified then"))
	}
	m := s.Map.orUsual()
	if s.Type == "netbox" {
		m = s.Map.over(netboxMap)
	}
	bad("map", m.check())
	return all
}
