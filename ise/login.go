package ise

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/musternet/muster/task"
)

// rejectedFor is how long a password that ISE rejected is not sent again: ISE locks accounts, and a client that asks eight
// questions at once would use up all its tries with one wrong password.
const rejectedFor = time.Minute

// login holds the credentials. Until ISE has accepted them one request at a time is sent.
type login struct {
	user  string
	ask   func(context.Context) (string, error)
	alone *task.Semaphore

	mu       sync.Mutex
	password Secret // empty: not asked for yet
	accepted bool
	rejected Secret // a password, and when it was rejected
	at       time.Time
}

// errStillRejected is the reason of a request that is not sent because its password was rejected a moment ago.
var errStillRejected = fmt.Errorf("%w; a rejected password is not sent again for a minute, because ISE locks accounts", ErrUnauthorized)

// errPassword is the reason of a request for which there is no password.
var errPassword = errors.New("password")

// begin returns the password for a request. done is called with the status of the answer, 0 without one.
func (l *login) begin(ctx context.Context) (password string, done func(status int), err error) {
	if password, ok := l.known(); ok {
		return password, func(status int) { l.judge(password, status) }, nil
	}
	if err := l.alone.Acquire(ctx, 1); err != nil {
		return "", nil, err
	}
	if password, ok := l.known(); ok { // somebody else found out meanwhile
		l.alone.Release(1)
		return password, func(status int) { l.judge(password, status) }, nil
	}
	if password, err = l.fetch(ctx); err != nil {
		l.alone.Release(1)
		return "", nil, err
	}
	return password, func(status int) {
		l.judge(password, status)
		l.alone.Release(1)
	}, nil
}

// known returns a password that ISE has accepted.
func (l *login) known() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.password.Reveal(), l.accepted
}

// holds says whether the password is still the one to send.
func (l *login) holds(password string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return password == l.password.Reveal()
}

// fetch asks for the password, unless that was done and it was not rejected since.
func (l *login) fetch(ctx context.Context) (string, error) {
	l.mu.Lock()
	password := l.password.Reveal()
	l.mu.Unlock()
	if password == "" {
		var err error
		if password, err = l.ask(ctx); err != nil {
			if ctx.Err() != nil {
				return "", ended(ctx)
			}
			return "", fmt.Errorf("%w: %w", errPassword, err)
		}
		if password == "" {
			return "", fmt.Errorf("%w: it is empty", errPassword)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if password == l.rejected.Reveal() && time.Since(l.at) < rejectedFor {
		return "", errStillRejected
	}
	l.password = NewSecret(password)
	return password, nil
}

// judge learns from an answer. An error of a gateway says nothing about the password.
func (l *login) judge(password string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case password != l.password.Reveal():
	case status == http.StatusUnauthorized:
		l.accepted, l.password, l.rejected, l.at = false, Secret{}, NewSecret(password), time.Now()
	case status >= 200 && status < 300:
		l.accepted, l.rejected = true, Secret{}
	}
}

// secrets returns what must not be found in any text.
func (l *login) secrets(password string) []string {
	return []string{password, base64.StdEncoding.EncodeToString([]byte(l.user + ":" + password))}
}
