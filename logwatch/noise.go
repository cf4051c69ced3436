package logwatch

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// NoiseRule says which messages alarm nobody: they are archived as all are, under its name, but rules do not hear them unless
// they are Noisy. Of its Rule it has no Count, no Within and no Noisy.
type NoiseRule struct {
	Rule
	Reason  string // why nobody needs to know, for people
	Example string // such a message as it is sent; may be empty
}

// Noise returns the rules that muster comes with, sorted by name.
func Noise() []NoiseRule { return slices.Clone(shippedNoise) }

// Without returns rules but for those of some names. A name that there is none of is an error.
func Without(rules []NoiseRule, names ...string) ([]NoiseRule, error) {
	off := map[string]bool{}
	for _, name := range names {
		off[name] = true
	}
	var left []NoiseRule
	for _, r := range rules {
		if !off[r.Name] {
			left = append(left, r)
		}
		delete(off, r.Name)
	}
	if len(off) == 0 {
		return left, nil
	}
	known := make([]string, len(rules))
	for i, r := range rules {
		known[i] = r.Name
	}
	return nil, fmt.Errorf("no noise is called %s: there are %s",
		strings.Join(slices.Sorted(maps.Keys(off)), ", "), strings.Join(known, ", "))
}

// NoiseSet is compiled noise. Any number of goroutines may use it at once.
type NoiseSet struct {
	matcher
	names []string
}

// CompileNoise compiles rules: those of Noise, some of them, and own ones. Its error is a *RuleError for each that is wrong,
// joined.
func CompileNoise(rules []NoiseRule) (*NoiseSet, error) {
	names, patterns, err := compileNoise(rules)
	if err != nil {
		return nil, err
	}
	return &NoiseSet{newMatcher(patterns), names}, nil
}

func compileNoise(rules []NoiseRule) (names []string, patterns []pattern, err error) {
	bare := make([]Rule, len(rules))
	var all []error
	for i, r := range rules {
		names, bare[i] = append(names, r.Name), r.Rule
		if r.Count != 0 || r.Within != 0 || r.Noisy {
			all = append(all, &RuleError{i, r.Name, errors.New("noise has no count, no within and no noisy: it is each message")})
		}
	}
	patterns, err = compileRules(bare)
	return names, patterns, errors.Join(append(all, err)...)
}

// Find returns the name of the first rule by which a message is noise. dev is the device that it is from; nil: that is
// unknown. It allocates nothing.
func (n *NoiseSet) Find(m *syslog.Message, dev *muster.Device) (name string, ok bool) {
	var some [16]int
	if hits := n.match(some[:0], m, dev); len(hits) > 0 {
		return n.names[hits[0]], true
	}
	return "", false
}
