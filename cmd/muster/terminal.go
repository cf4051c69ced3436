package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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

// prompter asks the person at the terminal for a secret, without echo. It is nil where there is no terminal. Standard
// input is used where it is one; else, as with `-f -`, the terminal that the process belongs to.
func (p *program) prompter() func(context.Context, string) (secret.Secret, error) {
	if _, ok := terminalOf(p.stdin); ok {
		return func(ctx context.Context, text string) (secret.Secret, error) {
			return askSecret(ctx, p.stdin.(*os.File), p.stderr, text)
		}
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	p.closers = append(p.closers, tty)
	return func(ctx context.Context, text string) (secret.Secret, error) {
		return askSecret(ctx, tty, p.stderr, text)
	}
}

// askSecret reads one line in raw mode: there Ctrl-C arrives as a byte and ends the question, instead of as a signal
// that would leave the terminal without echo.
func askSecret(ctx context.Context, tty *os.File, out io.Writer, text string) (secret.Secret, error) {
	if err := ctx.Err(); err != nil {
		return secret.Secret{}, err
	}
	fd := int(tty.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("switch the terminal's echo off: %w", err)
	}
	defer func() { _ = term.Restore(fd, state) }()
	line, err := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{tty, out}, "").ReadPassword(visible(text))
	if errors.Is(err, io.EOF) {
		return secret.Secret{}, context.Canceled
	}
	return secret.New(line), err
}
