package logwatch

import (
	"errors"
	"slices"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// Filter is a Set and a NoiseSet in one, that looks at each message once: it is what a stream of messages goes through. Any
// number of goroutines may use it at once.
type Filter struct {
	matcher        // the rules, and after them the noise
	noisy   []bool // of each rule
	names   []string
}

// NewFilter compiles rules and noise. Its error is that of Check and that of CompileNoise, joined.
func NewFilter(rules []Rule, noise []NoiseRule) (*Filter, error) {
	heard, err := compileRules(rules)
	names, unheard, noiseErr := compileNoise(noise)
	if err := errors.Join(err, noiseErr); err != nil {
		return nil, err
	}
	f := &Filter{newMatcher(append(heard, unheard...)), make([]bool, len(rules)), names}
	for i, r := range rules {
		f.noisy[i] = r.Noisy
	}
	return f, nil
}

// Match appends the indexes of the rules that a message fulfils and that hear it, ascending, whatever their Count; and says by
// which noise it is heard by none but those that are Noisy. dev is the device that it is from; nil: that is unknown. It
// allocates nothing when dst, which is a workspace too, has become as large as it takes.
func (f *Filter) Match(dst []int, m *syslog.Message, dev *muster.Device) (hits []int, noise string) {
	begin, rules := len(dst), len(f.noisy)
	hits = f.match(dst, m, dev)
	n := begin + slices.IndexFunc(hits[begin:], func(i int) bool { return i >= rules })
	if n < begin {
		return hits, ""
	}
	noise = f.names[hits[n]-rules]
	kept := hits[:begin]
	for _, i := range hits[begin:n] {
		if f.noisy[i] {
			kept = append(kept, i)
		}
	}
	return kept, noise
}
