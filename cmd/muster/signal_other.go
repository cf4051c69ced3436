//go:build !unix

package main

import "context"

// dumpOnSignal does nothing: this system has no SIGUSR1.
func dumpOnSignal(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return nil
}

// survivePipes does nothing: a write to a reader that has left returns an error here.
func survivePipes() (undo func()) { return func() {} }
