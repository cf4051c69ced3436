package task

import "runtime/debug"

// caught turns what recover gave, in a deferred function of a task that did not return, into the error of that task. Nil
// means that nothing panicked: the task called runtime.Goexit. A panic that was already caught below keeps its own stack.
func caught(value any) (error, fate) {
	switch v := value.(type) {
	case nil:
		return ErrGoexit, failed
	case *PanicError:
		return &PanicError{Value: v.Value, Stack: v.Stack}, panicked
	default:
		return &PanicError{Value: v, Stack: debug.Stack()}, panicked
	}
}

// raise panics again, in the caller of Gather or Scope, with what a task panicked with.
func (e *PanicError) raise() {
	panic(&PanicError{Value: e.Value, Stack: e.Stack, raised: true})
}
