package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/musternet/muster/task"
)

// ISEConfig says what a simulated Cisco ISE holds and how it behaves. The zero ISEConfig is a healthy one without endpoints on a
// free port of 127.0.0.1.
type ISEConfig struct {
	Endpoints int    // how many; their ids and MAC addresses follow from the seed
	Groups    int    // endpoint groups, over which the endpoints are spread; 0: 8
	Devices   int    // network devices; 0: 4
	Seed      uint64 // whatever is by chance follows from it

	Listen string // host and port, one for ERS and OpenAPI; empty: a free port of 127.0.0.1

	Username, Password         string // of the ERS-Admin; empty: "admin" and a generated one
	Operator, OperatorPassword string // of the ERS-Operator, who only reads; empty: "operator" and a generated one

	Latency time.Duration // passes before each answer
	Rate    int           // requests that are answered in any second; 0: all. Others are 429
	Busy    bool          // those others are 503 instead
	CSRF    bool          // changes need a token
	// CSRFIdle is how long a token lives without use; 0: 60 s.
	CSRFIdle time.Duration
	// Standby starts a second node with the same data, which refuses changes.
	Standby bool
	// NoOpenAPI makes it an ISE before 3.1.
	NoOpenAPI bool
	// LinkHost is the host and port in the links that it gives, which as with a real one is none that the client knows; empty:
	// "ise-pan-1.sim.invalid:9060".
	LinkHost string
	// Faults are shares of the answers, drawn by the seed; at most one an answer.
	Faults []ISEShare
	// Hook is called with each request before it is looked at; the data may be changed meanwhile.
	Hook func(*http.Request)
}

// ISE is a running simulated ISE. Its methods may be called by several goroutines.
type ISE struct {
	config ISEConfig
	ca     authority
	data   *iseData
	counts iseCounters
	tokens iseTokens
	nodes  []*iseNode

	stop context.CancelFunc
	done chan struct{} // closed when the last goroutine has ended
}

// iseNode is one of its PANs.
type iseNode struct {
	ise     *ISE
	primary bool
	server  *http.Server
	socket  net.Listener
	quit    context.CancelFunc // ends the context of every request
	busy    sync.RWMutex       // held by the handlers for reading
}

// StartISE starts a simulated ISE as a task of g; it serves when StartISE returns. It ends with the group, or with Close.
func StartISE(ctx context.Context, g *task.Group, c ISEConfig) (*ISE, error) {
	if err := c.setDefaults(); err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	ca, err := newAuthority(c.Seed, c.Listen)
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	i := &ISE{config: c, ca: ca, data: newISEData(c), done: make(chan struct{})}
	i.tokens.sessions = map[string]iseSession{}
	if err := i.listen(ctx); err != nil {
		i.shut()
		return nil, fmt.Errorf("sim: %w", err)
	}
	ready := make(chan struct{})
	g.Go("sim ise", func(ctx context.Context) error {
		defer close(i.done)
		ctx, i.stop = context.WithCancel(ctx)
		defer i.stop()
		close(ready)
		return i.serve(ctx)
	})
	<-ready
	return i, nil
}

func (c *ISEConfig) setDefaults() error {
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	set(&c.Listen, "127.0.0.1:0")
	set(&c.Username, "admin")
	set(&c.Password, generated(c.Seed, "ise password"))
	set(&c.Operator, "operator")
	set(&c.OperatorPassword, generated(c.Seed, "ise operator"))
	set(&c.LinkHost, "ise-pan-1.sim.invalid:9060")
	if c.Groups == 0 {
		c.Groups = 8
	}
	if c.Devices == 0 {
		c.Devices = 4
	}
	if c.CSRFIdle == 0 {
		c.CSRFIdle = time.Minute
	}
	if c.Endpoints < 0 || c.Groups < 0 || c.Devices < 0 {
		return errors.New("there is no negative number of endpoints, groups or devices")
	}
	for _, f := range c.Faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// listen opens the sockets of the nodes. The standby has a free port on the same host.
func (i *ISE) listen(ctx context.Context) error {
	places := []string{i.config.Listen}
	if i.config.Standby {
		host, _, err := net.SplitHostPort(i.config.Listen)
		if err != nil {
			return err
		}
		places = append(places, net.JoinHostPort(host, "0"))
	}
	for n, place := range places {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", place)
		if err != nil {
			return err
		}
		node := &iseNode{ise: i, primary: n == 0, socket: countedListener{l, &i.counts}}
		base, quit := context.WithCancel(context.WithoutCancel(ctx))
		node.quit = quit
		node.server = &http.Server{
			BaseContext: func(net.Listener) context.Context { return base },
			Handler:     node, TLSConfig: i.ca.server(), ErrorLog: log.New(io.Discard, "", 0),
			ReadHeaderTimeout: handshakeLimit, IdleTimeout: idleLimit,
			TLSNextProto: map[string]func(*http.Server, *tlsConn, http.Handler){}, // HTTP/1.1, as ERS
		}
		i.nodes = append(i.nodes, node)
	}
	return nil
}

// serve serves until ctx ends, then closes everything and waits for it.
func (i *ISE) serve(ctx context.Context) error {
	err := task.Scope(ctx, "sim ise", func(ctx context.Context, g *task.Group) error {
		for _, n := range i.nodes {
			g.Go("node", func(context.Context) error {
				err := n.server.ServeTLS(n.socket, "", "")
				if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
					return nil
				}
				return err
			})
		}
		<-ctx.Done()
		i.shut()
		return nil
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // being stopped is how it ends
	}
	return err
}

func (i *ISE) shut() {
	for _, n := range i.nodes {
		n.shut()
	}
}

// shut closes the node's socket and connections, which ends its handlers.
func (n *iseNode) shut() {
	n.socket.Close()
	n.server.Close()
	n.quit()
	n.busy.Lock() // when the last handler has ended
	defer n.busy.Unlock()
}

// Close ends all connections and waits until nothing is left of them. It is safe to call twice.
func (i *ISE) Close() error {
	i.stop()
	<-i.done
	return nil
}

// StopPrimary closes the primary node: nothing listens there any more.
func (i *ISE) StopPrimary() { i.nodes[0].shut() }

// URL is where the primary node serves ERS and OpenAPI.
func (i *ISE) URL() string { return "https://" + i.nodes[0].socket.Addr().String() }

// StandbyURL is where the standby serves, if there is one.
func (i *ISE) StandbyURL() string {
	if len(i.nodes) < 2 {
		return ""
	}
	return "https://" + i.nodes[1].socket.Addr().String()
}

// Login returns the user name and the password of the ERS-Admin.
func (i *ISE) Login() (username, password string) { return i.config.Username, i.config.Password }

// OperatorLogin returns those of the ERS-Operator.
func (i *ISE) OperatorLogin() (username, password string) {
	return i.config.Operator, i.config.OperatorPassword
}

// CA returns the certificate of the authority that vouches for the nodes, in PEM.
func (i *ISE) CA() []byte { return i.ca.pem }

// Pin returns the SHA-256 of the public key of the nodes' certificate: "sha256/" and base64.
func (i *ISE) Pin() string { return i.ca.pin }

// ServeHTTP answers a request: whatever is wrong with it, in the order in which a real one notices.
func (n *iseNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.busy.RLock()
	defer n.busy.RUnlock()
	number := n.ise.counts.arrived(time.Now())
	if n.ise.config.Hook != nil {
		n.ise.config.Hook(r)
	}
	if wait(r.Context(), n.ise.config.Latency) != nil {
		return
	}
	fault := n.ise.faultOf(number)
	if n.early(w, r, fault) {
		return
	}
	role, ok := n.admitted(w, r)
	if !ok {
		return
	}
	answer := n.answer(r, role)
	n.send(w, r, answer, fault)
}
