package probe

import (
	"context"
	"errors"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
)

// icmp sends one echo request. Its RTT ends when the kernel received the reply.
type icmp struct{ base }

var _ Prober = icmp{}

// pingSlack is what a ping may take beyond its time: where no socket is allowed, the system's ping command is run, which
// counts in whole seconds.
const pingSlack = time.Second

func openICMP(b base, _ Options) (Prober, error) {
	b.slack = pingSlack
	return icmp{b}, nil
}

func (p icmp) Probe(ctx context.Context, t Target) muster.Outcome { return p.ask(ctx, t, p.probe) }

func (p icmp) probe(ctx context.Context, t Target) (answer, error) {
	reply, err := ping.Once(ctx, t.Addr, t.Timeout)
	if err != nil {
		return answer{}, pingError(ctx, err)
	}
	return answer{rtt: reply.RTT, detail: reply.Addr.String()}, nil
}

// pingError says what kind of silence it was. What is no silence was not sent: a socket that could not be opened, a
// kernel that refused.
func pingError(ctx context.Context, err error) *failed {
	_, unreachable := errors.AsType[*ping.UnreachableError](err)
	refused, unsent := errors.AsType[*ping.SendError](err)
	switch {
	case unreachable:
		return fail(muster.StageConnect, "unreachable", err)
	case unsent && codeOf(ctx, refused.Err) == "unreachable":
		return fail(muster.StageConnect, "unreachable", err)
	case errors.Is(err, ping.ErrNoReply), !unsent && ctx.Err() != nil:
		return fail(muster.StageConnect, "no-reply", err)
	}
	return fail(muster.StageConnect, "send-failed", err)
}
