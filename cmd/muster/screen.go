package main

import (
	"io"
	"strings"
	"sync"
)

// screen is standard error: lines that scroll, and on a terminal one status line below them that is rewritten in place.
// It is safe for concurrent use.
type screen struct {
	w        io.Writer
	terminal bool

	mu     sync.Mutex
	status string
	asking int // questions that a person is answering: no status is shown meanwhile
}

const eraseLine = "\r\x1b[K"

// Write prints whole lines, above the status line.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == "" {
		return s.w.Write(p)
	}
	if _, err := io.WriteString(s.w, eraseLine+string(p)+s.status); err != nil {
		return 0, err
	}
	return len(p), nil
}

// setStatus rewrites the status line; an empty one takes it away.
func (s *screen) setStatus(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == s.status || s.asking > 0 {
		return
	}
	s.status = line
	_, _ = io.WriteString(s.w, eraseLine+line)
}

// ask takes the status line away until the question that follows is answered and done is called.
func (s *screen) ask() (done func()) {
	s.setStatus("")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asking--
	}
}

// say prints one line, with whatever a device may have put into it escaped.
func (s *screen) say(line string) {
	_, _ = io.WriteString(s, visible(strings.TrimRight(line, "\n"))+"\n")
}
