package platform

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRequiredLiteralsAreInEveryMatch(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		`^enable (?:password|secret) (\S+)`: {"enable password ", "enable secret "},
		`\b(?:password|secret) (\S+)`:       {"password ", "secret "},
		`(?i)PassWord`:                      {"password"},
		`a?b*c{2,3}`:                        {"c"},
		`x|y?`:                              nil,
		`(?i)(?:password|psk)=`:             {"password=", "psk="},
		`ke[ys] (?:\d )?x`:                  {"kes ", "key "},
		`[a-z]x[^b]`:                        {"x"},
		`.*`:                                nil,
		`käse(?:longer)+`:                   {"longer"},
	} {
		if got := requiredLiterals(pattern); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

// TestTheFinderFindsWhatTheRegexpsFind holds the automaton against plain matching, on lines made of pieces of the
// patterns, so that literals that overlap and share beginnings and ends occur.
func TestTheFinderFindsWhatTheRegexpsFind(t *testing.T) {
	t.Parallel()
	sources := []string{
		`^key (\d)`, `monkey`, `(?i)onk`, `server-key \d`, `key-string`, `y s`, `(?:ab|abc|bcd) x`, `.`, `^$`, `\$9\$`, `(?:\$9\$|z)q`,
	}
	f := newFinder(sources)
	pieces := []string{"key ", "mon", "ONK", "server-", "1", "-string", "y s", "ab", "abc", "bcd", " x", "$9$", "z", "q", "e", "Key"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var line strings.Builder
		for range random.IntN(5) {
			line.WriteString(pieces[random.IntN(len(pieces))])
		}
		var want, got []int
		for i := range sources {
			if f.patterns[i].MatchString(line.String()) {
				want = append(want, i)
			}
		}
		for _, p := range f.candidates([]byte(line.String()), nil) {
			if f.patterns[p].MatchString(line.String()) {
				got = append(got, int(p))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", line.String(), got, want)
		}
	}
	if got := newFinder(nil).candidates([]byte("x"), nil); len(got) != 0 {
		t.Fatal(fmt.Sprint("a finder without patterns finds ", got))
	}
}
