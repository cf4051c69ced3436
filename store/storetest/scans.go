package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

var _ store.Scans = (*Scans)(nil)

// Scans keeps scans in memory. The zero value is empty.
type Scans struct {
	mu    sync.Mutex
	scans []store.Scan // the one that started last first
}

// KeepScan implements store.Scans.
func (x *Scans) KeepScan(ctx context.Context, s store.Scan) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if slices.ContainsFunc(x.scans, func(o store.Scan) bool { return o.ID == s.ID }) {
		return fmt.Errorf("scan %s is there already", s.ID)
	}
	s.Ports, s.Hosts = slices.Clone(s.Ports), keptHosts(s.Hosts)
	x.scans = append(x.scans, s)
	slices.SortFunc(x.scans, func(a, b store.Scan) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID))
	})
	same := 0
	x.scans = slices.DeleteFunc(x.scans, func(o store.Scan) bool {
		if o.Targets == s.Targets {
			same++
		}
		return o.Targets == s.Targets && same > store.MaxScansOfTargets
	})
	x.scans = head(x.scans, store.MaxScans)
	return nil
}

// keptHosts is what is left of hosts in a store.
func keptHosts(hosts []muster.Host) (out []muster.Host) {
	for _, h := range hosts {
		out = append(out, muster.Host{
			Addr: h.Addr, State: muster.HostUp, Filtered: h.Filtered, Ports: keptPorts(h.Ports), Platform: h.Platform, LoggedIn: h.LoggedIn,
			Hostname: asText(h.Hostname), Name: asText(h.Name), MAC: h.MAC, Vendor: h.Vendor, Device: h.Device,
		})
	}
	return out
}

func keptPorts(ports []muster.Port) []muster.Port {
	ports = slices.Clone(ports)
	for i := range ports {
		ports[i].Banner = asText(ports[i].Banner)
	}
	return ports
}

// asText writes each byte that is not UTF-8 as U+FFFD.
func asText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// LastScan implements store.Scans.
func (x *Scans) LastScan(_ context.Context, targets string) (store.Scan, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.scans {
		if s.Targets == targets {
			s.Hosts = keptHosts(s.Hosts)
			return s, nil
		}
	}
	return store.Scan{}, fmt.Errorf("scan of %s: %w", targets, store.ErrNotFound)
}

// Scans implements store.Scans.
func (x *Scans) Scans(_ context.Context, limit int) ([]store.Scan, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := slices.Clone(head(x.scans, limit))
	for i := range out {
		out[i].Up, out[i].Hosts = "", nil
	}
	return out, nil
}
