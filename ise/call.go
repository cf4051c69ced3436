package ise

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"time"
)

// request is what is asked of a node, whichever it is.
type request struct {
	op, resource, name string // for the error
	method             string
	open               bool   // of OpenAPI, not of ERS
	path               string // with its query
	body               []byte
	secrets            []string // in the body: they are removed from what ISE says to it
	token              string   // of CSRF
}

// fail makes the error of a request.
func (r *request) fail(err error) *Error {
	return &Error{Op: r.op, Resource: r.resource, Name: clip(r.name, codeLength), Attempts: 1, Err: err}
}

// do sends a request until it is answered, for what can be repeated without harm: everything but the making of something.
func (c *Client) do(ctx context.Context, r *request) (answer, error) {
	lost := false
	for try := 1; ; try++ {
		a, err := c.once(ctx, r)
		if err == nil {
			return a, nil
		}
		err.Attempts, err.again = try, lost
		lost = lost || err.unanswered()
		if try > c.retries || ctx.Err() != nil || !passing(err) {
			return answer{}, err
		}
		if wait := c.rest(ctx, err, try); wait != nil {
			err.Err = wait
			return answer{}, err
		}
	}
}

// rest slows down if that is what ISE asks for, and waits before the next attempt.
func (c *Client) rest(ctx context.Context, err *Error, try int) error {
	c.log.Debug("a request to ISE is repeated", "op", err.Op, "resource", err.Resource, "attempt", try, "err", err)
	if slowing(err) && c.gate.slower(err.left) {
		c.log.Warn("ISE is slower than the rate: requests are spaced out", "err", err)
	}
	return sleep(ctx, max(c.backoff.wait(try), err.retryAfter))
}

// once sends a request to the node in use, and to the others if that one cannot be reached or is not the one for it.
func (c *Client) once(ctx context.Context, r *request) (answer, *Error) {
	var first *Error
	for _, n := range c.nodes.order() {
		a, err := c.write(ctx, n, r)
		if err == nil || !elsewhere(err) || ctx.Err() != nil {
			if c.nodes.prefer(n) {
				c.log.Warn("another PAN is asked from now on", "node", n.name)
			}
			return a, err
		}
		if first == nil || errors.Is(first, ErrReadOnly) { // why the primary did not answer says more than that it is needed
			first = err
		}
	}
	return answer{}, first
}

// write is send with a CSRF token, where one is wanted. A change that was refused for want of one has not been made.
func (c *Client) write(ctx context.Context, n *node, r *request) (answer, *Error) {
	token, err := c.protect(ctx, n, r)
	if err != nil {
		return answer{}, cmp.Or(asError(err), r.fail(err))
	}
	with := *r
	with.token = token
	a, failed := c.send(ctx, n, &with)
	if r.method == http.MethodGet || !errors.Is(asErr(failed), ErrForbidden) {
		return a, failed
	}
	renewed, err := c.fetchToken(ctx, n, token)
	if err != nil {
		if e := cmp.Or(asError(err), r.fail(err)); passing(e) || elsewhere(e) {
			return answer{}, e // whether a token was wanted will show at the next attempt
		}
	}
	if renewed == "" {
		return a, failed // it is the role that forbids it
	}
	with.token = renewed
	return c.send(ctx, n, &with)
}

// send sends a request to one node, once, and reads the answer.
func (c *Client) send(ctx context.Context, n *node, r *request) (a answer, failed *Error) {
	password, judged, err := c.pass(ctx)
	if err != nil {
		return answer{}, r.fail(err)
	}
	defer c.gate.leave()
	defer func() { judged(max(a.status, failed.status())) }()
	left := time.Now()
	traced, waiting := c.paced(ctx)
	inner, cancel := context.WithTimeoutCause(traced, c.timeout, errSilent)
	defer cancel()
	a, failed = c.exchange(inner, n, r, password)
	if failed == nil {
		c.gate.faster()
		return a, nil
	}
	if *waiting {
		failed.sent, failed.unconnected = false, noAnswer(failed.Err)
	}
	if failed.unconnected {
		failed.Err = fmt.Errorf("no connection came about: %w", failed.Err)
	}
	switch failed.left = left; {
	case ctx.Err() != nil:
		failed.Err = ended(ctx)
	case inner.Err() != nil && failed.Status == 0:
		failed.Err = context.Cause(inner)
	}
	return answer{}, failed
}

// pass waits until a request may be sent, and returns the password for it. One that was rejected while the request waited
// for its turn is not used: a thousand that wait would lock the account.
func (c *Client) pass(ctx context.Context) (password string, judged func(status int), err error) {
	for {
		if password, judged, err = c.login.begin(ctx); err != nil {
			return "", nil, err
		}
		if err = c.gate.enter(ctx); err != nil {
			judged(0)
			return "", nil, err
		}
		if c.login.holds(password) {
			return password, judged, nil
		}
		c.gate.leave()
		judged(0)
	}
}

// errSilent is the end of the time that one attempt has.
var errSilent = fmt.Errorf("%w: it did not answer in time", ErrUnavailable)

// paced makes a context in which each further time that the transport sends the request by itself, because a kept
// connection had broken, counts against the rate too. waiting is true as long as there is no connection, secured if it is to be,
// on which it could have been sent.
func (c *Client) paced(ctx context.Context) (traced context.Context, waiting *bool) {
	waiting = new(false)
	sent := false
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			if sent {
				_ = c.gate.again(ctx) // when ctx has ended the transport finds out by itself
				return
			}
			sent, *waiting = true, true
		},
		GotConn: func(httptrace.GotConnInfo) { *waiting = false },
	}), waiting
}

// exchange is the HTTP of send.
func (c *Client) exchange(ctx context.Context, n *node, r *request, password string) (answer, *Error) {
	base := n.ers
	if r.open {
		base = n.open
	}
	req, err := http.NewRequestWithContext(ctx, r.method, base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, r.fail(err)
	}
	req.SetBasicAuth(c.login.user, password)
	req.Header.Set("Accept", "application/json")
	if r.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set(csrfHeader, r.token)
	}
	secrets := append(c.login.secrets(password), r.secrets...)
	resp, err := c.http.Do(req)
	if err != nil {
		failed := r.fail(lost(err, secrets))
		_, never := errors.AsType[*unreachable](failed.Err)
		failed.sent = !never
		return answer{}, failed
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answer{}, r.refused(resp, secrets)
	}
	a, failed := r.read(resp, secrets)
	a.secrets = secrets
	return a, failed
}
