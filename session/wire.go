package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
)

// Bounds for what a server may send before its version line, and for the offer that follows it.
const (
	maxPreamble = 8 << 10
	maxOffer    = 16 << 10
)

// wire is the connection below SSH. It looks at the first bytes that arrive: whether they are SSH at all, when the
// version line is there, and what algorithms the server offers; from then on it only passes bytes through.
type wire struct {
	net.Conn
	heard func() // called when the version line is complete
	lost  atomic.Bool

	greeting bool
	pending  []byte // read from the connection, not yet handed on
	preamble []byte // what came until the version line
	version  string
	offer    []byte // the server's first packets in clear, until its key-exchange offer is complete
	offered  atomic.Bool
}

func newWire(c net.Conn) *wire {
	return &wire{Conn: c, greeting: true}
}

// errNotSSH is what answers being something else.
type errNotSSH struct{ said string }

func (e *errNotSSH) Error() string { return e.said }

// errLost is the end of a connection, however it came.
type errLost struct{ err error }

func (e *errLost) Error() string {
	if errors.Is(e.err, io.EOF) {
		return "the device closed the connection"
	}
	return e.err.Error()
}

func (e *errLost) Unwrap() error { return e.err }

// Read is the only reader's: x/crypto reads from one goroutine at a time.
func (w *wire) Read(p []byte) (int, error) {
	if w.greeting {
		return w.greet(p)
	}
	if len(w.pending) > 0 {
		n := copy(p, w.pending)
		w.pending = w.pending[n:]
		if len(w.pending) == 0 {
			w.pending = nil
		}
		return n, nil
	}
	n, err := w.Conn.Read(p)
	if n > 0 && !w.offered.Load() {
		w.sniff(p[:n])
	}
	if err != nil {
		err = w.end(err)
	}
	return n, err
}

// Write passes on. As long as the server's offer is not there, a connection that takes nothing more is no error yet: what the
// server said before it went away explains more, and the reader, who finds it, meets the end of the connection next.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil && !w.offered.Load() {
		return len(p), nil
	}
	return n, err
}

func (w *wire) end(err error) error {
	w.lost.Store(true)
	return &errLost{err}
}

// greet hands on the bytes up to the version line one by one, as x/crypto asks for them.
func (w *wire) greet(p []byte) (int, error) {
	if len(w.pending) == 0 {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	p[0] = w.pending[0]
	w.pending = w.pending[1:]
	w.preamble = append(w.preamble, p[0])
	if p[0] != '\n' {
		return 1, nil
	}
	line := w.preamble[bytes.LastIndexByte(w.preamble[:len(w.preamble)-1], '\n')+1:]
	if !bytes.HasPrefix(line, []byte("SSH-")) {
		return 1, nil
	}
	if err := w.greeted(string(bytes.TrimRight(line, "\r\n"))); err != nil {
		return 0, err
	}
	return 1, nil
}

func (w *wire) greeted(version string) error {
	w.version, w.greeting, w.preamble = version, false, nil
	if !strings.HasPrefix(version, "SSH-2.0-") && !strings.HasPrefix(version, "SSH-1.99-") {
		return &errNotSSH{"speaks only another version of SSH: " + quote(version)}
	}
	w.heard()
	w.sniff(w.pending)
	return nil
}

// fill reads more of the greeting and gives up as soon as it cannot become one.
func (w *wire) fill() error {
	buf := make([]byte, 2048)
	n, err := w.Conn.Read(buf)
	w.pending = buf[:n]
	seen := append(bytes.Clone(w.preamble), w.pending...)
	if notSSH(seen) {
		return &errNotSSH{"what answers sent: " + quote(string(seen[:min(len(seen), maxQuote)]))}
	}
	if n > 0 {
		return nil
	}
	err = w.end(err)
	if said := bytes.TrimSpace(seen); len(said) > 0 {
		return fmt.Errorf("%w after %s", err, quote(string(said)))
	}
	return err
}

// foreign are first words of other protocols that wait for an answer.
var foreign = []string{"HTTP/", "<html", "<!DOCTYPE", "220 ", "220-", "421 ", "554 ", "+OK", "* OK", "RFB ", "AMQP", "-ERR"}

// notSSH judges what came before any version line: RFC 4253 allows lines of text there.
func notSSH(seen []byte) bool {
	if i := bytes.Index(seen, []byte("SSH-")); i == 0 || i > 0 && seen[i-1] == '\n' {
		return false
	}
	if len(seen) > maxPreamble {
		return true
	}
	for _, f := range foreign {
		if len(seen) >= len(f) && strings.EqualFold(string(seen[:len(f)]), f) {
			return true
		}
	}
	return bytes.ContainsFunc(seen, func(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' && r != '\r' && r != 0x1b }) ||
		bytes.IndexByte(seen, 0xff) >= 0
}

// sniff keeps the server's key-exchange offer, its first packet, sent in clear.
func (w *wire) sniff(b []byte) {
	w.offer = append(w.offer, b...)
	if len(w.offer) < 6 {
		return
	}
	size := int(binary.BigEndian.Uint32(w.offer)) + 4
	if size > maxOffer || size < 6+17 || w.offer[5] != 20 {
		w.offer = nil
		w.offered.Store(true)
		return
	}
	if len(w.offer) >= size {
		w.offer = bytes.Clone(w.offer[6+16 : size]) // without message number and cookie
		w.offered.Store(true)
	}
}

// Offer is what a server says it can do.
type Offer struct {
	KeyExchanges, HostKeys, Ciphers, MACs []string
}

// parseOffer reads the name lists of a key-exchange offer; a broken one gives what could be read.
func parseOffer(b []byte) Offer {
	var lists [6][]string
	for i := range lists {
		if len(b) < 4 {
			break
		}
		n := int(binary.BigEndian.Uint32(b))
		if b = b[4:]; n < 0 || n > len(b) {
			break
		}
		for name := range strings.SplitSeq(string(b[:n]), ",") {
			if name != "" {
				lists[i] = append(lists[i], printable(name, 80))
			}
		}
		b = b[n:]
	}
	return Offer{KeyExchanges: lists[0], HostKeys: lists[1], Ciphers: lists[3], MACs: lists[5]}
}
