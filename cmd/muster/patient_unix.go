//go:build unix

package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patientChunk is what a pipe takes without waiting when it takes anything: PIPE_BUF, which POSIX has be at least 512. A terminal is
// not sure to, but holds that much too.
const patientChunk = 512

// patienceStep is how often it is looked whether it is over.
const patienceStep = 100 * time.Millisecond

// patientWriter writes to somebody who may stand still, such as a terminal after Ctrl-S or a pager. A write that waits cannot be
// called back, so it asks before each whether there is room.
type patientWriter struct {
	f     *os.File
	over  <-chan struct{} // who stands still is left alone a while after that
	until time.Time
}

// patient makes a writer give up on a reader that stands still, once over is closed. Files never stand still.
func patient(w io.Writer, over <-chan struct{}) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return w
	}
	info, err := f.Stat()
	if err != nil || info.Mode().IsRegular() {
		return w
	}
	if _, terminal := terminalOf(f); info.Mode()&os.ModeCharDevice != 0 && !terminal { // such as /dev/null
		return w
	}
	return &patientWriter{f: f, over: over}
}

func (p *patientWriter) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err = p.wait(); err == nil {
			var m int
			m, err = p.f.Write(b[n:min(len(b), n+patientChunk)])
			n += m
		}
	}
	return n, err
}

// wait returns when there is room.
func (p *patientWriter) wait() error {
	for {
		fds := []unix.PollFd{{Fd: int32(p.f.Fd()), Events: unix.POLLOUT}}
		n, err := unix.Poll(fds, int(patienceStep/time.Millisecond))
		if n > 0 || err != nil && err != unix.EINTR {
			return nil // with room, or with an error that the write tells better
		}
		select {
		case <-p.over:
			if p.until.IsZero() {
				p.until = time.Now().Add(patience)
			}
			if time.Now().After(p.until) {
				return errStandsStill
			}
		default:
		}
	}
}
