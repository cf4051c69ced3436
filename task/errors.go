package task

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrGoexit is the error of a task that ended by runtime.Goexit instead of returning, as t.FailNow does in a test.
	ErrGoexit = errors.New("task called runtime.Goexit")
	// ErrStopped is the cause in the context of the tasks that an AsCompleted loop left behind when it was broken off.
	ErrStopped = errors.New("stopped: no more results are wanted")
	// ErrNotStarted is found in the result of an item that Settle did not start because its context had ended.
	ErrNotStarted = errors.New("not started")
)

// Failures is the error of a Gather or Scope in which at least one task failed by itself.
type Failures struct {
	// Failed lists the own failures as they happened; the first one is what cancelled the others.
	Failed []ItemError
	// Cancelled counts the tasks that were cut short and said so: they are no failures of their own.
	Cancelled int
}

// shownFailures bounds the text of Failures: thousands of devices can fail for one reason.
const shownFailures = 3

// Error names the first three failures and counts the rest.
func (f *Failures) Error() string {
	if len(f.Failed) == 1 {
		return f.Failed[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d failed: ", len(f.Failed))
	for i, failed := range f.Failed[:min(shownFailures, len(f.Failed))] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(failed.Error())
	}
	if more := len(f.Failed) - shownFailures; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap gives each failure, as *ItemError, to errors.Is and errors.As.
func (f *Failures) Unwrap() []error {
	errs := make([]error, len(f.Failed))
	for i := range f.Failed {
		errs[i] = &f.Failed[i]
	}
	return errs
}

// ItemError is the failure of one item of a Gather or one task of a Scope. A sibling that was cancelled because of it finds
// it with context.Cause. errors.As takes it as a pointer and as a value.
type ItemError struct {
	// Index is the position in the input, or the number of the task in the order of Go and Start; -1 is the body of a Scope.
	Index int
	// Name is the name of the task; for an item of a named Gather it is like backup[3], else it is empty. The body of a Scope
	// has the name of the scope.
	Name string
	// Err is what the task returned, a *PanicError or ErrGoexit.
	Err error
}

// Error names the task or, when it has no name, the position of the item.
func (e ItemError) Error() string {
	if e.Name != "" {
		return e.Name + ": " + e.Err.Error()
	}
	return "item " + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

// Unwrap gives the error of the task.
func (e ItemError) Unwrap() error { return e.Err }

// As lets errors.As fill an ItemError as well as an *ItemError.
func (e *ItemError) As(target any) bool {
	value, ok := target.(*ItemError)
	if ok {
		*value = *e
	}
	return ok
}

// TimeoutError says that the time given by Timeout, Shield or Each was over. It matches context.DeadlineExceeded; a
// deadline that a caller set with package context is never a TimeoutError.
type TimeoutError struct {
	// Name is the task whose time was over, empty when it has none. It is not in the text: whoever reports the error of a
	// task names the task.
	Name string
	// After is the time that was given.
	After time.Duration
}

// Error says how long was waited.
func (e *TimeoutError) Error() string { return "timed out after " + e.After.String() }

// Timeout is true, as net.Error and its users expect.
func (e *TimeoutError) Timeout() bool { return true }

// Unwrap makes the error match context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// PanicError is a panic of a task, caught where it happened.
type PanicError struct {
	// Value is what was given to panic.
	Value any
	// Stack is the stack of the goroutine that panicked, as debug.Stack prints it.
	Stack []byte

	raised bool
}

// Error is one line in a result. Once Gather or Scope have raised the panic again it carries the stack too, because the text
// is all that a crash prints.
func (e *PanicError) Error() string {
	if e.raised {
		return fmt.Sprintf("panic in a task: %v\n\n%s", e.Value, e.Stack)
	}
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap gives the value of the panic when that is an error, such as runtime.Error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// cutShort is the error of what was ended by its context.
type cutShort struct {
	err   error // how the context ended
	cause error // and why
	last  error // what had failed before, when Retry was waiting to try again
}

func (e *cutShort) Error() string {
	s := e.err.Error()
	if e.cause != e.err {
		s += ": " + e.cause.Error()
	}
	if e.last != nil {
		s += "; last error: " + e.last.Error()
	}
	return s
}

func (e *cutShort) Unwrap() []error {
	if e.last != nil {
		return []error{e.err, e.cause, e.last}
	}
	return []error{e.err, e.cause}
}

// withCause adds to err, the word of a task that was cut short, why its context ended, unless err says so itself.
func withCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return &cutShort{err: err, cause: cause}
}

// ended is the error of a call whose context has ended: it matches ctx.Err and the cause.
func ended(ctx context.Context) error { return withCause(ctx, ctx.Err()) }

// fate says in which way a task failed.
type fate int

const (
	failed   fate = iota // by itself
	cut                  // its context ended, and it said so
	panicked             // its error is the *PanicError
)

// fateOf judges err, which a task returned that ran under ctx.
func fateOf(ctx context.Context, err error) fate {
	if echo(ctx, err) {
		return cut
	}
	return failed
}

var joinType = reflect.TypeOf(errors.Join(ErrStopped))

// joined gives the errors that errors.Join put together in err, also when somebody has wrapped the whole.
func joined(err error) []error {
	for ; err != nil; err = errors.Unwrap(err) {
		if reflect.TypeOf(err) == joinType {
			return err.(interface{ Unwrap() []error }).Unwrap()
		}
	}
	return nil
}

// echo reports whether err, returned by a task that ran under ctx, only says that ctx had ended. What errors.Join holds is
// several errors, and a failed clean-up among them must not be lost; any other error is one, whatever it wraps. Failures, a
// panic and a timeout of the task's own are failures of its own, unless the timeout is what ended ctx.
func echo(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	if cause == nil {
		return false
	}
	if parts := joined(err); parts != nil {
		return !slices.ContainsFunc(parts, func(part error) bool { return !echo(ctx, part) })
	}
	var (
		short    *cutShort
		failures *Failures
		panicked *PanicError
		timeout  *TimeoutError
	)
	switch {
	case errors.As(err, &short) && errors.Is(short.cause, cause):
		return true
	case errors.As(err, &failures), errors.As(err, &panicked):
		return false
	case errors.As(err, &timeout):
		return error(timeout) == cause
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cause)
}
