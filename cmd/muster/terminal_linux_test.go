package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/musternet/muster/secret"
)

// openTerminal returns both ends of a pseudo-terminal: what a person has, and what a program has.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	raw, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	err = raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// readUntil reads what the program prints until it has said a word.
func readUntil(t *testing.T, person *os.File, word string) string {
	t.Helper()
	if err := person.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), word) {
		n, err := person.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v, after %q", err, got.String())
		}
	}
	return got.String()
}

func TestAPasswordIsAskedForWithoutEcho(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typed string
		want  string
		err   error
	}{
		"a line":             {typed: "s3cret\r", want: "s3cret"},
		"a corrected line":   {typed: "s3x\x7fcret\r", want: "s3cret"},
		"Ctrl-C ends it":     {typed: "s3c\x03", err: context.Canceled},
		"Ctrl-D ends it too": {typed: "\x04", err: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			person, tty := openTerminal(t)
			type answer struct {
				secret secret.Secret
				err    error
			}
			answered := make(chan answer, 1)
			go func() {
				s, err := askSecret(t.Context(), tty, tty, "password of r1: ")
				_, _ = io.WriteString(tty, "over")
				answered <- answer{s, err}
			}()
			readUntil(t, person, "password of r1: ")
			if _, err := person.WriteString(c.typed); err != nil {
				t.Fatal(err)
			}
			if shown := readUntil(t, person, "over"); strings.Contains(shown, "s3") || strings.Contains(shown, "cret") {
				t.Errorf("the terminal shows %q", shown)
			}
			a := <-answered
			if a.secret.Reveal() != c.want || !errors.Is(a.err, c.err) {
				t.Errorf("got %d characters, %v; want %q, %v", len(a.secret.Reveal()), a.err, c.want, c.err)
			}
		})
	}
}

func TestTheQuestionForAPasswordEndsWithItsContext(t *testing.T) {
	t.Parallel()
	person, tty := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		_, err := askSecret(ctx, tty, tty, "password: ")
		over <- err
	}()
	readUntil(t, person, "password: ")
	cancel()
	select {
	case err := <-over:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the question waits for ever")
	}
}

func TestTablesAreColouredOnATerminalUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		env    []string
		colour bool
	}{
		"a terminal":      {env: []string{"TERM=xterm"}, colour: true},
		"NO_COLOR":        {env: []string{"TERM=xterm", "NO_COLOR=1"}},
		"--no-color":      {args: []string{"--no-color"}, env: []string{"TERM=xterm"}},
		"a dumb terminal": {env: []string{"TERM=dumb"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			person, tty := openTerminal(t)
			settings := t.TempDir() + "/muster.yaml"
			if err := os.WriteFile(settings, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			code := make(chan int, 1)
			go func() {
				args := append([]string{"settings", "check", "--config", settings}, c.args...)
				code <- Main(args, strings.NewReader(""), tty, tty, append(c.env, "HOME="+t.TempDir()))
				_, _ = io.WriteString(tty, "over")
			}()
			shown := readUntil(t, person, "over")
			if got := strings.Contains(shown, "\x1b[32mok"); got != c.colour {
				t.Errorf("coloured: %v, want %v: %q", got, c.colour, shown)
			}
			if got := <-code; got != exitOK {
				t.Errorf("exit code %d", got)
			}
		})
	}
}
