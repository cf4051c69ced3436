package platform

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
)

// checkChanges sees to it that each rule can be told to be of no use cheaply, and that nobody forgets them.
func (f *definition) checkChanges() error {
	var err error
	if given := len(f.Changes) > 0; given == (f.NoChanges != "") && (given || len(f.Config) > 0) {
		err = errors.New("changes: a platform with a configuration must have some, or say in no_changes why not")
	}
	for i, r := range f.Changes {
		if wrong := r.check(); wrong != "" {
			err = errors.Join(err, fmt.Errorf("changes[%d]%s", i, wrong))
		}
	}
	return err
}

// check returns the key and what is wrong with it.
func (r *changeRule) check() string {
	if strings.Count(r.Mnemonic, "*") > 1 || strings.Count(r.App, "*") > 1 {
		return ": only one * may stand in a mnemonic or an app"
	}
	if kind := kindOf(r.Mnemonic); strings.Contains(kind, "*") || kind == "" && r.Mnemonic != "" {
		return ".mnemonic: the last part, by which a rule is found, must be there and have no *"
	}
	if r.Mnemonic == "" && shortest(exactLiterals(r.Match)) < 3 {
		return ".match: without a mnemonic it must have a word of three letters that every match holds"
	}
	if tree, bad := syntax.Parse(r.Match, syntax.Perl); bad == nil {
		for _, group := range tree.CapNames() {
			if group != "" && group != "user" && group != "from" {
				return fmt.Sprintf(".match: there are the groups user and from, and no %q", group)
			}
		}
	}
	return ""
}
