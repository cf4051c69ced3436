//go:build e2e && linux

package e2e

import (
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// console is what a process has printed so far; it may be read while the process runs.
type console struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// halfDone starts a backup of r1, which is soon finished, and of a device that never speaks; it returns when r1 is.
func halfDone(t *testing.T, s *site, list string) (cmd *exec.Cmd, stdout, stderr *console) {
	t.Helper()
	stdout, stderr = &console{}, &console{}
	cmd = s.command(t.Context(), "backup", "-i", list, "-o", "ndjson")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		if t.Failed() {
			t.Logf("stdout: %s\nstderr: %s", stdout, stderr)
		}
	})
	within(t, 8*time.Second, "r1 is reported", func() bool { return strings.Contains(stdout.String(), `"r1"`) })
	return cmd, stdout, stderr
}

// withMute lists r1 and a device that never speaks.
func withMute(t *testing.T, s *site) string {
	t.Helper()
	hung := of("r1")
	hung.name, hung.address, hung.port = "hung", machine, listen(t, mute)
	return s.inventory(t, of("r1"), hung)
}

func TestTheFirstInterruptKeepsWhatIsFinished(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := withMute(t, s)
	cmd, stdout, _ := halfDone(t, s, list)
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v to end", took)
	}
	got := outcomes(t, stdout.String())
	if got["r1"].word() != "new" || got["hung"].word() != "canceled canceled" {
		t.Errorf("r1 %s, hung %s; want new, canceled canceled", got["r1"].word(), got["hung"].word())
	}
	if s.ok(t, "show", "r1", "-i", list) != stored(the.nodes["r1"].truth(t)) {
		t.Error("what was finished is not kept")
	}
}

func TestTheSecondInterruptKills(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cmd, _, _ := halfDone(t, s, withMute(t, s))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case <-ended:
			if cmd.ProcessState.Success() {
				t.Error("exit 0")
			}
			return
		case <-time.After(100 * time.Millisecond):
			cmd.Process.Signal(syscall.SIGINT)
		case <-t.Context().Done():
			t.Fatal("two interrupts do not end it")
		}
	}
}

func TestSIGUSR1PrintsTheLiveTasks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cmd, _, stderr := halfDone(t, s, withMute(t, s))
	before := len(stderr.String())
	if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	within(t, 3*time.Second, "the tree names the device that hangs", func() bool {
		return strings.Contains(stderr.String()[before:], "hung")
	})
	if strings.Contains(stderr.String()[before:], "r1") {
		t.Errorf("the tree names what is finished:\n%s", stderr.String()[before:])
	}
}
