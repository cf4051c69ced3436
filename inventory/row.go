package inventory

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/secret"
)

// Row is one row of any source, before groups and defaults have completed it.
type Row struct {
	Name    string `yaml:"name" doc:"unique; the name of the device's history"`
	Address string `yaml:"address" doc:"host name or IP address; absent: the name"`
	Group   string `yaml:"group" doc:"absent: default"`
	Settings
	Password string `yaml:"password" doc:"a reference such as env:NAME; or, with a warning, the password itself"`
	Enable   string `yaml:"enable" doc:"as password, for the privileged mode"`

	keys       []string // private key files
	passphrase string   // of the key files
	noAgent    bool
	trusted    bool // stands in the settings themselves: may run commands for its secrets, may not hold them
	foreign    bool // is another tool's, or another machine's: its secrets are never references
}

// fieldError is an error of one field, so that its column can be found.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// device checks a row, completes it and puts its secrets into the keyring. Errors are *fieldError.
func (e *Env) device(row Row, origin string) (muster.Device, error) {
	if err := row.names(); err != nil {
		return muster.Device{}, err
	}
	if e.Keyring == nil {
		e.Keyring = &secret.Keyring{}
	}
	own := row.Credentials
	s := row.Settings.over(e.group(row.Group).Settings)
	dev := muster.Device{
		Name: row.Name, Address: row.Address, Group: row.Group, Origin: origin,
		Port: s.Port, Transport: s.Transport, Username: s.Username, Tags: s.Tags, Secrets: s.Secrets,
		LegacyCrypto: s.LegacyCrypto != nil && *s.LegacyCrypto,
	}
	if err := e.complete(&dev, s); err != nil {
		return muster.Device{}, err
	}
	if err := behindItself(&dev, row.Parents != nil); err != nil {
		return muster.Device{}, err
	}
	if err := e.credentials(&dev, row, own, s.Credentials); err != nil {
		return muster.Device{}, err
	}
	return dev, nil
}

// names settles name, address, port and group.
func (row *Row) names() error {
	row.Name, row.Address, row.Group = strings.TrimSpace(row.Name), strings.TrimSpace(row.Address), strings.TrimSpace(row.Group)
	given := row.Address
	if given == "" {
		given = row.Name
	}
	if given == "" {
		return &fieldError{"name", errors.New("the row has neither a name nor an address")}
	}
	host, port, err := splitPort(given)
	if err != nil {
		return &fieldError{"address", err}
	}
	if err := checkAddress(host); err != nil && (row.Address != "" || CheckName(row.Name) == nil) {
		return &fieldError{"address", err}
	}
	row.Address = host
	if row.Port == 0 {
		row.Port = port
	}
	if row.Name == "" {
		row.Name = host
		if row.Port != 0 && row.Port != 22 { // several devices may be behind one address
			row.Name = target{host: host, port: row.Port}.name()
		}
	}
	if err := CheckName(row.Name); err != nil {
		return &fieldError{"name", err}
	}
	if row.Group != "" {
		if err := CheckGroup(row.Group); err != nil {
			return &fieldError{"group", err}
		}
	}
	return nil
}

// complete checks what is the same for a device's own settings and those it inherits.
func (e *Env) complete(dev *muster.Device, s Settings) (err error) {
	if dev.Port < 0 || dev.Port > 65535 {
		return &fieldError{"port", errors.New("the port must be a number from 1 to 65535")}
	}
	if dev.Transport != "" && dev.Transport != "ssh" && dev.Transport != "telnet" {
		return &fieldError{"transport", fmt.Errorf("unknown transport %q: there are ssh and telnet", dev.Transport)}
	}
	switch dev.Secrets {
	case "", muster.SecretsKeep, muster.SecretsMask, muster.SecretsHash:
	default:
		return &fieldError{"secrets", fmt.Errorf("unknown way to store secrets %q: there are keep, mask and hash", dev.Secrets)}
	}
	if dev.Platform, err = e.canonical(s.Platform); err != nil {
		return &fieldError{"platform", err}
	}
	if dev.Jump, err = checkHops(s.Jump); err != nil {
		return &fieldError{"jump", err}
	}
	if dev.Parents, err = checkParents(s.Parents); err != nil {
		return &fieldError{"parents", err}
	}
	for key := range dev.Tags {
		if key == "" || strings.ContainsAny(key, "=!,") {
			return &fieldError{"tags", fmt.Errorf("%q cannot be the name of a tag", key)}
		}
	}
	if dev.Username == "" {
		dev.Username = e.getenv("MUSTER_USERNAME")
	}
	if err := checkUser(dev.Username); err != nil {
		return &fieldError{"username", err}
	}
	return nil
}

// CheckSettings says what is wrong with the settings of a group or the defaults, and in which field. Names of credentials
// are not looked at.
func (e *Env) CheckSettings(s Settings) (field string, err error) {
	dev := muster.Device{Port: s.Port, Transport: s.Transport, Username: s.Username, Tags: s.Tags, Secrets: s.Secrets}
	var at *fieldError
	if err := e.complete(&dev, s); errors.As(err, &at) {
		return at.field, at.err
	}
	return "", nil
}

// canonical returns the canonical name of a platform; "" stays "".
func (e *Env) canonical(name string) (string, error) {
	if name = strings.TrimSpace(name); name == "" {
		return "", nil
	}
	lookup, names := e.Platform, e.Platforms
	if lookup == nil {
		lookup = lookupPlatform
	}
	if names == nil {
		names = platform.Names
	}
	if c, ok := lookup(name); ok {
		return c, nil
	}
	return "", fmt.Errorf("unknown platform %q%s (all: muster list platforms)", name, strict.Hint(name, names()))
}

func lookupPlatform(name string) (string, bool) {
	def, ok := platform.Lookup(name)
	if !ok {
		return "", false
	}
	return def.Name, true
}

func (e *Env) getenv(name string) string {
	if e.Getenv != nil {
		return e.Getenv(name)
	}
	return os.Getenv(name)
}

// secretVariable says that a variable of the environment is for secrets by its name. Whoever may write an inventory must not
// make it the name or the address of a device, which are shown and looked up.
func secretVariable(name string) bool {
	return secretField.MatchString(name) || name == "MUSTER_ENABLE"
}

// errShown refuses such a variable.
func errShown(name string) error {
	return fmt.Errorf("the environment variable %s is a secret by its name: here it would be shown", name)
}

func (e *Env) home() string {
	if e.Home != "" {
		return e.Home
	}
	home, _ := os.UserHomeDir()
	return home
}

// credentials settles how to log in: a credential of the device's own where the row brings a password or keys, else those
// it names or inherits, with its own enable secret where it brings that, else that of the environment. One without password
// and keys says nothing about the login: the agent and ssh's default identity files are tried.
func (e *Env) credentials(dev *muster.Device, row Row, own, inherited []string) error {
	for _, name := range inherited {
		if _, ok := e.Keyring.Get(name); !ok {
			return &fieldError{"credentials", fmt.Errorf("no credential is named %q%s", name, strict.Hint(name, e.named()))}
		}
	}
	password, err := e.secret(row, "password", row.Password)
	if err != nil {
		return err
	}
	enable, err := e.secret(row, "enable", row.Enable)
	if err != nil {
		return err
	}
	if password == nil && enable == nil && row.keys == nil {
		dev.Credentials = slices.Clone(inherited)
		if len(inherited) == 0 {
			dev.Credentials = e.fromEnviron()
		}
		return nil
	}
	if password == nil && row.keys == nil && len(inherited) > 0 {
		dev.Credentials = e.withEnable(dev.Name, inherited, enable)
		return nil
	}
	c := secret.Credential{Name: "device/" + dev.Name, Password: password, Enable: enable, Keys: row.keys, Agent: row.keys != nil && !row.noAgent}
	if row.passphrase != "" {
		c.Passphrase = secret.Literal(secret.New(row.passphrase))
	}
	if c.Password == nil {
		c.Password = e.environ("MUSTER_PASSWORD")
	}
	if c.Enable == nil {
		c.Enable = e.environ("MUSTER_ENABLE")
	}
	e.Keyring.Add(c)
	dev.Credentials = append([]string{c.Name}, own...)
	return nil
}

// withEnable returns credentials as those of a device that brings the secret of its privileged mode alone: it logs in by what
// others say.
func (e *Env) withEnable(device string, names []string, enable secret.Source) []string {
	var own []string
	for i, name := range names {
		c, _ := e.Keyring.Get(name) // that it is there was looked at
		c.Name, c.Enable = "device/"+device, enable
		if i > 0 {
			c.Name += "/" + name
		}
		e.Keyring.Add(c)
		own = append(own, c.Name)
	}
	return own
}

// named are the credentials that a row can name: not those that rows bring themselves.
func (e *Env) named() []string {
	return slices.DeleteFunc(slices.Clone(e.Keyring.Names()), func(name string) bool {
		return name == EnvCredential || strings.HasPrefix(name, "device/")
	})
}

// secret opens what stands in a row as a secret: a reference, or else the secret itself. exec: is for the settings: who
// may write a list of devices may not thereby run commands here. What another tool wrote is the secret itself, and what
// another machine sent may not name a file of this one: its password would be sent to an address of that machine's choice.
func (e *Env) secret(row Row, field, text string) (secret.Source, error) {
	if text == "" {
		return nil, nil
	}
	if row.foreign {
		return secret.Literal(secret.New(text)), nil
	}
	src, err := e.open(secret.Ref(text))
	switch {
	case errors.Is(err, secret.ErrNotRef) && row.trusted:
		return nil, &fieldError{field, ErrLiteral}
	case errors.Is(err, secret.ErrNotRef):
		return secret.Literal(secret.New(text)), nil
	case err != nil:
		return nil, &fieldError{field, err}
	case secret.Ref(text).Scheme() == "exec" && !row.trusted:
		return nil, &fieldError{field, errors.New("exec: is for the credentials of muster.yaml only; name such a credential here")}
	}
	return src, nil
}

func (e *Env) environ(name string) secret.Source {
	if v := e.getenv(name); v != "" {
		return secret.Literal(secret.New(v))
	}
	return nil
}

// EnvCredential is the name of the credential that MUSTER_PASSWORD and MUSTER_ENABLE make.
const EnvCredential = "env"

// fromEnviron returns the credential of the environment, for devices that have none.
func (e *Env) fromEnviron() []string {
	password, enable := e.environ("MUSTER_PASSWORD"), e.environ("MUSTER_ENABLE")
	if password == nil && enable == nil {
		return nil
	}
	if _, ok := e.Keyring.Get(EnvCredential); !ok {
		e.Keyring.Add(secret.Credential{Name: EnvCredential, Password: password, Enable: enable})
	}
	return []string{EnvCredential}
}
