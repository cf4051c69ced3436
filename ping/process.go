package ping

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"github.com/musternet/muster/task"
)

// noteFor tells how a user of a group may let a program have a socket on Linux.
func noteFor(group int, program string) string {
	return fmt.Sprintf("no ICMP socket is allowed to this user: one ping process a host, %d at once. Much faster, with either of: "+
		"sudo sysctl -w net.ipv4.ping_group_range='%d %d' | sudo setcap cap_net_raw+ep %s", ProcessLimit, group, group, program)
}

// sweepByProcess runs the ping command for each target.
func (c Config) sweepByProcess(ctx context.Context, targets iter.Seq[netip.Addr], yield func(Reply, error) bool) {
	c.Summary.Method = MethodProcess
	command, err := exec.LookPath("ping")
	if err != nil {
		yield(Reply{}, fmt.Errorf("ping: no socket is allowed and there is no ping command: %w", err))
		return
	}
	var bad error
	ask := func(ctx context.Context, addr netip.Addr) (asked, error) { return c.askByProcess(ctx, command, addr) }
	for _, r := range task.AsCompleted(ctx, c.counted(targets, &bad), ask, task.Limit(ProcessLimit), task.Named("ping")) {
		if ctx.Err() != nil {
			break
		}
		c.count(r.Value, r.Err)
		if !yield(r.Value.Reply, r.Err) {
			return
		}
	}
	switch {
	case ctx.Err() != nil:
		yield(Reply{}, fmt.Errorf("ping: stopped: %w", context.Cause(ctx)))
	case bad != nil:
		yield(Reply{}, bad)
	}
}

// asked is a reply and how many requests it took.
type asked struct {
	Reply
	sent int
}

// counted counts the targets as they are read, which AsCompleted does in the goroutine that ranges. It ends before one
// that is no address.
func (c Config) counted(targets iter.Seq[netip.Addr], bad *error) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := range targets {
			if !addr.IsValid() {
				*bad = noAddress(c.Summary.Targets)
				return
			}
			c.Summary.Targets++
			if !yield(addr.Unmap()) {
				return
			}
		}
	}
}

func (c Config) count(a asked, err error) {
	var refused *SendError
	if errors.As(err, &refused) {
		c.Summary.SendErrors++
		if a.sent--; a.sent == 0 {
			c.Summary.Lost++
			c.Summary.Unsent++
		}
	}
	c.Summary.Sent += max(0, a.sent)
	if err != nil {
		return
	}
	c.Summary.Up++
	c.Summary.Received++
	if a.Late {
		c.Summary.Late++
	}
}

// askByProcess asks one host, up to Tries times.
func (c Config) askByProcess(ctx context.Context, command string, addr netip.Addr) (asked, error) {
	a := asked{Reply: Reply{Addr: addr}}
	for try := 1; ; try++ {
		a.sent = try
		rtt, err := runPing(ctx, command, addr, c.Timeout+c.Linger)
		if err == nil {
			a.RTT, a.Try, a.Late = rtt, try, rtt > c.Timeout
			return a, nil
		}
		if try == c.Tries || !errors.Is(err, ErrNoReply) || ctx.Err() != nil {
			return a, err
		}
	}
}

// grace is what a ping command may take beyond the wait for a reply.
const grace = 5 * time.Second

// runPing runs one ping command. Status 1 says that nobody answered; any other failure is that of the command.
func runPing(ctx context.Context, command string, addr netip.Addr, wait time.Duration) (time.Duration, error) {
	bounded, cancel := context.WithTimeout(ctx, wait+grace)
	defer cancel()
	run := exec.CommandContext(bounded, command, pingArgs(runtime.GOOS, addr, wait)...)
	run.Env = []string{"LC_ALL=C"} // and nothing of ours, which may be secret
	began := time.Now()
	out, err := run.Output()
	elapsed := time.Since(began)
	var exit *exec.ExitError
	switch {
	case err == nil && runtime.GOOS == "windows" && !windowsReply.Match(out):
		return 0, ErrNoReply // it calls an unreachable a success
	case err == nil:
		return parseRTT(out, elapsed), nil
	case errors.As(err, &exit) && isSilence(runtime.GOOS, exit.ExitCode()):
		return 0, ErrNoReply
	case errors.As(err, &exit) && len(exit.Stderr) > 0:
		return 0, &SendError{Err: fmt.Errorf("%s: %q", command, firstLine(exit.Stderr))}
	}
	return 0, &SendError{Err: fmt.Errorf("%s: %w", command, err)}
}

// isSilence says that a ping command ended because nobody answered.
func isSilence(system string, status int) bool {
	return status == 1 || status == 2 && system == "darwin"
}

// pingArgs are the arguments for one request, which every system names in its own way.
func pingArgs(system string, addr netip.Addr, wait time.Duration) []string {
	millis := strconv.FormatInt(max(1, wait.Milliseconds()), 10)
	switch system {
	case "windows":
		return []string{"-n", "1", "-w", millis, addr.String()}
	case "darwin":
		return []string{"-c", "1", "-W", millis, addr.String()}
	}
	seconds := (wait + time.Second - 1) / time.Second
	return []string{"-n", "-c", "1", "-W", strconv.FormatInt(int64(max(1, seconds)), 10), addr.String()}
}

var (
	rttPattern   = regexp.MustCompile(`time[=<]\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*ms`)
	windowsReply = regexp.MustCompile(`(?i)TTL=|time[=<]`)
)

// parseRTT reads the round trip from what ping prints. An output that it cannot read is of a host that answered all the
// same, within what the command took.
func parseRTT(out []byte, elapsed time.Duration) time.Duration {
	m := rttPattern.FindSubmatch(out)
	if m == nil {
		return elapsed
	}
	ms, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return elapsed
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// firstLine is the first line of what a command complains of, cut to a length that fits into an error.
func firstLine(b []byte) []byte {
	for i, c := range b {
		if c == '\n' || i == 200 {
			return b[:i]
		}
	}
	return b
}
