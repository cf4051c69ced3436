//go:build e2e && linux

package e2e

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/sim"
)

// vaults are the passwords that a site's vaults have, by vault id; "" is that without one.
type vaults struct {
	dir      string
	password map[string]string
}

func newVaults(t *testing.T) *vaults {
	t.Helper()
	v := &vaults{t.TempDir(), map[string]string{}}
	for id, file := range map[string]string{"": "plain", "prod": "prod", "dev": "dev.sh", "lost": "lost"} {
		v.password[id] = "Vx" + rand.Text()
		text, mode := v.password[id]+"\n", fs.FileMode(0o600)
		if id == "dev" { // a program that prints it
			text, mode = "#!/bin/sh\necho "+v.password[id]+"\n", 0o700
		}
		if err := os.WriteFile(filepath.Join(v.dir, file), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// file returns where the password of an id is.
func (v *vaults) file(id string) string {
	return filepath.Join(v.dir, map[string]string{"": "plain", "prod": "prod", "dev": "dev.sh", "lost": "lost"}[id])
}

// flags are those of Ansible that name all of them.
func (v *vaults) flags() []string {
	return []string{"--vault-id", v.file(""), "--vault-id", "prod@" + v.file("prod"), "--vault-id", "dev@" + v.file("dev")}
}

// settings are those of muster that name all of them.
func (v *vaults) settings() string {
	return fmt.Sprintf("secrets:\n  ansible_vault: {default: \"file:%s\", prod: \"file:%s\", dev: \"exec:%s\"}\n", v.file(""), v.file("prod"), v.file("dev"))
}

func (v *vaults) passwords() []string {
	var all []string
	for _, p := range v.password {
		all = append(all, p)
	}
	return all
}

// flag names the password of one id.
func (v *vaults) flag(id string) string {
	if id == "" {
		return "--vault-password-file=" + v.file(id)
	}
	return "--vault-id=" + id + "@" + v.file(id)
}

// encrypt encrypts a file where it is.
func (v *vaults) encrypt(t *testing.T, s *site, id, path string) {
	t.Helper()
	s.ansible(t, "ansible-vault", "encrypt", v.flag(id), path)
}

// string encrypts one value, as YAML.
func (v *vaults) string(t *testing.T, s *site, id, name, text string) string {
	t.Helper()
	args := []string{"encrypt_string", v.flag(id), "--name", name, text}
	if id != "" {
		args = append(args, "--encrypt-vault-id", id)
	}
	out, _ := s.ansible(t, "ansible-vault", args...)
	return strings.TrimRight(out, "\n")
}

// nowhere fails the test where a run printed one of the texts, or one is in a file of the data directory.
func (s *site) nowhere(t *testing.T, a answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.stdout+a.stderr, text) {
			t.Error("a secret was printed")
		}
	}
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, text := range texts {
			if strings.Contains(string(data), text) {
				t.Errorf("a secret is in %s", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// bare lists a simulated fleet without any password: the settings say how to log in.
func (s *site) bare(t *testing.T, fleet *sim.Fleet) {
	t.Helper()
	var rows []row
	for _, r := range rowsOf(fleet) {
		r.user, r.password, r.enable = "", "", ""
		rows = append(rows, r)
	}
	s.inventory(t, rows...)
}

// login backs up the fleet, which devices.csv lists, with a credential of these references.
func (s *site) login(t *testing.T, password, enable, rest string) answer {
	t.Helper()
	config := s.write(t, "muster.yaml", fmt.Sprintf(`inventory: [{type: csv, file: devices.csv}]
defaults: {credentials: [lab]}
credentials:
  lab:
    username: admin
    password: %s
    enable: %s
%s`, password, enable, rest))
	return s.muster(t, "--config", config, "backup", "-o", "ndjson", "-q", "-v")
}

// loggedIn fails the test unless every device was backed up.
func (s *site) loggedIn(t *testing.T, fleet *sim.Fleet, a answer) {
	t.Helper()
	got := outcomes(t, a.stdout)
	for _, d := range fleet.Devices() {
		if o := got[d.Name]; o.Status != "new" {
			t.Errorf("%s: %s, want new: %s", d.Name, o.word(), o.Error)
		}
	}
	if a.code != 0 {
		t.Errorf("exit %d, want 0\n%s", a.code, a.stderr)
	}
}

func TestWhatAnsibleVaultEncryptedLogsIn(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}})
	s, v := newSite(t), newVaults(t)
	dir := s.tree(t, "vault", map[string]string{
		"set.yml":    fmt.Sprintf("vault_password: %s\nsite: {ams: {enable: %q}}\n", the.sec.password, the.sec.level),
		"one":        the.sec.password + "\n",
		"labelled":   the.sec.password,
		"env":        "# of the lab\nPASSWORD='" + the.sec.password + "'\nexport ENABLE=" + the.sec.level + "\n",
		"inline.yml": "plain: yes\n" + v.string(t, s, "dev", "password", the.sec.password) + "\n" + v.string(t, s, "", "enable", the.sec.level) + "\n",
	})
	for name, id := range map[string]string{"set.yml": "", "one": "", "labelled": "prod", "env": "dev"} {
		v.encrypt(t, s, id, filepath.Join(dir, name))
	}
	value := strings.TrimPrefix(strings.ReplaceAll(v.string(t, s, "", "x", the.sec.password), "\n          ", "\n      "), "x: ")
	ref := func(rest string) string { return "ansible-vault:" + dir + "/" + rest }
	for name, c := range map[string]struct{ password, enable, rest string }{
		"a set of secrets":               {ref("set.yml#vault_password"), ref("set.yml#site.ams.enable"), v.settings()},
		"a file that is the secret":      {ref("one"), ref("set.yml#site.ams.enable"), v.settings()},
		"a vault id":                     {ref("labelled"), ref("set.yml#site.ams.enable"), v.settings()},
		"lines of an environment":        {ref("env#PASSWORD"), ref("env#ENABLE"), v.settings()},
		"values in a file in clear text": {ref("inline.yml#password"), ref("inline.yml#enable"), v.settings()},
		"a value in the settings":        {value, ref("inline.yml#enable"), v.settings()},
		"the file of Ansible's variable": {ref("one"), ref("set.yml#site.ams.enable"), ""},
		"the first of several that is there": {"[env:NO_SUCH_VARIABLE, \"file:/no/such/file\", \"" + ref("none.yml#x") + "\", \"" + ref("set.yml#no.such.key") + "\", \"" + ref("set.yml#vault_password") + "\"]",
			ref("inline.yml#enable"), v.settings()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t).set("ANSIBLE_VAULT_PASSWORD_FILE", v.file(""))
			s.bare(t, fleet)
			a := s.login(t, c.password, c.enable, c.rest)
			s.loggedIn(t, fleet, a)
			s.nowhere(t, a, v.passwords()...)
			if told := strings.Contains(a.stderr, "a reference failed and a later one was used"); told != strings.HasPrefix(c.password, "[") {
				t.Errorf("told of references that failed: %t\n%s", told, a.stderr)
			}
		})
	}
}

func TestAVaultThatDoesNotOpenTriesNoLogin(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}})
	s, v := newSite(t), newVaults(t)
	dir := s.tree(t, "vault", map[string]string{"lost": the.sec.password, "set.yml": "a: " + the.sec.password + "\nb: c\n", "clear.yml": "a: " + the.sec.password + "\n", "cut": the.sec.password})
	v.encrypt(t, s, "lost", filepath.Join(dir, "lost"))
	v.encrypt(t, s, "", filepath.Join(dir, "set.yml"))
	v.encrypt(t, s, "", filepath.Join(dir, "cut"))
	whole, err := os.ReadFile(filepath.Join(dir, "cut"))
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "vault/cut", string(whole[:len(whole)-90]))
	for name, c := range map[string]struct {
		ref, rest string
		words     []string
	}{
		"wrong passwords":               {"lost", v.settings(), []string{"the ansible-vault password does not fit", "default, dev, prod"}},
		"no password":                   {"lost", "", []string{"no ansible-vault password is known", "secrets: ansible_vault", "ANSIBLE_VAULT_PASSWORD_FILE"}},
		"a password that is not there":  {"lost", "secrets: {ansible_vault: {default: env:NO_SUCH_VARIABLE}}\n", []string{"password of the vault id \"default\"", "NO_SUCH_VARIABLE"}},
		"a key that is not there":       {"set.yml#x", v.settings(), []string{"it has no key \"x\""}},
		"a set of secrets without key":  {"set.yml", v.settings(), []string{"it holds several secrets", "#key"}},
		"a value that is not encrypted": {"clear.yml#a", v.settings(), []string{"this value stands there unencrypted"}},
		"a file that was cut off":       {"cut", v.settings(), []string{"damaged"}},
		"a file that is not there":      {"none", v.settings(), []string{"no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.bare(t, fleet)
			s.notLoggedIn(t, fleet, s.login(t, "ansible-vault:"+dir+"/"+c.ref, "env:HOME", c.rest), append(c.words, "ansible-vault:"+dir+"/"+c.ref)...)
			s.nowhere(t, answer{}, v.passwords()...)
		})
	}
}

// notLoggedIn fails the test unless every device failed for want of its secret, was told so in one sentence with all the words,
// and none was asked.
func (s *site) notLoggedIn(t *testing.T, fleet *sim.Fleet, a answer, words ...string) {
	t.Helper()
	got := outcomes(t, a.stdout)
	for _, d := range fleet.Devices() {
		o := got[d.Name]
		if o.word() != "auth secret-missing" || strings.ContainsAny(o.Error, "\n\r") || o.Hint == "" {
			t.Errorf("%s: %s: %q, try %q", d.Name, o.word(), o.Error, o.Hint)
		}
		for _, word := range words {
			if !strings.Contains(o.Error, word) {
				t.Errorf("%s: no word of %q: %s", d.Name, word, o.Error)
			}
		}
	}
	if a.code != 1 {
		t.Errorf("exit %d, want 1\n%s", a.code, a.stderr)
	}
	if n := fleet.Counts(); n.Logins+n.Rejected != 0 {
		t.Errorf("%d logins were tried", n.Logins+n.Rejected)
	}
	s.nowhere(t, a, the.sec.password, the.sec.level)
}
