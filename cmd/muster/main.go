// Command muster asks every network device at once: it backs up their configurations, keeps every version and shows what
// changed. This package reads the command line, calls package app and prints what comes of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/task"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = "dev"

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())) }

// Main is the program: it runs the command that args name and returns its exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	p := newProgram(stdin, stdout, stderr, env)
	defer p.close()
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(p.stderr)
	err, interrupted := runCommand(p, root)
	if err != nil && !told(err) {
		for _, line := range sentences(err) {
			p.stderr.say(line)
		}
	}
	return exitCode(err, interrupted && !p.forever)
}

// runCommand runs the command under the signals: the first Ctrl-C cancels its context, the second kills, SIGUSR1 prints
// what is going on.
func runCommand(p *program, root *cobra.Command) (err error, interrupted bool) {
	runErr := task.Run(func(ctx context.Context) error {
		scopeErr := task.Scope(ctx, "muster", func(inner context.Context, g *task.Group) error {
			g.Go("signals", func(inner context.Context) error {
				err := dumpOnSignal(inner, func() { (*p.dump.Load())() })
				if ctx.Err() != nil && p.stderr.terminal {
					p.hint("interrupted: what runs is being closed; Ctrl-C again kills")
				}
				return err
			})
			err = root.ExecuteContext(inner)
			g.Cancel(nil)
			return nil
		})
		interrupted = ctx.Err() != nil
		if interrupted && errors.Is(err, context.Cause(ctx)) {
			err = context.Canceled // the person at the keyboard knows
		}
		if interrupted {
			return nil
		}
		return scopeErr
	})
	if err == nil {
		err = runErr
	}
	return err, interrupted
}

// dumpTasks prints the live task tree to standard error.
func (p *program) dumpTasks() {
	var b strings.Builder
	for t := range task.Tasks() {
		line := fmt.Sprintf("%s%s  %s  %s", strings.Repeat("  ", t.Depth), visible(t.Name), shortDuration(time.Since(t.Since)), visible(t.Status))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, _ = io.WriteString(p.stderr, b.String())
}

// sentences are an error as people read it, a line for each thing that is wrong: without the word that is there for
// errors.Is alone, the failure of a device with what to try.
func sentences(err error) []string {
	if f, ok := errors.AsType[*muster.Failure](err); ok {
		fields := fieldsOfFailure(f)
		lines := []string{fmt.Sprintf("muster: %s: %s %s: %s", f.Device, fields.Stage, fields.Code, fields.Error)}
		for _, try := range fields.try() {
			lines = append(lines, noteIndent+try)
		}
		return lines
	}
	text := err.Error()
	for _, kind := range []error{app.ErrUsage, app.ErrNothing, app.ErrStore} {
		text = strings.TrimPrefix(text, kind.Error()+": ")
	}
	var lines []string
	for line := range strings.Lines(text) {
		if words := strings.Join(strings.Fields(line), " "); words != "" {
			lines = append(lines, "muster: "+words)
		}
	}
	return lines
}
