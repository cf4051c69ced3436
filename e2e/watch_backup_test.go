//go:build e2e && linux

package e2e

import (
	"net"
	"strings"
	"testing"
	"time"
)

// A router that is backed up again and again by `muster serve`, and what its owner hears of it.
func TestScheduledBackupsTellOfChangesAndFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hook := serveHook(t, l)
	s, r2 := newSite(t), the.nodes["r2"]
	s.write(t, "alertmanager.yml", hook.receivers())
	password := s.write(t, "password", the.sec.password+"\n")
	r2.describe(t, "uplink of the watch")
	t.Cleanup(func() {
		r2.passwd(t, the.sec.password)
		r2.vty(t, the.sec.vty)
	})
	s.watch(t, nil, "credentials: {r2: {username: admin, password: \"file:"+password+"\"}}\n"+
		"devices:\n"+device("r2", r2.address(), ", platform: frr, credentials: [r2]")+
		"monitor: {interval: 1s, probes: [ssh]}\nbackup: {every: 2s, jitter: 0s}\nalerts: {alertmanager: alertmanager.yml}\n")
	within(t, 10*time.Second, "a first backup", func() bool { return s.muster(t, "show", "r2", "-q").code == 0 })

	if _, err := r2.output("vtysh", "-c", "configure terminal", "-c", "password "+the.sec.wrong, "-c", "interface eth0", "-c", "description uplink of the watch, 10G"); err != nil {
		t.Fatal(err)
	}
	diff := hook.await(t, 0, "config-changed r2 firing").Annotations["description"]
	for _, line := range []string{"configuration of r2 changed", "\n- description uplink of the watch\n+ description uplink of the watch, 10G\n", "\n-password <secret>\n+password <secret>\n"} {
		if !strings.Contains(diff, line) {
			t.Errorf("the notification has no %q:\n%s", line, diff)
		}
	}
	the.sec.mustNotBeIn(t, "a notification", diff, false)

	from := len(hook.taken())
	r2.passwd(t, the.sec.wrong)
	failed := hook.await(t, from, "backup-failed r2 firing")
	if text := failed.Annotations["summary"] + failed.Annotations["description"]; !strings.Contains(text, "backup of r2 failed") || !strings.Contains(text, "auth") {
		t.Errorf("the notification says %q", text)
	}
	the.sec.mustNotBeIn(t, "a notification", failed.Annotations["description"], false)
	r2.passwd(t, the.sec.password)
	hook.await(t, from, "backup-failed r2 resolved")
	for _, n := range hook.taken()[from:] {
		if strings.HasPrefix(n.word(), "device-") || strings.HasPrefix(n.word(), "uplink") {
			t.Errorf("told %s", n.word())
		}
	}
}

// passwd changes the password of the node's user.
func (n *node) passwd(t *testing.T, password string) {
	t.Helper()
	cmd := n.command("chpasswd", "-c", "SHA512")
	cmd.Stdin = strings.NewReader(n.login() + ":" + password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// vty changes a secret in the configuration of a router.
func (n *node) vty(t *testing.T, password string) {
	t.Helper()
	if _, err := n.output("vtysh", "-c", "configure terminal", "-c", "password "+password); err != nil {
		t.Fatal(err)
	}
}
