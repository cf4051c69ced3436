package logwatch

import (
	"testing"
	"time"
)

// talker is one whose messages take a second to arrive.
type talker struct {
	c     clock
	now   time.Time
	off   time.Duration // by which its clock is early
	zoned bool
}

func (s *talker) says(age time.Duration) bool {
	return s.c.replayed(s.now.Add(-age-time.Second-s.off), s.now, s.zoned)
}

func TestMessagesOfAQueueAreToldFromOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		off   time.Duration
		zoned bool
	}{
		{"a clock that is right", 0, true},
		{"a clock that is right, without a zone", 0, false},
		{"a clock of another zone that does not say so", -5*time.Hour - 30*time.Minute, false},
		{"a clock that is a little late", 10 * time.Second, true},
		{"a clock that is far ahead", -3 * time.Hour, true},
	} {
		s := talker{now: time.Unix(1_700_000_000, 0), off: c.off, zoned: c.zoned}
		for range 10 {
			if s.says(0) {
				t.Errorf("%s: a message that comes at once is taken for an old one", c.name)
			}
			s.now = s.now.Add(time.Second)
		}
		s.now = s.now.Add(time.Minute) // nobody has listened
		for age := time.Minute; age > 40*time.Second; age -= time.Second {
			if !s.says(age) {
				t.Errorf("%s: a message of a queue, %v old, is taken for a new one", c.name, age)
			}
		}
		if s.says(0) {
			t.Errorf("%s: after the queue a message that comes at once is taken for an old one", c.name)
		}
	}
}

func TestTheFirstMessagesMayBeThoseOfAQueue(t *testing.T) {
	t.Parallel()
	for _, zoned := range []bool{true, false} {
		s := talker{now: time.Unix(1_700_000_000, 0), zoned: zoned}
		if !s.says(2*time.Minute) || !s.says(time.Minute) || s.says(0) {
			t.Errorf("zoned %v: the queue of a sender that was not known is not told from other messages", zoned)
		}
	}
}

func TestAClockThatStaysWrongIsLearnt(t *testing.T) {
	t.Parallel()
	s := talker{now: time.Unix(1_700_000_000, 0), off: 5 * time.Minute, zoned: true}
	replayed := 0
	for range 60 {
		if s.says(0) {
			replayed++
		}
		s.now = s.now.Add(time.Minute)
	}
	if replayed < 5 || replayed > 12 {
		t.Errorf("for %d minutes its messages were taken for old ones", replayed)
	}
	if !s.says(time.Minute) {
		t.Error("it is told no more from a queue")
	}
}
