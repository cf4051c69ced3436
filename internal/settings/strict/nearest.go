package strict

import (
	"fmt"
	"strings"
)

// Nearest returns the word that is most like name, or "" where none is near: at most a third of it differs.
func Nearest(name string, words []string) string {
	const longest = 64
	if len(name) > longest {
		return ""
	}
	best, least := "", (len(name)+1)/3+1
	for _, w := range words {
		if len(w) > longest {
			continue
		}
		if n := distance(strings.ToLower(name), strings.ToLower(w)); n < least {
			best, least = w, n
		}
	}
	return best
}

// Hint says which word was meant, or which there are.
func Hint(name string, words []string) string {
	if w := Nearest(name, words); w != "" {
		return fmt.Sprintf(": did you mean %q?", w)
	}
	if len(words) == 0 || len(words) > 20 {
		return ""
	}
	return "; there are " + strings.Join(words, ", ")
}

// distance is the number of letters to insert, drop, replace or swap with their neighbour.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
