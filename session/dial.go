package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialer opens the connections of one session.
type dialer struct {
	cfg    *Config
	limits Limits
	watch  *watch
	words  *words // what must not be repeated
}

// hostPort splits an address, with or without port or brackets.
func hostPort(addr, port string) (host, p string) {
	if h, p, err := net.SplitHostPort(addr); err == nil {
		return h, orElse(p, port)
	}
	return strings.Trim(addr, "[]"), port
}

// connect opens a TCP connection to addr, through the last hop where there is one.
func (d *dialer) connect(ctx context.Context, via *link, addr string) (net.Conn, error) {
	if via != nil {
		return d.tunnel(ctx, via, addr)
	}
	targets := []string{addr}
	dial := d.cfg.Dialer
	if dial == nil {
		var err error
		if targets, err = d.resolve(ctx, addr); err != nil {
			return nil, err
		}
		dial = new(net.Dialer).DialContext
	}
	d.watch.step(stageConnect, d.limits.Connect)
	conn, err := dialFirst(ctx, d.limits.Connect, targets, dial)
	if err != nil {
		return nil, d.failed(ctx, connectError(err, addr))
	}
	d.watch.done(conn.RemoteAddr().String())
	return conn, nil
}

// resolve looks a name up on its own, so that a resolver's fault is not taken for the device's.
func (d *dialer) resolve(ctx context.Context, addr string) ([]string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &Error{Stage: stageResolve, Code: "unknown-host", Err: err}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{addr}, nil
	}
	d.watch.step(stageResolve, d.limits.Resolve)
	bounded, cancel := context.WithTimeout(ctx, d.limits.Resolve)
	defer cancel()
	ips, err := net.DefaultResolver.LookupHost(bounded, host)
	if err != nil || len(ips) == 0 {
		return nil, d.failed(ctx, resolveError(err, host, d.limits.Resolve))
	}
	d.watch.done(strings.Join(ips, " "))
	for i, ip := range ips {
		ips[i] = net.JoinHostPort(ip, port)
	}
	return ips, nil
}

func resolveError(err error, host string, limit time.Duration) *Error {
	dns, ok := errors.AsType[*net.DNSError](err)
	if ok && dns.IsTimeout || errors.Is(err, context.DeadlineExceeded) {
		return failf(stageResolve, "timeout", "%s for %s", tooLong(stageResolve, limit), quote(host))
	}
	if ok && !dns.IsNotFound {
		return failf(stageResolve, "unknown-host", "the resolver could not answer for %s: %s", quote(host), dns.Err)
	}
	return failf(stageResolve, "unknown-host", "no address for %s", quote(host))
}

// dialFirst tries the addresses of a name one after the other; each gets its share of the time that is left.
func dialFirst(ctx context.Context, limit time.Duration, targets []string, dial func(context.Context, string, string) (net.Conn, error)) (net.Conn, error) {
	end := time.Now().Add(limit)
	var first error
	for i, t := range targets {
		share := time.Until(end) / time.Duration(len(targets)-i)
		bounded, cancel := context.WithTimeout(ctx, share)
		conn, err := dial(bounded, "tcp", t)
		cancel()
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func connectError(err error, addr string) *Error {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return failf(stageConnect, "refused", "nothing listens on %s", addr)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL),
		errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return failf(stageConnect, "unreachable", "no way to %s: %w", addr, err)
	case errors.Is(err, syscall.ECONNRESET):
		return failf(stageConnect, "connection-lost", "%s: %w", addr, err)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return failf(stageConnect, "timeout", "no answer from %s", addr)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return failf(stageResolve, "unknown-host", "%w", dns)
	}
	if strings.Contains(err.Error(), "refused") { // Windows has its own number for it
		return failf(stageConnect, "refused", "nothing listens on %s", addr)
	}
	return failf(stageConnect, "unreachable", "%s: %w", addr, err)
}

// tunnel asks the jump host for a connection.
func (d *dialer) tunnel(ctx context.Context, via *link, addr string) (net.Conn, error) {
	d.watch.step(stageConnect, d.limits.Connect)
	bounded, cancel := context.WithTimeout(ctx, d.limits.Connect)
	defer cancel()
	conn, err := via.client.DialContext(bounded, "tcp", addr)
	if err == nil {
		d.watch.done("via " + via.addr)
		if via.shared != nil {
			return newSharedTunnel(conn, via.shared), nil
		}
		return conn, nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, d.failed(ctx, failf(stageConnect, "timeout", "no answer from %s via %s within %s", addr, via.addr, d.limits.Connect))
	}
	return nil, d.failed(ctx, tunnelError(err, via.addr, addr))
}

// tunnelError reads a jump host's refusal: its reason code says little, its words what the system call said.
func tunnelError(err error, hop, addr string) *Error {
	refusal, ok := errors.AsType[*ssh.OpenChannelError](err)
	if !ok {
		return failf(stageConnect, "connection-lost", "via %s: %w", hop, err)
	}
	said := strings.ToLower(refusal.Message)
	words := func(stage, code string) *Error {
		return failf(stage, code, "via %s: it could not connect to %s: %s", hop, addr, quote(refusal.Message))
	}
	switch {
	case refusal.Reason == ssh.Prohibited || strings.Contains(said, "administratively prohibited"):
		return words(stageConnect, "unreachable").hint("allow TCP forwarding to this device on the jump host")
	case strings.Contains(said, "refused"):
		return words(stageConnect, "refused")
	case strings.Contains(said, "timed out"):
		return words(stageConnect, "timeout")
	case strings.Contains(said, "not known"), strings.Contains(said, "no address"), strings.Contains(said, "resolution"), strings.Contains(said, "no such host"):
		return words(stageResolve, "unknown-host")
	}
	return words(stageConnect, "unreachable")
}

// failed puts the reason for which the session was ended, where there is one, in the place of what broke by it.
func (d *dialer) failed(ctx context.Context, err *Error) *Error {
	if why := d.watch.err(); why != nil {
		return why
	}
	if ctx.Err() != nil {
		return d.watch.ended(ctx)
	}
	return err
}

// route returns the last jump host, connected; nil without any.
func (d *dialer) route(ctx context.Context) (*link, error) {
	if d.cfg.Jumps != nil && len(d.cfg.Jump) > 0 {
		return d.cfg.Jumps.route(ctx, d)
	}
	return d.dialHops(ctx)
}

// dialHops dials the jump hosts in their order.
func (d *dialer) dialHops(ctx context.Context) (*link, error) {
	var via *link
	for i, hop := range d.cfg.Jump {
		host, port := hostPort(hop.Address, "22")
		target := login{addr: net.JoinHostPort(host, port), credentials: hop.Credentials, keys: hop.HostKeys, hop: true}
		next, err := d.login(ctx, via, target)
		if err != nil {
			via.close()
			e := asError(err, stageConnect, "internal")
			return nil, &Error{Stage: e.Stage, Code: e.Code, Hint: e.Hint, Err: fmt.Errorf("at jump host %d, %s: %w", i+1, target.addr, e.Err)}
		}
		via = next
	}
	return via, nil
}
