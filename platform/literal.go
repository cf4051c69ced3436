package platform

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// maxExact bounds the strings that one pattern is taken apart into.
const maxExact = 64

// requiredLiterals returns lower-case strings of which every match of the pattern holds at least one, in upper or lower
// case; none where nothing certain can be said.
func requiredLiterals(pattern string) []string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	list := literalsOf(tree)
	for i, l := range list {
		list[i] = strings.ToLower(l)
	}
	return list
}

// exactLiterals returns strings of which every match of the pattern holds at least one as it stands; none where nothing
// certain can be said.
func exactLiterals(pattern string) []string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || folds(tree) {
		return nil
	}
	return literalsOf(tree)
}

// folds reports whether a part of the pattern means both upper and lower case.
func folds(tree *syntax.Regexp) bool {
	return tree.Op == syntax.OpLiteral && tree.Flags&syntax.FoldCase != 0 || slices.ContainsFunc(tree.Sub, folds)
}

func literalsOf(tree *syntax.Regexp) []string {
	if list := exactly(tree); list != nil {
		return list
	}
	switch tree.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return literalsOf(tree.Sub[0])
		}
	case syntax.OpConcat:
		return bestLiterals(tree.Sub)
	case syntax.OpAlternate:
		return allLiterals(tree.Sub)
	}
	return nil
}

// exactly returns every string that the tree can match, none of them empty; nil where there are many or no such.
func exactly(tree *syntax.Regexp) []string {
	switch tree.Op {
	case syntax.OpLiteral:
		text := string(tree.Rune)
		if strings.ContainsFunc(text, func(c rune) bool { return c >= 0x80 }) {
			return nil // case folding beyond ASCII is not the automaton's
		}
		return []string{text}
	case syntax.OpCharClass:
		return exactlyClass(tree.Rune)
	case syntax.OpCapture:
		return exactly(tree.Sub[0])
	case syntax.OpAlternate:
		return exactlyOneOf(tree.Sub)
	case syntax.OpConcat:
		list := []string{""}
		for _, sub := range tree.Sub {
			if list = product(list, exactly(sub)); list == nil {
				return nil
			}
		}
		return list
	}
	return nil
}

// exactlyClass returns the characters of a small class, given as pairs of first and last.
func exactlyClass(pairs []rune) []string {
	var list []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] >= 0x80 || int(pairs[i+1]-pairs[i]) >= 8 || len(list) >= 8 {
			return nil
		}
		for c := pairs[i]; c <= pairs[i+1]; c++ {
			list = append(list, string(c))
		}
	}
	return list
}

func exactlyOneOf(branches []*syntax.Regexp) []string {
	var all []string
	for _, b := range branches {
		list := exactly(b)
		if all = append(all, list...); list == nil || len(all) > maxExact {
			return nil
		}
	}
	return all
}

// product returns each of heads followed by each of tails; nil if there are none or too many.
func product(heads, tails []string) []string {
	if len(tails) == 0 || len(heads)*len(tails) > maxExact {
		return nil
	}
	var list []string
	for _, h := range heads {
		for _, t := range tails {
			list = append(list, h+t)
		}
	}
	return list
}

// bestLiterals picks the part of a sequence that is rarest: the one whose shortest literal is longest. Neighbours that
// are known exactly are taken together: the parser turns "password|psk" into "p(?:assword|sk)".
func bestLiterals(parts []*syntax.Regexp) []string {
	var best, run []string
	consider := func(list []string) {
		if shortest(list) > shortest(best) {
			best = list
		}
	}
	for _, part := range parts {
		exact := exactly(part)
		if run = product(run, exact); run == nil {
			run = exact
		}
		consider(run)
		consider(literalsOf(part))
	}
	return best
}

// allLiterals returns those of every branch, if every branch has some.
func allLiterals(branches []*syntax.Regexp) []string {
	var all []string
	for _, b := range branches {
		list := literalsOf(b)
		if len(list) == 0 {
			return nil
		}
		all = append(all, list...)
	}
	return all
}

func shortest(list []string) int {
	if len(list) == 0 {
		return 0
	}
	n := len(list[0])
	for _, l := range list[1:] {
		n = min(n, len(l))
	}
	return n
}
