package ise

import (
	"log/slog"
	"time"
)

// SetRetries changes how often a client tries again, and has it wait little in between.
func SetRetries(c *Client, retries int) {
	c.retries, c.backoff = retries, backoff{time.Millisecond, time.Millisecond}
}

// The parsers, for the fuzz tests.
var (
	ReadSaid      = func(body []byte) (title, code string) { s := readSaid(body, nil); return s.title, s.code }
	ReadEndpoints = readEndpoints
	IDIn          = idIn
	Clip          = clip
	Redact        = redact
)

// ReadPage reads a page of endpoints.
func ReadPage(body []byte) (items []Endpoint, total, next int, err error) {
	p, err := readPage[Endpoint](body, 1)
	return p.items, p.total, p.next, err
}

// Unwrap takes an endpoint out of its key.
func Unwrap(body []byte) ([]byte, error) {
	_, raw, err := unwrap(body, "ERSEndPoint")
	return raw, err
}

// SetLog changes the log.
func SetLog(c *Client, log *slog.Logger) { c.log = log }
