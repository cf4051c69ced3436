package logfile

import "time"

// chunk is lines that are written together.
type chunk struct {
	data  []byte
	lines uint64
	first time.Time // when the first of them was received
}

// buffer holds lines in chunks, so that none is ever copied again.
type buffer struct {
	size    int      // of a chunk
	filling *chunk   // the last one; nil: empty
	queue   []*chunk // those before it, oldest first
	free    []*chunk
	held    int64 // bytes of lines, with those being written
}

// chunkSize is small against the whole buffer, so that a write that succeeds makes room soon.
func chunkSize(whole int64) int { return int(min(mostChunk, whole/16)) }

// put copies a line into the buffer. It tells whether a chunk was begun.
func (b *buffer) put(line []byte, received time.Time) (begun bool) {
	c := b.filling
	if c == nil || len(c.data)+len(line) > cap(c.data) {
		c, begun = b.begin(len(line), received), true
	}
	c.data = append(c.data, line...)
	c.lines++
	b.held += int64(len(line))
	return begun
}

func (b *buffer) begin(need int, first time.Time) *chunk {
	if b.filling != nil {
		b.queue = append(b.queue, b.filling)
	}
	if n := len(b.free); n > 0 && need <= b.size {
		b.filling, b.free = b.free[n-1], b.free[:n-1]
	} else {
		b.filling = &chunk{data: make([]byte, 0, max(need, b.size))}
	}
	b.filling.first = first
	return b.filling
}

// take empties the buffer into batch; held stays until release.
func (b *buffer) take(batch []*chunk) []*chunk {
	batch = append(batch, b.queue...)
	if b.filling != nil {
		batch = append(batch, b.filling)
	}
	clear(b.queue)
	b.queue, b.filling = b.queue[:0], nil
	return batch
}

// release takes chunks back that were written. It keeps as many as twice a batch needs, and of the usual size.
func (b *buffer) release(done []*chunk) {
	for _, c := range done {
		b.held -= int64(len(c.data))
		if cap(c.data) == b.size && len(b.free) < 2*len(done) {
			b.free = append(b.free, &chunk{data: c.data[:0]})
		}
	}
	if most := max(2, 2*len(done)); len(b.free) > most {
		clear(b.free[most:])
		b.free = b.free[:most]
	}
}
