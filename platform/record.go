package platform

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster/session"
)

// Record talks to a device and returns the conversation as a Recording, with secrets masked. So are, where they are
// known, the names that point to one device: its host name, its serial number and the address it was reached at. Look it
// over before you give it away: other addresses and names stay.
func Record(ctx context.Context, addr string, d *Def, c session.Config, o Options) (*Recording, error) {
	r := &Recording{Platform: d.Name, Exec: d.file.Mode == "exec" && c.Transport != "telnet"}
	asked := false
	if enable := o.Enable; enable != nil {
		o.Enable = func(ctx context.Context) (string, error) {
			asked = true
			return enable(ctx)
		}
	}
	prompt := ""
	conn, err := d.open(ctx, addr, c, o, func(c *Conn, cmd session.Command, out session.Output) {
		s := Step{Send: cmd.Text, Output: out.Text, Stderr: out.Stderr, Exit: max(out.ExitStatus, 0)}
		if asked {
			s.Ask, asked = "Password: ", false
		}
		if now := c.Session.Info().Prompt; now != cmp.Or(prompt, c.first) {
			s.Prompt, prompt = now, now
		}
		r.Steps = append(r.Steps, s)
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	cfg := Config{}
	if d.HasConfig() {
		if cfg, err = conn.Config(ctx); err != nil {
			return nil, err
		}
	}
	r.describe(conn, cfg)
	newDisguise(addr, conn, cfg).apply(r)
	r.learn(d, cfg)
	return r, nil
}

// describe fills the header.
func (r *Recording) describe(conn *Conn, cfg Config) {
	info := conn.Session.Info()
	r.Hardware, r.Version, r.Host = cfg.Model, cfg.Version, cfg.Hostname
	r.Origin = strings.TrimSpace(fmt.Sprintf("recorded from %s %s", conn.Def.Title(), cfg.Version))
	r.Banner, r.Motd, r.Prompt = info.Banner, info.Motd, conn.first
	if !r.Exec {
		r.Steps = append(r.Steps, Step{Send: "exit", Closes: true})
	}
}

// learn notes what is wanted of the recording, from the disguised texts.
func (r *Recording) learn(d *Def, cfg Config) {
	for _, s := range r.Steps {
		for _, a := range d.file.Config {
			if s.Send == a.Command || slices.Contains(a.Or, s.Send) {
				r.Want.Config += string(d.Clean([]byte(s.Output)))
			}
		}
	}
	r.Want.Masked = string(d.Mask([]byte(r.Want.Config)))
	r.Want.Hostname, r.Want.Model, r.Want.Version = r.Host, cfg.Model, cfg.Version
	if cfg.Serial != "" {
		r.Want.Serial = disguised
	}
}

// disguised stands where a serial number was.
const disguised = "SERIAL0000"

// disguise replaces what identifies a device.
type disguise struct {
	def   *Def
	names []disguisedName
}

type disguisedName struct {
	match *regexp.Regexp
	by    string
}

func newDisguise(addr string, conn *Conn, cfg Config) disguise {
	d := disguise{def: conn.Def}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	d.replace(host, "192.0.2.1")
	d.replace(cfg.Serial, disguised)
	d.replace(cfg.Hostname, "device1")
	return d
}

// replace has a name replaced where it stands as a word of its own.
func (d *disguise) replace(name, by string) {
	if name != "" {
		d.names = append(d.names, disguisedName{regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`), by})
	}
}

func (d disguise) text(s string) string {
	s = string(d.def.Mask([]byte(s)))
	for _, n := range d.names {
		s = n.match.ReplaceAllLiteralString(s, n.by)
	}
	return s
}

func (d disguise) apply(r *Recording) {
	r.Host, r.Banner, r.Motd, r.Prompt = d.text(r.Host), d.text(r.Banner), d.text(r.Motd), d.text(r.Prompt)
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Output, s.Stderr, s.Prompt = d.text(s.Output), d.text(s.Stderr), d.text(s.Prompt)
	}
}
