package monitor

import (
	"context"
	"errors"
	"time"

	"github.com/musternet/muster/ping"
)

// pingAgain is how long after the end of a Steady that could not go on the next one begins.
const pingAgain = 5 * time.Second

// ping takes what becomes of the pings until ctx ends.
func (m *Monitor) ping(ctx context.Context) error {
	for ctx.Err() == nil {
		err := m.pingOn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		m.cfg.Log.Error("pings have to begin anew", "err", err)
		if m.unpinged(err); m.fleet.single {
			return nil
		}
		pause(ctx, pingAgain)
	}
	return nil
}

func (m *Monitor) pingOn(ctx context.Context) (ended error) {
	for p, err := range m.cfg.Pinger(ctx, &m.plan, m.cfg.Ping) {
		if !p.Addr.IsValid() {
			return err
		}
		m.pinged(p, err)
	}
	return errors.New("monitor: pings ended")
}

// pinged takes what became of one ping.
func (m *Monitor) pinged(p ping.Probe, err error) {
	r := result{kind: kindOfPing(p, err), sent: p.Sent.Sub(m.began), rtt: p.RTT, err: err}
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.fleet.byName[p.Key]; d != nil && d.addr == p.Addr {
		if d.icmp != nil {
			m.took(d.icmp, r, m.now())
		}
	}
}

// kindOfPing tells what kind of result a ping has. What this machine may have lost itself is not the device's.
func kindOfPing(p ping.Probe, err error) kindOfResult {
	if err == nil {
		if p.Late {
			return late
		}
		return inTime
	}
	if _, unsent := errors.AsType[*ping.SendError](err); unsent || errors.Is(err, ping.ErrDropped) {
		return unasked
	}
	return lost
}

// unpinged notes that no ping can be sent at all.
func (m *Monitor) unpinged(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, times := m.now(), 1
	if m.fleet.single {
		times = MaxOf // there is no second try
	}
	for _, d := range m.fleet.devices {
		if d.icmp != nil && d.addr.IsValid() {
			for range times {
				m.took(d.icmp, result{kind: unasked, sent: now, err: err}, now)
			}
		}
	}
}

// pause waits, until ctx ends at most.
func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
