package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain makes the test binary the program, where a script calls it by that name.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"muster": main})
}

// leakChecked looks for goroutines that outlive the tests.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// startOnce runs `muster version` as a process of its own.
func startOnce(binary string) (*os.ProcessState, error) {
	cmd := &exec.Cmd{Path: binary, Args: []string{"muster", "version"}}
	err := cmd.Run()
	return cmd.ProcessState, err
}
