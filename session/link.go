package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// login is what is wanted of one SSH server.
type login struct {
	addr        string
	credentials []Credential
	keys        HostKeys
	hop         bool
}

// link is one logged-in SSH connection and those below it.
type link struct {
	addr       string
	client     *ssh.Client
	wire       *wire
	watch      *watch
	via        *link
	credential Credential
	banner     string
	print      string // fingerprint of the host key

	shared  *jumpRoute // of a Jumps; then closing is release
	release func()
}

// close ends the connection and those below it, and waits for their goroutines as far as they do not hang.
func (l *link) close() {
	for ; l != nil; l = l.via {
		if l.release != nil {
			l.release()
			return
		}
		l.watch.drop(l.wire)
		_ = l.client.Wait()
	}
}

// login connects and logs in with the credentials in turn, on a connection for each.
func (d *dialer) login(ctx context.Context, via *link, to login) (*link, error) {
	creds := to.credentials
	if len(creds) == 0 {
		creds = []Credential{DefaultCredential()}
	}
	var refusals []*Error
	for _, c := range creds {
		l, err := d.attempt(ctx, via, to, c, nil)
		if err == nil {
			return l, nil
		}
		refused, ok := errors.AsType[*Error](err)
		if !ok || !nextCredential(refused.Code) {
			return nil, err
		}
		refusals = append(refusals, refused)
	}
	return nil, refusedAll(refusals)
}

// nextCredential says whether another credential may do better.
func nextCredential(code string) bool {
	switch code {
	case "auth-rejected", "no-auth-method", "locked-out", "secret-missing":
		return true
	}
	return false
}

// refusedAll joins the refusals: the gravest code leads, every credential is named.
func refusedAll(refusals []*Error) *Error {
	if len(refusals) == 1 {
		return refusals[0]
	}
	lead := refusals[0]
	for _, code := range []string{"no-auth-method", "locked-out", "secret-missing", "auth-rejected"} {
		for _, r := range refusals {
			if r.Code == code {
				lead = r
			}
		}
	}
	texts := make([]string, len(refusals))
	for i, r := range refusals {
		texts[i] = r.Err.Error()
	}
	return &Error{Stage: lead.Stage, Code: lead.Code, Hint: lead.Hint, Err: errors.New(strings.Join(texts, "; "))}
}

// attempt makes one connection and one login. A permit of the guard that was got for an earlier connection is used up.
func (d *dialer) attempt(ctx context.Context, via *link, to login, c Credential, p *permit) (*link, error) {
	conn, err := d.connect(ctx, via, to.addr)
	if err != nil {
		return nil, err
	}
	w := newWire(conn)
	d.watch.add(w)
	a := &auth{dialer: d, ctx: ctx, to: to, cred: c, permit: p}
	l, err := a.handshake(w)
	if err == nil {
		l.via = via
		return l, nil
	}
	d.watch.drop(w)
	if a.worthAnother(err) {
		return d.attempt(ctx, via, to, c, a.permit)
	}
	e := d.failed(ctx, asError(err, d.watch.at(), "connection-lost"))
	a.permit.settle(a.counted(e))
	return nil, e
}

// handshake speaks SSH on a fresh connection until the server has accepted the credential.
func (a *auth) handshake(w *wire) (*link, error) {
	d := a.dialer
	w.heard = func() {
		d.watch.done(printable(w.version, maxQuote))
		d.watch.step(stageHandshake, d.limits.Handshake)
	}
	d.watch.step(stageBanner, d.limits.Banner)
	keys, err := a.hostKeys()
	if err != nil {
		return nil, err
	}
	algos := offer(d.cfg.LegacyCrypto, keys.Algorithms(a.to.addr))
	a.wire = w
	conn, chans, reqs, err := ssh.NewClientConn(w, a.to.addr, &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: algos.KeyExchanges, Ciphers: algos.Ciphers, MACs: algos.MACs},
		HostKeyAlgorithms: algos.HostKeys,
		User:              a.user(),
		ClientVersion:     "SSH-2.0-muster",
		HostKeyCallback:   func(_ string, remote net.Addr, key ssh.PublicKey) error { return a.checkKey(keys, remote, key) },
		BannerCallback:    a.hearBanner,
		AuthCallback:      a.next,
	})
	a.closeAgent()
	if err != nil {
		return nil, a.explain(err)
	}
	d.watch.done(a.cred.label() + strings.TrimSuffix(" "+a.method, " "))
	a.permit.settle("")
	d.watch.rest()
	return &link{addr: a.to.addr, client: ssh.NewClient(conn, chans, reqs), wire: w, watch: d.watch, credential: a.cred,
		banner: a.banner, print: a.print}, nil
}

func (a *auth) hostKeys() (HostKeys, error) {
	if a.to.keys != nil {
		return a.to.keys, nil
	}
	if a.dialer.cfg.HostKeys != nil {
		return a.dialer.cfg.HostKeys, nil
	}
	keys, err := defaultHostKeys()
	if err != nil {
		return nil, asError(err, stageHostKey, "hostkey-unknown")
	}
	return keys, nil
}

// checkKey runs in x/crypto's key exchange.
func (a *auth) checkKey(keys HostKeys, remote net.Addr, key ssh.PublicKey) error {
	d := a.dialer
	d.watch.done("keys exchanged")
	d.watch.step(stageHostKey, d.limits.Handshake)
	print := ssh.FingerprintSHA256(key)
	if err := keys.Check(a.to.addr, remote, key); err != nil {
		return a.give(asError(err, stageHostKey, "hostkey-changed"))
	}
	d.watch.done(print)
	d.watch.step(stageAuth, d.limits.Auth)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.print, a.started = print, true
	return nil
}

// explain turns x/crypto's error into ours.
func (a *auth) explain(err error) error {
	d := a.dialer
	if why := d.watch.err(); why != nil {
		return why
	}
	a.mu.Lock()
	verdict, started := a.verdict, a.started
	a.mu.Unlock()
	if verdict != nil {
		return verdict
	}
	if e := noCommon(err); e != nil {
		return e
	}
	if other, ok := errors.AsType[*errNotSSH](err); ok {
		return &Error{Stage: stageHandshake, Code: "not-ssh", Err: other}
	}
	text := strings.TrimPrefix(err.Error(), "ssh: handshake failed: ")
	if strings.Contains(text, "overflow reading version string") {
		return failf(stageHandshake, "not-ssh", "what answers sent too long a line instead of an SSH banner")
	}
	if started {
		return a.refusal(text, err)
	}
	if lost, ok := errors.AsType[*errLost](err); ok {
		return &Error{Stage: stageHandshake, Code: "connection-lost", Err: fmt.Errorf("%s before the handshake was finished", printable(lostText(err, lost), maxQuote))}
	}
	return failf(stageHandshake, "connection-lost", "the handshake broke off: %s", printable(text, maxQuote))
}

func lostText(err error, lost *errLost) string {
	text := err.Error()
	if i := strings.Index(text, lost.Error()); i >= 0 {
		return text[i:]
	}
	return lost.Error()
}

// info collects what is known of the connection.
func (l *link) info() Info {
	algos := ssh.NegotiatedAlgorithms{}
	if c, ok := l.client.Conn.(ssh.AlgorithmsConnMetadata); ok {
		algos = c.Algorithms()
	}
	i := Info{
		Remote: l.wire.RemoteAddr().String(), ServerVersion: printable(string(l.client.ServerVersion()), maxQuote),
		Kex: algos.KeyExchange, HostKey: algos.HostKey, Cipher: algos.Read.Cipher, MAC: algos.Read.MAC,
		Fingerprint: l.print, Credential: l.credential.label(), Banner: l.banner,
	}
	i.Weak = weakOf(i.Kex, i.HostKey, i.Cipher, i.MAC)
	return i
}
