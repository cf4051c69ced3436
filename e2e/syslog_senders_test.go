//go:build e2e && linux

package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster"
)

// FRR, OpenSSH and rsyslog as Debian has them log, and muster hears them beside a second collector.

// wire is a way on which the nodes of the test send.
type wire struct {
	node, address string
	protocol      string // of omfwd
	framing       string // line of its settings
}

var wires = []wire{
	{"sendsudp", "198.19.173.41", "udp", ""},
	{"sendslf", "198.19.173.42", "tcp", ""},
	{"sendscount", "198.19.173.43", "tcp", `TCP_Framing="octet-counted"`},
}

var forms = map[string]string{"rfc3164": form3164, "rfc5424": form5424}

// saying is what the test has a node log, and what has to come of it.
type saying struct {
	priority, tag, text string
	more                []string // arguments of logger

	facility, severity, app, procid string
	app5424                         string // where rsyslog makes it something else
}

var sayings = []saying{
	{priority: "local4.warning", tag: "app", more: []string{"--id=4711"}, text: "two  blanks", facility: "local4", severity: "warning", app: "app", procid: "4711"},
	{priority: "user.crit", tag: "odd-tag.x", text: "ünïcode € at 100 %", facility: "user", severity: "critical", app: "odd-tag.x"},
	{priority: "auth.info", tag: "quote", text: "<34>no priority", facility: "auth", severity: "info", app: "quote"},
	{priority: "mail.debug", tag: "digits", text: "12 is no octet count", facility: "mail", severity: "debug", app: "digits"},
	{priority: "local0.emerg", tag: "long", more: []string{"--size", "8KiB"}, text: strings.Repeat("long ", 1200) + "end", facility: "local0", severity: "emergency", app: "long"},
	{priority: "daemon.alert", tag: "postfix/smtpd", more: []string{"--id=7"}, text: "a program of another", facility: "daemon", severity: "alert", app: "postfix/smtpd", app5424: "postfix", procid: "7"},
	{priority: "cron.notice", tag: "CRON", text: "[x@1 y=\"z\"] is no structured data", facility: "cron", severity: "notice", app: "CRON"},
	{priority: "local7.err", tag: "nil", text: "- is a text", facility: "local7", severity: "error", app: "nil"},
	{priority: "authpriv.info", tag: "blanks", text: "ends in blanks  ", facility: "authpriv", severity: "info", app: "blanks"},
	{priority: "local1.info", tag: "twice", text: "Nov 29 05:04:17 other app[1]: a header in a header", facility: "local1", severity: "info", app: "twice"},
}

func TestSyslogOfRealSendersIsWhatAnotherCollectorHas(t *testing.T) {
	t.Parallel()
	inputs, list := map[string]string{}, "devices:\n"
	for _, w := range wires {
		list += device(w.node, w.address, "")
		for form := range forms {
			inputs[w.node+"-"+form] = w.protocol
		}
	}
	s := newSite(t)
	s.settings(t, list)
	archive, shown := filepath.Join(s.dir, "log"), &console{}
	h := s.hear(t, nil, shown, "--udp", machine+":0", "--tcp", machine+":0", "--archive", archive)
	other := collects(t, inputs)

	var nodes []*node
	for i, w := range wires {
		conf := ownLog
		for form, template := range forms {
			for _, to := range []string{h.at[w.protocol], other.ports[w.node+"-"+form]} {
				conf += forwards(to, template, fmt.Sprintf("protocol=%q", w.protocol), w.framing)
			}
		}
		n := joins(t, nodeSpec{name: w.node, kind: "frr", platform: "frr", ports: []port{{front, w.address}}, daemons: "staticd bgpd",
			conf: edgeConf(w.node, the.sec)}, conf)
		nodes = append(nodes, n)
		live(t, n, i)
	}
	total := 0
	for _, n := range nodes {
		n.logs(t, "local2.info", "last", "the last one")
		within(t, 10*time.Second, n.name+" has logged all", func() bool { return strings.Contains(lastLine(t, n), "the last one") })
		total += len(forms) * len(n.logged(t))
	}
	h.await(t, 20*time.Second, fmt.Sprintf("%d messages came", total), func(c heard) bool { return c.Received >= total })
	if c := h.end(t); c != (heard{Received: total, Archived: total, Alerts: 0}) {
		t.Errorf("%d messages were sent: %+v", total, c)
	}
	all := lines[muster.LogLine](t, shown.String())
	if diff := cmp.Diff(all, s.searches(t, "--archive", archive), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("the archive has other lines than were shown (-shown +archived):\n%.4000s", diff)
	}
	for _, n := range nodes {
		for form := range forms {
			t.Run(n.name+" "+form, func(t *testing.T) { compare(t, n, form, all, other.lines(n.name+"-"+form)) })
		}
	}
}

// live has things happen in a router of which its programs log something.
func live(t *testing.T, n *node, i int) {
	t.Helper()
	n.types(t, "interface eth0", "description uplink "+strconv.Itoa(i), "exit", "ip route 203.0.113.7/32 blackhole")
	hangsUp(t, n)
	for _, password := range []string{the.sec.wrong, the.sec.password} {
		c, err := ssh.Dial("tcp", n.address()+":22", &ssh.ClientConfig{
			User: "admin", Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
		})
		if err == nil {
			c.Close()
		}
		if (err == nil) != (password == the.sec.password) {
			t.Fatal(err)
		}
	}
	for _, one := range sayings {
		n.logs(t, one.priority, one.tag, one.text, one.more...)
	}
	// rsyslogd logs its own start only where it is quick enough, and a HUP always.
	if _, err := n.output("sh", "-c", "kill -HUP $(cat /run/lab/rsyslogd.pid)"); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, n.name+"'s rsyslogd has logged that it was HUPed", func() bool {
		return slices.ContainsFunc(n.logged(t), func(l ownLine) bool { return l.App == "rsyslogd" && strings.Contains(l.Text, "HUP") })
	})
	n.crashes(t, "bgpd")
}

func lastLine(t *testing.T, n *node) string {
	all := n.logged(t)
	return all[len(all)-1].Text
}

// compare compares what muster has of one node in one form with what the other collector has, and with what the node itself has
// logged.
func compare(t *testing.T, n *node, form string, all []muster.LogLine, other []string) {
	t.Helper()
	all = slices.DeleteFunc(slices.Clone(all), func(l muster.LogLine) bool {
		_, version, _ := strings.Cut(l.Raw, ">")
		return l.Source.String() != n.address() || strings.HasPrefix(version, "1 ") != (form == "rfc5424")
	})
	var raw []string
	for _, l := range all {
		raw = append(raw, strings.TrimSuffix(l.Raw, "\n"))
	}
	if diff := cmp.Diff(other, raw); diff != "" {
		t.Errorf("muster has other lines than the other collector (-other +muster):\n%.4000s", diff)
	}
	logged := n.logged(t)
	if len(logged) != len(all) || len(all) < 60 {
		t.Fatalf("%d lines were logged, muster has %d", len(logged), len(all))
	}
	for _, program := range []string{"zebra", "staticd", "bgpd", "BGP", "sshd", "rsyslogd"} {
		if !slices.ContainsFunc(all, func(l muster.LogLine) bool { return l.App == program }) {
			t.Errorf("nothing of %s", program)
		}
	}
	for i, l := range all {
		if diff := cmp.Diff(fieldsLogged(logged[i], form, n), fieldsHeard(l)); diff != "" {
			t.Errorf("%q is not what was logged (-logged +muster):\n%s", l.Raw, diff)
		}
	}
	for _, one := range sayings {
		app := one.app
		if form == "rfc5424" && one.app5424 != "" {
			app = one.app5424
		}
		want := []string{n.name, n.name, one.facility, one.severity, app, one.procid, one.text}
		if !slices.ContainsFunc(all, func(l muster.LogLine) bool {
			return slices.Equal(want, []string{l.Device, l.Host, l.Facility, l.Severity, l.App, l.ProcID, strings.TrimPrefix(l.Message, " ")})
		}) {
			t.Errorf("nothing is %q", want)
		}
	}
}

var severityWords = []string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

// fieldsLogged are the fields that a message has to have, by what rsyslog has read of it where it was logged.
func fieldsLogged(l ownLine, form string, n *node) map[string]string {
	severity, _ := strconv.Atoi(l.Severity)
	app, at, quality := l.App, l.Time, "year,zone,us"
	if form == "rfc3164" { // which has the tag as it is, and no more of the time
		app, _, _ = strings.Cut(strings.TrimSuffix(l.Tag, ":"), "[")
		at, quality = at.Truncate(time.Second), "s"
	}
	return map[string]string{
		"device": n.name, "source": n.address(), "host": l.Host, "app": app, "procid": strings.TrimSuffix(l.ProcID, "-"),
		"facility": l.Facility, "severity": severityWords[severity], "time": at.UTC().Format(time.RFC3339Nano), "time_quality": quality,
		"text": strings.TrimPrefix(l.Text, " "), "flags": "[]",
	}
}

// fieldsHeard are those that muster has read.
func fieldsHeard(l muster.LogLine) map[string]string {
	text := strings.TrimPrefix(l.Message, " ")
	if l.Format == "frr" { // the identifier of the message is a field of its own
		separator := " "
		if strings.HasPrefix(text, "[EC ") {
			separator = ""
		}
		text = "[" + l.Mnemonic + "]" + separator + text
	}
	return map[string]string{
		"device": l.Device, "source": l.Source.String(), "host": l.Host, "app": l.App, "procid": l.ProcID,
		"facility": l.Facility, "severity": l.Severity, "time": l.Time.UTC().Format(time.RFC3339Nano), "time_quality": l.TimeQuality,
		"text": text, "flags": fmt.Sprint(l.Flags),
	}
}

const (
	downTime   = 36 * time.Second // of the collector
	floodSize  = 12               // messages
	replaySets = "monitor: {interval: 5s}\nbackup: off\nalerts:\n  alertmanager: alertmanager.yml\n  rules:\n" +
		"    - {name: flood, when: log, text: flood, count: 10, within: 10s}\n" +
		"    - {name: drops, when: log, text: drop, count: 8, within: 10s}\n" +
		"    - {name: each, when: log, text: flood}\n"
)

// A collector is down, and its senders keep for it what they log meanwhile.
func TestSyslogThatIsReplayedIsKnownToBeOld(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hook := serveHook(t, l)
	s, at := newSite(t), freeAddress(t, "tcp", machine)
	s.write(t, "alertmanager.yml", hook.receivers())
	sets := "devices:\n" + device("keeps3164", "198.19.173.44", "") + device("keeps5424", "198.19.173.45", "") + replaySets + "syslog: {tcp: \"" + at + "\"}\n"
	v := s.watch(t, nil, sets)
	nodes := map[string]*node{}
	for form, template := range forms {
		name, address := "keeps"+strings.TrimPrefix(form, "rfc"), "198.19.173.44"
		if form == "rfc5424" {
			address = "198.19.173.45"
		}
		nodes[form] = joins(t, nodeSpec{name: name, kind: "linux", platform: "linux", ports: []port{{front, address}}}, ownLog+
			forwards(at, template, `protocol="tcp" action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="2"`,
				`queue.type="LinkedList" queue.filename="kept" queue.saveOnShutdown="on"`))
		nodes[form].logs(t, "user.info", "test", "before")
	}
	arrived := func(text string, n int) func() bool {
		return func() bool { return len(s.searches(t, "--text", text)) >= n }
	}
	within(t, 15*time.Second, "both are heard", arrived("before", 2))

	v.kill()
	down := time.Now()
	for _, n := range nodes {
		n.floods(t)
	}
	drops := 0
	for time.Since(down) < downTime {
		for _, n := range nodes {
			n.logs(t, "user.info", "test", "drop "+strconv.Itoa(drops))
		}
		drops++
		time.Sleep(3 * time.Second)
	}
	again := time.Now()
	v = s.watch(t, nil, sets)
	within(t, 30*time.Second, "all is replayed", arrived("drop", 2*drops))
	for form, n := range nodes {
		t.Run(form, func(t *testing.T) { replayedRight(t, s, n, form, down, again, drops) })
	}
	rested(again)
	hook.await(t, 0, "each keeps3164 firing")
	hook.await(t, 0, "each keeps5424 firing")
	time.Sleep(3 * time.Second)
	got := hook.words(0)
	slices.Sort(got)
	if want := []string{"each keeps3164 firing", "each keeps5424 firing"}; !slices.Equal(got, want) {
		t.Errorf("the replay is told as %q, want %q", got, want)
	}
	from := len(hook.taken())
	nodes["rfc3164"].floods(t)
	nodes["rfc5424"].floods(t)
	hook.await(t, from, "flood keeps3164 firing")
	hook.await(t, from, "flood keeps5424 firing")
	within(t, 15*time.Second, "all is archived, which an alert does not wait for", arrived("flood", 4*floodSize))
	for _, l := range s.searches(t, "--text", "flood") {
		if l.Time.After(again.Add(time.Second)) && slices.Contains(l.Flags, muster.FlagReplayed) {
			t.Errorf("what comes at once is called replayed: %+v", l)
		}
	}
	fired := map[string]int{}
	for _, r := range lines[struct {
		Name  string
		Fired int
	}](t, s.ok(t, "syslog", "rules", "test", "-o", "ndjson")) {
		fired[r.Name] = r.Fired
	}
	if want := map[string]int{"flood": 2, "drops": 0, "each": 2, "log-critical": 0}; !maps.Equal(fired, want) {
		t.Errorf("by the archive rules would have fired %v, they have fired %v", fired, want)
	}
	v.signal(t, syscall.SIGTERM)
	<-v.ended
}

// floods logs many messages at once.
func (n *node) floods(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for i := range floodSize {
		fmt.Fprintf(&b, "flood %d\n", i)
	}
	cmd := n.command("logger", "-p", "user.info", "-t", "test")
	cmd.Stdin = strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// replayedRight compares what was archived with what was logged while nobody listened.
func replayedRight(t *testing.T, s *site, n *node, form string, down, again time.Time, drops int) {
	t.Helper()
	all := slices.DeleteFunc(s.searches(t, n.name), func(l muster.LogLine) bool { return l.App != "test" || l.Received.Before(down) })
	logged := slices.DeleteFunc(n.logged(t), func(l ownLine) bool { return !strings.HasPrefix(l.Tag, "test") || l.Time.Before(down) })
	if len(all) != len(logged) || len(all) != floodSize+drops {
		t.Fatalf("%d were logged, %d archived", len(logged), len(all))
	}
	old := 0
	for i, l := range all {
		if diff := cmp.Diff(fieldsLogged(logged[i], form, n)["time"], fieldsHeard(l)["time"]); diff != "" || strings.TrimPrefix(l.Message, " ") != strings.TrimPrefix(logged[i].Text, " ") {
			t.Errorf("not in order, or another time: %s %+v", diff, l)
		}
		if l.Received.Before(again) {
			t.Errorf("heard before muster ran: %+v", l)
		}
		age, flagged := l.Received.Sub(logged[i].Time), slices.Contains(l.Flags, muster.FlagReplayed)
		if flagged {
			old++
		}
		if flagged != (age > 30*time.Second) && (age-30*time.Second).Abs() > 2*time.Second {
			t.Errorf("%v old, flags %q", age, l.Flags)
		}
	}
	if old < floodSize {
		t.Errorf("%d are called replayed", old)
	}
	if first, last := all[0].Received, all[len(all)-1].Received; last.Sub(first) > 8*time.Second {
		t.Errorf("the queue took %v: no window would fire by arrival", last.Sub(first))
	}
}
