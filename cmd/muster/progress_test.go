package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
)

func TestProgressSaysDoneRunningFailedRateAndTimeToGo(t *testing.T) {
	t.Parallel()
	began := time.Now()
	pr := &progress{total: 1200, began: began}
	if got, want := pr.line(began.Add(time.Second)), " 0/1200  0 running  0 failed"; got != want {
		t.Errorf("at first: got %q, want %q", got, want)
	}
	for range 853 {
		pr.start(muster.Device{})
	}
	for i := range 812 {
		pr.finish(i < 7)
	}
	got, want := pr.line(began.Add(262*time.Second)), " 812/1200  41 running  7 failed  3.1/s  ETA 2m05s"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// watch runs 25 s of progress on standard error and returns what was printed.
func watch(t *testing.T, prepare func(*program)) string {
	t.Helper()
	var stderr bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(strings.NewReader(""), &bytes.Buffer{}, &stderr, nil)
		prepare(p)
		err := p.watched(t.Context(), 3, func(ctx context.Context, pr *progress) error {
			for range 3 {
				pr.start(muster.Device{})
			}
			for range 2 {
				time.Sleep(8 * time.Second)
				pr.finish(false)
			}
			time.Sleep(9 * time.Second)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	return stderr.String()
}

func TestProgressOutsideATerminalIsALineEachTenSeconds(t *testing.T) {
	t.Parallel()
	got := watch(t, func(*program) {})
	want := " 1/3  2 running  0 failed  0.1/s  ETA 20s\n 2/3  1 running  0 failed  0.1/s  ETA 10s\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressOnATerminalIsOneLineRewrittenAtMostTenTimesASecond(t *testing.T) {
	t.Parallel()
	got := watch(t, func(p *program) { p.stderr.terminal = true })
	if n := strings.Count(got, eraseLine); n < 20 || n > 251 {
		t.Errorf("rewritten %d times in 25 s", n)
	}
	if strings.Contains(got, "\n") || !strings.HasSuffix(got, eraseLine) {
		t.Errorf("the line is not taken away at the end: %q", got[max(len(got)-60, 0):])
	}
}

func TestProgressIsSilentWithQuiet(t *testing.T) {
	t.Parallel()
	if got := watch(t, func(p *program) { p.quiet = true }); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestAnErrorOfTheBodyComesThroughTheProgress(t *testing.T) {
	t.Parallel()
	p := newProgram(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil)
	err := p.watched(t.Context(), 1, func(context.Context, *progress) error { return errSomeFailed })
	if err != errSomeFailed {
		t.Errorf("got %v", err)
	}
}

func TestLinesOfTheLogStandAboveTheStatusLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &screen{w: &out, terminal: true}
	s.setStatus(" 1/2")
	s.say("hello\x1b")
	s.setStatus("")
	if got, want := out.String(), eraseLine+" 1/2"+eraseLine+"hello\\x1b\n 1/2"+eraseLine; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
