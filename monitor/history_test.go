package monitor

import (
	"strings"
	"testing"
	"time"
)

// play runs a history over outcomes a second apart: "." a reply, "x" none, "o" not sent, "l" none and then, before the next
// request, a late one. It returns the verdict after each: "?" unsure, "+" well, "~" lossy, "-" failing, "b" blind.
func play(outcomes string, r rules) string {
	r.interval = time.Second
	if r.loss == (Rule{}) {
		r.loss = Rule{8, 32}
	}
	var h history
	var said strings.Builder
	for i, o := range outcomes {
		sent := time.Duration(i+1) * time.Second
		switch o {
		case '.':
			h.succeed(sent, r)
		case 'x':
			h.fail(sent, sent, r)
		case 'l':
			h.fail(sent, sent, r)
			h.forgive(sent, sent+time.Second/2, r)
		case 'o':
			h.miss()
		}
		v := "?+-b"[h.says(r)]
		if h.lossy && v == '+' {
			v = '~'
		}
		said.WriteByte(v)
	}
	return said.String()
}

func TestHistoriesAreJudgedByTheirRules(t *testing.T) {
	t.Parallel()
	usual := rules{down: Rule{3, 3}, up: Rule{2, 2}}
	cases := map[string]struct {
		rules    rules
		outcomes string
		want     string
	}{
		"up after two":                      {usual, "...", "?++"},
		"down after three":                  {usual, "..xxx", "?+++-"},
		"two misses are not three":          {usual, "..xx.xx.", "?+++++++"},
		"back after two":                    {usual, "..xxx.x..", "?+++----+"},
		"dead from the start":               {usual, "xxxx", "??--"},
		"what was not sent is no outcome":   {usual, "..xoxox", "?+++++-"},
		"too much that cannot be sent":      {usual, "..ooo.", "?+++b+"},
		"still down when it can be sent":    {usual, "..xxxooox", "?+++---b-"},
		"three of five":                     {rules{down: Rule{3, 5}, up: Rule{2, 2}}, "..x.x.x", "?+++++-"},
		"three of six are no three of five": {rules{down: Rule{3, 5}, up: Rule{2, 2}}, "..x..x..x..x", "?+++++++++++"},
		"evidence is not used twice":        {rules{down: Rule{2, 4}, up: Rule{2, 2}}, "..xx..x.", "?++--+++"},
		"one of one":                        {rules{down: Rule{1, 1}, up: Rule{1, 1}}, ".x.x", "+-+-"},
		"late replies are alive":            {usual, "..llllllllll", "?++++++++~~~"},
		"late from the start":               {usual, "llll", "?~~~"},
		"late after it was down":            {usual, "..xxxlll", "?+++--~~"},
		"late, then silent":                 {usual, "..llxxxxx", "?+++++---"},
		"one in three is lost":              {usual, "..x..x..x..x..x..x..x..x..x", "?++++++++++++++++++++++~~~~"},
		"the loss is over":                  {rules{down: Rule{3, 3}, up: Rule{2, 2}, loss: Rule{4, 8}}, "..x.x.x.x........", "?+++++++~~~~+++++"},
		"neither of both for ever":          {usual, "x.x.x.x.", "????~~~~"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := play(c.outcomes, c.rules); got != c.want {
				t.Errorf("of %s\ngot  %s\nwant %s", c.outcomes, got, c.want)
			}
		})
	}
}

func TestALossIsPutBeforeTheRepliesOfLaterRequests(t *testing.T) {
	t.Parallel()
	r := rules{down: Rule{3, 3}, up: Rule{2, 2}, loss: Rule{8, 32}, interval: time.Second}
	var h history
	for _, s := range []int{1, 2, 4} {
		h.succeed(time.Duration(s)*time.Second, r)
	}
	h.fail(3*time.Second, 5*time.Second, r)
	if h.answered != 0b1101 || h.known != 4 || h.verdict != well {
		t.Errorf("%b of %d, %d", h.answered, h.known, h.verdict)
	}
	h.forgive(3*time.Second, 6*time.Second, r)
	if h.answered != 0b1111 || h.late != 0b0010 {
		t.Errorf("%b, late %b", h.answered, h.late)
	}
}

func TestAHostWhoseRepliesAreIntervalsLateDoesNotFailWhileTheyCome(t *testing.T) {
	t.Parallel()
	r := rules{down: Rule{3, 3}, up: Rule{2, 2}, loss: Rule{8, 32}, interval: time.Second}
	var h history
	const lag = 5
	for i := 1; i < 100; i++ {
		now := time.Duration(i) * time.Second
		h.fail(now, now, r)
		if i > lag {
			h.forgive(now-lag*time.Second, now, r)
		}
		// silent for three requests, it fails; two late replies to requests after that make it well, and it stays so
		if wantLossy := i >= 5+lag; wantLossy != (h.verdict == well && h.lossy) {
			t.Fatalf("at %d: %d, lossy %t", i, h.verdict, h.lossy)
		}
	}
}

func TestHistoriesOfAnyLengthAreCountedRight(t *testing.T) {
	t.Parallel()
	r := rules{down: Rule{64, 64}, up: Rule{1, 1}, loss: Rule{64, 64}, interval: time.Second}
	var h history
	h.succeed(time.Second, r)
	for i := range 200 {
		h.fail(time.Duration(i+2)*time.Second, time.Duration(i+2)*time.Second, r)
		if down := i >= 63; (h.verdict == failing) != down {
			t.Fatalf("after %d misses: %d", i+1, h.verdict)
		}
	}
	if known, lost, late := h.lost(MaxOf); known != 64 || lost != 64 || late != 0 {
		t.Error(known, lost, late)
	}
}
