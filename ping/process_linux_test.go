package ping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
)

// nobody is a user without privileges and his group.
const nobody = 65534

// seen is what an unprivileged user got.
type seen struct {
	Summary ping.Summary
	Up      map[string]ping.Reply
	Silent  map[string]string
	Note    string
}

// TestAsNobody is what asNobody runs as another user; by itself it does nothing.
func TestAsNobody(t *testing.T) {
	targets := os.Getenv("PING_AS_NOBODY")
	if targets == "" {
		t.Skip("this is run by the tests of the unprivileged user")
	}
	var first string
	var n int
	if _, err := fmt.Sscan(targets, &first, &n); err != nil {
		t.Fatal(err)
	}
	s := seen{Up: map[string]ping.Reply{}, Silent: map[string]string{}}
	cfg := ping.Config{Summary: &s.Summary, Timeout: time.Second, Note: func(n string) { s.Note += n }}
	for r, err := range ping.Sweep(t.Context(), count(first, n), cfg) {
		if err != nil {
			s.Silent[r.Addr.String()] = err.Error()
		} else {
			s.Up[r.Addr.String()] = r
		}
	}
	json.NewEncoder(os.NewFile(3, "result")).Encode(s)
}

// asNobody sweeps n addresses as a user without privileges, in a process of its own: the commands that it starts have to
// be in the namespace too, which only the thread of the test is.
func asNobody(t *testing.T, first string, n int) (s seen) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ping") // that of t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary := filepath.Join(dir, "ping.test")
	if err := errors.Join(os.Chmod(dir, 0o755), copyFile(self, binary)); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := exec.Command(binary, "-test.run=^TestAsNobody$")
	c.Dir, c.Env = dir, append(os.Environ(), fmt.Sprintf("PING_AS_NOBODY=%s %d", first, n))
	c.ExtraFiles = []*os.File{w}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.CombinedOutput()
	w.Close()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func TestAnUnprivilegedUserIsGivenThePingSocket(t *testing.T) {
	inNamespace(t, fmt.Sprintf("echo %d %d >/proc/sys/net/ipv4/ping_group_range\n", nobody, nobody))
	s := asNobody(t, "127.0.0.1", 60)
	if len(s.Up) != 60 || s.Summary.Method != ping.MethodSocket || s.Note != "" || s.Summary.Buffer == 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%+v", s)
}

func TestWhereNoSocketIsAllowedTheCommandIsRunAndTheRemedyNamed(t *testing.T) {
	needCommand(t)
	inNamespace(t, "echo 1 0 >/proc/sys/net/ipv4/ping_group_range\n")
	s := asNobody(t, "127.0.0.1", 60)
	for _, want := range []string{"sudo sysctl -w net.ipv4.ping_group_range='65534 65534'", "sudo setcap cap_net_raw+ep /"} {
		if !strings.Contains(s.Note, want) {
			t.Errorf("the note %q does not name %q", s.Note, want)
		}
	}
	if s.Summary.Method != ping.MethodProcess || s.Summary.Targets != 60 || s.Summary.Up != 60 || len(s.Up) != 60 {
		t.Errorf("%+v", s)
	}
}

// needCommand skips where an unprivileged user has no ping command that works.
func needCommand(t *testing.T) {
	t.Helper()
	command, err := exec.LookPath("ping")
	if err != nil {
		t.Skip("the command ping is needed")
	}
	c := exec.Command(command, "-n", "-c", "1", "-W", "2", "127.0.0.1")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("the command ping does not work for an unprivileged user: %v: %s", err, out)
	}
}

func TestTheCommandFindsWhoAnswersAndNobodyElse(t *testing.T) {
	needCommand(t)
	inNamespace(t, silence+"ip route add local 198.18.0.0/32 dev lo\nip route add prohibit 198.18.0.2/32\n")
	s := asNobody(t, "198.18.0.0", 3)
	if len(s.Up) != 1 || s.Summary.Up != 1 || s.Summary.Sent != 3 || s.Summary.SendErrors != 1 || s.Summary.Method != ping.MethodProcess {
		t.Errorf("%+v", s)
	}
	if r := s.Up["198.18.0.0"]; r.RTT <= 0 || r.RTT > time.Second || r.Try != 1 || r.Late {
		t.Errorf("%+v", r)
	}
	if s.Silent["198.18.0.1"] != "no reply" || !strings.Contains(s.Silent["198.18.0.2"], "/ping: ") {
		t.Errorf("%v", s.Silent)
	}
}

func TestATargetThatIsNoAddressEndsTheSweepWithItsNumber(t *testing.T) {
	for _, m := range []ping.Method{ping.MethodRaw, ping.MethodProcess} {
		if m == ping.MethodProcess {
			needCommand(t)
		} else {
			needRaw(t)
		}
		targets := func(yield func(netip.Addr) bool) { _ = yield(netip.MustParseAddr("127.0.0.1")) && yield(netip.Addr{}) }
		var last error
		for r, err := range ping.Sweep(t.Context(), targets, ping.Config{Method: m, Timeout: time.Second}) {
			if last = err; err != nil && r.Addr.IsValid() {
				t.Errorf("%s: %v", m, err)
			}
		}
		if last == nil || last.Error() != "ping: target 2 is no address" {
			t.Errorf("%s: ended with %v", m, last)
		}
	}
}
