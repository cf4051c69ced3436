package ise

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/musternet/muster/task"
)

const (
	csrfHeader = "X-CSRF-Token"
	csrfPath   = "/ers/config/endpoint/versioninfo" // any GET gives a token; this one is small
	csrfIdle   = 50 * time.Second                   // ISE forgets a token after 60 s without use
)

// csrf holds the tokens that changes carry where ISE wants them. That it does is learnt from the first change it refuses.
type csrf struct {
	fetching *task.Semaphore // one fetch at a time

	mu     sync.Mutex
	tokens map[*node]token // of the nodes that want one
}

type token struct {
	text string
	used time.Time
}

// fresh returns the token for a node and notes its use; wanted says whether the node wants one at all.
func (c *csrf) fresh(n *node) (text string, wanted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, wanted := c.tokens[n]
	if !wanted || time.Since(t.used) > csrfIdle {
		return "", wanted
	}
	c.tokens[n] = token{t.text, time.Now()}
	return t.text, true
}

func (c *csrf) keep(n *node, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[n] = token{text, time.Now()}
}

// protect gives a change the token that its node wants, and fetches a new one where there is none that ISE still knows.
func (c *Client) protect(ctx context.Context, n *node, r *request) (text string, err error) {
	if r.method == http.MethodGet {
		return "", nil
	}
	text, wanted := c.csrf.fresh(n)
	if !wanted || text != "" {
		return text, nil
	}
	return c.fetchToken(ctx, n, "")
}

// fetchToken asks a node for a token and keeps it: none, and nothing is kept, where CSRF checks are switched off. Who comes
// because stale was refused does not ask when somebody else has got another one meanwhile.
func (c *Client) fetchToken(ctx context.Context, n *node, stale string) (string, error) {
	if err := c.csrf.fetching.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer c.csrf.fetching.Release(1)
	if text, _ := c.csrf.fresh(n); text != "" && text != stale {
		return text, nil
	}
	fetch := &request{op: "fetch a CSRF token", method: http.MethodGet, path: csrfPath, token: "fetch"}
	a, err := c.send(ctx, n, fetch)
	if err != nil {
		err.sent = false // the change is what matters, and was not made
		return "", err
	}
	text := a.header.Get(csrfHeader)
	if text != "" {
		c.csrf.keep(n, text)
	}
	return text, nil
}
