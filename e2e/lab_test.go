//go:build e2e && linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	lockFile = "/run/lock/muster-e2e.lock" // held while a lab is up; names the directory of that lab
	uplink   = "muster-e2e0"               // the test machine's interface into the lab
	upWithin = time.Minute
)

// lab is everything that is up.
type lab struct {
	dir   string
	sec   *secrets
	nodes map[string]*node
	wires *node // the switch
	lock  *os.File
	took  time.Duration
}

// up builds the lab. An error leaves nothing behind.
func up() (_ *lab, err error) {
	began := time.Now()
	l := &lab{nodes: map[string]*node{}}
	defer func() {
		if err != nil {
			l.down()
		}
	}()
	if err := l.claim(); err != nil {
		return nil, err
	}
	if l.sec, err = newSecrets(l.dir); err != nil {
		return nil, err
	}
	if err := l.startAll(nodeSpecs(l.sec)); err != nil {
		return nil, err
	}
	if err := l.plug(); err != nil {
		return nil, err
	}
	for _, n := range l.nodes {
		if err := n.wired(); err != nil {
			return nil, err
		}
	}
	for _, n := range l.nodes {
		if err := n.ready(upWithin); err != nil {
			return nil, err
		}
	}
	l.took = time.Since(began)
	return l, nil
}

// claim takes the lock and clears what a killed run has left: its directory. Its nodes ended with it.
func (l *lab) claim() error {
	lock, err := os.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return fmt.Errorf("another lab is up: %s is locked", lockFile)
	}
	l.lock = lock
	left, err := os.ReadFile(lockFile)
	if err != nil {
		return err
	}
	if dir := string(left); strings.HasPrefix(dir, filepath.Join(os.TempDir(), "muster-e2e-")) {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	exec.Command("ip", "link", "del", uplink).Run() // there only for the moment that the kernel takes to clear it
	if l.dir, err = os.MkdirTemp("", "muster-e2e-"); err != nil {
		return err
	}
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err = lock.WriteAt([]byte(l.dir), 0)
	return err
}

// startAll starts the switch and every node.
func (l *lab) startAll(specs []nodeSpec) error {
	l.wires = &node{nodeSpec: nodeSpec{name: "switch"}, dir: l.dir}
	if err := l.wires.start("switch", "wait"); err != nil {
		return err
	}
	for _, spec := range specs {
		n := &node{nodeSpec: spec, dir: filepath.Join(l.dir, spec.name)}
		if err := l.write(n); err != nil {
			return err
		}
		l.nodes[spec.name] = n
		if err := n.start("node", spec.kind, "wait"); err != nil {
			return err
		}
	}
	return nil
}

// write writes the files that a node's scripts read.
func (l *lab) write(n *node) error {
	password := l.sec.password
	if n.user != "" {
		password = l.sec.hop
	}
	var addresses strings.Builder
	for i, p := range n.ports {
		fmt.Fprintf(&addresses, "eth%d %s%s\n", i, p.address, nodePrefix)
	}
	files := map[string]string{
		"addresses":       addresses.String(),
		"authorized_keys": string(ssh.MarshalAuthorizedKey(l.sec.public)),
		"passwords":       n.login() + ":" + password + "\n",
		"daemons":         n.daemons + "\n",
		n.kind + ".conf":  n.conf,
		"sshd_config":     sshdConfig(n),
	}
	if n.motd != "" {
		files["motd"] = n.motd
	}
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, kind := range n.hostKeyKinds() {
		if err := l.writeHostKey(n, kind); err != nil {
			return err
		}
	}
	return nil
}

// plug makes the bridges and gives every node its interfaces.
func (l *lab) plug() error {
	var inside strings.Builder
	for _, network := range networks {
		fmt.Fprintf(&inside, "link add %s type bridge\nlink set %s up\n", network, network)
	}
	for _, n := range l.nodes {
		for i, p := range n.ports {
			end := fmt.Sprintf("%s.%d", n.name, i)
			fmt.Fprintf(&inside, "link add %s type veth peer name eth%d netns %s\nlink set %s master %s up\n", end, i, n.pid(), end, p.network)
		}
	}
	if err := ipBatch(inside.String(), "nsenter", "-t", l.wires.pid(), "-n", "--", "ip", "-batch", "-"); err != nil {
		return err
	}
	outside := fmt.Sprintf("link add %s type veth peer name uplink netns %s\naddr add %s%s dev %s\nlink set %s up\n",
		uplink, l.wires.pid(), machine, machinePrefix, uplink, uplink)
	if err := ipBatch(outside, "ip", "-batch", "-"); err != nil {
		return err
	}
	return ipBatch("link set uplink master front up\n", "nsenter", "-t", l.wires.pid(), "-n", "--", "ip", "-batch", "-")
}

func ipBatch(lines string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// down removes all of it, also a lab that is half up.
func (l *lab) down() error {
	for _, n := range l.nodes {
		n.stop()
	}
	if l.wires != nil {
		l.wires.stop()
	}
	if l.lock != nil { // or it is another lab's
		exec.Command("ip", "link", "del", uplink).Run()
	}
	var errs []error
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Truncate(0), l.lock.Close())
	}
	return errors.Join(errs...)
}
