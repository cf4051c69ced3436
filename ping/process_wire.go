package ping

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"time"

	"github.com/musternet/muster/task"
)

// steadyByProcess asks the plan by the ping command.
func (c Config) steadyByProcess(ctx context.Context, plan *Plan, yield func(Probe, error) bool) {
	command, err := exec.LookPath("ping")
	if err != nil {
		yield(Probe{}, fmt.Errorf("ping: no socket is allowed and there is no ping command: %w", err))
		return
	}
	// The loop has yielded what ended it, and the commands have nothing to say any more.
	_ = task.Scope(ctx, "ping", func(ctx context.Context, g *task.Group) error {
		defer g.Cancel(nil)
		w := &processWire{group: g, command: command, ended: make(chan ended, ProcessLimit)}
		newSteady(ctx, c, anyIDs(1), w, MethodProcess, plan, yield).run()
		return nil
	})
}

// processWire runs a ping command for each request, ProcessLimit at once.
type processWire struct {
	group   *task.Group
	command string
	running int
	ended   chan ended // has room for all that are running
}

// ended is a command that has ended, and the arrival that stands for what it said, if it said anything.
type ended struct {
	arrival
	said bool
}

var errProcesses = fmt.Errorf("%d ping commands are running already", ProcessLimit)

func (w *processWire) send(request []byte, to netip.Addr, wait time.Duration) error {
	if w.running == ProcessLimit {
		return errProcesses
	}
	w.running++
	request = append([]byte(nil), request...)
	began := time.Now()
	w.group.Go("ping "+to.String(), func(ctx context.Context) error {
		rtt, err := runPing(ctx, w.command, to, wait)
		w.ended <- endOf(request, to, began.Add(rtt), err)
		return nil
	})
	return nil
}

// endOf makes the arrival of what a command said.
func endOf(request []byte, to netip.Addr, at time.Time, err error) ended {
	a := arrival{peer: to, message: request, at: at}
	switch {
	case err == nil:
		request[0] = replyTo(to)
	case errors.Is(err, ErrNoReply):
		return ended{}
	default:
		a.hint = hintCommand
	}
	return ended{a, true}
}

// receive never waits: the loop does.
func (w *processWire) receive(_ time.Duration, sink func(arrival)) error {
	for {
		select {
		case e := <-w.ended:
			if w.running--; e.said {
				sink(e.arrival)
			}
		default:
			return nil
		}
	}
}

func (w *processWire) drops() int   { return 0 }
func (w *processWire) granted() int { return 0 }
func (w *processWire) close()       {}
