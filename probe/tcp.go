package probe

import (
	"context"

	"github.com/musternet/muster"
)

// tcp opens a connection and closes it. Its RTT is the time that takes.
type tcp struct{ base }

var _ Prober = tcp{}

func openTCP(b base, _ Options) (Prober, error) { return tcp{b}, nil }

func (p tcp) Probe(ctx context.Context, t Target) muster.Outcome { return p.ask(ctx, t, p.probe) }

func (p tcp) probe(ctx context.Context, t Target) (answer, error) {
	_, release, rtt, err := p.connect(ctx, "tcp", t)
	if err != nil {
		return answer{rtt: rtt}, err
	}
	release()
	return answer{rtt: rtt, detail: t.addrPort().String()}, nil
}
