package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/musternet/muster/secret"
)

// terminalOf returns the descriptor of a stream that is a terminal.
func terminalOf(stream any) (fd int, ok bool) {
	f, ok := stream.(*os.File)
	if !ok || f == nil {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// prompter asks the person at the terminal for a secret, without echo. It is nil where there is no terminal. As ssh does,
// it asks the terminal that the process belongs to, because the standard streams may be files; where systems have no name
// for that, standard input, if it is one.
func (p *program) prompter() func(context.Context, string) (secret.Secret, error) {
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		p.closers = append(p.closers, tty)
		return func(ctx context.Context, text string) (secret.Secret, error) {
			defer p.stderr.ask()()
			return askSecret(ctx, tty, tty, question(text))
		}
	}
	if _, ok := terminalOf(p.stdin); ok {
		return func(ctx context.Context, text string) (secret.Secret, error) {
			defer p.stderr.ask()()
			return askSecret(ctx, p.stdin.(*os.File), p.stderr, question(text))
		}
	}
	return nil
}

// question is a text that somebody is asked with: one of the settings may end without a colon.
func question(text string) string {
	if text = strings.TrimRight(text, " "); !strings.HasSuffix(text, ":") {
		text += ":"
	}
	return text + " "
}

// askLine asks the person at the terminal for a line, with echo.
func (p *program) askLine(ctx context.Context, text string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", usage("there is no terminal to ask at: %v", err)
	}
	defer tty.Close()
	return readLine(ctx, tty, tty, text, (*term.Terminal).ReadLine)
}

// askSecret reads one line without echo.
func askSecret(ctx context.Context, tty *os.File, out io.Writer, text string) (secret.Secret, error) {
	line, err := readLine(ctx, tty, out, "", func(t *term.Terminal) (string, error) { return t.ReadPassword(visible(text)) })
	return secret.New(line), err
}

// readLine has read one line in raw mode: there Ctrl-C arrives as a byte and ends the question. So does the end of ctx, where
// the terminal's file can be polled.
func readLine(ctx context.Context, tty *os.File, out io.Writer, prompt string, read func(*term.Terminal) (string, error)) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	restore, err := makeRaw(tty)
	if err != nil {
		return "", fmt.Errorf("switch the terminal's echo off: %w", err)
	}
	defer restore()
	stop := context.AfterFunc(ctx, func() { _ = tty.SetReadDeadline(time.Unix(0, 1)) })
	defer stop()
	line, err := read(term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{tty, out}, prompt))
	if errors.Is(err, io.EOF) || ctx.Err() != nil {
		return "", context.Canceled
	}
	return line, err
}

// makeRaw does not use Fd, which would make reads of the file block for ever.
func makeRaw(tty *os.File) (restore func(), err error) {
	conn, err := tty.SyscallConn()
	if err != nil {
		return nil, err
	}
	var state *term.State
	if controlErr := conn.Control(func(fd uintptr) { state, err = term.MakeRaw(int(fd)) }); controlErr != nil {
		return nil, controlErr
	}
	return func() { _ = conn.Control(func(fd uintptr) { _ = term.Restore(int(fd), state) }) }, err
}
