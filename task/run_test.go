package task_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

// roleEnv makes the test binary play a program that runs under task.Run.
const roleEnv = "MUSTER_TASK_ROLE"

func play(role string) int {
	err := task.Run(func(ctx context.Context) error {
		fmt.Println("ready")
		switch role {
		case "panic":
			panic("boom")
		case "stubborn":
			<-ctx.Done()
			fmt.Println("cancelled")
			_, err := io.ReadAll(os.Stdin) // until the end of the process
			return err
		}
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
		return errors.Join(ctx.Err(), task.Shield(ctx, time.Minute, func(ctx context.Context) error {
			fmt.Println("cleaned up", ctx.Err())
			return nil
		}))
	})
	fmt.Println("returned:", err)
	return 7
}

// process is a test binary that plays a role.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
	err strings.Builder
}

func start(t *testing.T, role string) *process {
	t.Helper()
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot signal another one on Windows")
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), roleEnv+"="+role)
	p.cmd.Stderr = &p.err
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	p.out = bufio.NewScanner(out)
	p.prints("ready")
	return p
}

func (p *process) prints(want string) {
	p.t.Helper()
	p.out.Scan()
	if got := p.out.Text(); got != want {
		p.t.Fatalf("the process printed %q, want %q", got, want)
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// ended waits for the end of the process.
func (p *process) ended() *os.ProcessState {
	_ = p.cmd.Wait() // that a process failed is what the tests are about
	return p.cmd.ProcessState
}

func Test66RunIsCancelledByASignalAndMainCleansUp(t *testing.T) {
	for name, s := range map[string]os.Signal{"interrupt": os.Interrupt, "terminated": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "polite")
			p.signal(s)
			p.prints(name + " signal received")
			p.prints("cleaned up <nil>")
			p.prints("returned: context canceled: " + name + " signal received")
			if got := p.ended().ExitCode(); got != 7 {
				t.Errorf("exit code %d, want that of the program", got)
			}
		})
	}
}

func Test66RunIsKilledByASecondSignal(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "terminated": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "stubborn")
			p.signal(syscall.SIGINT)
			p.prints("cancelled")
			p.signal(s)
			if got := p.ended().Sys().(syscall.WaitStatus); got.Signal() != s {
				t.Errorf("ended with %v, want death by %v", got, s)
			}
		})
	}
}

func Test66RunDoesNotSwallowAPanic(t *testing.T) {
	p := start(t, "panic")
	if got := p.ended().ExitCode(); got != 2 || !strings.Contains(p.err.String(), "panic: boom") {
		t.Errorf("exit code %d, want that of a panic:\n%s", got, p.err.String())
	}
}

func Test66RunReturnsTheErrorOfMain(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errA, context.Canceled} {
		if got := task.Run(func(context.Context) error { return want }); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func Test66RunGivesAContextThatEndsWithIt(t *testing.T) {
	t.Parallel()
	var ctx context.Context
	_ = task.Run(func(c context.Context) error {
		ctx = c
		return c.Err()
	})
	matches(t, ctx.Err(), context.Canceled)
}
