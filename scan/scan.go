package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
)

// The settings that a zero Config stands for.
const (
	DefaultInFlight = 2048
	DefaultBanner   = 3 * time.Second
)

// MostListed is how many ports may be asked for and all be listed of each Host, whatever their state.
const MostListed = 128

// SSHPort is the port that Config.Identify asks of hosts that are up, beside Config.Ports.
const SSHPort = 22

// Config says how targets are asked. The zero value pings them as a zero ping.Config does.
type Config struct {
	// Ping says how the targets are pinged. Its Rate and its Timeout hold for connections too, its Tries for those that
	// got no answer. Its Summary and Duplicate are the scan's own.
	Ping ping.Config
	// NoPing asks by TCP alone.
	NoPing bool
	// Ports are the TCP ports that every target is asked for, also those that are silent to a ping. What an open port says
	// by itself is read. Of more than MostListed a Host has only those that are open, or the first that refused.
	Ports []int
	// Banner is how long an open port may take to say something; 0: DefaultBanner.
	Banner time.Duration
	// InFlight is how many connections are open at once; 0: DefaultInFlight.
	InFlight int
	// Identify, when set, is asked to say more of each host that is up, after its ports. SSHPort is then asked of those too.
	// It is called by many tasks at once, each with a host of its own, and returns when ctx ends.
	Identify func(ctx context.Context, h *muster.Host)
	// All yields the hosts that are not up too.
	All bool
	// Dial opens connections; nil: as net.Dialer does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Summary, when set, is kept up to date. It may be read in the body of the loop and after it.
	Summary *Summary
	// Progress, when set, counts for whoever watches from another goroutine.
	Progress *Progress
}

// Summary accounts for a scan. What is asked is a request: a ping, or a connection.
type Summary struct {
	Targets      int   `json:"targets"`
	Up           int   `json:"up"`
	Sent         int   `json:"sent"`
	Received     int   `json:"received"`
	Late         int   `json:"late"` // hosts that answered a ping only after its timeout
	Duplicates   int   `json:"duplicates"`
	Unreachable  int   `json:"unreachable"` // messages that there is no way to a target
	SendErrors   int   `json:"send_errors"` // requests that this machine could not send
	ReceiveDrops int   `json:"receive_drops"`
	Lost         int   `json:"lost"` // hosts in doubt, at most: see Complete
	DurationMS   int64 `json:"duration_ms"`

	Doubt   string      `json:"-"`       // why requests could not be sent, of the first host; empty: they could, or not known
	Foreign int         `json:"foreign"` // what looked like a reply and was none
	Buffer  int         `json:"buffer"`  // the receive buffer that the kernel granted, in bytes
	Method  ping.Method `json:"method"`  // how pings were sent; empty: not at all
}

// Complete tells whether everything was asked and every reply that came was read. Else the summary's Lost says how many
// hosts are in doubt at most: silent ones that may be up, and those of which this machine could not ask for a port.
func (s *Summary) Complete() bool { return s.Lost == 0 }

// Progress counts what a scan has done. It may be read at any time.
type Progress struct {
	Asked atomic.Int64 // targets that have been asked at least once
	Up    atomic.Int64
	Done  atomic.Int64 // targets with a verdict
}

// Run asks all targets and yields each host that is up, with Config.All every target, when all is known of it that the
// Config wants. An error beside a Host without Addr is about the scan as a whole and the last thing that is yielded: a
// Config that makes no sense, pings that are not allowed, the end of ctx. Hosts that were found until then are yielded
// before it, with what was known of them.
//
// Each range over the value is a scan of its own. Run blocks as the loop body does; what it started has ended when it
// returns.
func Run(ctx context.Context, t Targets, c Config) iter.Seq2[muster.Host, error] {
	return func(yield func(muster.Host, error) bool) {
		c, err := c.settled()
		if err != nil {
			yield(muster.Host{}, err)
			return
		}
		r := newRunner(t, c, yield)
		r.run(ctx)
	}
}

// settled checks a Config and fills in the defaults.
func (c Config) settled() (Config, error) {
	if c.NoPing && len(c.Ports) == 0 {
		return c, errors.New("scan: there is nothing to ask: neither pings nor ports")
	}
	for _, port := range c.Ports {
		if port < 1 || port > 65535 {
			return c, fmt.Errorf("scan: there is no TCP port %d: ports are 1 to 65535", port)
		}
	}
	if c.Banner < 0 || c.InFlight < 0 || c.Ping.Timeout < 0 || c.Ping.Tries < 0 || c.Ping.Rate < ping.Unlimited {
		return c, errors.New("scan: times, tries, rate and connections in flight are not negative")
	}
	c.Ports = slices.Compact(slices.Sorted(slices.Values(c.Ports)))
	c.Banner = cmp.Or(c.Banner, DefaultBanner)
	c.InFlight = cmp.Or(c.InFlight, DefaultInFlight)
	c.Ping.Timeout = cmp.Or(c.Ping.Timeout, ping.DefaultTimeout)
	c.Ping.Tries = cmp.Or(c.Ping.Tries, ping.DefaultTries)
	c.Ping.Rate = cmp.Or(c.Ping.Rate, ping.DefaultRate)
	if c.Summary == nil {
		c.Summary = new(Summary)
	}
	if c.Progress == nil {
		c.Progress = new(Progress)
	}
	return c, nil
}
