package task

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Run calls main and returns what it returns. The first SIGINT or SIGTERM cancels the context of main, with a cause that
// names the signal; main is waited for, so that it can clean up. A second one ends the process at once, as if Run were not
// there. A panic of main goes through.
//
// When main returns the end of its context as its error, the error of Run also names the signal.
func Run(main func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over, left := make(chan struct{}), make(chan struct{})
	defer func() {
		signal.Stop(signals)
		close(over)
		<-left
	}()
	go func() {
		defer close(left)
		select {
		case s := <-signals:
			signal.Stop(signals) // the next one finds the default action
			cancel(signalError{s})
		case <-over:
		}
	}()
	err := main(ctx)
	if err != nil && echo(ctx, err) {
		return withCause(ctx, err)
	}
	return err
}

// signalError is the cause of a context that a signal ended.
type signalError struct{ os.Signal }

func (e signalError) Error() string { return e.String() + " signal received" }
