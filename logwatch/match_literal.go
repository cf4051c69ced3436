package logwatch

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the strings that one expression is taken apart into.
const (
	mostLiterals = 64
	mostClass    = 16 // characters of a class
)

// literals are strings of which every text that matches something holds at least one, ASCII letters in either case; they
// are in lower case. None: nothing certain can be said.
type literals []string

// least is the length of the shortest: what is shorter is found more often.
func (l literals) least() int {
	if len(l) == 0 {
		return 0
	}
	return len(slices.MinFunc(l, func(a, b string) int { return len(a) - len(b) }))
}

// rarer picks the literals that are found in fewer texts, by their length. Ones that may be empty say nothing.
func rarer(a, b literals) literals {
	switch {
	case b.least() > a.least(), b.least() == a.least() && len(b) < len(a):
		a = b
	}
	if a.least() == 0 {
		return nil
	}
	return a
}

// requiredLiterals returns the literals of a regular expression.
func requiredLiterals(source string) literals {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil
	}
	var r reader
	all := r.read(tree).best()
	if len(all) == 0 {
		return nil
	}
	// A text matches by one of the other characters, or holds one of the literals as they are.
	all = append(slices.Clone(all), r.others...)
	slices.Sort(all)
	return slices.Compact(all)
}

// reader takes an expression apart.
type reader struct {
	// others are characters beyond ASCII that (?i) takes for an ASCII letter, such as U+212A, the sign for kelvin, for k.
	others literals
}

// part is what is known of the texts that a part of an expression matches.
type part struct {
	exact literals // all of them; nil: they are not known
	any   literals // of which each of them holds one
}

// best are the literals of a part that stands alone.
func (p part) best() literals { return rarer(p.any, p.exact) }

// nothing is the part that matches an empty text.
func nothing() part { return part{exact: literals{""}} }

func (r *reader) read(tree *syntax.Regexp) part {
	switch tree.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return nothing()
	case syntax.OpLiteral:
		return r.literal(tree)
	case syntax.OpCharClass:
		return part{exact: class(tree.Rune)}
	case syntax.OpCapture:
		return r.read(tree.Sub[0])
	case syntax.OpQuest:
		if sub := r.read(tree.Sub[0]); sub.exact != nil {
			return part{exact: union(sub.exact, literals{""})}
		}
	case syntax.OpPlus:
		return part{any: r.read(tree.Sub[0]).best()}
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return part{any: r.read(tree.Sub[0]).best()}
		}
	case syntax.OpConcat:
		return r.concat(tree.Sub)
	case syntax.OpAlternate:
		return r.alternate(tree.Sub)
	}
	return part{}
}

// literal reads a string. Where it is to match in upper and lower case, it is cut at letters beyond ASCII: the automaton
// knows one form of them.
func (r *reader) literal(tree *syntax.Regexp) part {
	fold := tree.Flags&syntax.FoldCase != 0
	var b strings.Builder
	var any literals
	whole := true
	for _, c := range tree.Rune {
		if r.known(c, fold) {
			b.WriteRune(c)
			continue
		}
		whole = false
		any = rarer(any, literals{lowered(b.String())})
		b.Reset()
	}
	last := literals{lowered(b.String())}
	if whole {
		return part{exact: last}
	}
	return part{any: rarer(any, last)}
}

// known tells whether the automaton finds a character of a literal whatever form it has in the text, but for the others.
// U+FFFD stands for any byte that is no UTF-8.
func (r *reader) known(c rune, fold bool) bool {
	if c == utf8.RuneError || !utf8.ValidRune(c) {
		return false
	}
	for other := unicode.SimpleFold(c); fold && other != c; other = unicode.SimpleFold(other) {
		if c >= utf8.RuneSelf {
			return false
		}
		if other >= utf8.RuneSelf && !slices.Contains(r.others, string(other)) {
			r.others = append(r.others, string(other))
		}
	}
	return true
}

// class returns the characters of a small class, given as pairs of first and last.
func class(pairs []rune) literals {
	var list literals
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] <= utf8.RuneError && utf8.RuneError <= pairs[i+1] || int(pairs[i+1]-pairs[i]) > 2*mostClass {
			return nil
		}
		for c := pairs[i]; c <= pairs[i+1]; c++ {
			list = append(list, lowered(string(c)))
		}
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > mostClass {
		return nil
	}
	return list
}

// concat reads a sequence. Neighbours that are known exactly are taken together: the parser makes "p(?:assword|sk)" of
// "password|psk".
func (r *reader) concat(parts []*syntax.Regexp) part {
	var any literals
	run, whole := literals{""}, true
	for _, tree := range parts {
		p := r.read(tree)
		if joined := product(run, p.exact); joined != nil {
			run = joined
			continue
		}
		whole = false
		any = rarer(rarer(any, run), p.any)
		if run = p.exact; run == nil {
			run = literals{""}
		}
	}
	if whole {
		return part{exact: run}
	}
	return part{any: rarer(any, run)}
}

// alternate reads branches, each of which has to be known for something to be known of all.
func (r *reader) alternate(branches []*syntax.Regexp) part {
	exact, any := literals{}, literals{}
	for _, tree := range branches {
		p := r.read(tree)
		if exact != nil {
			exact = union(exact, p.exact)
		}
		if best := p.best(); any != nil {
			any = union(any, best)
		}
	}
	return part{exact, any}
}

// product returns each of heads followed by each of tails; nil if there are none or too many.
func product(heads, tails literals) literals {
	if len(tails) == 0 || len(heads)*len(tails) > mostLiterals {
		return nil
	}
	list := make(literals, 0, len(heads)*len(tails))
	for _, h := range heads {
		for _, t := range tails {
			list = append(list, h+t)
		}
	}
	return list
}

// union returns all of a and b; nil if nothing is known of b, or they are too many.
func union(a, b literals) literals {
	if len(b) == 0 || len(a)+len(b) > mostLiterals {
		return nil
	}
	return append(slices.Clip(a), b...)
}
