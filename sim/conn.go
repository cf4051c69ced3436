package sim

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/task"
)

// conn is one connection to one device.
type conn struct {
	fleet    *Fleet
	device   *device
	group    *task.Group // what its sessions run in
	tcp      *net.TCPConn
	nth      int64 // of the device, from 1
	began    time.Time
	rejected bool // a login was, at least once
	refused  bool // the session limit is reached
	sessions atomic.Int64
	turns    turns
}

// acceptRetry is how long a device waits when the system gives it no connection, for want of descriptors mostly.
const acceptRetry = 50 * time.Millisecond

// accept serves one device until its listener is closed.
func (f *Fleet) accept(ctx context.Context, g *task.Group, d *device) error {
	for {
		tcp, err := d.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			if wait(ctx, acceptRetry) != nil {
				return nil
			}
			continue
		}
		if !f.hold(tcp) {
			return nil
		}
		f.counts.connections.Add(1)
		c := &conn{fleet: f, device: d, group: g, tcp: tcp.(*net.TCPConn), nth: d.conns.Add(1), began: time.Now()}
		g.Go(d.name, func(ctx context.Context) error {
			defer f.release(tcp)
			c.serve(ctx)
			return nil
		})
	}
}

// serve holds the whole conversation. Whatever goes wrong ends this connection and nothing else.
func (c *conn) serve(ctx context.Context) {
	c.tcp.SetDeadline(time.Now().Add(handshakeLimit))
	switch fault := c.device.fault; {
	case fault == faultHangBanner:
		c.hang("")
	case fault == faultHangHandshake:
		c.hang(c.device.script.syntax.version + "\r\n")
	case fault == faultGarbage:
		c.hang(garbage)
	case fault == faultFlaky && c.nth == 1:
		c.reset()
	default:
		c.login(ctx)
	}
}

// garbage is what a port prints that is not SSH's: a console server's greeting and bytes that are no text.
const garbage = "\xff\xfd\x18\xff\xfd\x20\x00\x80\xfe\r\n*** console 7 of 16 *** \x1b[2J\xc3\x28\r\n\x00\x00\x01\x02HTTP/1.0 400 Bad Request\r\n\r\n"

// hang says something, or nothing, and then waits for the client to give up.
func (c *conn) hang(text string) {
	c.tcp.SetDeadline(time.Now().Add(idleLimit))
	io.WriteString(c.tcp, text)
	io.Copy(io.Discard, c.tcp)
}

// reset ends the connection with a reset instead of a polite end.
func (c *conn) reset() {
	c.tcp.SetLinger(0)
	c.tcp.Close()
}

func (c *conn) login(ctx context.Context) {
	counts := &c.fleet.counts
	sc, chans, reqs, err := ssh.NewServerConn(c.tcp, c.serverConfig(ctx))
	if err != nil {
		return
	}
	defer sc.Wait()
	defer sc.Close()
	defer counts.begin()()
	c.refused = c.device.logins.Add(1) > int64(c.fleet.config.MaxSessions) || c.device.fault == faultLimit
	defer c.device.logins.Add(-1)
	c.tcp.SetDeadline(time.Now().Add(idleLimit))
	c.channels(chans, reqs)
}

var errRejected = errors.New("rejected")

func (c *conn) serverConfig(ctx context.Context) *ssh.ServerConfig {
	check := func(user, password string) (*ssh.Permissions, error) {
		if err := wait(ctx, c.loginLatency()); err != nil {
			return nil, err
		}
		f := c.fleet.config
		if c.device.fault == faultAuth || user != f.Username || subtle.ConstantTimeCompare([]byte(password), []byte(f.Password)) == 0 {
			if !c.rejected {
				c.rejected = true
				c.fleet.counts.rejected.Add(1)
			}
			return nil, errRejected
		}
		c.fleet.counts.logins.Add(1)
		return nil, nil
	}
	s := &ssh.ServerConfig{
		ServerVersion: c.device.script.syntax.version,
		PasswordCallback: func(m ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return check(m.User(), string(password))
		},
		KeyboardInteractiveCallback: func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, errRejected
			}
			return check(m.User(), answers[0])
		},
	}
	if banner := c.render(c.device.script.banner, 0); len(banner) > 0 {
		s.BannerCallback = func(ssh.ConnMetadata) string { return string(banner) }
	}
	if c.device.fault == faultLegacy {
		s.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1}
	}
	s.AddHostKey(c.device.hostKey())
	return s
}

func (c *conn) loginLatency() time.Duration {
	if c.fleet.config.Total > 0 {
		return 0
	}
	return c.fleet.config.LoginLatency
}

// pause lets pass what the device needs for the answer of a step; -1 is a command that was not recorded.
func (c *conn) pause(ctx context.Context, step int) error {
	f, last := c.fleet.config, c.device.script.last
	if f.Total <= 0 {
		return wait(ctx, f.Latency)
	}
	if step < 0 || step > last {
		return ctx.Err()
	}
	due := c.began.Add(f.Total * time.Duration(step+1) / time.Duration(last+1))
	return wait(ctx, time.Until(due))
}

// render renders a text with the values of the device's n-th fetch.
func (c *conn) render(t text, fetch uint64) []byte {
	r := renderer{device: c.device, edits: c.device.now.Load(), fetch: fetch, where: served}
	return r.append(nil, t)
}

// maxChannels is how many sessions one connection may have at once, as in OpenSSH.
const maxChannels = 10

// channels serves what the client opens until the connection ends.
func (c *conn) channels(chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	for {
		select {
		case asked, ok := <-chans:
			if !ok {
				return
			}
			c.open(asked)
		case r, ok := <-reqs:
			if !ok {
				reqs = nil
				continue
			}
			answer(r, false)
		}
	}
}

func (c *conn) open(asked ssh.NewChannel) {
	switch {
	case asked.ChannelType() != "session":
		asked.Reject(ssh.UnknownChannelType, "only sessions")
		return
	case c.refused && c.device.script.recording.Exec:
		asked.Reject(ssh.ResourceShortage, "Too many logins for '"+c.fleet.config.Username+"'.")
		return
	case c.sessions.Load() >= maxChannels:
		asked.Reject(ssh.ResourceShortage, "open failed")
		return
	}
	ch, reqs, err := asked.Accept()
	if err != nil {
		return
	}
	c.sessions.Add(1)
	s := &session{conn: c, ch: ch}
	c.group.Go(c.device.name, func(ctx context.Context) error {
		defer c.sessions.Add(-1)
		s.requests(ctx, reqs)
		return nil
	})
}

func answer(r *ssh.Request, ok bool) {
	if r.WantReply {
		r.Reply(ok, nil)
	}
}
