package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/task"
)

// Config says what the fleet looks like. The zero Config is one healthy device on a free port of 127.0.0.1.
type Config struct {
	Devices int    // how many; 0: 1
	Seed    uint64 // whatever is by chance follows from it

	// Listen is where the devices listen: an address (empty: "127.0.0.1"), on which each device has its own port, or
	// a loopback prefix, of which each device has its own address from the second on: 62 devices fit into 127.8.0.0/26,
	// 254 into a /24, 65,534 into a /16. macOS and the BSDs have 127.0.0.1 alone: there the others must be added first.
	Listen string
	// Port is the port of every device of a prefix (0: 2222), and the first of consecutive ports on an address (0:
	// free ones).
	Port int

	Latency      time.Duration // passes before each command's answer
	LoginLatency time.Duration // passes before each answer to a login
	// Total is how long a conversation takes from the connection to the last byte of the configuration, spread over
	// the recorded commands. It replaces Latency and LoginLatency.
	Total time.Duration

	ConfigBytes int      // size to which configurations are grown by interface sections; 0: as recorded
	Platforms   []string // platforms whose recordings are used, in turn; nil: all that have a configuration
	// Recordings are used instead of those that come with the binary.
	Recordings []*platform.Recording
	Faults     []Share // at most one a device

	Username, Password, Enable string // empty: "admin" and generated ones
	MaxSessions                int    // a device's logins at once; 0: 5
}

// handshakeLimit and idleLimit bound what a silent client costs, as devices do.
const (
	handshakeLimit = 30 * time.Second
	idleLimit      = 10 * time.Minute
)

// Fleet is a running fleet. Its methods may be called by several goroutines.
type Fleet struct {
	config  Config
	devices []*device
	byName  map[string]*device
	counts  counters
	buffers sync.Pool // of *buffers

	stop context.CancelFunc
	done chan struct{} // closed when the last goroutine has ended

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	conns     map[net.Conn]struct{}
	turn      int // of Change
}

// buffers are what a shell renders its answers into.
type buffers struct{ out, answer []byte }

// Start starts the fleet as a task of g; it serves when Start returns. It ends with the group, or with Close.
func Start(ctx context.Context, g *task.Group, c Config) (*Fleet, error) {
	c.setDefaults()
	f := &Fleet{config: c, byName: make(map[string]*device, c.Devices), done: make(chan struct{}), conns: make(map[net.Conn]struct{})}
	f.buffers.New = func() any { return new(buffers) }
	if err := f.build(); err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	if err := f.listen(ctx); err != nil {
		f.shut()
		return nil, fmt.Errorf("sim: %w", err)
	}
	ready := make(chan struct{})
	g.Go("sim", func(ctx context.Context) error {
		defer close(f.done)
		ctx, f.stop = context.WithCancel(ctx)
		defer f.stop()
		close(ready)
		return f.serve(ctx)
	})
	<-ready
	return f, nil
}

func (c *Config) setDefaults() {
	c.Devices = max(c.Devices, 1)
	if c.Username == "" {
		c.Username = "admin"
	}
	if c.Password == "" {
		c.Password = generated(c.Seed, "password")
	}
	if c.Enable == "" {
		c.Enable = generated(c.Seed, "enable")
	}
	if c.MaxSessions <= 0 {
		c.MaxSessions = 5
	}
	c.Platforms, c.Faults = slices.Clone(c.Platforms), slices.Clone(c.Faults)
}

// build makes the devices: which recording, which fault.
func (f *Fleet) build() error {
	recordings, err := chosen(f.config.Recordings, f.config.Platforms)
	if err != nil {
		return err
	}
	scripts := make([]*script, len(recordings))
	for i, r := range recordings {
		if scripts[i], err = compile(r); err != nil {
			return err
		}
	}
	for i := range f.config.Devices {
		d := newDevice(f.config.Seed, i, f.config.Devices, scripts[i%len(scripts)], f.config.ConfigBytes)
		f.devices = append(f.devices, d)
		f.byName[d.name] = d
	}
	return assign(f.config.Seed, f.config.Faults, f.devices)
}

// serve accepts until ctx ends, then closes everything and waits for it.
func (f *Fleet) serve(ctx context.Context) error {
	err := task.Scope(ctx, "sim", func(ctx context.Context, g *task.Group) error {
		for _, d := range f.devices {
			if d.listener != nil {
				g.Go(d.name, func(ctx context.Context) error { return f.accept(ctx, g, d) })
			}
		}
		<-ctx.Done()
		f.shut()
		return nil
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // being stopped is how a fleet ends
	}
	return err
}

// Close ends all sessions and listeners and waits until nothing is left of them. It is safe to call twice.
func (f *Fleet) Close() error {
	f.stop()
	<-f.done
	return nil
}

// shut closes what the fleet holds open; what comes later is closed by hold.
func (f *Fleet) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, l := range f.listeners {
		l.Close()
	}
	for c := range f.conns {
		c.Close()
	}
}

// hold keeps a connection for shut. It reports false, and closes it, if that is over.
func (f *Fleet) hold(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		c.Close()
		return false
	}
	f.conns[c] = struct{}{}
	return true
}

func (f *Fleet) release(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	c.Close()
}

// Login returns the user name, the password and the enable password that every device takes.
func (f *Fleet) Login() (username, password, enable string) {
	return f.config.Username, f.config.Password, f.config.Enable
}

// wait lets d pass, or less if ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
