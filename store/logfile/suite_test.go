package logfile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		os.Exit(writeUntilKilled(dir))
	}
	goleak.VerifyTestMain(m)
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// line is the line with that number.
func line(n int) muster.LogLine {
	device := fmt.Sprintf("r%d", n%7)
	word := []string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}[n*5%8]
	text := fmt.Sprintf("Interface Gi0/%d, changed state to %s", n%48, []string{"up", "down"}[n%2])
	return muster.LogLine{
		Received: at.Add(time.Duration(n) * time.Second), Source: netip.AddrFrom4([4]byte{198, 18, 0, byte(n % 7)}), Transport: "udp",
		Device: device, Flags: []string{"replayed"}, Host: device, Time: at, TimeQuality: "year,zone,ms", Facility: "local7", Severity: word,
		App: "LINK", Mnemonic: fmt.Sprintf("LINK-%d-UPDOWN", n%8), Sequence: uint64(n), Message: text,
		Raw: fmt.Sprintf("<189>%d: %%LINK-%d-UPDOWN: %s", n, n%8, text), Format: "ios",
	}
}

func encode(t testing.TB, l muster.LogLine) []byte {
	t.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// open opens an archive that nothing runs.
func open(t testing.TB, dir string, o logfile.Options) *logfile.Archive {
	t.Helper()
	a, err := logfile.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// run opens an archive that runs until stop is called or the test ends.
func run(t testing.TB, dir string, o logfile.Options) (a *logfile.Archive, stop func()) {
	t.Helper()
	a = open(t, dir, o)
	return a, start(t, a)
}

// start runs an archive until stop is called or the test ends.
func start(t testing.TB, a *logfile.Archive) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// add appends the lines with the numbers from first to last.
func add(t testing.TB, a *logfile.Archive, first, last int) {
	t.Helper()
	for n := first; n <= last; n++ {
		l := line(n)
		if err := a.Append(t.Context(), encode(t, l), l.Received); err != nil {
			t.Fatal(err)
		}
	}
}

func flush(t testing.TB, a *logfile.Archive) {
	t.Helper()
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// filled makes an archive of lines 1 to last, in segments of some hundred lines of which those before the last are compressed.
func filled(t testing.TB, last int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "syslog")
	a := open(t, dir, logfile.Options{SegmentBytes: 128 << 10, Buffer: 64 << 10})
	for n := 1; n <= last; n += 100 {
		add(t, a, n, min(n+99, last))
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	tidy(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tidy(t testing.TB, a *logfile.Archive) {
	t.Helper()
	if err := a.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// numbers returns the numbers of the lines that a loop yields, and its errors.
func numbers(seq iter.Seq2[muster.LogLine, error]) (all []int, err error) {
	for l, e := range seq {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		all = append(all, int(l.Sequence))
	}
	return all, err
}

func search(t testing.TB, dir string, q store.LogQuery) []int {
	t.Helper()
	all, err := numbers(logfile.Search(t.Context(), dir, q))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// count returns the numbers from first to last.
func count(first, last int) (all []int) {
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

func glob(t testing.TB, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// textOf is the text of a whole archive, as zstdcat and cat show it.
func textOf(t testing.TB, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, file := range glob(t, dir, "*.jsonl*") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, ".zst") {
			all.Write(text)
			continue
		}
		d, err := zstd.NewReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, d); err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	return all.String()
}

// heard collects what is logged.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func (h *heard) log() *slog.Logger { return slog.New(slog.NewTextHandler(h, nil)) }
