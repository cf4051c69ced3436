package syslog

import (
	"crypto/tls"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The defaults of a Config, and where messages are expected unless something else is said.
const (
	DefaultMaxMessage = 64 << 10
	DefaultBuffer     = 64 << 20
	DefaultQueue      = 64 << 20
	DefaultMaxConns   = 10_000
	Port              = 514  // of UDP, and by custom of TCP (RFC 5426)
	PortTLS           = 6514 // RFC 5425
)

// Config says where and how to listen. Its zero value listens nowhere; each list takes addresses as net.Listen does, or a port
// alone.
type Config struct {
	UDP  []string
	TCP  []string
	TLS  []string
	Unix []string // paths of datagram sockets, as /dev/log is one
	// TLSConfig has the certificate, and ClientCAs and ClientAuth where clients have to show theirs. TLS needs it.
	TLSConfig *tls.Config

	Location   *time.Location // of time stamps without a zone; nil: UTC
	MaxMessage int            // in bytes: of a longer message the beginning is taken; 0: DefaultMaxMessage
	// Sockets is among how many sockets the kernel spreads the senders of a UDP address, on Linux; 0: one a processor, at most 4.
	Sockets int
	// Buffer is how many bytes the kernel should hold for each UDP socket. Root gets them whatever the machine allows to others;
	// Note hears when it got less. 0: DefaultBuffer.
	Buffer int
	// Queue is how many bytes wait at most for the loop that takes the messages. When they do, nothing more is read: UDP then
	// fills the kernel's buffer, whose drops are counted, and TCP makes its senders wait. 0: DefaultQueue.
	Queue    int
	MaxConns int          // connections at a time, a further one is closed and counted; 0: DefaultMaxConns
	Note     func(string) // hears, while Listen works, what a person may want to mend; nil: nobody does
}

func (c Config) withDefaults() Config {
	set := func(n *int, fallback int) {
		if *n <= 0 {
			*n = fallback
		}
	}
	set(&c.MaxMessage, DefaultMaxMessage)
	set(&c.Buffer, DefaultBuffer)
	set(&c.Queue, DefaultQueue)
	set(&c.MaxConns, DefaultMaxConns)
	set(&c.Sockets, min(runtime.NumCPU(), 4))
	if c.Note == nil {
		c.Note = func(string) {}
	}
	return c
}

// hostPort makes an address of what may be a port alone.
func hostPort(text string) string {
	text = strings.TrimSpace(text)
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return ":" + text
	}
	return text
}
