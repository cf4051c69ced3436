package task_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/musternet/muster/task"
)

// banner stands for what a device answers; sw3 refuses.
func banner(_ context.Context, device string) (string, error) {
	if device == "sw3" {
		return "", errors.New("connection refused")
	}
	return "SSH-2.0-" + device, nil
}

var devices = []string{"sw1", "sw2", "sw3"}

// asyncio.run(main())
func ExampleRun() {
	err := task.Run(func(ctx context.Context) error {
		fmt.Println("working until the work is done or somebody presses Ctrl-C")
		return nil
	})
	fmt.Println(err)
	// Output:
	// working until the work is done or somebody presses Ctrl-C
	// <nil>
}

// await f(x) is a call. What is awaited later is a task.
func ExampleTask_Wait() {
	ctx := context.Background()
	err := task.Scope(ctx, "await", func(ctx context.Context, g *task.Group) error {
		later := task.Start(g, "later", func(ctx context.Context) (string, error) { return banner(ctx, "sw2") })

		now, err := banner(ctx, "sw1")
		if err != nil {
			return err
		}
		fmt.Println(now)

		text, err := later.Wait(ctx)
		fmt.Println(text)
		return err
	})
	fmt.Println(err)
	// Output:
	// SSH-2.0-sw1
	// SSH-2.0-sw2
	// <nil>
}

// asyncio.gather(*(banner(d) for d in devices))
func ExampleGather() {
	ctx := context.Background()
	banners, err := task.Gather(ctx, devices[:2], banner)
	fmt.Println(banners, err)

	banners, err = task.Gather(ctx, devices, banner, task.Limit(10), task.Named("banner"))
	fmt.Println(banners, err)
	// Output:
	// [SSH-2.0-sw1 SSH-2.0-sw2] <nil>
	// [] banner[2]: connection refused
}

// asyncio.gather(*(banner(d) for d in devices), return_exceptions=True)
func ExampleSettle() {
	ctx := context.Background()
	for i, r := range task.Settle(ctx, devices, banner) {
		if r.Err != nil {
			fmt.Printf("%s: FAILED - %v\n", devices[i], r.Err)
			continue
		}
		fmt.Printf("%s: %d bytes\n", devices[i], len(r.Value))
	}
	// Output:
	// sw1: 11 bytes
	// sw2: 11 bytes
	// sw3: FAILED - connection refused
}

// asyncio.create_task(ping(d), name=d)
func ExampleStart() {
	up := func(device string) func(context.Context) (bool, error) {
		return func(context.Context) (bool, error) { return device != "sw3", nil }
	}
	var pings []*task.Task[bool]
	err := task.Scope(context.Background(), "ping", func(_ context.Context, g *task.Group) error {
		for _, device := range devices {
			pings = append(pings, task.Start(g, device, up(device)))
		}
		return nil
	})
	for _, t := range pings {
		answers, _ := t.Wait(context.Background())
		fmt.Println(t.Name(), answers)
	}
	fmt.Println(err)
	// Output:
	// sw1 true
	// sw2 true
	// sw3 false
	// <nil>
}

// asyncio.wait_for(login(), timeout=0.01)
func ExampleTimeout() {
	_, err := task.Timeout(context.Background(), 10*time.Millisecond, func(ctx context.Context) (string, error) {
		<-ctx.Done() // a device that does not answer
		return "", ctx.Err()
	})
	fmt.Println("sw1:", err)
	var timeout *task.TimeoutError
	fmt.Println(errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// sw1: timed out after 10ms
	// true true
}

// async with asyncio.TaskGroup() as g. The tasks share no variable: each writes an element of its own.
func ExampleScope() {
	texts := make([]string, 2)
	err := task.Scope(context.Background(), "facts", func(_ context.Context, g *task.Group) error {
		for i, device := range devices[:2] {
			g.Go(device, func(ctx context.Context) (err error) {
				texts[i], err = banner(ctx, device)
				return err
			})
		}
		return nil
	})
	fmt.Println(texts, err)
	// Output:
	// [SSH-2.0-sw1 SSH-2.0-sw2] <nil>
}

type session struct{ device string }

func (s *session) Close(context.Context) error {
	fmt.Println("closed", s.device)
	return nil
}

// withSession opens a session, lends it to f, and closes it however f ends, also when everything is being cancelled.
func withSession(ctx context.Context, device string, f func(context.Context, *session) error) (err error) {
	s := &session{device}
	defer func() { err = errors.Join(err, task.Shield(ctx, time.Second, s.Close)) }()
	return f(ctx, s)
}

// async with session("sw1") as s
func Example_asyncWith() {
	err := withSession(context.Background(), "sw1", func(_ context.Context, s *session) error {
		fmt.Println("talking to", s.device)
		return nil
	})
	fmt.Println(err)
	// Output:
	// talking to sw1
	// closed sw1
	// <nil>
}

// messages is a stream: it ends when it is over, when ctx ends, or when the loop is left.
func messages(ctx context.Context, lines ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, line := range lines {
			if ctx.Err() != nil {
				yield("", context.Cause(ctx))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// async for message in messages()
func Example_asyncFor() {
	for message, err := range messages(context.Background(), "link up", "CRITICAL fan", "link down") {
		if err != nil {
			fmt.Println(err)
			return
		}
		if strings.HasPrefix(message, "CRITICAL") {
			fmt.Println("alert:", message)
		}
	}
	// Output:
	// alert: CRITICAL fan
}

// asyncio.Semaphore(2)
func ExampleNewSemaphore() {
	logins := task.NewSemaphore(2)
	var inside atomic.Int64
	results := task.Settle(context.Background(), make([]struct{}, 50), func(ctx context.Context, _ struct{}) (int, error) {
		if err := logins.Acquire(ctx, 1); err != nil {
			return 0, err
		}
		defer logins.Release(1)
		if now := inside.Add(1); now > 2 {
			fmt.Println(now, "at once")
		}
		defer inside.Add(-1)
		return 0, nil
	})
	fmt.Println(len(results), "logins, two at a time")
	// Output:
	// 50 logins, two at a time
}

// asyncio.as_completed(...)
func ExampleAsCompleted() {
	seen := make(chan struct{})
	answer := func(ctx context.Context, device string) (string, error) {
		if device == "sw1" {
			<-seen // a slow device
		}
		return banner(ctx, device)
	}
	for device, r := range task.AsCompleted(context.Background(), slices.Values(devices[:2]), answer) {
		fmt.Println(device, r.Value, r.Err)
		if device == "sw2" {
			close(seen)
		}
	}
	// Output:
	// sw2 SSH-2.0-sw2 <nil>
	// sw1 SSH-2.0-sw1 <nil>
}

// asyncio.shield(save()): what has to be finished is finished, in bounded time.
func ExampleShield() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := task.Shield(ctx, time.Second, func(ctx context.Context) error {
		fmt.Println("saving:", ctx.Err())
		return nil
	})
	fmt.Println(ctx.Err(), err)
	// Output:
	// saving: <nil>
	// context canceled <nil>
}

// python -m asyncio pstree
func ExampleTasks() {
	_ = task.Scope(context.Background(), "backup", func(ctx context.Context, g *task.Group) error {
		task.Note(ctx, "one device")
		ready := make(chan struct{})
		g.Go("sw1", func(ctx context.Context) error {
			task.Note(ctx, "waiting for the prompt")
			close(ready)
			<-ctx.Done()
			return ctx.Err()
		})
		<-ready
		for info := range task.Tasks() {
			fmt.Printf("%s%s %s\n", strings.Repeat("  ", info.Depth), info.Name, info.Status)
		}
		g.Cancel(nil)
		return nil
	})
	// Output:
	// backup one device
	//   sw1 waiting for the prompt
}

func ExampleRetry() {
	attempt := 0
	login := func(_ context.Context, device string) (string, error) {
		if attempt++; attempt < 3 {
			return "", errors.New("connection refused")
		}
		return device + "#", nil
	}
	prompt, err := task.Retry(task.Backoff{First: time.Millisecond}, login)(context.Background(), "sw1")
	fmt.Println(prompt, err, attempt)
	// Output:
	// sw1# <nil> 3
}
