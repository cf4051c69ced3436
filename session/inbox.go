package session

import (
	"io"
	"time"
)

// inbox hands what a device sends from the goroutine that reads it (x/crypto's own, which copies a channel to its
// session's Stdout) to the one that runs a command. Two small buffers alternate: while one is looked at, the next is
// filled, and a device that sends faster has to wait. Nothing is read ahead beyond that.
type inbox struct {
	chunks chan []byte
	stop   chan struct{} // closed when nobody wants to hear more
}

func newInbox() *inbox {
	return &inbox{chunks: make(chan []byte), stop: make(chan struct{})}
}

// Chunk sizes: most devices never fill the first; one that does gets a larger one.
const (
	firstChunk = 1 << 10
	lastChunk  = 2 << 10
)

// ReadFrom reads until the end and closes the inbox. It is what io.Copy calls.
func (in *inbox) ReadFrom(r io.Reader) (total int64, err error) {
	defer close(in.chunks)
	var bufs [2][]byte
	size := firstChunk
	for turn := 0; ; turn ^= 1 {
		if len(bufs[turn]) < size {
			bufs[turn] = make([]byte, size)
		}
		n, err := r.Read(bufs[turn])
		total += int64(n)
		if n > 0 {
			select {
			case in.chunks <- bufs[turn][:n]:
			case <-in.stop:
				return total, nil
			}
		}
		if err != nil {
			return total, nil
		}
		if n == len(bufs[turn]) && size < lastChunk {
			size *= 2
		}
	}
}

// Write is there for io.Writer's sake; io.Copy prefers ReadFrom.
func (in *inbox) Write(b []byte) (int, error) {
	select {
	case in.chunks <- b:
		return len(b), nil
	case <-in.stop:
		return 0, io.ErrClosedPipe
	}
}

// event is what a wait on an inbox ended with.
type event int

const (
	eventData  event = iota
	eventQuiet       // nothing came for the time given
	eventEnd         // nothing will come any more
)

// next waits for the next bytes, at most for quiet (0: for ever), and not longer than the session lives. The bytes
// are valid until the next call.
func (in *inbox) next(w *watch, timer *time.Timer, quiet time.Duration) ([]byte, event) {
	var expired <-chan time.Time
	if quiet > 0 {
		timer.Reset(quiet)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case b, ok := <-in.chunks:
		if !ok {
			return nil, eventEnd
		}
		return b, eventData
	case <-expired:
		return nil, eventQuiet
	case <-w.dead:
		return nil, eventEnd
	}
}
