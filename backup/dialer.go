package backup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/session"
)

// Dialer opens conversations with devices: it joins a device of the inventory, its credentials, its platform and the
// rules of the fleet into what package session needs. It is safe for concurrent use once its fields are set.
type Dialer struct {
	Keyring  *secret.Keyring
	Defaults []string                                                      // credentials of devices that name none
	Jump     func(ctx context.Context, name string) (muster.Device, error) // finds a jump host, in the inventory or as ssh would
	HostKeys session.HostKeys
	Guard    session.Guard // nil: none
	Limits   session.Limits
	Login    func(took time.Duration, refused bool)                                   // hears how each login went; nil: nobody
	Trace    func(dev muster.Device, stage string, took time.Duration, detail string) // hears each stage; nil: nobody

	keys keyFiles
}

// Open logs in to a device, as the platform it has or the one that is detected. The error is a *muster.Failure.
func (d *Dialer) Open(ctx context.Context, dev muster.Device) (*platform.Conn, error) {
	conn, err := d.open(ctx, dev)
	if err != nil {
		return nil, Failure(dev, err)
	}
	return conn, nil
}

func (d *Dialer) open(ctx context.Context, dev muster.Device) (*platform.Conn, error) {
	login := &loginClock{tell: d.Login}
	addr, c, o, err := d.Config(ctx, dev)
	if err != nil {
		return nil, err
	}
	c.Trace = login.trace(c.Trace)
	def, err := d.platform(ctx, dev, addr, c, o)
	if err != nil {
		login.failed(err)
		return nil, err
	}
	c.Mask = def.Mask
	conn, err := def.Open(ctx, addr, c, o)
	if err != nil {
		login.failed(err)
		return nil, err
	}
	return conn, nil
}

// platform returns the definition of the device's platform, detecting it where the inventory does not say.
func (d *Dialer) platform(ctx context.Context, dev muster.Device, addr string, c session.Config, o platform.Options) (*platform.Def, error) {
	if dev.Platform == "" {
		return platform.Detect(ctx, addr, c, o)
	}
	def, ok := platform.Lookup(dev.Platform)
	if !ok {
		return nil, &session.Error{Stage: string(muster.StagePrompt), Code: "platform-unknown", Err: fmt.Errorf("there is no platform %q", dev.Platform)}
	}
	return def, nil
}

// Config returns what it takes to talk to a device: the address to dial and the session's and platform's parameters.
func (d *Dialer) Config(ctx context.Context, dev muster.Device) (addr string, c session.Config, o platform.Options, err error) {
	c = session.Config{
		Transport: dev.Transport, HostKeys: d.HostKeys, Guard: d.Guard, Limits: d.limits(ctx),
		LegacyCrypto: dev.LegacyCrypto, Mask: platform.MaskAny,
	}
	if d.Trace != nil {
		c.Trace = func(stage string, took time.Duration, detail string) { d.Trace(dev, stage, took, detail) }
	}
	creds := d.credentials(dev)
	if c.Credentials, err = d.logins(ctx, creds, dev.Username); err != nil {
		return "", c, o, err
	}
	for _, hop := range dev.Jump {
		h, err := d.hop(ctx, hop, dev)
		if err != nil {
			return "", c, o, err
		}
		c.Jump = append(c.Jump, h)
	}
	for _, cred := range creds {
		if cred.Enable != nil {
			o.Enable = reveal(cred.Enable)
			break
		}
	}
	return Address(dev), c, o, nil
}

// What a session takes for its limits where it is told none: a device in all, and a command of that.
const (
	usualTotal   = 5 * time.Minute
	commandShare = 5
)

// limits gives a session as much time as its device has. Where that is more than usual, a command has its share of it:
// who says that a device is slow means its commands.
func (d *Dialer) limits(ctx context.Context) session.Limits {
	l := d.Limits
	end, ok := ctx.Deadline()
	left := time.Until(end)
	if !ok || left <= usualTotal {
		return l
	}
	if l.Total == 0 {
		l.Total = left + time.Second // the caller's deadline comes first: it says whose time is over
	}
	if l.Command == 0 {
		l.Command = left / commandShare
	}
	return l
}

// Address is where a device is dialled: host:port with the port of its transport where it names none.
func Address(dev muster.Device) string {
	port := dev.Port
	switch {
	case port != 0:
	case dev.Transport == "telnet":
		port = 23
	default:
		port = 22
	}
	return net.JoinHostPort(dev.Address, strconv.Itoa(port))
}

// credentials returns the credentials of a device in the order they are tried.
func (d *Dialer) credentials(dev muster.Device) []secret.Credential {
	names := dev.Credentials
	if len(names) == 0 {
		names = d.Defaults
	}
	var creds []secret.Credential
	for _, name := range names {
		if c, ok := d.Keyring.Get(name); ok {
			creds = append(creds, c)
		}
	}
	return creds
}

// logins turns credentials into what a session offers. Without any, the agent and ssh's own keys are offered.
func (d *Dialer) logins(ctx context.Context, creds []secret.Credential, username string) ([]session.Credential, error) {
	if len(creds) == 0 {
		own := session.DefaultCredential()
		if username != "" {
			own.User = username
		}
		return []session.Credential{own}, nil
	}
	var logins []session.Credential
	for _, c := range creds {
		if c.Password == nil && len(c.Keys) == 0 && !c.Agent {
			c.Password = d.password()
		}
		l := session.Credential{Name: c.Name, ID: d.Keyring.ID(ctx, c, username), User: c.Username, Agent: c.Agent}
		if l.User == "" {
			l.User = username
		}
		if c.Password != nil {
			l.Password = reveal(c.Password)
		}
		if len(c.Keys) > 0 {
			l.Keys = d.keys.signers(c)
		}
		if l.Password == nil && l.Keys == nil && !l.Agent {
			own := session.DefaultCredential()
			l.Agent, l.Keys = own.Agent, own.Keys
		}
		logins = append(logins, l)
	}
	return logins, nil
}

// password is that of the credentials of devices that name none, for a device whose own says nothing of the login. nil: there is none.
func (d *Dialer) password() secret.Source {
	for _, name := range d.Defaults {
		if c, ok := d.Keyring.Get(name); ok && c.Password != nil {
			return c.Password
		}
	}
	return nil
}

// hop resolves one jump host. It logs in with its own credentials, or with the device's where it has none.
func (d *Dialer) hop(ctx context.Context, name string, dev muster.Device) (session.Hop, error) {
	via, err := d.Jump(ctx, name)
	if err != nil {
		return session.Hop{}, fmt.Errorf("jump host %q: %w", name, err)
	}
	if len(via.Credentials) == 0 {
		via.Credentials = dev.Credentials
	}
	if via.Username == "" {
		via.Username = dev.Username
	}
	logins, err := d.logins(ctx, d.credentials(via), via.Username)
	return session.Hop{Address: Address(via), Credentials: logins}, err
}

func reveal(src secret.Source) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		s, err := src.Secret(ctx)
		if err != nil {
			return "", err
		}
		return s.Reveal(), nil
	}
}

// Failure gives an error of a conversation the one shape of failures.
func Failure(dev muster.Device, err error) *muster.Failure {
	if f, ok := errors.AsType[*muster.Failure](err); ok {
		return f
	}
	f := &muster.Failure{Device: dev.Name, Stage: muster.StageCommand, Code: "internal", Err: err}
	if e, ok := errors.AsType[*session.Error](err); ok {
		f.Stage, f.Code, f.Err, f.Hint, f.Transcript = muster.Stage(e.Stage), e.Code, e.Err, e.Hint, e.Transcript
	}
	if f.Hint == "" {
		if c, ok := muster.LookupCode(f.Code); ok {
			f.Hint = strings.ReplaceAll(c.Try, "DEVICE", dev.Name)
		}
	}
	return f
}
