//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// Scans of the lab itself: real servers, logins, names, what was there the last time. They run in a space with an
// address in the front network, so that no question for a name leaves for anybody.

const (
	frontNet = "198.19.173.0/26"
	onFront  = "198.19.173.50" // the scanner's own
)

// others are what the tests do not ask: the test machine and the scanner.
var others = []string{"--exclude", machine, "--exclude", onFront}

func TestScanKnowsTheInventoryAndLogsInWhereItsCredentialsFit(t *testing.T) {
	w := frontSpace(t, onFront)
	s := newSite(t)
	var rows []row
	for _, name := range []string{"r1", "b1", "srv1"} {
		unknown := of(name)
		unknown.platform = ""
		rows = append(rows, unknown)
	}
	list := s.inventory(t, rows...)
	r := w.scan(t, s, append([]string{frontNet, "--identify", "-i", list, "--timeout", "1s"}, others...)...)
	for _, name := range []string{"r1", "b1", "srv1"} {
		n := the.nodes[name]
		h := r.hosts[netip.MustParseAddr(n.address())]
		if h.State != "up" || h.KnownAs != name || h.Platform != n.platform || !h.LoggedIn || !strings.HasPrefix(h.port(22).Banner, "SSH-2.0-") {
			t.Errorf("%s: %+v, want platform %s", name, h, n.platform)
		}
	}
	if h := r.hosts[netip.MustParseAddr(the.nodes["r2"].address())]; h.State != "up" || h.KnownAs != "" || h.LoggedIn {
		t.Errorf("r2 is not in the inventory: %+v", h)
	}
	if r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// Whoever scans with a password that is wrong must not lock an account everywhere.
func TestScanTriesAWrongPasswordAtNoMoreThanFiveHosts(t *testing.T) {
	w := frontSpace(t, onFront)
	s := newSite(t).set("MUSTER_USERNAME", "admin").set("MUSTER_PASSWORD", the.sec.wrong)
	before := loginsRefused(t)
	r := w.scan(t, s, append([]string{frontNet, "--identify", "--login", "--timeout", "1s"}, others...)...)
	saw := 0
	for name, count := range loginsRefused(t) {
		if count > before[name] {
			saw++
		}
	}
	if saw > 5 || r.code != 0 {
		t.Errorf("exit %d, %d hosts saw the wrong password", r.code, saw)
	}
	t.Logf("%d hosts saw the wrong password", saw)
}

func TestScanTellsTheMACOfEveryNeighbour(t *testing.T) {
	w := frontSpace(t, onFront)
	r := w.scan(t, newSite(t), append([]string{frontNet, "--timeout", "1s", "--retries", "0"}, others...)...)
	for name, n := range the.nodes {
		if h := r.hosts[netip.MustParseAddr(n.address())]; n.ports[0].network == front && (h.State != "up" || h.MAC == "") {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestScanTellsTheMakerOfANeighbour(t *testing.T) {
	w, there := twoSpaces(t, "ip link set wire0 address 00:00:0c:12:34:56\n")
	_ = there
	r := w.scan(t, newSite(t), "198.19.0.0/30", "--exclude", "198.19.0.1")
	h := r.hosts[netip.MustParseAddr("198.19.0.2")]
	if h.MAC != "00:00:0c:12:34:56" || !strings.Contains(strings.ToLower(h.Vendor), "cisco") {
		t.Errorf("%+v", h)
	}
}

func TestScanAsksForTheNamesOfHosts(t *testing.T) {
	w := newSpace(t, "ip route add local 198.18.1.1 dev lo\n")
	asked := w.nameServer(t, "sw1.lab.example.")
	cmd := newSite(t).command(t.Context(), "scan", "-o", "ndjson", "198.18.1.1", "--identify")
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const mounted = `mount --bind "$0" /etc/resolv.conf && exec "$@"`
	cmd.Args = append([]string{"unshare", "-m", "--", "sh", "-c", mounted, resolv}, cmd.Args...)
	cmd.Path = "/usr/bin/unshare"
	h := w.scanBy(t, cmd).hosts[netip.MustParseAddr("198.18.1.1")]
	if strings.TrimSuffix(h.Name, ".") != "sw1.lab.example" {
		t.Errorf("%+v", h)
	}
	select {
	case name := <-asked:
		if name != "1.1.18.198.in-addr.arpa." {
			t.Errorf("asked for %s", name)
		}
	default:
		t.Error("nobody was asked")
	}
}

// nameServer answers every question for the name of an address in the same way, and tells what it was asked first.
func (w space) nameServer(t *testing.T, name string) <-chan string {
	t.Helper()
	var c net.PacketConn
	w.inside(t, func() (err error) {
		c, err = net.ListenPacket("udp4", "127.0.0.1:53")
		return err
	})
	asked, done := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			select {
			case asked <- q.Name.String():
			default:
			}
			m.Response, m.Additionals = true, nil
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name)},
			}}
			if reply, err := m.Pack(); err == nil {
				c.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	return asked
}

// A scan is compared with the last one of the same targets.
func TestScanComparesWithTheLastOne(t *testing.T) {
	w, there := twoSpaces(t, answering("198.18.5.0/24", addresses("198.18.5.10", 5, 1)))
	there.serve(t, 22, named)
	s := newSite(t)
	args := []string{"198.18.5.0/24", "--tcp", "22,80", "--timeout", "300ms", "--retries", "0"}
	for addr, h := range w.scan(t, s, args...).hosts {
		if h.Change != "" {
			t.Errorf("%s is %q in the first scan", addr, h.Change)
		}
	}
	for addr, h := range w.scan(t, s, args...).hosts {
		if h.Change != "" {
			t.Errorf("%s is %q, and nothing changed", addr, h.Change)
		}
	}
	there.shell(t, `ip route del local 198.18.5.10 dev lo
ip route add local 198.18.5.77 dev lo
nft add table ip wall
nft add chain ip wall in '{ type filter hook input priority 0; }'
nft add rule ip wall in tcp dport 22 ip daddr 198.18.5.12 reject with tcp reset
`)
	want := map[string]string{"198.18.5.11": "", "198.18.5.12": "changed", "198.18.5.13": "", "198.18.5.14": "", "198.18.5.77": "new"}
	r := w.scan(t, s, args...)
	for addr, h := range r.hosts {
		if change, known := want[addr.String()]; !known || h.Change != change {
			t.Errorf("%s is %q, want %q", addr, h.Change, change)
		}
	}
	if len(r.hosts) != len(want) || r.sum.New != 1 || r.sum.Gone != 1 || r.sum.Changed != 1 {
		t.Errorf("%d lines, want %d; %+v", len(r.hosts), len(want), r.sum)
	}
	there.shell(t, "ip route del local 198.18.5.77 dev lo\n")
	table := append([]string{"scan", "-o", "table"}, args...)
	a, _ := w.run(t, s.command(t.Context(), table...))
	if a.code != 0 || !strings.Contains(a.stdout, "0 new, 1 gone, 0 changed") || !strings.Contains(a.stdout, "Gone: 198.18.5.77") {
		t.Errorf("exit %d\n%s%s", a.code, a.stdout, a.stderr)
	}
	if a, _ := w.run(t, s.command(t.Context(), table...)); !strings.Contains(a.stdout, "0 new, 0 gone, 0 changed") {
		t.Errorf("what is gone is gone once:\n%s", a.stdout)
	}
}

func TestScanAddsWhatItFoundAndBackupTakesItFromThere(t *testing.T) {
	w := frontSpace(t, onFront)
	s := newSite(t).set("MUSTER_USERNAME", "admin").set("MUSTER_PASSWORD", the.sec.password)
	args := []string{fourDevices, "--login", "--add", "--timeout", "1s"}
	if a := w.ask(t, s, "scan", fourDevices, "--add", "--dry-run"); a.code != 0 || w.ask(t, s, "device", "ls", "-o", "list").stdout != "" {
		t.Errorf("a trial added something: exit %d\n%s", a.code, a.stderr)
	}
	if a := w.ask(t, s, append([]string{"scan"}, args...)...); a.code != 0 {
		t.Fatalf("exit %d\n%s", a.code, a.stderr)
	}
	names := w.ask(t, s, "device", "ls", "-o", "list").stdout
	if want := "b1\nr1\nr2\nsrv1\n"; sorted(names) != want {
		t.Errorf("devices %q, want %q", names, want)
	}
	w.backsUpAllFour(t, s)
	if a := w.ask(t, s, append([]string{"scan"}, args...)...); a.code != 0 || w.ask(t, s, "device", "ls", "-o", "list").stdout != names {
		t.Errorf("added twice: exit %d\n%s", a.code, a.stderr)
	}
}

// fourDevices are r1, r2, b1 and srv1.
const fourDevices = "198.19.173.11-198.19.173.14"

// ask runs muster in the space, its summary in whatever form.
func (w space) ask(t *testing.T, s *site, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, _ := w.run(t, s.command(ctx, args...))
	the.sec.mustNotBeIn(t, strings.Join(args, " "), a.stdout+a.stderr, showsConfigurations(args))
	return a
}

// sorted sorts lines.
func sorted(text string) string {
	all := slices.Sorted(strings.Lines(text))
	return strings.Join(all, "")
}

// backsUpAllFour fails the test unless a backup finds the four devices with their platforms and stores them.
func (w space) backsUpAllFour(t *testing.T, s *site) {
	t.Helper()
	a := w.ask(t, s, "backup", "-o", "ndjson")
	got := outcomes(t, a.stdout)
	if len(got) != 4 || a.code != 0 {
		t.Errorf("exit %d, %d devices, want 4\n%s%s", a.code, len(got), a.stdout, a.stderr)
	}
	platforms := map[string]string{}
	for _, name := range []string{"r1", "r2", "b1", "srv1"} {
		platforms[the.nodes[name].address()] = the.nodes[name].platform
	}
	for name, o := range got {
		if o.word() != "new" || platforms[o.Address] != o.Platform {
			t.Errorf("%s at %s: %s, platform %s, want %s: %s", name, o.Address, o.word(), o.Platform, platforms[o.Address], o.Error)
		}
	}
}

// A person with a terminal and an empty home.
func TestInitByScanFindsTheDevicesAndAsksForTheLoginOnce(t *testing.T) {
	login := []dialogue{{"user: ", "admin\r"}, {"password of admin: ", the.sec.password + "\r"}}
	for name, keep := range map[string]bool{"the password is kept": true, "the password is asked for": false} {
		t.Run(name, func(t *testing.T) {
			w := frontSpace(t, onFront)
			s := newSite(t)
			args := []string{"init", "--scan", fourDevices}
			if keep {
				args = append(args, "--keep-password")
			}
			shown, code := w.atTerminal(t, s, login, args...)
			if code != 0 {
				t.Fatalf("exit %d\n%s", code, shown)
			}
			the.sec.mustNotBeIn(t, "the terminal", shown, false)
			t.Logf("%s", shown)
			if found := filesWith(t, s.dir, the.sec.password); (len(found) > 0) != keep {
				t.Errorf("the password is in %v", found)
			}
			if keep {
				w.backsUpAllFour(t, s)
				return
			}
			shown, code = w.atTerminal(t, s, []dialogue{{"password of admin", the.sec.password + "\r"}}, "backup")
			if code != 0 || strings.Count(shown, "password of admin") != 1 || !strings.Contains(shown, "4 ok") {
				t.Errorf("exit %d\n%s", code, shown)
			}
		})
	}
}

func TestInitByScanWithAWrongPasswordWritesNothing(t *testing.T) {
	w := frontSpace(t, onFront)
	s := newSite(t)
	shown, code := w.atTerminal(t, s,
		[]dialogue{{"user: ", "admin\r"}, {"password of admin: ", the.sec.wrong + "\r"}}, "init", "--scan", fourDevices)
	if code == 0 || len(filesWith(t, s.home, "devices")) > 0 {
		t.Errorf("exit %d, wrote %v\n%s", code, filesWith(t, s.home, "devices"), shown)
	}
	the.sec.mustNotBeIn(t, "the terminal", shown, false)
}

func TestInitByScanWithoutATerminalSaysWhatToSet(t *testing.T) {
	w := frontSpace(t, onFront)
	s := newSite(t)
	if a := w.ask(t, s, "init", "--scan", fourDevices); a.code != 2 || !strings.Contains(a.stderr, "MUSTER_PASSWORD") {
		t.Errorf("exit %d: %s", a.code, a.stderr)
	}
	s.set("MUSTER_USERNAME", "admin").set("MUSTER_PASSWORD", the.sec.password)
	if a := w.ask(t, s, "init", "--scan", fourDevices); a.code != 0 {
		t.Fatalf("exit %d: %s", a.code, a.stderr)
	}
	w.backsUpAllFour(t, s)
}

// filesWith are the files below a directory that hold a text.
func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// dialogue is what a person waits for and then types.
type dialogue struct{ wait, typed string }

// atTerminal runs muster at a terminal of its own and returns what the terminal showed.
func (w space) atTerminal(t *testing.T, s *site, lines []dialogue, args ...string) (shown string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	person, tty := terminal(t)
	cmd := w.enter(s.command(ctx, args...))
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var all bytes.Buffer
	buf := make([]byte, 4096)
	from := 0
	for {
		n, err := person.Read(buf)
		all.Write(buf[:n])
		if err != nil { // the program has closed its end
			break
		}
		if len(lines) > 0 && strings.Contains(all.String()[from:], lines[0].wait) {
			from = all.Len()
			if _, err := person.WriteString(lines[0].typed); err != nil {
				t.Fatal(err)
			}
			lines = lines[1:]
		}
	}
	cmd.Wait()
	if len(lines) > 0 {
		t.Errorf("never asked for %q", lines[0].wait)
	}
	return all.String(), cmd.ProcessState.ExitCode()
}

// terminal returns both ends of a pseudo-terminal: what a person has, and what a program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	number := 0
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}
