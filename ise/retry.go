package ise

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait between attempts: by chance up to first, then up to twice that and so on.
type backoff struct{ first, most time.Duration }

var defaultBackoff = backoff{200 * time.Millisecond, 5 * time.Second}

func (b backoff) wait(try int) time.Duration {
	bound := b.first
	for ; try > 1 && bound < b.most; try-- {
		bound *= 2
	}
	return rand.N(min(bound, b.most))
}

// status is that of the answer, 0 without one.
func (e *Error) status() int {
	if e == nil {
		return 0
	}
	return e.Status
}

// asErr keeps a nil *Error from becoming an error that is not nil.
func asErr(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// asError returns the *Error that err is, if it is one.
func asError(err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

// passing says whether the same request may fare better later: 429, 500, 502, 503, 504, and an answer that did not come or
// was cut off. A certificate that is not trusted, a wrong password and a refusal stay what they are.
func passing(e *Error) bool {
	switch {
	case e.Status == 0 || errors.Is(e.Err, errTruncated):
		return noAnswer(e.Err)
	case errors.Is(e.Err, ErrRateLimited):
		return true
	default:
		return errors.Is(e.Err, ErrUnavailable) && e.Status != 501 && e.Status != 505
	}
}

// noAnswer says whether err is an answer that was lost, not a request that was never sent.
func noAnswer(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*PinError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*unreachable](err); ok {
		return false
	}
	return !errors.Is(err, ErrUnauthorized) && !errors.Is(err, errPassword)
}

// unanswered says whether ISE may have done what it was asked for, although it did not say so.
func (e *Error) unanswered() bool { return e.sent && !errors.Is(e, ErrRateLimited) }

// doneBefore says whether a change failed because an earlier attempt, whose answer was lost, had made it: then ISE says what.
func doneBefore(err, what error) bool {
	e := asError(err)
	return e != nil && e.again && errors.Is(e, what)
}

// slowing says whether an error is ISE's way to say that it is asked too much: it also resets connections.
func slowing(e *Error) bool {
	return e.Status == 0 && !errors.Is(e.Err, errTruncated) || e.Status == 429 || e.Status == 503
}

// elsewhere says whether another PAN may do what this one did not: no connection to it came about, or it refused because it is
// not the primary.
func elsewhere(e *Error) bool {
	_, ok := errors.AsType[*unreachable](e.Err)
	return ok || e.unconnected || errors.Is(e.Err, ErrReadOnly)
}
