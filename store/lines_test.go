package store

import "testing"

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		old, text             string
		added, removed, first int
	}{
		{"a\nb\nc\n", "a\nB\nc\n", 1, 1, 2},
		{"a\nb\nc\n", "a\nb\nx\nc\n", 1, 0, 3},
		{"a\nb\nc\n", "a\nc\n", 0, 1, 0},
		{"a\nb\nc\nd\n", "a\nc\nx\nd\n", 1, 1, 3},
		{"a\nb\n", "x\na\nb\n", 1, 0, 1},
		{"a\nb\n", "a\nb\nc\n", 1, 0, 3},
		{"ab\n", "abc\n", 1, 1, 1},
		{"a\nb", "a\nb\n", 1, 1, 2},
		{"a\nb\n", "a\n\nb\nc\n", 2, 0, 4},
		{"", "a\nb\n", 2, 0, 1},
		{"", "a\nb", 2, 0, 1},
		{"", "", 0, 0, 0},
		{"a\n", "", 0, 1, 0},
	} {
		added, removed, first := compare([]byte(c.old), []byte(c.text))
		if added != c.added || removed != c.removed || first != c.first {
			t.Errorf("%q to %q: got +%d -%d line %d, want +%d -%d line %d", c.old, c.text, added, removed, first, c.added, c.removed, c.first)
		}
	}
}
