//go:build unix

package main

import (
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// What is taken without waiting when anything is: of a pipe PIPE_BUF, which POSIX has be at least 512 and Linux a page. A terminal is not
// sure to, but holds the smaller of them too.
const (
	patientChunk = 512
	linuxPipeBuf = 4096
)

// patienceStep is how often it is looked whether it is over.
const patienceStep = 100 * time.Millisecond

// patientWriter writes to somebody who may stand still, such as a terminal after Ctrl-S or a pager. A write that waits cannot be
// called back, so it asks before each whether there is room.
type patientWriter struct {
	f     *os.File
	chunk int
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
	chunk := patientChunk
	if runtime.GOOS == "linux" && info.Mode()&os.ModeNamedPipe != 0 {
		chunk = linuxPipeBuf
	}
	return &patientWriter{f: f, chunk: chunk, over: over}
}

func (p *patientWriter) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err = p.wait(); err == nil {
			var m int
			m, err = p.f.Write(b[n:min(len(b), n+p.chunk)])
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
