package monitor

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/musternet/muster/task"
)

const (
	resolveAtOnce = 16
	resolveLimit  = 5 * time.Second
	resolveAgain  = 10 * time.Second // names that have no address yet
)

// resolveAll keeps the addresses of names until ctx ends.
func (m *Monitor) resolveAll(ctx context.Context) error {
	all := time.NewTicker(m.cfg.ResolveEvery)
	defer all.Stop()
	again := time.NewTicker(resolveAgain)
	defer again.Stop()
	m.lookUp(ctx, false)
	for {
		select {
		case <-all.C:
			m.lookUp(ctx, true)
		case <-again.C:
			m.lookUp(ctx, false)
		case <-m.resolve:
			m.lookUp(ctx, false)
		case <-ctx.Done():
			return nil
		}
	}
}

// lookUp looks up names: all, or those that have no address yet.
func (m *Monitor) lookUp(ctx context.Context, all bool) {
	task.Settle(ctx, m.names(all), func(ctx context.Context, d *device) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, resolveLimit)
		defer cancel()
		addrs, err := m.cfg.Resolve(ctx, d.Device.Address)
		if err == nil && len(addrs) == 0 {
			err = errors.New("it has no address")
		}
		m.resolved(d, addrs, err)
		return struct{}{}, nil
	}, task.Limit(resolveAtOnce), task.Named("resolve"))
}

func (m *Monitor) names(all bool) (names []*device) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.fleet.devices {
		if !d.Addr.IsValid() && (all || !d.addr.IsValid()) {
			names = append(names, d)
		}
	}
	return names
}

// resolved takes the addresses of a name. The one that is asked stays as long as it is one of them.
func (m *Monitor) resolved(d *device, addrs []netip.Addr, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	d.unresolved = err
	switch {
	case d.gone || slices.Contains(addrs, d.addr):
		return
	case err != nil:
		m.fleet.review(d, m.now()) // says why, where there is no address yet
		return
	}
	d.addr = addrs[0]
	d.ours = m.own[d.addr] || d.addr.IsLoopback()
	m.fleet.review(d, m.now())
	if t, ok := d.ping(); ok {
		if err := m.plan.Set(t); err != nil {
			m.cfg.Log.Error("device cannot be pinged", "device", d.Device.Name, "err", err)
		}
	}
}
