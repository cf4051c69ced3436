package route

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkJournal shows what a change costs beside the snapshot that it stands for.
func BenchmarkJournal(b *testing.B) {
	record := make([]byte, 250) // about one of the log of notifications
	for name, synced := range map[string]bool{"notification": false, "silence": true} {
		b.Run(name, func(b *testing.B) {
			j := benchJournal(b, synced)
			for b.Loop() {
				j.append(record)
			}
		})
	}
	b.Run("snapshot of 10,000", func(b *testing.B) {
		j := benchJournal(b, false)
		all := make([]byte, 10_000*len(record))
		for b.Loop() {
			err := j.replace(func(w io.Writer) (int64, error) {
				n, err := w.Write(all)
				return int64(n), err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchJournal(b *testing.B, synced bool) *journal {
	j, _, err := openJournal(filepath.Join(b.TempDir(), "state"), synced, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.f.Close() })
	return j
}

// TestWhatChangesDuringASnapshotFollowsIt appends while a snapshot is taken that does not hold it.
func TestWhatChangesDuringASnapshotFollowsIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	j, _, err := openJournal(path, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	j.append([]byte("\x03old"))
	err = j.replace(func(w io.Writer) (int64, error) {
		n, err := w.Write([]byte("\x08snapshot"))
		j.append([]byte("\x06during"))
		return int64(n), err
	})
	if err != nil {
		t.Fatal(err)
	}
	j.append([]byte("\x05after"))
	if got, err := os.ReadFile(path); string(got) != "\x08snapshot\x06during\x05after" {
		t.Errorf("the file is %q, %v", got, err)
	}
	if err := j.f.Close(); err != nil {
		t.Error(err)
	}
}
