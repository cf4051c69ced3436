package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"
)

// How lines are written: where they come fast, many in one write; a reader waits no longer than lineDelay for any.
const (
	lineDelay = 20 * time.Millisecond
	lineBytes = 32 << 10
)

// lines writes lines, such as objects in JSON. A million of them cost little more than their text.
type lines struct {
	w io.Writer

	mu      sync.Mutex
	timer   *time.Timer // flushes what add has left; nil: nothing was left yet
	due     bool        // the timer runs
	waiting []byte      // lines
	object  bytes.Buffer
	encoder *json.Encoder
	err     error       // of an earlier write
	broken  func(error) // hears the first error, which add and write tell only when they are called again; nil: nobody does
}

func newLines(w io.Writer) *lines {
	l := &lines{w: w}
	l.encoder = json.NewEncoder(&l.object)
	l.encoder.SetEscapeHTML(false)
	return l
}

// add writes one object, with its index in front of its fields. Its error may be that of an earlier write.
func (l *lines) add(index int, row any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.object.Reset()
	if err := l.encoder.Encode(row); err != nil {
		return err
	}
	l.waiting = append(strconv.AppendInt(append(l.waiting, `{"index":`...), int64(index), 10), ',')
	l.waiting = append(l.waiting, escapeJSON(l.object.Bytes())[1:]...)
	l.soon()
	return l.err
}

// write writes a text that ends with its line. Its error may be that of an earlier write.
func (l *lines) write(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, text...)
	l.soon()
	return l.err
}

// soon writes what waits when it is much or has waited for long.
func (l *lines) soon() {
	if len(l.waiting) >= lineBytes {
		l.flush()
	} else if !l.due {
		l.arm()
	}
}

func (l *lines) arm() {
	l.due = true
	if l.timer == nil {
		l.timer = time.AfterFunc(lineDelay, l.late)
		return
	}
	l.timer.Reset(lineDelay)
}

func (l *lines) late() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = false
	l.flush()
}

func (l *lines) flush() {
	if l.err == nil && len(l.waiting) > 0 {
		if _, l.err = l.w.Write(l.waiting); l.err != nil && l.broken != nil {
			l.broken(l.err)
		}
	}
	l.waiting = l.waiting[:0]
}

// Close writes what is left. It may be called again.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.flush()
	return l.err
}
