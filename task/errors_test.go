package task_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/musternet/muster/task"
)

func TestFailuresText(t *testing.T) {
	t.Parallel()
	a := task.ItemError{Index: 4, Err: errA}
	b := task.ItemError{Index: 2, Name: "sw2", Err: errB}
	for want, failed := range map[string][]task.ItemError{
		"item 4: error A":                                                   {a},
		"2 failed: item 4: error A; sw2: error B":                           {a, b},
		"3 failed: sw2: error B; item 4: error A; sw2: error B":             {b, a, b},
		"4 failed: sw2: error B; item 4: error A; sw2: error B; and 1 more": {b, a, b, a},
	} {
		if got := (&task.Failures{Failed: failed}).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestItemErrorIsFoundAsPointerAndAsValue(t *testing.T) {
	t.Parallel()
	want := task.ItemError{Index: 2, Name: "sw2", Err: errB}
	err := error(&task.Failures{Failed: []task.ItemError{want}})
	if got := as[*task.ItemError](t, err); *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := as[task.ItemError](t, err); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var other *task.PanicError
	if errors.As(err, &other) {
		t.Errorf("got %v, want nothing", other)
	}
}

func TestPanicErrorHoldsARuntimeError(t *testing.T) {
	t.Parallel()
	results := task.Settle(t.Context(), []int{0}, func(_ context.Context, n int) (int, error) { return 1 / n, nil })
	var want runtime.Error
	if !errors.As(results[0].Err, &want) {
		t.Errorf("got %v, want a runtime.Error inside", results[0].Err)
	}
	if got := (&task.PanicError{Value: "text"}).Unwrap(); got != nil {
		t.Errorf("got %v inside of a text", got)
	}
}
