//go:build e2e && linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Who reads what `muster syslog` prints.

// follows is a running `muster syslog tail`.
func (s *site) follows(t *testing.T, args ...string) (cmd *exec.Cmd, stdout, stderr *console) {
	t.Helper()
	stdout, stderr = &console{}, &console{}
	cmd = s.command(t.Context(), append([]string{"syslog", "tail", "-o", "ndjson"}, args...)...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		if t.Failed() {
			t.Logf("muster syslog tail: %s", stderr)
		}
	})
	return cmd, stdout, stderr
}

func TestSyslogTailShowsWhatListenArchivesThroughTurnsOfItsSegments(t *testing.T) {
	t.Parallel()
	const few, many = 20, 20_000
	s := newSite(t)
	s.settings(t, "syslog: {max_size: 16MiB}\n") // of which a segment is an eighth
	archive := filepath.Join(s.dir, "log")
	h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--archive", archive)
	conn, err := net.Dial("udp", h.at["udp"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	say := func(from, to int) {
		t.Helper()
		for n := from; n <= to; n++ {
			text := fmt.Sprintf("<%d>%d: sw1: *Mar  1 18:46:11.123: %%A-%d-B: text", 184+n%8, n, n%8)
			if _, err := conn.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if n%200 == 0 { // slowly enough for a machine with much to do
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
	say(1, few)
	h.await(t, 10*time.Second, "the first are archived", func(c heard) bool { return c.Archived == few })
	cmd, stdout, _ := s.follows(t, "--archive", archive, "-n", "5")
	worse, worseOut, _ := s.follows(t, "--archive", archive, "-n", "0", "--severity", "error", "127.0.0.1")
	within(t, 10*time.Second, "the last five are shown", func() bool { return strings.Count(stdout.String(), "\n") == 5 })
	time.Sleep(time.Second) // the other one shows nothing yet
	say(few+1, few+many)
	shows := func(out *console, first, every, want int) {
		t.Helper()
		within(t, 20*time.Second, fmt.Sprintf("%d are shown", want), func() bool { return strings.Count(out.String(), "\n") >= want })
		var got []int
		for _, one := range lines[struct{ Counter int }](t, out.String()) {
			got = append(got, one.Counter)
		}
		var wanted []int
		for n := first; n <= few+many; n++ {
			if every == 0 || n%8 <= 3 {
				wanted = append(wanted, n)
			}
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("%d are shown, not the %d that were said", len(got), len(wanted))
		}
	}
	shows(stdout, few-4, 0, many+5)
	shows(worseOut, few+1, 8, many/2)
	if n := len(segments(t, archive)); n < 3 {
		t.Errorf("there are %d segments: none was turned", n)
	}
	for _, one := range []*exec.Cmd{cmd, worse} {
		began := time.Now()
		one.Process.Signal(syscall.SIGINT)
		one.Wait()
		if code := one.ProcessState.ExitCode(); code != 0 || time.Since(began) > 5*time.Second {
			t.Errorf("an interrupt ends tail with exit code %d after %v", code, time.Since(began))
		}
	}
	if c := h.end(t); c.Archived != few+many {
		t.Errorf("%+v", c)
	}
}

func TestSyslogReadersWhoStandStillOrLeaveCostNoMessageThatIsArchived(t *testing.T) {
	t.Parallel()
	const many = 50_000
	s := newSite(t)
	archive := filepath.Join(s.dir, "log")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	h := s.hear(t, nil, writer, "--tcp", "127.0.0.1:0", "--archive", archive)
	conn, err := net.Dial("tcp", h.at["tcp"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	var text []byte
	for n := range many {
		text = fmt.Appendf(text, "<30>Nov 29 04:08:48 host1 app[1]: this is message %d\n", n)
	}
	if _, err := conn.Write(text); err != nil {
		t.Fatalf("a reader that stands still holds up a sender: %v", err)
	}
	h.await(t, 20*time.Second, "all is archived beside a reader that stands still", func(c heard) bool { return c.Archived == many })
	if c := h.end(t); c.Archived != many || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
	t.Run("search into head", func(t *testing.T) {
		for _, format := range []string{"table", "ndjson", "json", "csv"} {
			began := time.Now()
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `"$0" syslog search --archive "$1" -o "$2" | head -3`, binary, archive, format)
			cmd.Env = s.env
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Count(string(out), "\n") != 3 || time.Since(began) > 20*time.Second {
				t.Errorf("-o %s: %v after %v: %s", format, err, time.Since(began), out)
			}
		}
	})
	t.Run("listen into head", func(t *testing.T) {
		own := filepath.Join(s.dir, "head")
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		h := s.hear(t, nil, writer, "--udp", "127.0.0.1:0", "--archive", own)
		writer.Close()
		reader.Close()
		tell(t, h.at["udp"], [][]byte{[]byte("<30>Nov 29 04:08:48 host1 app[1]: number 0")})
		select {
		case <-h.ended:
		case <-time.After(15 * time.Second):
			t.Error("it does not end when nobody reads any more")
		}
		var c heard
		if !lastCounts(h.stderr.String(), &c) || c.Received != 1 || c.Archived != 1 || strings.Contains(h.stderr.String(), "goroutine ") {
			t.Errorf("what was received before is not kept: %v: %s", h.cmd.ProcessState, h.stderr)
		}
	})
}
