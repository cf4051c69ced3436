package session

import (
	"context"
	"net"
	"regexp"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config says how to reach a device, log in and talk. The zero Config is safe and useful: SSH as the current user with
// the agent and ssh's default identity files, strict host keys from ~/.ssh/known_hosts, one exec request a command.
type Config struct {
	Transport    string       // "ssh" (also when empty) or "telnet"
	Credentials  []Credential // tried in order, one connection each; none: agent and default identity files
	HostKeys     HostKeys     // nil: ~/.ssh/known_hosts, strict
	Jump         []Hop        // dialled in this order before the device
	Jumps        *Jumps       // shares the connections to jump hosts between sessions; nil: each session has its own
	LegacyCrypto bool         // append weak algorithms to the offer
	Shell        *Shell       // nil: every command is an exec request of its own; else one interactive shell
	Limits       Limits
	Guard        Guard                                                                // nil: no guard
	Mask         func([]byte) []byte                                                  // applied to transcripts; nil: only what was sent as a secret is masked
	Dialer       func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer
	Stderr       func(line string)                                                    // hears what the server says besides (its banner); nil: dropped
	Trace        func(stage string, elapsed time.Duration, detail string)             // hears each stage as it ends well, "banner" beside those of an Error; nil: nobody
}

// Credential is one way to log in. All its methods (keys, agent, keyboard-interactive, password) are offered in one
// login. Secrets are functions, read when they are needed and never printed.
type Credential struct {
	Name     string                                      // shown in errors and traces; never secret
	ID       string                                      // what a Guard counts by; empty: Name
	User     string                                      // empty: the current user
	Password func(context.Context) (string, error)       // nil: none
	Keys     func(context.Context) ([]ssh.Signer, error) // nil: none
	Agent    bool                                        // offer the keys of the agent at $SSH_AUTH_SOCK
}

// Guard keeps a wrong credential from locking out an account all over a fleet.
type Guard interface {
	// Acquire is called after the host key was verified and before the first login method of a credential is tried
	// on a device. It may wait until enough is known about the credential; the time is not counted to any step.
	// done must be called once with the outcome: accepted, rejected, or neither (the connection broke).
	Acquire(ctx context.Context, credential, device string) (done func(AuthOutcome), err error)
}

// AuthOutcome is what a device said to a credential.
type AuthOutcome int

// The outcomes.
const (
	AuthUnknown  AuthOutcome = iota // the connection broke before there was an answer
	AuthAccepted                    // logged in
	AuthRejected                    // refused
)

// Hop is one jump host.
type Hop struct {
	Address     string // host:port
	Credentials []Credential
	HostKeys    HostKeys // nil: the Config's
}

// HostKeys decides about host keys. known_hosts files are read and appended by OpenKnownHosts.
type HostKeys interface {
	// Algorithms returns the host-key algorithms to offer first for addr, those of the keys on record; none: any.
	Algorithms(addr string) []string
	// Check returns nil if key is right for addr, recording it where that is the policy; else an *Error with Stage
	// "hostkey" whose text names both fingerprints.
	Check(addr string, remote net.Addr, key ssh.PublicKey) error
}

// Shell says what an interactive conversation looks like. The zero Shell learns the prompt at login and answers the
// usual pagers.
type Shell struct {
	Prompt  *regexp.Regexp // matched against the last line only; a group named "host" is compared with the prompt learnt at login; nil: learnt
	Pagers  []Pager        // nil: the usual ones
	Login   []Reply        // questions that may come before the first prompt ("Press any key to continue")
	Newline string         // ends a command; empty: "\n"
	Term    string         // empty: "vt100"
	Width   int            // of the terminal; 0: 511
	Height  int            // 0: 24 (many devices take 0 for "no pager" and some break on it)
}

// Pager is a question in mid-output that wants a key and is wiped from the text.
type Pager struct {
	Match  *regexp.Regexp // against the last line
	Answer string         // the keys; usually a space
}

// Reply answers a question of the device.
type Reply struct {
	Match  *regexp.Regexp                        // against the last line
	Answer func(context.Context) (string, error) // the line to send, without newline
	Hidden bool                                  // the answer is a secret: it is not echoed and never in the transcript
	Raw    bool                                  // send the answer without a newline
	Fail   *Error                                // instead of answering, end the command with this error

	once bool // give the answer once only, as a hidden one
}

// Command is one command with what may happen while it runs.
type Command struct {
	Text     string
	Replies  []Reply
	Prompt   *regexp.Regexp // instead of the shell's, for a command that changes the prompt; nil: the shell's
	Timeout  time.Duration  // 0: Limits.Command
	MaxBytes int64          // 0: Limits.CommandBytes
	Stdin    string         // exec only: what the command reads
}

// Output is what a command printed: LF lines, without echo, prompt, pagers and terminal control.
type Output struct {
	Text       string
	Stderr     string // exec only
	ExitStatus int    // exec only; -1 in a shell, and where the server sent none
}

// Limits bound every wait and every buffer. Zero values take the defaults.
type Limits struct {
	Resolve, Connect, Banner, Handshake, Auth, Prompt time.Duration // 10 s each
	Command                                           time.Duration // 60 s
	Total                                             time.Duration // the whole session; 5 min
	CommandBytes                                      int64         // 64 MiB
	SessionBytes                                      int64         // 256 MiB
}

// withDefaults fills what the caller left at zero.
func (l Limits) withDefaults() Limits {
	for _, d := range []*time.Duration{&l.Resolve, &l.Connect, &l.Banner, &l.Handshake, &l.Auth, &l.Prompt} {
		*d = orElse(*d, 10*time.Second)
	}
	l.Command = orElse(l.Command, time.Minute)
	l.Total = orElse(l.Total, 5*time.Minute)
	l.CommandBytes = orElse(l.CommandBytes, 64<<20)
	l.SessionBytes = orElse(l.SessionBytes, 256<<20)
	return l
}

func orElse[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
