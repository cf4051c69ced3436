//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// What all tests stand on, made once by TestMain: the lab, and the binary that is tested.
var (
	the    *lab
	binary string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run brings the lab up once, runs the tests and takes it down, also after an interrupt. What it cannot take down
// because it was killed, the kernel does.
func run(m *testing.M) int {
	if os.Getuid() != 0 {
		fmt.Println("SKIP: the lab needs root, for network namespaces")
		return 0
	}
	if missing := missingPrograms(); missing != "" {
		fmt.Printf("FAIL: %s is not installed: apt-get install $(cat e2e/packages.txt)\n", missing)
		return 1
	}
	var err error
	if the, err = up(); err != nil {
		fmt.Println("FAIL: the lab does not come up:", err)
		return 1
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-interrupted
		the.down()
		os.Exit(130)
	}()
	fmt.Printf("lab: %d nodes up in %v\n", len(the.nodes), the.took.Round(1e7))
	if err := build(); err != nil {
		the.down()
		fmt.Println("FAIL:", err)
		return 1
	}
	code := m.Run()
	if err := the.down(); err != nil {
		fmt.Println("FAIL: the lab does not go down:", err)
		return 1
	}
	return code
}

// missingPrograms names the first program of the lab that is not there.
func missingPrograms() string {
	for _, name := range []string{"ip", "nsenter", "git", "/usr/sbin/sshd", "/usr/lib/frr/zebra", "/usr/bin/vtysh",
		"/usr/sbin/bird", "/usr/sbin/dropbear", "/usr/bin/dropbearconvert", "/usr/sbin/tinysshd"} {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}

// build makes the binary, in the lab's directory.
func build() error {
	binary = filepath.Join(the.dir, "muster")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/muster")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build muster: %w: %s", err, out)
	}
	return nil
}
