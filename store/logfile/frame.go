package logfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

var errBlock = errors.New("a block of an unknown kind")

// frames finds the frames of a compressed segment by their headers (RFC 8878, 3.1.1), without decompressing them. Where no frame
// begins the rest of the file cannot be read, and the last block says so.
func (t *text) frames() []block {
	var all []block
	offset := int64(0)
	for from := int64(0); from < t.end; {
		h, to, err := frameAt(t.file, from)
		if err != nil || to > t.end {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			err = fmt.Errorf("no whole frame at byte %d of the file: %w", from, err)
			return append(all, block{text: t, from: from, offset: offset, err: err})
		}
		if !h.Skippable {
			all = append(all, block{text: t, from: from, to: to, offset: offset})
		}
		if !h.Skippable && !h.HasFCS {
			offset = -1
		} else if offset >= 0 {
			offset += int64(h.FrameContentSize)
		}
		from = to
	}
	return all
}

// frameAt reads the header of the frame at from, and finds its end.
func frameAt(f io.ReaderAt, from int64) (h zstd.Header, end int64, err error) {
	var buf [zstd.HeaderMaxSize]byte
	n, err := f.ReadAt(buf[:], from)
	if err != nil && !errors.Is(err, io.EOF) {
		return h, 0, err
	}
	if err := h.Decode(buf[:n]); err != nil {
		return h, 0, err
	}
	end = from + int64(h.HeaderSize)
	if h.Skippable {
		return h, end + int64(h.SkippableSize), nil
	}
	for last := false; !last; {
		if _, err := f.ReadAt(buf[:3], end); err != nil {
			return h, 0, err
		}
		head := int64(buf[0]) | int64(buf[1])<<8 | int64(buf[2])<<16
		last = head&1 != 0
		size := head >> 3
		switch head >> 1 & 3 {
		case 1: // one byte, repeated
			size = 1
		case 3:
			return h, 0, errBlock
		}
		end += 3 + size
	}
	if h.HasCheckSum {
		end += 4
	}
	return h, end, nil
}
