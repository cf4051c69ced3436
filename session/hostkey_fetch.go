package session

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"
)

// FetchHostKey asks addr for its host key, over the Config's jump hosts, without logging in. The key is the one that
// a Dial with the same Config would be shown; it is not checked against any record.
func FetchHostKey(ctx context.Context, addr string, c Config) (ssh.PublicKey, error) {
	grab := &keyGrabber{known: c.HostKeys}
	return grab.fetch(ctx, addr, c)
}

// errGrabbed breaks off the handshake once the key is there.
var errGrabbed = &Error{Stage: stageHostKey, Code: "hostkey-unknown", Err: errors.New("only the key was wanted")}

type keyGrabber struct {
	known HostKeys
	key   ssh.PublicKey
}

// Algorithms prefers the types on record, so that the answer compares with them.
func (g *keyGrabber) Algorithms(addr string) []string {
	if g.known == nil {
		return nil
	}
	return g.known.Algorithms(addr)
}

func (g *keyGrabber) Check(_ string, _ net.Addr, key ssh.PublicKey) error {
	g.key = key
	return errGrabbed
}

// fetch dials as a session would and stops at the key.
func (g *keyGrabber) fetch(ctx context.Context, addr string, c Config) (ssh.PublicKey, error) {
	s := newSession(addr, c)
	defer s.Close()
	defer s.watch.bind(ctx)()
	s.target.keys = g
	s.target.credentials = []Credential{{Name: "none"}}
	via, err := s.dialer.route(ctx)
	if err == nil {
		_, err = s.dialer.login(ctx, via, s.target)
		via.close()
	}
	if g.key == nil {
		return nil, s.masked(err)
	}
	return g.key, nil
}
