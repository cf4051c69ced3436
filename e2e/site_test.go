//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is a place where muster is used: a home, a data directory, an environment. Nothing of the machine's own gets in.
type site struct {
	dir  string
	home string
	data string
	env  []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	s.home, s.data = filepath.Join(s.dir, "home"), filepath.Join(s.dir, "data")
	if err := os.MkdirAll(filepath.Join(s.home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.env = []string{"HOME=" + s.home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "MUSTER_DATA_DIR=" + s.data}
	return s
}

// set adds to the environment.
func (s *site) set(key, value string) *site {
	s.env = append(s.env, key+"="+value)
	return s
}

// identity gives the site ssh's default key.
func (s *site) identity(t *testing.T) *site {
	t.Helper()
	s.write(t, "home/.ssh/id_ed25519", the.sec.keyText)
	return s
}

// write writes a file of the site and returns its path.
func (s *site) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answer is how a run of muster ended.
type answer struct {
	stdout, stderr string
	code           int
}

// command is a run of muster that is not started yet. It dies with the test.
func (s *site) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = s.env
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return cmd
}

// muster runs the binary to its end. What it printed must not hold a secret that logs in, nor, where it does not show
// configurations, one of a configuration.
func (s *site) muster(t *testing.T, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := s.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("muster %s: %v", strings.Join(args, " "), errors.Join(err, ctx.Err()))
	}
	a := answer{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	the.sec.mustNotBeIn(t, "muster "+strings.Join(args, " "), a.stdout+a.stderr, showsConfigurations(args))
	return a
}

// ok runs the binary and fails the test unless it exits 0; it returns what went to stdout.
func (s *site) ok(t *testing.T, args ...string) string {
	t.Helper()
	a := s.muster(t, args...)
	if a.code != 0 {
		t.Fatalf("muster %s: exit %d\n%s%s", strings.Join(args, " "), a.code, a.stdout, a.stderr)
	}
	return a.stdout
}

// showsConfigurations says whether the command's purpose is to print what is stored or what a device says.
func showsConfigurations(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		return slices.Contains([]string{"show", "diff", "grep", "run", "changes"}, arg)
	})
}

// outcome is one line of `backup -o ndjson`.
type outcome struct {
	Index    *int   `json:"index"`
	Device   string `json:"device"`
	Address  string `json:"address"`
	Platform string `json:"platform"`
	Status   string `json:"status"`
	Revision string `json:"revision"`
	Added    int    `json:"added"`
	Removed  int    `json:"removed"`
	Bytes    int    `json:"bytes"`
	Attempts int    `json:"attempts"`
	Duration int64  `json:"duration_ms"`
	Stage    string `json:"stage"`
	Code     string `json:"code"`
	Error    string `json:"error"`
	Hint     string `json:"hint"`
}

// word is the outcome in short: its status, or where and why it failed.
func (o outcome) word() string {
	if o.Status == "failed" {
		return o.Stage + " " + o.Code
	}
	return o.Status
}

// outcomes reads them, by device.
func outcomes(t *testing.T, stdout string) map[string]outcome {
	t.Helper()
	all := map[string]outcome{}
	for _, o := range lines[outcome](t, stdout) {
		if _, twice := all[o.Device]; twice {
			t.Errorf("%s was reported twice", o.Device)
		}
		all[o.Device] = o
	}
	return all
}

// lines reads JSON objects, one a line.
func lines[T any](t *testing.T, text string) []T {
	t.Helper()
	var all []T
	scan := bufio.NewScanner(strings.NewReader(text))
	scan.Buffer(nil, 64<<20)
	for scan.Scan() {
		var v T
		if err := json.Unmarshal(scan.Bytes(), &v); err != nil {
			t.Fatalf("%v in %q", err, scan.Text())
		}
		all = append(all, v)
	}
	return all
}

// row is a device in a CSV inventory.
type row struct {
	name, address    string
	port             int
	platform, user   string
	password, enable string
	jump, group      string
	legacy           bool
	want             string // what becomes of it, see outcome.word
}

// of is the row of a node as a user would write it, password included.
func of(name string) row {
	n := the.nodes[name]
	r := row{name: name, address: n.address(), port: 22, platform: n.platform, user: n.login(), password: the.sec.password, want: "new"}
	if n.user != "" {
		r.password = the.sec.hop
	}
	if n.keysOnly() {
		r.password = ""
	}
	return r
}

// inventory writes rows as a CSV file and returns its path.
func (s *site) inventory(t *testing.T, rows ...row) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("name,address,port,platform,group,username,password,enable,jump,legacy_crypto\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "%s,%s,%d,%s,%s,%s,%s,%s,\"%s\",%t\n", r.name, r.address, r.port, r.platform, r.group, r.user, r.password, r.enable, r.jump, r.legacy)
	}
	return s.write(t, "devices.csv", b.String())
}
