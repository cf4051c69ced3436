package session

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"
)

// Jumps shares connections to jump hosts between sessions: thousands of devices behind one bastion need one login
// there and not one each. A connection lives while a session uses it; one that broke is made anew for the next
// session. Sessions share what has the same hops and credentials. The zero Jumps is ready to use; it is safe for any
// number of sessions at once.
type Jumps struct {
	mu     sync.Mutex
	routes map[string]*jumpRoute
}

// jumpRoute is one shared chain of jump hosts.
type jumpRoute struct {
	ready chan struct{} // closed when link or err is there
	link  *link
	err   *Error
	gone  bool // the session that dialled ended before it knew: its error is nobody else's
	watch *watch
	users int
}

// wholeLife is the total limit of a shared connection: none that matters. Its sessions have their own.
const wholeLife = 365 * 24 * time.Hour

// stuckAfter is how long a shared jump host may take to end one tunnel before it counts as dead for all.
const stuckAfter = 5 * time.Second

// route returns the last hop of d's jump hosts, shared, for one session: closing it gives it back.
func (j *Jumps) route(ctx context.Context, d *dialer) (*link, error) {
	key := routeKey(d.cfg.Jump)
	for {
		r, mine := j.join(key, d)
		if mine {
			j.dial(ctx, d, r)
		}
		d.watch.rest() // another session's dial has its own limits
		select {
		case <-r.ready:
		case <-d.watch.dead:
			j.leave(key, r)
			return nil, d.watch.err()
		}
		if r.err == nil {
			var once sync.Once
			shared := *r.link
			shared.shared = r
			shared.release = func() { once.Do(func() { j.leave(key, r) }) }
			return &shared, nil
		}
		j.leave(key, r)
		if why := d.watch.err(); why != nil {
			return nil, why
		}
		if mine || !r.gone {
			return nil, r.err
		}
	}
}

// routeKey names what may be shared.
func routeKey(hops []Hop) string {
	var b strings.Builder
	for _, h := range hops {
		b.WriteString(h.Address)
		for _, c := range h.Credentials {
			b.WriteString("\x00" + c.id() + "\x00" + c.User)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// join counts a session in. The first one has to dial.
func (j *Jumps) join(key string, d *dialer) (r *jumpRoute, mine bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.routes[key]; r != nil && !r.broken() {
		r.users++
		return r, false
	}
	r = &jumpRoute{ready: make(chan struct{}), users: 1, watch: newWatch(wholeLife, d.cfg.Trace)}
	if j.routes == nil {
		j.routes = map[string]*jumpRoute{}
	}
	j.routes[key] = r
	return r, true
}

// broken says that nobody should be sent this way any more.
func (r *jumpRoute) broken() bool {
	select {
	case <-r.ready:
		return r.err != nil || r.watch.err() != nil || r.link.wire.lost.Load()
	default:
		return false
	}
}

// dial makes the connection on behalf of all who wait for it.
func (j *Jumps) dial(ctx context.Context, d *dialer, r *jumpRoute) {
	defer close(r.ready)
	defer r.watch.bind(ctx)()
	brake := &closer{func() { r.watch.kill(failf(stageCanceled, "canceled", "the session that dialled has ended")) }}
	d.watch.add(brake)
	defer d.watch.forget(brake)
	own := *d
	own.watch = r.watch
	l, err := own.dialHops(ctx)
	if err != nil {
		r.err = asError(err, stageConnect, "internal")
		r.gone = ctx.Err() != nil || d.watch.err() != nil
		return
	}
	r.link = l
}

// closer lets a watch call a function at its end.
type closer struct{ f func() }

func (c *closer) Close() error {
	c.f()
	return nil
}

// leave counts a session out; the last one ends the connection.
func (j *Jumps) leave(key string, r *jumpRoute) {
	j.mu.Lock()
	r.users--
	last := r.users == 0
	if last && j.routes[key] == r {
		delete(j.routes, key)
	}
	j.mu.Unlock()
	if last {
		r.watch.kill(&Error{Stage: stageConnect, Code: "connection-lost", Err: errClosed})
		r.link.close()
	}
}

// sharedTunnel is a connection through a shared jump host. The end of a tunnel waits for the jump host's word; one
// that does not give it is dead, and only its own end frees those who wait.
type sharedTunnel struct {
	net.Conn
	route *jumpRoute
	over  sync.Once
	timer *time.Timer
}

func newSharedTunnel(c net.Conn, r *jumpRoute) *sharedTunnel {
	t := &sharedTunnel{Conn: c, route: r}
	t.timer = time.AfterFunc(wholeLife, func() {
		r.watch.kill(failf(stageConnect, "connection-lost", "the jump host does not answer any more"))
	})
	return t
}

func (t *sharedTunnel) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if err != nil {
		t.timer.Stop()
	}
	return n, err
}

func (t *sharedTunnel) Close() error {
	t.over.Do(func() { t.timer.Reset(stuckAfter) })
	return t.Conn.Close()
}
