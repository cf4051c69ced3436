package app

import (
	"context"
	"iter"

	"github.com/musternet/muster"
	"github.com/musternet/muster/backup"
	"github.com/musternet/muster/job"
	"github.com/musternet/muster/session"
)

// Command runs a command on devices and yields the answers as they come, one for each device. What the device printed
// is in the answer also where it rejected the command.
func (a *App) Command(ctx context.Context, devices []muster.Device, command string, o RunOptions) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		if s, err := a.reader(ctx); err == nil {
			devices = a.remembered(ctx, s, devices)
		}
		limiter := job.NewLimiter(a.limit(o))
		dialer, err := a.dialer(limiter)
		if err != nil {
			yield(Answer{}, err)
			return
		}
		answers := make([]Answer, len(devices))
		work := job.Work[session.Output]{
			Talk: func(ctx context.Context, dev muster.Device) (session.Output, error) {
				return ask(ctx, dialer, dev, command)
			},
			Keep: func(_ context.Context, r muster.Result, out session.Output) muster.Result {
				answers[r.Index] = Answer{
					Index: r.Index, Device: r.Device, Command: command, Output: out.Text, Stderr: out.Stderr,
					ExitStatus: out.ExitStatus, Attempts: r.Attempts, Elapsed: r.Elapsed, Failure: r.Failure,
				}
				return r
			},
		}
		for r := range job.Run(ctx, devices, a.jobOptions(limiter, devices, o), work) {
			if !yield(answers[r.Index], nil) {
				return
			}
		}
	}
}

func ask(ctx context.Context, dialer *backup.Dialer, dev muster.Device, command string) (session.Output, error) {
	conn, err := dialer.Open(ctx, dev)
	if err != nil {
		return session.Output{ExitStatus: -1}, err
	}
	defer conn.Close()
	out, err := conn.Run(ctx, command)
	if err != nil {
		return out, backup.Failure(dev, err)
	}
	return out, nil
}
