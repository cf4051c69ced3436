package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestCountLines(t *testing.T) {
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
	} {
		added, removed := countLines([]byte(c.old), []byte(c.text))
		if added != c.added || removed != c.removed {
			t.Errorf("%q to %q: got +%d -%d, want +%d -%d", c.old, c.text, added, removed, c.added, c.removed)
		}
	}
}

func TestCountLinesOfVeryDifferentTextsIsQuick(t *testing.T) {
	t.Parallel()
	var old, text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&old, "old %d\n", i)
		fmt.Fprintf(&text, "text %d\n", i)
	}
	added, removed := countLines([]byte(old.String()), []byte(text.String()))
	if added != 100_000 || removed != 100_000 {
		t.Errorf("got +%d -%d", added, removed)
	}
}

// FuzzCountLines compares with the textbook: lines less the longest common subsequence.
func FuzzCountLines(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nc\nd"))
	f.Add([]byte("ab\nb\nab\n"), []byte("b\nab\nb\nb"))
	f.Fuzz(func(t *testing.T, old, text []byte) {
		if len(old) > 300 || len(text) > 300 {
			t.Skip()
		}
		a, b := bytes.SplitAfter(old, []byte("\n")), bytes.SplitAfter(text, []byte("\n"))
		a, b = dropEmpty(a), dropEmpty(b)
		common := make([][]int, len(a)+1)
		for i := range common {
			common[i] = make([]int, len(b)+1)
		}
		for i := range a {
			for j := range b {
				common[i+1][j+1] = max(common[i][j+1], common[i+1][j])
				if bytes.Equal(a[i], b[j]) {
					common[i+1][j+1] = common[i][j] + 1
				}
			}
		}
		same := common[len(a)][len(b)]
		added, removed := countLines(old, text)
		if added != len(b)-same || removed != len(a)-same {
			t.Errorf("got +%d -%d, want +%d -%d", added, removed, len(b)-same, len(a)-same)
		}
	})
}

func dropEmpty(lines [][]byte) [][]byte {
	if n := len(lines); n > 0 && len(lines[n-1]) == 0 {
		return lines[:n-1]
	}
	return lines
}

func TestTheFirstNewLineIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		old, text string
		want      int
	}{
		{"a\nb\nc\n", "a\nB\nc\n", 2},
		{"a\nb\nc\n", "a\nb\nx\nc\n", 3},
		{"a\nb\nc\n", "a\nc\n", 0},
		{"a\nb\n", "x\na\nb\n", 1},
		{"a\nb\n", "a\nb\nc\n", 3},
		{"ab\n", "abc\n", 1},
		{"a\nb", "a\nb\n", 2},
		{"", "a\n", 1},
	} {
		if got := firstNew([]byte(c.old), []byte(c.text)); got != c.want {
			t.Errorf("%q to %q: got line %d, want %d", c.old, c.text, got, c.want)
		}
	}
}
