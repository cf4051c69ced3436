package linediff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"

	"github.com/musternet/muster/internal/linediff"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		old, text      string
		added, removed int
	}{
		{"", "", 0, 0},
		{"", "a\nb\n", 2, 0},
		{"a\nb\n", "", 0, 2},
		{"a\nb\nc\n", "a\nb\nc\n", 0, 0},
		{"a\nb\nc\n", "a\nB\nc\n", 1, 1},
		{"a\nb\n", "b\na\n", 1, 1},
		{"ab\n", "aab\n", 1, 1},
		{"a\na\n", "a\n", 0, 1},
		{"a\nb", "a\nb\n", 1, 1},
		{"x\nab\n", "x\ncd\nab\n", 1, 0},
		{"!\na\n!\nb\n!\n", "!\na\n!\nc\n!\nb\n!\n", 2, 0},
	} {
		added, removed := linediff.Count(c.old, linediff.Edits(c.old, c.text))
		if added != c.added || removed != c.removed {
			t.Errorf("%q to %q: got +%d -%d, want +%d -%d", c.old, c.text, added, removed, c.added, c.removed)
		}
	}
}

func TestManyChangesStaySmall(t *testing.T) {
	t.Parallel()
	for _, every := range []int{300, 30, 10, 3} {
		var old, text strings.Builder
		for i := range 3000 {
			fmt.Fprintf(&old, "interface %d\n description port %d\n!\n", i, i)
			if i%every == 0 {
				fmt.Fprintf(&text, "interface %d\n description changed\n!\n", i)
			} else {
				fmt.Fprintf(&text, "interface %d\n description port %d\n!\n", i, i)
			}
		}
		added, removed := linediff.Count(old.String(), linediff.Edits(old.String(), text.String()))
		if want := 3000 / every; added != want || removed != want {
			t.Errorf("%d changed lines: got +%d -%d", want, added, removed)
		}
	}
}

func TestVeryDifferentTextsAreQuick(t *testing.T) {
	t.Parallel()
	var old, text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&old, "old %d\n", i)
		fmt.Fprintf(&text, "text %d\n", i)
	}
	added, removed := linediff.Count(old.String(), linediff.Edits(old.String(), text.String()))
	if added != 100_000 || removed != 100_000 {
		t.Errorf("got +%d -%d", added, removed)
	}
}

// FuzzEdits demands that the edits make the new text of the old one, and are never better than what is possible.
func FuzzEdits(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd")
	f.Add("ab\nb\nab\n", "b\nab\nb\nb")
	f.Add("!\na\n!\nb\n", "!\nb\n!\na\n")
	f.Fuzz(func(t *testing.T, old, text string) {
		if len(old) > 300 || len(text) > 300 {
			t.Skip()
		}
		edits := linediff.Edits(old, text)
		got, err := udiff.Apply(old, edits)
		if err != nil || got != text {
			t.Fatalf("got %q, %v; want %q", got, err, text)
		}
		added, removed := linediff.Count(old, edits)
		a, b := lines(old), lines(text)
		same := common(a, b)
		if added < len(b)-same || removed < len(a)-same || added-removed != len(b)-len(a) {
			t.Errorf("got +%d -%d, possible is +%d -%d", added, removed, len(b)-same, len(a)-same)
		}
	})
}

func lines(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		out = append(out, l)
	}
	return out
}

// common is the length of the longest common subsequence, by the textbook.
func common(a, b []string) int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			best[i+1][j+1] = max(best[i][j+1], best[i+1][j])
			if a[i] == b[j] {
				best[i+1][j+1] = best[i][j] + 1
			}
		}
	}
	return best[len(a)][len(b)]
}
