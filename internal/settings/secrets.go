package settings

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/secret"
)

// Secrets says how references to secrets are opened that need more than themselves.
type Secrets struct {
	Cache        Span             `yaml:"cache" doc:"how long a secret that was read is kept in memory; absent: 1h, or less where Vault's lease is shorter"`
	Age          Age              `yaml:"age" doc:"for age: references"`
	Vault        Vault            `yaml:"vault" doc:"for vault: references, to HashiCorp Vault"`
	AnsibleVault map[string][]Ref `yaml:"ansible_vault" doc:"references to the passwords of ansible-vault, by vault id; for ansible-vault: references and for Ansible's inventories; absent: ANSIBLE_VAULT_PASSWORD_FILE"`
}

// Age says by what age: references are opened.
type Age struct {
	Identities []string `yaml:"identities" doc:"files of age identities or SSH private keys, readable by their owner alone"`
	Passphrase []Ref    `yaml:"passphrase" doc:"reference to the passphrase of what one locks, or several; absent: it is asked for"`
}

// Vault says how HashiCorp Vault is reached, and how one logs in to it.
type Vault struct {
	Address   string `yaml:"address" doc:"such as https://vault.example.net:8200; absent: VAULT_ADDR"`
	Namespace string `yaml:"namespace" doc:"of Vault Enterprise; absent: VAULT_NAMESPACE"`
	CAFile    string `yaml:"ca_file" doc:"the authorities of its certificate, in PEM; absent: VAULT_CACERT, then the system's"`
	Token     []Ref  `yaml:"token" doc:"reference to a token; absent, and without role_id: VAULT_TOKEN, then ~/.vault-token"`
	RoleID    []Ref  `yaml:"role_id" doc:"reference to the role ID of AppRole, in the place of a token"`
	SecretID  []Ref  `yaml:"secret_id" doc:"reference to the secret ID of AppRole"`
	Mount     string `yaml:"approle_mount" doc:"where AppRole is mounted; absent: approle"`
}

// checkSecrets finds what is well formed and does not go together.
func (s *Settings) checkSecrets() Problems {
	var p Problems
	root := s.root.Get("secrets")
	v, n := s.Secrets.Vault, root.Get("vault")
	if v.Address != "" {
		if err := secret.CheckVaultAddress(v.Address); err != nil {
			p = append(p, n.Get("address").Problem("%v", err))
		}
	}
	if len(v.Token) > 0 && len(v.RoleID) > 0 {
		p = append(p, n.Get("token").Problem("one logs in to Vault by a token or by role_id: keep one of them"))
	}
	if len(v.RoleID) == 0 {
		for _, key := range []string{"secret_id", "approle_mount"} {
			if n.Get(key).Present() {
				p = append(p, n.Get(key).Problem("%s is part of AppRole: add role_id", key))
			}
		}
	}
	p = append(p, unneeded(root.Get("age").Get("passphrase"), s.Secrets.Age.Passphrase, "age", "vault", "ansible-vault")...)
	for key, refs := range map[string][]Ref{"token": v.Token, "role_id": v.RoleID, "secret_id": v.SecretID} {
		p = append(p, unneeded(n.Get(key), refs, "vault", "ansible-vault")...)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Secrets.AnsibleVault)) {
		p = append(p, unneeded(root.Get("ansible_vault").Get(id), s.Secrets.AnsibleVault[id], "ansible-vault")...)
	}
	return p
}

// unneeded reports references that would need themselves to be opened: age comes first, then vault, then ansible-vault.
func unneeded(n strict.Node, refs []Ref, schemes ...string) Problems {
	var p Problems
	for i, ref := range refs {
		at := n
		if items := n.Items(); i < len(items) {
			at = items[i]
		}
		if scheme := secret.Ref(ref).Scheme(); slices.Contains(schemes, scheme) {
			p = append(p, at.Problem("it cannot come from %s:, which may need it: use env:, file:, exec: or prompt:", scheme))
		}
	}
	return p
}

// secretPaths are the paths among the settings of secrets.
func (s *Settings) secretPaths() {
	s.Secrets.Vault.CAFile = s.path(s.Secrets.Vault.CAFile)
	for i, path := range s.Secrets.Age.Identities {
		s.Secrets.Age.Identities[i] = s.path(path)
	}
}

// secretOverrides are the environment variables that come before the settings of secrets. Those of Vault's own command,
// VAULT_ADDR and the like, come after them: they are read by package secret.
var secretOverrides = []override{
	{"MUSTER_AGE_IDENTITY", func(s *Settings, v string) error {
		s.Secrets.Age.Identities = filepath.SplitList(v)
		return nil
	}},
	{"MUSTER_VAULT_ADDRESS", func(s *Settings, v string) error {
		s.Secrets.Vault.Address = v
		return secret.CheckVaultAddress(v)
	}},
	{"MUSTER_VAULT_CA_FILE", func(s *Settings, v string) error { s.Secrets.Vault.CAFile = v; return nil }},
	{"MUSTER_VAULT_NAMESPACE", func(s *Settings, v string) error { s.Secrets.Vault.Namespace = v; return nil }},
}
