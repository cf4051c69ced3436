package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/musternet/muster/app"
)

// The exit codes, as docs/reference/commands.md explains them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNothing     = 3
	exitStore       = 4
	exitInterrupted = 130
)

// errSomeFailed ends a command whose output has told already what went wrong.
var errSomeFailed = errors.New("some failed")

// usage is an error of the person at the keyboard.
func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func (e *usageError) Is(target error) bool { return target == app.ErrUsage }

// nothing is the error of a command that found nothing to work on.
func nothing(format string, args ...any) error { return &nothingError{fmt.Sprintf(format, args...)} }

type nothingError struct{ text string }

func (e *nothingError) Error() string { return e.text }

func (e *nothingError) Is(target error) bool { return target == app.ErrNothing }

// exitCode is the exit code of a command that ended with err; interrupted says that its context was ended from outside.
func exitCode(err error, interrupted bool) int {
	switch {
	case interrupted, errors.Is(err, context.Canceled):
		return exitInterrupted
	case err == nil:
		return exitOK
	case errors.Is(err, app.ErrUsage):
		return exitUsage
	case errors.Is(err, app.ErrNothing):
		return exitNothing
	case errors.Is(err, app.ErrStore):
		return exitStore
	}
	return exitFailed
}

// toldError is an error that the output has told already; its kind makes the exit code.
type toldError struct{ kind error }

func (e *toldError) Error() string { return e.kind.Error() }

func (e *toldError) Unwrap() error { return e.kind }

// told reports whether there is nothing left to say about err.
func told(err error) bool {
	var t *toldError
	return errors.Is(err, errSomeFailed) || errors.Is(err, context.Canceled) || errors.As(err, &t)
}
