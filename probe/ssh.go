package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// ssh reads the identification of an SSH server. Its RTT is that of the connection: the time to the greeting is the
// server's, which may look names up before it speaks.
type ssh struct{ base }

var _ Prober = ssh{}

func openSSH(b base, _ Options) (Prober, error) { return ssh{b}, nil }

func (p ssh) Probe(ctx context.Context, t Target) muster.Outcome { return p.ask(ctx, t, p.probe) }

func (p ssh) probe(ctx context.Context, t Target) (answer, error) {
	conn, release, rtt, err := p.connect(ctx, "tcp", t)
	if err != nil {
		return answer{rtt: rtt}, err
	}
	defer release()
	in := greetingOf(conn)
	id, err := readIdentification(in)
	if err != nil {
		return answer{rtt: rtt}, greetingError(ctx, err, t)
	}
	farewell(conn, in)
	return answer{rtt: rtt, detail: id}, nil
}

// The bounds of what comes before an identification, and of a line (RFC 4253, 4.2).
const (
	maxGreeting = 4096
	maxLine     = 255
)

// greetingOf reads what a server says by itself, up to maxGreeting.
func greetingOf(conn net.Conn) *bufio.Reader {
	return bufio.NewReaderSize(io.LimitReader(conn, maxGreeting), maxLine)
}

// errNotSSH is the error of something that speaks, but not SSH.
var errNotSSH = errors.New("that is no SSH")

// greeting is how far a server got that did not identify itself.
type greeting struct {
	said string // its first line, or the begin of it
	err  error
}

func (g *greeting) Error() string { return fmt.Sprintf("it said %s: %v", quote(g.said), g.err) }

func (g *greeting) Unwrap() error { return g.err }

// readIdentification reads up to the line that begins with SSH-. A server may say other lines before it. The error is a
// *greeting.
func readIdentification(in *bufio.Reader) (string, error) {
	said, read := "", 0
	for {
		line, err := in.ReadSlice('\n')
		read += len(line)
		text := strings.TrimRight(string(line), "\r\n")
		if said == "" {
			said = text
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull), err != nil && read == maxGreeting:
			return "", &greeting{said, errNotSSH}
		case err != nil:
			return "", &greeting{said, err}
		case strings.HasPrefix(text, "SSH-"):
			return strings.ToValidUTF8(text, "\uFFFD"), nil
		}
	}
}

// ofSSH is how SSH servers begin: the identification, and what OpenSSH says in its place to a client too many, or to one
// that came too often.
var ofSSH = []string{"SSH-", "Exceeded MaxStartups", "Not allowed at this time"}

// greetingError says what a server did instead of identifying itself.
func greetingError(ctx context.Context, err error, t Target) *failed {
	said, addr := "", t.addrPort()
	if g, ok := errors.AsType[*greeting](err); ok {
		said = g.said
	}
	late := codeOf(ctx, err) == "timeout"
	ours := slices.ContainsFunc(ofSSH, func(s string) bool { return strings.HasPrefix(said, s) })
	switch {
	case errors.Is(err, errNotSSH):
	case said == "" && late:
		return failf(muster.StageHandshake, "mute", "%s is open, but said nothing within %s", addr, t.Timeout)
	case said == "":
		return failf(muster.StageHandshake, "connection-lost", "%s closed the connection without a word", addr)
	case ours && late:
		return failf(muster.StageHandshake, "timeout", "%s did not end its greeting within %s: it said %s", addr, t.Timeout, quote(said))
	case ours:
		return failf(muster.StageHandshake, "connection-lost", "%s closed the connection: it said %s", addr, quote(said))
	}
	return failf(muster.StageHandshake, "not-ssh", "what answers on %s does not speak SSH: it said %s", addr, quote(said))
}

const identification = "SSH-2.0-muster\r\n"

// farewellTime is how long a server may take to go on after our identification.
const farewellTime = 250 * time.Millisecond

// farewell leaves an SSH server so that it makes the least of it. Measured with OpenSSH 9.2: who hangs up without having
// identified itself is an error in its log (kex_exchange_identification: Connection closed by remote host), who sends a
// disconnect two lines, who identifies itself first one of severity info. So that the reset which follows does not
// overtake it, the begin of the key exchange is waited for, with which the server shows that it has read so far. Where
// that came with the greeting, or does not come, the connection is closed in its own time instead.
func farewell(conn net.Conn, in *bufio.Reader) {
	early := in.Buffered() > 0
	_ = conn.SetDeadline(time.Now().Add(farewellTime))
	_, err := io.WriteString(conn, identification)
	if err == nil && !early {
		_, err = conn.Read(make([]byte, 1))
	}
	if err != nil || early {
		_ = conn.Close()
	}
}
