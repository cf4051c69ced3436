package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// counted counts the writes to a buffer, and fails when it is told to.
type counted struct {
	bytes.Buffer
	writes int
	err    error
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes++
	if c.err != nil {
		return 0, c.err
	}
	return c.Buffer.Write(p)
}

type said struct {
	Text string `json:"text"`
}

func TestALineWaitsNoLongerThanTheDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out counted
		l := newLines(&out)
		for i := range 3 {
			if err := l.add(i, said{hostile}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lineDelay)
			synctest.Wait()
			if got := strings.Count(out.String(), "\n"); got != i+1 {
				t.Fatalf("%d lines are there after %d were added", got, i+1)
			}
		}
		const first = `{"index":0,"text":"\u001b]0;owned\u0007\u001b[2J\u202etxt\ufffd"}` + "\n"
		if got := out.String(); !strings.HasPrefix(got, first) {
			t.Errorf("got %q, want it to begin with %q", got, first)
		}
	})
}

func TestLinesThatComeFastShareWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out counted
		l := newLines(&out)
		for i := range 10000 {
			if err := l.add(i, said{"text"}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(out.String(), "\n"); n != 10000 || !strings.HasSuffix(out.String(), `{"index":9999,"text":"text"}`+"\n") {
			t.Errorf("%d lines, the last of %.40q", n, out.String()[out.Len()-40:])
		}
		if most := out.Len()/lineBytes + 1; out.writes > most {
			t.Errorf("%d writes of %d bytes, want at most %d", out.writes, out.Len(), most)
		}
	})
}

func TestAWriteThatFailedIsToldByTheNextLineAndTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := counted{err: errors.New("broken pipe")}
		l := newLines(&out)
		if err := l.add(0, said{"a"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lineDelay)
		synctest.Wait()
		if err := l.add(1, said{"b"}); !errors.Is(err, out.err) {
			t.Errorf("the next line: %v", err)
		}
		if err := l.Close(); !errors.Is(err, out.err) {
			t.Errorf("the end: %v", err)
		}
	})
}
