package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/musternet/muster"
)

// Local tells whether an Outcome is the fault of this machine: it could not send, for want of a descriptor, a buffer, an
// address or a permission. Such an Outcome says nothing of the target, which must not be called down for it.
func Local(o muster.Outcome) bool { return o.Failure != nil && o.Failure.Code == "send-failed" }

// failed is why a probe did not succeed.
type failed struct {
	stage muster.Stage
	code  string
	err   error
}

func (f *failed) Error() string { return f.err.Error() }

func (f *failed) Unwrap() error { return f.err }

func fail(stage muster.Stage, code string, err error) *failed {
	return &failed{stage: stage, code: code, err: err}
}

func failf(stage muster.Stage, code, format string, args ...any) *failed {
	return fail(stage, code, fmt.Errorf(format, args...))
}

// hints stand in for those of the codes that speak of backups and SSH.
var hints = map[string]string{
	"canceled": "ask again",
	"refused":  "check address and port, and that the service is switched on",
	"timeout":  "check that the device is well, or give it longer",
}

// failure is the Failure of an Outcome. The end of the caller's ctx hides what broke by it.
func failure(ctx context.Context, err error, t Target, elapsed time.Duration) *muster.Failure {
	f, ok := errors.AsType[*failed](err)
	switch {
	case ctx.Err() != nil:
		f = fail(muster.StageCanceled, "canceled", context.Cause(ctx))
	case !ok:
		f = fail(muster.StageCommand, "internal", err)
	}
	return &muster.Failure{
		Device: t.Addr.String(), Stage: f.stage, Code: f.code, Err: f.err, Hint: hints[f.code],
		Attempts: 1, Elapsed: elapsed,
	}
}

// dialError reads the error of a connection that was not opened. ctx is that of the connection.
func dialError(ctx context.Context, err error, addr string) *failed {
	switch code := codeOf(ctx, err); code {
	case "refused":
		return failf(muster.StageConnect, code, "nothing listens on %s: %w", addr, cause(err))
	case "timeout":
		return failf(muster.StageConnect, code, "no answer from %s", addr)
	case "send-failed":
		return failf(muster.StageConnect, code, "this machine could not ask %s: %w", addr, cause(err))
	case "connection-lost":
		return failf(muster.StageConnect, code, "%s: %w", addr, cause(err))
	default:
		return failf(muster.StageConnect, "unreachable", "no way to %s: %w", addr, cause(err))
	}
}

// talkError reads the error of a connection that was open; doing says what for.
func talkError(ctx context.Context, stage muster.Stage, err error, doing string) *failed {
	switch code := codeOf(ctx, err); code {
	case "timeout":
		return failf(stage, code, "%s: no answer in time", doing)
	case "send-failed":
		return failf(stage, code, "%s: this machine could not: %w", doing, cause(err))
	default:
		return failf(stage, "connection-lost", "%s: %w", doing, cause(err))
	}
}

// codeOf is the failure code of a network error; empty where it says nothing in particular.
func codeOf(ctx context.Context, err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errnos[errno] != "" {
		return errnos[errno]
	}
	if timeout, ok := errors.AsType[net.Error](err); ctx.Err() != nil || ok && timeout.Timeout() {
		return "timeout"
	}
	return ""
}

// cause leaves the addresses out that package net puts before an error: they are said already.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// maxQuote is how much of what a target said is repeated in an error.
const maxQuote = 80

// quote repeats what a target said, on one line and cut.
func quote(said string) string {
	if len(said) > maxQuote {
		return strconv.Quote(strings.ToValidUTF8(said[:maxQuote], "")) + "..."
	}
	return strconv.Quote(said)
}
