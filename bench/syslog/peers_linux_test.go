package syslog_test

import (
	"bytes"
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

// port is where all of them receive, over UDP or TCP.
const port = 1514

// peer is a program that receives, reads, matches and keeps messages: it appends each as a line of JSON to a file that it has
// synced once in a while, and what a rule is about to another one or to people.
type peer struct {
	name string
	// command returns what runs it in the directory, for some rules, and which files its lines are in.
	command func(b *testing.B, dir string, l load, rules []string) (words []string, lines string)
	slow    int // messages a second that it can take with 1,000 rules, and not be behind at once; 0: as many as the load has
}

var peers = []peer{
	{"muster", musterCommand, 0},
	{"rsyslog", rsyslogCommand, 5000},
	{"syslog-ng", func(b *testing.B, dir string, l load, rules []string) ([]string, string) {
		return syslogNGCommand(b, dir, l, rules, "")
	}, 5000},
	{"syslog-ng-cisco-parser", func(b *testing.B, dir string, l load, rules []string) ([]string, string) {
		return syslogNGCommand(b, dir, l, rules, "parser { cisco-parser(); };")
	}, 5000},
}

var musterProgram string // built by build

// build builds muster, for as long as a benchmark runs.
func build(b *testing.B) {
	b.Helper()
	musterProgram = filepath.Join(b.TempDir(), "muster")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", musterProgram, "./cmd/muster")
	c.Dir = "../.."
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

// musterCommand is the server, with nothing but syslog to do, and with the noise that it knows.
func musterCommand(b *testing.B, dir string, l load, rules []string) ([]string, string) {
	listen := "udp"
	if l.TCP {
		listen = "tcp"
	}
	var c strings.Builder
	fmt.Fprintf(&c, "inventory: [{file: devices.csv}]\nbackup: off\nmonitor: off\nsyslog: {%s: %q, changes: off}\nalerts:\n  defaults: false\n  rules:\n", listen, l.Address)
	if len(rules) == 0 {
		fmt.Fprintf(&c, "    - {name: never, when: log, text: %q}\n", "said by nobody")
	}
	for i, text := range rules {
		fmt.Fprintf(&c, "    - {name: rule-%d, when: log, match: %q}\n", i, regexp.QuoteMeta(text))
	}
	write(b, filepath.Join(dir, "muster.yaml"), c.String())
	write(b, filepath.Join(dir, "devices.csv"), "name,address\nsw1,127.0.0.1\n")
	data := filepath.Join(dir, "data")
	return []string{musterProgram, "serve", "--config", filepath.Join(dir, "muster.yaml"), "--data-dir", data, "-q"}, filepath.Join(data, "syslog", "*.jsonl")
}

// rsyslogCommand is Debian's rsyslog, with its parser for Cisco's form where that is sent.
func rsyslogCommand(b *testing.B, dir string, l load, rules []string) ([]string, string) {
	var c strings.Builder
	fmt.Fprintf(&c, "global(workDirectory=%q net.enableDNS=\"off\")\nmain_queue(queue.size=\"500000\" queue.dequeueBatchSize=\"1024\")\n", dir)
	for _, module := range []string{"imudp", "imptcp", "pmciscoios"} {
		fmt.Fprintf(&c, "module(load=%q)\n", module)
	}
	c.WriteString(`parser(name="cisco" type="pmciscoios" present.origin="on")` + "\n")
	c.WriteString(`template(name="line" type="list" option.jsonf="on") {` + "\n")
	for _, p := range [][2]string{
		{"received", "timegenerated"}, {"source", "fromhost-ip"}, {"host", "hostname"}, {"time", "timereported"}, {"facility", "syslogfacility-text"},
		{"severity", "syslogseverity-text"}, {"app", "programname"}, {"procid", "procid"}, {"message", "msg"}, {"raw", "rawmsg"},
	} {
		date := ""
		if strings.HasPrefix(p[1], "time") {
			date = ` dateFormat="rfc3339"`
		}
		fmt.Fprintf(&c, "property(outname=%q name=%q format=\"jsonf\"%s)\n", p[0], p[1], date)
	}
	c.WriteString("}\n")
	parser, input := "rsyslog.rfc3164", fmt.Sprintf(`input(type="imudp" port="%d" address="127.0.0.1" rcvbufSize="64m" ruleset="r")`, port)
	if l.Form == "Cisco" {
		parser = "cisco"
	}
	if l.TCP {
		input = fmt.Sprintf(`input(type="imptcp" port="%d" address="127.0.0.1" ruleset="r")`, port)
	}
	fmt.Fprintf(&c, "ruleset(name=\"r\" parser=%q) {\n", parser)
	file := `action(type="omfile" file=%q template="line" sync="on" asyncWriting="on" flushOnTXEnd="off" flushInterval="1" ioBufferSize="1m")` + "\n"
	fmt.Fprintf(&c, file, filepath.Join(dir, "lines"))
	if len(rules) > 0 {
		tests := make([]string, len(rules))
		for i, text := range rules {
			tests[i] = fmt.Sprintf("$msg contains %q", text)
		}
		fmt.Fprintf(&c, "if %s then {\n"+file+"}\n", strings.Join(tests, " or\n"), filepath.Join(dir, "hits"))
	}
	fmt.Fprintf(&c, "}\n%s\n", input)
	write(b, filepath.Join(dir, "rsyslog.conf"), c.String())
	return []string{"rsyslogd", "-n", "-f", filepath.Join(dir, "rsyslog.conf"), "-i", filepath.Join(dir, "pid")}, filepath.Join(dir, "lines")
}

// syslogNGCommand is Debian's syslog-ng. SYSLOG_NG names a directory with the packages unpacked, which cannot be installed beside
// rsyslog.
func syslogNGCommand(b *testing.B, dir string, l load, rules []string, parser string) ([]string, string) {
	root := os.Getenv("SYSLOG_NG")
	var c strings.Builder
	c.WriteString("@version: 3.38\n")
	if parser != "" {
		fmt.Fprintf(&c, "@include %q\n", filepath.Join(root, "/usr/share/syslog-ng/include/scl/cisco/plugin.conf"))
	}
	c.WriteString("options { use-dns(no); keep-hostname(yes); log-fifo-size(1000000); stats-freq(0); threaded(yes); };\n")
	transport, flags := `transport("udp")`, ""
	if l.TCP {
		transport = `transport("tcp") log-iw-size(100000)`
	}
	if parser != "" {
		flags = "flags(no-parse)"
	}
	fmt.Fprintf(&c, "source s { network(%s ip(\"127.0.0.1\") port(%d) so-rcvbuf(67108864) log-fetch-limit(1000) %s); };\n", transport, port, flags)
	file := func(name, path string) {
		fmt.Fprintf(&c, `destination %s { file("%s" fsync(yes) flush-lines(1000) template("$(format-json received=$R_ISODATE source=$SOURCEIP host=$HOST time=$ISODATE facility=$FACILITY `+
			"severity=$LEVEL app=$PROGRAM procid=$PID message=$MSG raw=\\\"$MSGHDR$MSG\\\" --key .cisco.*)\\n\")); };\n", name, filepath.Join(dir, path))
	}
	file("all", "lines")
	file("hits", "hits")
	fmt.Fprintf(&c, "log { source(s); %s log { destination(all); };\n", parser)
	if len(rules) > 0 {
		tests := make([]string, len(rules))
		for i, text := range rules {
			tests[i] = fmt.Sprintf("message(%q type(string) flags(substring))", text)
		}
		fmt.Fprintf(&c, "log { filter { %s }; destination(hits); };\n", strings.Join(tests, " or\n"))
	}
	c.WriteString("flags(flow-control); };\n")
	write(b, filepath.Join(dir, "syslog-ng.conf"), c.String())
	return []string{
		filepath.Join(root, "/usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", filepath.Join(dir, "syslog-ng.conf"), "-p", filepath.Join(dir, "pid"),
		"-c", filepath.Join(dir, "ctl"), "-R", filepath.Join(dir, "persist"),
		"--module-path=" + filepath.Join(root, "/usr/lib/syslog-ng/3.38"),
	}, filepath.Join(dir, "lines")
}

func write(b *testing.B, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// outcome is what a peer did with a load.
type outcome struct {
	cpu   time.Duration // of the process, while it received
	lines int
	sent  sent
}

// take has a peer take a load, and stops it.
func (p peer) take(b *testing.B, l load, rules []string) outcome {
	b.Helper()
	dir, err := os.MkdirTemp("", "syslog-bench-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	words, files := p.command(b, dir, l, rules)
	if _, err := exec.LookPath(words[0]); err != nil {
		b.Skipf("%s is not installed", words[0])
	}
	var stderr bytes.Buffer
	c := exec.Command(words[0], words[1:]...)
	root := os.Getenv("SYSLOG_NG")
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir,
		"LD_LIBRARY_PATH=" + filepath.Join(root, "/usr/lib/x86_64-linux-gnu") + ":" + filepath.Join(root, "/usr/lib/syslog-ng"),
	}
	c.Stdout, c.Stderr = &stderr, &stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	defer c.Process.Kill()
	until(b, &stderr, func() bool { return listens(c.Process.Pid, l.TCP) })
	settle(c.Process.Pid, files)
	before := cpuOf(b, c.Process.Pid)
	s := l.send(b)
	settle(c.Process.Pid, files)
	o := outcome{cpu: cpuOf(b, c.Process.Pid) - before, sent: s}
	_ = c.Process.Signal(syscall.SIGTERM)
	_ = c.Wait() // its status may say that it was told to end
	if o.lines = count(b, files); o.lines == 0 {
		b.Fatalf("%s kept nothing: %s", p.name, &stderr)
	}
	return o
}

// until waits until a program does what it should.
func until(b *testing.B, stderr *bytes.Buffer, does func() bool) {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); !does(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("it does not listen: %s", stderr)
		}
	}
}

// listens tells whether there is a socket that receives at the port in the network of a process.
func listens(pid int, tcp bool) bool {
	table, state := "udp", "07"
	if tcp {
		table, state = "tcp", "0A"
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
	return regexp.MustCompile(fmt.Sprintf(`0100007F:%04X \S+ %s `, port, state)).Match(text)
}

// settle waits until a process has nothing to do: for a second and a half its files have not grown, and it took next to no CPU.
func settle(pid int, files string) {
	const quiet = 1500 * time.Millisecond
	var size int64
	var used time.Duration
	for since := time.Now(); time.Since(since) < quiet; time.Sleep(100 * time.Millisecond) {
		if n, c := sizeOf(files), threadsCPU(pid); n != size || c > used+20*time.Millisecond {
			size, used, since = n, c, time.Now()
		}
	}
}

func sizeOf(files string) (n int64) {
	paths, _ := filepath.Glob(files)
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			n += info.Size()
		}
	}
	return n
}

// threadsCPU is what the threads of a process that are there have used, to the nanosecond.
func threadsCPU(pid int) (used time.Duration) {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, p := range paths {
		text, _ := os.ReadFile(p)
		first, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseInt(first, 10, 64)
		used += time.Duration(n)
	}
	return used
}

func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	used := threadsCPU(pid)
	if used == 0 {
		b.Fatal("the process is gone, or this kernel does not count what threads use")
	}
	return used
}

// count counts the lines of files; in place of one that muster has compressed, of that.
func count(b *testing.B, files string) (n int) {
	b.Helper()
	paths, _ := filepath.Glob(files)
	packed, _ := filepath.Glob(files + ".zst")
	paths = append(paths, slices.DeleteFunc(packed, func(p string) bool { return slices.Contains(paths, strings.TrimSuffix(p, ".zst")) })...)
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		text := io.Reader(f)
		if strings.HasSuffix(p, ".zst") {
			r, err := zstd.NewReader(f)
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			text = r
		}
		buf := make([]byte, 1<<20)
		for err == nil {
			var got int
			got, err = text.Read(buf)
			n += bytes.Count(buf[:got], []byte("\n"))
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
	return n
}
