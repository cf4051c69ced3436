//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// What the tests of `muster syslog listen` share.

// hearing is a running `muster syslog listen -o ndjson`.
type hearing struct {
	cmd    *exec.Cmd
	stderr *console
	ended  chan struct{}
	at     map[string]string // where it listens first, by transport
}

// heard is what became of the messages, by its own counts.
type heard struct {
	Received  int `json:"received"`
	Dropped   int `json:"dropped_kernel"`
	Gaps      int `json:"gaps"`
	Archived  int `json:"archived"`
	Lost      int `json:"lost"`
	Alerts    int `json:"alerts"`
	Truncated int `json:"truncated"`
	BadFrames int `json:"bad_frames"`
}

var hears = regexp.MustCompile(`muster listens on (.*)\n`)

// hear starts `muster syslog listen` in the space or, where there is none, beside the test. Its messages go to stdout; nil: nobody reads
// them. It returns when muster listens.
func (s *site) hear(t *testing.T, w *space, stdout io.Writer, args ...string) *hearing {
	t.Helper()
	cmd := s.command(t.Context(), append([]string{"syslog", "listen", "-o", "ndjson"}, args...)...)
	if w != nil {
		cmd = w.enter(cmd)
	}
	cmd.Stdout = stdout
	return hear(t, cmd)
}

func hear(t *testing.T, cmd *exec.Cmd) *hearing {
	t.Helper()
	h := &hearing{cmd: cmd, stderr: &console{}, ended: make(chan struct{}), at: map[string]string{}}
	cmd.Stderr = h.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(h.ended)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			said := h.stderr.String()
			t.Logf("muster syslog listen: %s", said[max(0, len(said)-2000):])
		}
	})
	within(t, 15*time.Second, "muster listens", func() bool { return hears.MatchString(h.stderr.String()) || h.hasEnded() })
	m := hears.FindStringSubmatch(h.stderr.String())
	if m == nil {
		t.Fatalf("muster syslog listen ended: %s", h.stderr)
	}
	for _, one := range strings.Split(m[1], ", ") {
		if transport, address, _ := strings.Cut(one, " "); h.at[transport] == "" {
			h.at[transport] = address
		}
	}
	return h
}

func (h *hearing) hasEnded() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// kill ends it as kill -9 does.
func (h *hearing) kill() {
	h.cmd.Process.Kill()
	<-h.ended
}

func (h *hearing) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := h.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// counts asks for the counts, which it may do while messages come.
func (h *hearing) counts(t *testing.T) heard {
	t.Helper()
	before := len(h.stderr.String())
	h.signal(t, syscall.SIGUSR1)
	var c heard
	within(t, 15*time.Second, "SIGUSR1 prints the counts", func() bool {
		return lastCounts(h.stderr.String()[before:], &c) || h.hasEnded()
	})
	if h.hasEnded() {
		t.Fatalf("muster syslog listen ended: %s", h.stderr)
	}
	return c
}

// lastCounts finds the last counts that were printed whole.
func lastCounts(stderr string, c *heard) bool {
	stderr = stderr[:strings.LastIndexByte(stderr, '\n')+1]
	i := strings.LastIndex(stderr, `{"received":`)
	if i < 0 {
		return false
	}
	line, _, _ := strings.Cut(stderr[i:], "\n")
	return json.Unmarshal([]byte(line), c) == nil
}

// await waits until something holds of the counts.
func (h *hearing) await(t *testing.T, d time.Duration, what string, so func(heard) bool) heard {
	t.Helper()
	var c heard
	for end := time.Now().Add(d); ; time.Sleep(50 * time.Millisecond) {
		if c = h.counts(t); so(c) {
			return c
		}
		if time.Now().After(end) {
			t.Fatalf("after %v still not: %s: %+v", d, what, c)
		}
	}
}

// end interrupts it as Ctrl-C does, which is how it ends well, and returns its last counts.
func (h *hearing) end(t *testing.T) heard {
	t.Helper()
	before := len(h.stderr.String())
	h.signal(t, syscall.SIGINT)
	select {
	case <-h.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("20 s after an interrupt it still runs")
	}
	var c heard
	if code := h.cmd.ProcessState.ExitCode(); code != 0 || !lastCounts(h.stderr.String()[before:], &c) {
		t.Errorf("an interrupt ends it with exit code %d: %s", code, h.stderr.String()[before:])
	}
	return c
}

// segments are the files of an archive that have its lines, oldest first.
func segments(t *testing.T, dir string) []string {
	t.Helper()
	plain, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	packed, err2 := filepath.Glob(filepath.Join(dir, "*.jsonl.zst"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	all := packed
	for _, path := range plain { // a crash may have left both
		if !slices.Contains(packed, path+".zst") {
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return all
}

// linesOf calls f with each line of a segment, its line end included, and with what is behind the last one.
func linesOf(t *testing.T, path string, f func(line []byte)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var text io.Reader = file
	if strings.HasSuffix(path, ".zst") {
		d, err := zstd.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		text = d
	}
	r := bufio.NewReaderSize(text, 1<<20)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			f(line)
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// archived calls f with each line of an archive that nobody writes meanwhile. Each has to be whole.
func archived(t *testing.T, dir string, f func(line []byte)) {
	t.Helper()
	for _, path := range segments(t, dir) {
		linesOf(t, path, func(line []byte) {
			if !bytes.HasPrefix(line, []byte(`{"received":"`)) || !bytes.HasSuffix(line, []byte("\"}\n")) {
				t.Fatalf("%s has what is no line: %.200q", filepath.Base(path), line)
			}
			f(line)
		})
	}
}

// numberIn reads a number that stands behind some text.
func numberIn(line []byte, behind string) (int, error) {
	_, rest, found := bytes.Cut(line, []byte(behind))
	if !found {
		return 0, fmt.Errorf("no %s in %.300s", behind, line)
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	return strconv.Atoi(string(rest[:end]))
}
