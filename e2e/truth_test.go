//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostFiles are what is called the configuration of a Linux host, in that order.
var hostFiles = []string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/network/interfaces", "/etc/network/interfaces.d/*",
	"/etc/netplan/*.yaml", "/etc/systemd/network/*", "/etc/NetworkManager/system-connections/*", "/etc/sysconfig/network-scripts/ifcfg-*",
	"/etc/iproute2/rt_tables", "/etc/sysctl.conf", "/etc/sysctl.d/*.conf", "/etc/nftables.conf", "/etc/iptables/rules.v4", "/etc/iptables/rules.v6"}

// ownCommand is what a person would type over ssh to see the configuration, or the first file of it.
func (n *node) ownCommand() string {
	switch n.kind {
	case "frr":
		return "show running-config"
	case "bird":
		return "cat /etc/bird/bird.conf"
	}
	return "cat /etc/hostname"
}

// own is what ownCommand prints, taken inside the node.
func (n *node) own(t *testing.T) string {
	t.Helper()
	var out string
	var err error
	switch n.kind {
	case "frr":
		out, err = n.output("runuser", "-u", n.login(), "--", "vtysh", "-c", "show running-config")
	case "bird":
		out, err = n.file("/etc/bird/bird.conf")
	default:
		out, err = n.file("/etc/hostname")
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// truth is the whole configuration of a node, taken inside it without muster.
func (n *node) truth(t *testing.T) string {
	t.Helper()
	if n.kind == "frr" || n.kind == "bird" {
		return n.own(t)
	}
	var b strings.Builder
	root := "/proc/" + n.pid() + "/root"
	for _, pattern := range hostFiles {
		paths, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() { // a link's target is in the list itself
				continue
			}
			path = strings.TrimPrefix(path, root)
			text, err := n.output("runuser", "-u", n.login(), "--", "cat", path)
			if err != nil {
				text = "(no permission to read it)\n"
			} else {
				text += "\n"
			}
			fmt.Fprintf(&b, "==> %s <==\n%s", path, text)
		}
	}
	return b.String()
}

// stored is what is kept of a text: all of it, less the two lines that vtysh puts in front, the blanks at the ends of
// lines, and the blank lines around it.
func stored(text string) string {
	all := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		return line == "Building configuration..." || line == "Current configuration:"
	})
	for i := range all {
		all[i] = strings.TrimRight(all[i], "\r\t ")
	}
	return strings.Trim(strings.Join(all, "\n"), "\n") + "\n"
}
