// Package session holds one CLI conversation with one device over SSH or telnet: dial, jump hosts, host keys, login,
// prompts, pagers, limits. It knows nothing of the product around it.
package session

import (
	"context"
	"fmt"
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
	LegacyCrypto bool         // append weak algorithms to the offer
	Shell        *Shell       // nil: every command is an exec request of its own; else one interactive shell
	Limits       Limits
	Guard        Guard                                                                // nil: no guard
	Mask         func([]byte) []byte                                                  // applied to transcripts; nil: only what was sent as a secret is masked
	Dialer       func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer
	Stderr       func(line string)                                                    // hears what the server says besides (its banner); nil: dropped
	Trace        func(stage string, elapsed time.Duration, detail string)             // hears each stage as it ends well; nil: nobody
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

// Info is what is known of a session after its login.
type Info struct {
	Remote                    string   // address and port
	ServerVersion             string   // "SSH-2.0-OpenSSH_9.2p1"
	Kex, HostKey, Cipher, MAC string   // as negotiated; MAC empty with an AEAD cipher
	Fingerprint               string   // of the host key, SHA256:...
	Weak                      []string // those of the four that are weak
	Credential                string   // name of the one that was accepted
	Banner                    string   // the server's authentication banner
	Motd                      string   // what came between login and first prompt
	Prompt                    string   // as learnt; empty with exec
}

// Error is how a session fails: the stage it was in, a stable code, the cause in words. Stage and Code are the words
// of the product's failure table.
type Error struct {
	Stage      string
	Code       string
	Err        error
	Hint       string // what to try where the code's own advice is not enough
	Transcript []byte // the end of the conversation, masked
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Stage, e.Code, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Session is one logged-in conversation. It is for one goroutine at a time.
type Session struct{}

// Dial connects to addr (host or host:port), verifies the host key and logs in; with a Shell it returns at the first
// prompt. The error is an *Error.
func Dial(ctx context.Context, addr string, c Config) (*Session, error) { return nil, nil }

// With dials, calls f and closes the session whatever happens.
func With(ctx context.Context, addr string, c Config, f func(ctx context.Context, s *Session) error) error {
	return nil
}

// Run runs one command and returns what it printed.
func (s *Session) Run(ctx context.Context, cmd string) (Output, error) { return Output{}, nil }

// Do runs one command with all its particulars.
func (s *Session) Do(ctx context.Context, c Command) (Output, error) { return Output{}, nil }

// Info returns what is known of the session.
func (s *Session) Info() Info { return Info{} }

// Transcript returns the end of the conversation so far, masked.
func (s *Session) Transcript() []byte { return nil }

// Close ends the session politely within a second and frees everything. It is safe to call twice.
func (s *Session) Close() error { return nil }

// OpenKnownHosts reads known_hosts files; the first is where new keys are appended if acceptNew is set (trust on first
// use), which creates it with mode 0600.
func OpenKnownHosts(acceptNew bool, files ...string) (HostKeys, error) { return nil, nil }
