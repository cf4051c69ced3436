package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/musternet/muster/task"
)

const (
	handshakeTime = 10 * time.Second
	staleAfter    = 30 * time.Second // without a byte: a counted message that has begun and not ended was counted wrong
	firstBuffer   = 4 << 10
	mostBuffer    = 128 << 10 // of a connection that is busy; more only for longer messages
)

// streams receives from the connections of one address.
type streams struct {
	owner     *Listener
	listener  *net.TCPListener
	transport Transport
	tls       *tls.Config // nil: plain
}

func (l *Listener) openTCP(ctx context.Context, address string) ([]receiver, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", hostPort(address))
	if err != nil {
		return nil, err
	}
	return []receiver{&streams{owner: l, listener: ln.(*net.TCPListener), transport: TCP}}, nil
}

func (l *Listener) openTLS(ctx context.Context, address string) ([]receiver, error) {
	if l.cfg.TLSConfig == nil {
		return nil, errors.New("a certificate is needed for TLS")
	}
	all, err := l.openTCP(ctx, address)
	for _, r := range all {
		s := r.(*streams)
		s.transport, s.tls = TLS, l.cfg.TLSConfig
	}
	return all, err
}

func (s *streams) addr() Addr    { return Addr{s.transport, s.listener.Addr()} }
func (s *streams) drops() uint64 { return 0 }
func (s *streams) close() error  { return s.listener.Close() }

// run accepts connections until ctx ends, and receives from each until that is closed or ctx ends.
func (s *streams) run(ctx context.Context, q *queue) error {
	if err := s.listener.SetDeadline(time.Time{}); err != nil {
		q.fail(err)
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.listener.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// Connections end by ctx in their own time, to receive what has come.
	return task.Scope(context.WithoutCancel(ctx), "connections", func(_ context.Context, g *task.Group) error {
		return s.accept(ctx, g, q)
	})
}

func (s *streams) accept(ctx context.Context, g *task.Group, q *queue) error {
	told := time.Time{}
	for {
		conn, err := s.listener.AcceptTCP()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			q.fail(fmt.Errorf("accept on %s %s: %w", s.transport, s.listener.Addr(), err))
			if !pause(ctx, time.Second) { // as when descriptors ran out: those who wait stay in the kernel's queue
				return nil
			}
			continue
		}
		if s.owner.counts.conns.Load() >= int64(s.owner.cfg.MaxConns) {
			s.owner.counts.refused.Add(1)
			if time.Since(told) > time.Minute {
				told = time.Now()
				q.fail(fmt.Errorf("%s %s: more than %d connections: %s was refused", s.transport, s.listener.Addr(), s.owner.cfg.MaxConns, conn.RemoteAddr()))
			}
			_ = conn.Close()
			continue
		}
		s.owner.counts.conns.Add(1)
		g.Go(conn.RemoteAddr().String(), func(context.Context) error {
			defer s.owner.counts.conns.Add(-1)
			s.serve(ctx, conn, q)
			return nil
		})
	}
}

// serve receives from one connection.
func (s *streams) serve(ctx context.Context, conn net.Conn, q *queue) {
	defer conn.Close()
	from := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	r := stream{
		conn: conn, from: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), origin: &origin{transport: s.transport},
		framer: framer{max: s.owner.cfg.MaxMessage}, buf: make([]byte, firstBuffer),
	}
	if s.tls != nil {
		secured, peer, err := handshake(ctx, conn, s.tls)
		if err != nil {
			s.owner.counts.refused.Add(1)
			q.fail(fmt.Errorf("TLS handshake with %s: %w", r.from, err))
			return
		}
		r.conn, r.origin.peer = secured, peer
	}
	if err := r.receive(ctx, q); err != nil {
		q.fail(fmt.Errorf("receive from %s: %w", r.from, err))
	}
	s.owner.counts.badFrames.Add(r.framer.bad)
}

// handshake returns the connection and the name in the client's certificate, if one was asked for and verified.
func handshake(ctx context.Context, conn net.Conn, c *tls.Config) (*tls.Conn, string, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	secured := tls.Server(conn, c)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, "", err
	}
	state := secured.ConnectionState()
	if len(state.VerifiedChains) == 0 {
		return secured, "", nil
	}
	leaf := state.VerifiedChains[0][0]
	if leaf.Subject.CommonName == "" && len(leaf.DNSNames) > 0 {
		return secured, leaf.DNSNames[0], nil
	}
	return secured, leaf.Subject.CommonName, nil
}

// stream is what was read from a connection and is not in the queue yet.
type stream struct {
	conn   net.Conn
	from   netip.AddrPort
	origin *origin
	framer framer
	buf    []byte
	filled int
	frames []frame // what of it is whole messages
	at     int64   // when it was read
	waits  bool    // its reads have a bound
}

// receive reads until the connection or ctx ends. An end in between two messages is none of its errors.
func (r *stream) receive(ctx context.Context, q *queue) error {
	stop := context.AfterFunc(ctx, func() { _ = r.conn.SetReadDeadline(time.Now().Add(drainTime)) })
	defer stop()
	for {
		r.await(ctx)
		n, err := r.conn.Read(r.buf[r.filled:])
		r.filled += n
		r.at = time.Now().UnixNano()
		s := more
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded):
			s, r.waits = stale, false
		default:
			s = ended
		}
		r.hand(q, s)
		if s == ended {
			return unlessEnd(err)
		}
		r.grow(n)
	}
}

// await bounds the next read where a message has begun. The end of ctx bounds it too, and is looked at last.
func (r *stream) await(ctx context.Context) {
	if begun := r.filled > 0; begun || r.waits {
		deadline := time.Time{}
		if r.waits = begun; begun {
			deadline = time.Now().Add(staleAfter)
		}
		_ = r.conn.SetReadDeadline(deadline)
		if ctx.Err() != nil {
			_ = r.conn.SetReadDeadline(time.Now().Add(drainTime))
		}
	}
}

// unlessEnd drops an error that is only the end of a connection.
func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// hand puts all messages that are whole into the queue.
func (r *stream) hand(q *queue, s streamState) {
	r.frames = r.frames[:0]
	done := 0
	for {
		f := r.framer.next(r.buf[done:r.filled], s)
		if f.n == 0 {
			break
		}
		if f.to > f.from {
			r.frames = append(r.frames, frame{from: done + f.from, to: done + f.to, cut: f.cut})
		}
		done += f.n
	}
	if len(r.frames) > 0 {
		q.putStream(r.fill)
	}
	r.filled = copy(r.buf, r.buf[done:r.filled])
}

func (r *stream) fill(b *batch) {
	for _, f := range r.frames {
		b.add(r.buf[f.from:f.to], item{at: r.at, from: r.from, origin: r.origin, cut: f.cut})
	}
}

// grow makes room for what is to come.
func (r *stream) grow(read int) {
	size := len(r.buf)
	switch need := r.framer.max + mostDigits + 2; {
	case r.filled == size && size < need+1: // a message that does not fit
		size = min(2*size, need+1)
	case r.filled+read == size && size < mostBuffer: // busy
		size *= 2
	}
	if size > len(r.buf) {
		r.buf = append(make([]byte, 0, size), r.buf[:r.filled]...)[:size]
	}
}
