package inventory

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/secret"
)

// Source is one place devices come from.
type Source interface {
	// Devices yields the devices in the order of the source, the same order each time. A row that is wrong is yielded as
	// a *RowError, and the rows after it follow; any other error is the last thing that is yielded. It reads when it is
	// iterated, stops soon after ctx ends with the cause of ctx, and no error holds a secret.
	Devices(ctx context.Context) iter.Seq2[muster.Device, error]
}

// RowError says what is wrong with one row, and where. Line and Col count from 1; 0 is unknown.
type RowError struct {
	File      string
	Line, Col int
	Err       error
}

// Error returns "file:line:column: what is wrong".
func (e *RowError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Col > 0 {
			fmt.Fprintf(&b, ":%d", e.Col)
		}
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *RowError) Unwrap() error { return e.Err }

// Spec says where a source is and how to read it.
type Spec struct {
	Type      string            // one of Sources; empty: found out by name and content
	File      string            // "-": standard input; a directory for those that say so
	Delimiter string            // oxidized, csv: what parts the columns; empty: ":" and found out
	Columns   map[string]int    // oxidized: the number of each column, from 0; nil: name, platform, username, password, enable
	Platforms map[string]string // what its names of platforms are called here, before the aliases of package platform

	URL      string                  // of a source that is asked over HTTP; without user and password
	Standby  []string                // ise: where it is asked when it does not answer at URL
	Username string                  // ise
	Password []secret.Ref            // ise; of several references the first that gives a secret, as with all of these
	Token    []secret.Ref            // netbox: its API token
	Headers  map[string][]secret.Ref // sent with each request to the host of URL, and to no other
	CAFile   string                  // PEM file of the authorities that sign the certificate, in the place of the system's
	Pin      string                  // ise: of its public key, "sha256/" and base64, or hexadecimal
	Insecure bool                    // the certificate is not verified; each reading says so
	MaxAge   time.Duration           // what it gave last is used without asking while it is younger; 0: it is asked each time
	Filter   map[string][]string     // netbox, ise: what is asked for
	Map      Mapping                 // json, netbox: what the fields are called there

	// Devices are rows that were read already as part of another file, which File names; for the type yaml.
	Devices []strict.Node
}

// place is where the source is, without what may be secret.
func (s Spec) place() string {
	if s.URL != "" {
		return shownText(s.URL)
	}
	return s.File
}

// String returns the spec as -i takes it.
func (s Spec) String() string {
	if s.Type == "" {
		return s.place()
	}
	return s.Type + ":" + s.place()
}

// ParseSpec reads what -i takes: FILE, URL, TYPE:FILE, TYPE:URL, or "-"; "ise:" alone is an ISE that the caller knows.
func ParseSpec(arg string) (Spec, error) {
	if arg == "" {
		return Spec{}, fmt.Errorf("the name of an inventory file is empty")
	}
	typ, file, ok := strings.Cut(arg, ":")
	if _, known := sources[typ]; !ok || !known {
		typ, file = "", arg
	}
	if file == "" && typ == "ise" {
		return Spec{Type: typ}, nil
	}
	if file == "" {
		return Spec{}, fmt.Errorf("%q names no file after the type", arg)
	}
	if !strings.HasPrefix(file, "http://") && !strings.HasPrefix(file, "https://") {
		return Spec{Type: typ, File: file}, nil
	}
	if _, err := parseURL(file); err != nil {
		return Spec{}, err
	}
	return Spec{Type: typ, URL: file}, nil
}

// OpenSecret returns the Source of references to a secret, of which the first that gives one wins.
type OpenSecret = func(refs ...secret.Ref) (secret.Source, error)

// Env is what sources need from outside. The zero Env works: it reads this machine's files and environment.
type Env struct {
	Keyring  *secret.Keyring // holds the named credentials, gets those that stand in files; nil: an own one
	Prompt   secret.Prompt   // for prompt: references in files
	Open     OpenSecret      // opens references to secrets; nil: a secret.Opener with Prompt
	Defaults Group           // for all devices
	Groups   map[string]Group
	Argument Settings // for devices named on the command line: --user, --legacy-crypto, --platform

	Platform  func(name string) (canonical string, ok bool) // nil: platform.Lookup
	Platforms func() []string                               // to suggest from; nil: platform.Names

	Stdin      io.Reader           // nil: os.Stdin
	Getenv     func(string) string // nil: os.Getenv
	Home       string              // empty: the user's
	SSHConfigs []string            // nil: ~/.ssh/config and /etc/ssh/ssh_config
	Note       func(*RowError)     // hears of rows left out on purpose and of warnings; nil: nobody

	// Vault decrypts what ansible-vault encrypted: data is the whole text from $ANSIBLE_VAULT on, label the vault ID in its
	// first line, empty where it has none. Its errors hold no secret. nil: what needs it says so.
	Vault func(ctx context.Context, label string, data []byte) ([]byte, error)

	// Keep is the directory that the last good answer of each source that is asked over a network is kept in, to be used
	// while the source fails; it is made when it is needed. Empty: nothing is kept.
	Keep string
	// AcceptShrunk takes less than half of what such a source gave before for the truth.
	AcceptShrunk bool

	found map[string]Group           // groups that an inventory file brought, for Inventory.Group
	ssh   func() (*sshConfig, error) // reads ssh's settings once; nil: each time
}

func (e *Env) open(refs ...secret.Ref) (secret.Source, error) {
	if e.Open != nil {
		return e.Open(refs...)
	}
	return (&secret.Opener{Prompt: e.Prompt, Getenv: e.Getenv}).Open(refs...)
}

// learn keeps a group that an inventory file brought.
func (e *Env) learn(name string, g Group) {
	if e.found != nil {
		e.found[name] = g.over(e.Defaults)
	}
}

func (e *Env) note(file string, line int, format string, args ...any) {
	if e.Note != nil {
		e.Note(&RowError{File: file, Line: line, Err: fmt.Errorf(format, args...)})
	}
}
