//go:build e2e && linux

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// `muster scan` as a user who may little.

const nobody = 65534

// unprivileged is a run of muster by a user without any right, in a place that is theirs. It may be entered into a space.
func unprivileged(t *testing.T, s *site, args ...string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "muster-e2e-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile(binary)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "muster"), program, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	home := filepath.Join(dir, "home")
	if err == nil {
		err = os.Mkdir(home, 0o700)
	}
	if err == nil {
		err = os.Chown(home, nobody, nobody)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := s.command(ctx, args...)
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Fatal(err)
	}
	drop := []string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--", filepath.Join(dir, "muster")}
	cmd.Path, cmd.Args, cmd.Dir = setpriv, append(drop, args...), home
	cmd.Env = append(cmd.Env, "HOME="+home, "MUSTER_DATA_DIR="+filepath.Join(home, "data"))
	return cmd
}

func TestScanOfAUserWithThePingSocketFindsAll(t *testing.T) {
	w := newSpace(t, "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range\n")
	r := w.scanBy(t, unprivileged(t, newSite(t), "scan", "-o", "ndjson", "127.1.0.0/16", "--rate", "20000"))
	r.exactly(t, addresses("127.1.0.0", sixteen, 1))
	if r.sum.SendErrors != 0 || strings.Contains(r.stderr, "sysctl") {
		t.Errorf("%s", r.stderr)
	}
}

func TestScanOfAUserWithoutASocketFallsBackToPingAndSaysWhatWouldBeBetter(t *testing.T) {
	w := newSpace(t, "")
	r := w.scanBy(t, unprivileged(t, newSite(t), "scan", "-o", "ndjson", "127.1.0.0/26"))
	r.exactly(t, addresses("127.1.0.0", 64, 1))
	for _, word := range []string{"sysctl -w net.ipv4.ping_group_range='65534 65534'", "setcap cap_net_raw+ep"} {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("stderr has no %q:\n%s", word, r.stderr)
		}
	}
}

func TestTheCommandThatScanNamesAllowsBetter(t *testing.T) {
	w := newSpace(t, "")
	s := newSite(t)
	first := w.scanBy(t, unprivileged(t, s, "scan", "-o", "ndjson", "127.1.0.0/30"))
	_, command, found := strings.Cut(first.stderr, "sudo sysctl")
	command, _, ended := strings.Cut(command, " |")
	if !found || !ended {
		t.Fatalf("no command is named:\n%s", first.stderr)
	}
	w.shell(t, "sysctl"+command+"\n")
	second := w.scanBy(t, unprivileged(t, s, "scan", "-o", "ndjson", "127.1.0.0/22", "--rate", "0"))
	second.exactly(t, addresses("127.1.0.0", 1024, 1))
	if strings.Contains(second.stderr, "sysctl") {
		t.Errorf("it still falls back:\n%s", second.stderr)
	}
}

func TestScanWithoutASocketAndWithoutThePingCommandSaysSo(t *testing.T) {
	w := newSpace(t, "")
	s := newSite(t).set("PATH", t.TempDir())
	a, _ := w.run(t, unprivileged(t, s, "scan", "127.1.0.0/30", "-q"))
	if a.code == 0 || a.code > 4 || strings.Contains(a.stderr, "goroutine ") || !strings.Contains(a.stderr, "ping") || a.stdout != "" {
		t.Errorf("exit %d: %s%s", a.code, a.stdout, a.stderr)
	}
	t.Logf("exit %d: %s", a.code, a.stderr)
}

func TestScanByTCPNeedsNoRight(t *testing.T) {
	w := newSpace(t, "")
	w.serve(t, 22, named)
	s := newSite(t).set("PATH", t.TempDir())
	r := w.scanBy(t, unprivileged(t, s, "scan", "-o", "ndjson", "127.1.0.0/24", "--tcp", "22", "--no-ping"))
	r.exactly(t, addresses("127.1.0.0", 256, 1))
	if strings.Contains(r.stderr, "sysctl") {
		t.Errorf("%s", r.stderr)
	}
}
