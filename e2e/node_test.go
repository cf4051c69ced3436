//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed lab/*.sh
var scripts embed.FS

// node is one machine of the lab: the first process of its own namespaces. It lives as long as its standard input, so
// it cannot outlive the test process, however that ends.
type node struct {
	nodeSpec
	dir   string // its files, on the test machine
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Reader
}

// start runs the scripts in new namespaces; they wait there until they are wired.
func (n *node) start(parts ...string) error {
	text, err := script(parts...)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(n.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	n.cmd = exec.Command("/bin/sh", "-c", text, "node", n.dir, n.name)
	n.cmd.Env = []string{"LC_ALL=C"}
	n.cmd.Dir = "/"
	n.cmd.Stderr = log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true, // an interrupt at the terminal is the test's to handle
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	n.lines = bufio.NewReader(stdout)
	return n.cmd.Start()
}

// wired lets the node go on once its interfaces are there.
func (n *node) wired() error {
	_, err := io.WriteString(n.stdin, "\n")
	return err
}

// ready waits until everything of the node runs.
func (n *node) ready(d time.Duration) error {
	timer := time.AfterFunc(d, func() { n.cmd.Process.Kill() })
	defer timer.Stop()
	if line, err := n.lines.ReadString('\n'); err != nil || line != "ready\n" {
		log, _ := os.ReadFile(filepath.Join(n.dir, "log"))
		return fmt.Errorf("node %s did not come up within %v: %s", n.name, d, bytes.TrimSpace(log))
	}
	return nil
}

// stop ends the node; the kernel ends all that runs in it.
func (n *node) stop() {
	if n.cmd == nil || n.cmd.Process == nil {
		return
	}
	n.stdin.Close()
	n.cmd.Process.Kill()
	n.cmd.Wait()
}

func (n *node) pid() string { return strconv.Itoa(n.cmd.Process.Pid) }

// command is a command inside the node.
func (n *node) command(name string, args ...string) *exec.Cmd {
	enter := []string{"-t", n.pid(), "-m", "-n", "-p", "-u", "-i", "--", name}
	return exec.Command("nsenter", append(enter, args...)...)
}

// output runs a command inside the node and returns what it printed.
func (n *node) output(name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := n.command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %s %s: %w: %s%s", n.name, name, strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out), nil
}

// file reads a file of the node.
func (n *node) file(path string) (string, error) {
	data, err := os.ReadFile("/proc/" + n.pid() + "/root" + path)
	return string(data), err
}

// script joins parts of lab/ to one script.
func script(parts ...string) (string, error) {
	var b strings.Builder
	for _, part := range parts {
		text, err := scripts.ReadFile("lab/" + part + ".sh")
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	return b.String(), nil
}
