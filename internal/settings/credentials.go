package settings

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// Credential is one way to log in. Its secrets are references; of several the first that gives one wins.
type Credential struct {
	Username   string   `yaml:"username" doc:"login name; absent: the device's"`
	Password   []Ref    `yaml:"password" doc:"reference: env:NAME, file:/path, exec:command, prompt:text, age:/path#key, vault:mount/path#field or ansible-vault:/path#key; of several the first that gives a secret"`
	Enable     []Ref    `yaml:"enable" doc:"reference to the secret of the privileged mode, or several"`
	Keys       []string `yaml:"keys" doc:"private key files"`
	Passphrase []Ref    `yaml:"passphrase" doc:"reference to the passphrase of the key files, or several"`
	Agent      bool     `yaml:"agent" doc:"offer the keys of the SSH agent too"`
}

// Ref is a reference to a secret; what is none is refused when it is read.
type Ref secret.Ref

// UnmarshalText takes a reference. Its error never quotes the text: that may be a password.
func (r *Ref) UnmarshalText(text []byte) error {
	err := secret.Ref(text).Check()
	if errors.Is(err, secret.ErrNotRef) {
		return inventory.ErrLiteral
	}
	if err != nil {
		return err
	}
	*r = Ref(text)
	return nil
}

// open opens references; without any there is no Source.
func open(o *secret.Opener, refs []Ref) (secret.Source, error) {
	var all []secret.Ref
	for _, ref := range refs {
		if ref != "" {
			all = append(all, secret.Ref(ref))
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return o.Open(all...)
}

// Opener returns what opens references to secrets as the settings say: the same one each time, so that no secret is read twice
// and none asked for twice. prompt asks for those of prompt: references and for passphrases; nil: they fail when they are
// needed. Nothing is read yet.
func (s *Settings) Opener(prompt secret.Prompt) (*secret.Opener, error) {
	if s.opener == nil {
		o, err := s.newOpener(prompt)
		if err != nil {
			return nil, err
		}
		s.opener = o
	}
	return s.opener, nil
}

// newOpener makes an Opener step by step: what opens one kind of references may come from those of the kinds before it.
func (s *Settings) newOpener(prompt secret.Prompt) (*secret.Opener, error) {
	from := s.Secrets
	o := &secret.Opener{Prompt: prompt, Life: time.Duration(from.Cache), Getenv: s.options.Getenv, Log: s.options.Log}
	o.Age.Identities = from.Age.Identities
	o.Vault = secret.Vault{Address: from.Vault.Address, Namespace: from.Vault.Namespace, CAFile: from.Vault.CAFile, Mount: from.Vault.Mount}
	for _, one := range []struct {
		name string
		refs []Ref
		to   *secret.Source
	}{
		{"age.passphrase", from.Age.Passphrase, &o.Age.Passphrase},
		{"vault.role_id", from.Vault.RoleID, &o.Vault.RoleID},
		{"vault.secret_id", from.Vault.SecretID, &o.Vault.SecretID},
		{"vault.token", from.Vault.Token, &o.Vault.Token},
	} {
		var err error
		if *one.to, err = open(o, one.refs); err != nil {
			return nil, fmt.Errorf("secrets.%s: %w", one.name, err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(from.AnsibleVault)) {
		password, err := open(o, from.AnsibleVault[id])
		if err != nil {
			return nil, fmt.Errorf("secrets.ansible_vault.%s: %w", id, err)
		}
		if password == nil {
			continue
		}
		if o.AnsibleVault == nil {
			o.AnsibleVault = map[string]secret.Source{}
		}
		o.AnsibleVault[id] = password
	}
	return o, nil
}

// Keyring returns the credentials of the settings. No secret is read yet. prompt is that of Opener.
func (s *Settings) Keyring(prompt secret.Prompt) (*secret.Keyring, error) {
	o, err := s.Opener(prompt)
	if err != nil {
		return nil, err
	}
	return s.keyring(o)
}

func (s *Settings) keyring(o *secret.Opener) (*secret.Keyring, error) {
	ring := &secret.Keyring{}
	for _, name := range slices.Sorted(maps.Keys(s.Credentials)) {
		c := s.Credentials[name]
		out := secret.Credential{Name: name, Username: c.Username, Agent: c.Agent}
		for _, path := range c.Keys {
			out.Keys = append(out.Keys, s.path(path))
		}
		for _, one := range []struct {
			refs []Ref
			to   *secret.Source
		}{{c.Password, &out.Password}, {c.Enable, &out.Enable}, {c.Passphrase, &out.Passphrase}} {
			src, err := open(o, one.refs)
			if err != nil {
				return nil, fmt.Errorf("credential %s: %w", name, err)
			}
			*one.to = src
		}
		ring.Add(out)
	}
	return ring, nil
}

// secrets gives the sources of devices what they need to open references and Ansible's encrypted files.
func (s *Settings) secrets(env *inventory.Env, prompt secret.Prompt) {
	o, err := s.Opener(prompt)
	if err != nil { // references were checked when they were read
		env.Open = func(...secret.Ref) (secret.Source, error) { return nil, err }
		env.Vault = func(context.Context, string, []byte) ([]byte, error) { return nil, err }
		return
	}
	env.Open = o.Open
	env.Vault = func(ctx context.Context, _ string, text []byte) ([]byte, error) {
		return o.DecryptAnsibleVault(ctx, text)
	}
}
