package logfile

import (
	"log/slog"
	"time"
)

// elseBytes is Options.MaxBytes where the size of the disk is unknown.
const elseBytes = 16 << 30

// Options for Open. The zero value is useful.
type Options struct {
	SegmentBytes int64         // a segment of so many bytes of text is closed; default 256 MiB, an eighth of MaxBytes at most
	SegmentAge   time.Duration // and each so often, reckoned from midnight UTC: default 24 h, so that a day begins a segment

	// Retention is how old the newest line of a segment may be until the segment goes; default 365 days, negative: no limit.
	Retention time.Duration
	// MaxBytes is what all files together may hold, the oldest segments go first; negative: no limit. Default is a quarter of the
	// disk, because other things live there, or 16 GiB where the system does not say how large the disk is.
	MaxBytes int64

	Sync   time.Duration // a line is written and synced at most so long after it was appended; default 100 ms
	Buffer int64         // bytes of lines that may wait in memory for the disk; default 64 MiB, at least 64 KiB

	Log *slog.Logger     // what was lost, mended and could not be done; nil: nowhere
	Now func() time.Time // the clock for ages; nil: time.Now
}

func (o Options) withDefaults(dir string) Options {
	if o.Retention == 0 {
		o.Retention = 365 * 24 * time.Hour
	}
	if o.MaxBytes == 0 {
		if o.MaxBytes = diskSize(dir) / 4; o.MaxBytes == 0 {
			o.MaxBytes = elseBytes
		}
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 256 << 20
	}
	if o.MaxBytes > 0 {
		o.SegmentBytes = min(o.SegmentBytes, o.MaxBytes/8)
	}
	if o.SegmentAge <= 0 {
		o.SegmentAge = 24 * time.Hour
	}
	if o.Sync <= 0 {
		o.Sync = 100 * time.Millisecond
	}
	if o.Buffer == 0 {
		o.Buffer = 64 << 20
	}
	o.Buffer = max(o.Buffer, 64<<10)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
