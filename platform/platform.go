// Package platform knows what each network operating system looks like at its command line: one YAML definition and
// some recordings an OS, and one driver that reads them all.
package platform

import (
	"context"

	"github.com/musternet/muster/session"
)

// Def is one platform definition, read from defs/<name>.yaml.
type Def struct {
	Name string // canonical: cisco_ios
}

// Lookup returns the definition of a platform by its canonical name or by any alias (Netmiko, Oxidized, Ansible, NAPALM,
// scrapli and NetBox names); case, '-' and '_' do not matter.
func Lookup(name string) (*Def, bool) { return nil, false }

// Names returns the canonical names, sorted.
func Names() []string { return nil }

// Aliases returns the other names of a platform, sorted.
func (d *Def) Aliases() []string { return nil }

// Options are what a conversation needs beside the session's own Config.
type Options struct {
	Enable func(context.Context) (string, error) // the enable secret; nil: none. Not asked for where the login is privileged already
}

// Conn is a session with a device whose platform is known: privileged, paging off, errors of the device recognised.
type Conn struct {
	Def     *Def
	Session *session.Session
}

// Open dials addr as the platform wants it (exec or shell, prompts, pagers), gets to the privileged mode and switches
// paging off. The error is a *session.Error.
func (d *Def) Open(ctx context.Context, addr string, c session.Config, o Options) (*Conn, error) {
	return nil, nil
}

// Run runs one command. An answer that matches an error pattern of the platform is a *session.Error command-rejected,
// returned together with the Output.
func (c *Conn) Run(ctx context.Context, cmd string) (session.Output, error) {
	return session.Output{}, nil
}

// Config runs the commands that make the configuration and returns it whole, or a *session.Error (truncated, empty,
// command-rejected, ...).
func (c *Conn) Config(ctx context.Context) (Config, error) { return Config{}, nil }

// Close ends the session politely.
func (c *Conn) Close() error { return nil }

// Config is what a device's configuration commands gave: LF lines, volatile lines removed, complete.
type Config struct {
	Text                             []byte
	Hostname, Model, Version, Serial string // empty where unknown
}

// Clean removes what is not configuration from a complete output: volatile lines, headers, CR, trailing blanks.
func (d *Def) Clean(raw []byte) []byte { return nil }

// Mask replaces the secrets of a configuration or of any other output by "<secret>"; lines and everything else stay.
func (d *Def) Mask(text []byte) []byte { return nil }

// Hash is as Mask, but each secret becomes "<secret:xxxxxxxxxxxx>", a keyed hash of it.
func (d *Def) Hash(text, key []byte) []byte { return nil }

// MaskAny masks what any platform calls a secret, for text whose platform is not known.
func MaskAny(text []byte) []byte { return nil }

// Section returns the section headers that line i of a configuration stands under, outermost first; nil at top level.
func (d *Def) Section(lines []string, i int) []string { return nil }

// Detect logs in, looks at banner, prompt and the answers to a few harmless commands, and says which platform it is;
// *session.Error with code platform-unknown where none fits.
func Detect(ctx context.Context, addr string, c session.Config, o Options) (*Def, error) {
	return nil, nil
}

// Record talks to a device and returns the conversation as a Recording, with secrets masked.
func Record(ctx context.Context, addr string, d *Def, c session.Config, o Options) (*Recording, error) {
	return nil, nil
}
