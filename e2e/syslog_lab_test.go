//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
)

// What the tests of senders, and of `muster serve` that hears them, share.

// The forms in which rsyslog forwards, by its own names.
const (
	form3164 = "RSYSLOG_TraditionalForwardFormat"
	form5424 = "RSYSLOG_SyslogProtocol23Format"
)

// ownLog is the beginning of a node's rsyslog.conf. What its programs log it keeps as rsyslog itself has read it.
const ownLog = `module(load="imuxsock" SysSock.RateLimit.Interval="0")
global(workDirectory="/run/lab")
template(name="own" type="list" option.jsonf="on") {
	property(outname="Time" name="timestamp" dateFormat="rfc3339" format="jsonf")
	property(outname="Host" name="hostname" format="jsonf")
	property(outname="Tag" name="syslogtag" format="jsonf")
	property(outname="App" name="app-name" format="jsonf")
	property(outname="ProcID" name="procid" format="jsonf")
	property(outname="Facility" name="syslogfacility-text" format="jsonf")
	property(outname="Severity" name="syslogseverity" format="jsonf")
	property(outname="Text" name="msg" format="jsonf")
}
action(type="omfile" file="/run/lab/own" template="own")
`

// forwards is a line of rsyslog.conf: the node sends all it hears there too.
func forwards(to string, form string, more ...string) string {
	host, port, _ := net.SplitHostPort(to)
	return fmt.Sprintf("action(type=\"omfwd\" target=%q port=%q template=%q %s)\n", host, port, form, strings.Join(more, " "))
}

// ownLine is a line of what a node's rsyslog has kept of what was logged there.
type ownLine struct {
	Time                             time.Time
	Host, Tag, App, ProcID, Facility string
	Severity, Text                   string
}

// logged is what was logged in the node so far.
func (n *node) logged(t *testing.T) []ownLine {
	t.Helper()
	text, err := n.file("/run/lab/own")
	if err != nil {
		t.Fatal(err)
	}
	return lines[ownLine](t, text[:strings.LastIndexByte(text, '\n')+1])
}

// joins starts one more node of the lab, with rsyslog in it. It is there until the test ends.
func joins(t *testing.T, spec nodeSpec, rsyslog string) *node {
	t.Helper()
	needs(t, "rsyslogd", "logger")
	n := &node{nodeSpec: spec, dir: filepath.Join(the.dir, spec.name)}
	t.Cleanup(func() {
		if t.Failed() && n.cmd != nil && n.cmd.Process != nil {
			own, _ := n.file("/run/lab/own")
			t.Logf("%s has logged last: %s", n.name, own[max(0, len(own)-2000):])
		}
		n.stop()
		os.RemoveAll(n.dir)
	})
	if err := the.write(n); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.dir, "rsyslog.conf"), []byte(rsyslog), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.start("node", "syslog", n.kind, "wait"); err != nil {
		t.Fatal(err)
	}
	wire := fmt.Sprintf("link add %s.0 type veth peer name eth0 netns %s\nlink set %s.0 master %s up\n", n.name, n.pid(), n.name, front)
	if err := ipBatch(wire, "nsenter", "-t", the.wires.pid(), "-n", "--", "ip", "-batch", "-"); err != nil {
		t.Fatal(err)
	}
	if err := n.wired(); err != nil {
		t.Fatal(err)
	}
	if err := n.ready(upWithin); err != nil {
		t.Fatal(err)
	}
	return n
}

// needs fails the test where a program of Debian's is not there.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is not installed: apt-get install $(cat e2e/packages.txt)", name)
		}
	}
}

// logs has the node's rsyslog hear a message.
func (n *node) logs(t *testing.T, priority, tag, text string, more ...string) {
	t.Helper()
	if _, err := n.output("logger", append(append([]string{"-p", priority, "-t", tag}, more...), "--", text)...); err != nil {
		t.Fatal(err)
	}
}

// types types commands of a configuration into a router.
func (n *node) types(t *testing.T, commands ...string) {
	t.Helper()
	args := []string{"-c", "configure terminal"}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	if out, err := n.output("vtysh", args...); err != nil || strings.Contains(out, "%") {
		t.Fatalf("%v: %s", err, out)
	}
}

// crashes has a daemon of FRR crash as one does that finds itself in an impossible state.
func (n *node) crashes(t *testing.T, daemon string) {
	t.Helper()
	if _, err := n.output("sh", "-c", "kill -ABRT $(cat /run/frr/"+daemon+".pid)"); err != nil {
		t.Fatal(err)
	}
}

// hangsUp connects to the node's sshd and hangs up before it has said a word.
func hangsUp(t *testing.T, n *node) {
	t.Helper()
	c, err := net.DialTimeout("tcp", n.address()+":22", 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c.Read(make([]byte, 1)) // it has begun
	c.Close()
}

// edgeConf is the configuration of a router that logs what is typed into it.
func edgeConf(name string, sec *secrets) string {
	conf := strings.Replace(smallConf(name, sec), "log syslog informational\n", "log syslog informational\nlog commands\n", 1)
	return strings.Replace(conf, "line vty\n", "router bgp 64500\n neighbor "+nowhere+" remote-as 64501\nexit\n!\nline vty\n", 1)
}

// collector is Debian's rsyslog, which writes what it receives at some ports of the test machine into a file for each.
type collector struct {
	dir   string
	ports map[string]string // address by name
}

// collects starts it. The inputs are a name and a protocol each.
func collects(t *testing.T, inputs map[string]string) collector {
	t.Helper()
	needs(t, "rsyslogd")
	c := collector{dir: t.TempDir(), ports: map[string]string{}}
	var b strings.Builder
	fmt.Fprintf(&b, "global(workDirectory=%q)\nmodule(load=\"imudp\")\nmodule(load=\"imtcp\")\ntemplate(name=\"raw\" type=\"string\" string=\"%%rawmsg%%\\n\")\n", c.dir)
	for name, protocol := range inputs {
		c.ports[name] = freeAddress(t, protocol, machine)
		_, port, _ := net.SplitHostPort(c.ports[name])
		fmt.Fprintf(&b, "ruleset(name=%q) { action(type=\"omfile\" file=%q template=\"raw\") }\n", name, filepath.Join(c.dir, name))
		fmt.Fprintf(&b, "input(type=\"im%s\" address=%q port=%q ruleset=%q)\n", protocol, machine, port, name)
	}
	conf := filepath.Join(c.dir, "rsyslog.conf")
	if err := os.WriteFile(conf, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, log := exec.Command("rsyslogd", "-n", "-f", conf, "-i", filepath.Join(c.dir, "pid")), &console{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the other collector: %s", log)
		}
	})
	for name, protocol := range inputs {
		within(t, 10*time.Second, "the other collector listens: "+log.String(), func() bool { return taken(protocol, c.ports[name]) })
	}
	return c
}

// lines are the messages that came to an input so far.
func (c collector) lines(name string) []string {
	data, _ := os.ReadFile(filepath.Join(c.dir, name)) // it is not there before the first message
	all := strings.Split(string(data), "\n")
	return all[:len(all)-1]
}

// taken tells whether somebody listens there.
func taken(protocol, address string) bool {
	if protocol == "udp" {
		l, err := net.ListenPacket("udp", address)
		if err == nil {
			l.Close()
		}
		return err != nil
	}
	l, err := net.Listen("tcp", address)
	if err == nil {
		l.Close()
	}
	return err != nil
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T, protocol, host string) string {
	t.Helper()
	if protocol == "udp" {
		l, err := net.ListenPacket("udp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.LocalAddr().String()
	}
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// says sends datagrams from one address of this machine to another.
func says(t *testing.T, from, to string, messages ...string) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, m := range messages {
		if _, err := c.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
}

// searches are the messages of the site's archive that a search finds. They are what devices have said, secrets of their
// configurations included.
func (s *site) searches(t *testing.T, args ...string) []muster.LogLine {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := s.command(t.Context(), append([]string{"syslog", "search", "-o", "ndjson"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 3 { // 3: there is none
		t.Fatalf("syslog search %q: %v: %s", args, err, &stderr)
	}
	the.sec.mustNotBeIn(t, "muster syslog search", stdout.String()+stderr.String(), true)
	return lines[muster.LogLine](t, stdout.String())
}

// revisions is what `muster history` says of a device, newest first.
func (s *site) revisions(t *testing.T, device string) []revision {
	t.Helper()
	var all []revision
	if err := json.Unmarshal([]byte(s.ok(t, "history", device, "-o", "json")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// rested waits until `muster serve`, which has started at some time, notifies at once.
func rested(since time.Time) { time.Sleep(time.Until(since.Add(silentStart + time.Second))) }
