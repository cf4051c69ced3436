package settings_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// fixture returns the path of a file that ansible-vault made. Its password is "correct horse", of the vault id dev "battery
// staple".
func fixture(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "secret", "testdata", "ansible", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// sealed writes a text, encrypted by age, and an identity that opens it.
func sealed(t *testing.T, dir, text string) (file, identity string) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return put(t, dir, "secrets.age", out.String()), put(t, dir, "age.key", key.String()+"\n")
}

func TestCredentialsOfEveryKind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, identity := sealed(t, dir, "edge: from-age\nnested: {enable: from-nested}\nansible: correct horse\n")
	inline, err := os.ReadFile(fixture(t, "password"))
	if err != nil {
		t.Fatal(err)
	}
	value := strings.ReplaceAll(strings.TrimSpace(string(inline)), "\n", "\n        ")
	o := options(dir)
	o.File = put(t, dir, "etc/muster.yaml", `
secrets:
  age: {identities: `+identity+`}
  ansible_vault: {default: "age:`+file+`#ansible", dev: prompt:dev}
credentials:
  a: {password: "age:`+file+`#edge", enable: "age:`+file+`#nested.enable"}
  b: {password: "ansible-vault:`+fixture(t, "whole_1.1.yml")+`#ansible_password", enable: "ansible-vault:`+fixture(t, "inline.yml")+`#enable"}
  c:
    password: !vault |
        `+value+`
  d: {password: [file:/no/such/file, ~, "age:`+file+`#edge"]}
`)
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := s.Keyring(func(context.Context, string) (secret.Secret, error) { return secret.New("battery staple"), nil })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range ring.Names() {
		c, _ := ring.Get(name)
		for field, src := range map[string]secret.Source{" password": c.Password, " enable": c.Enable} {
			if src == nil {
				continue
			}
			text, err := src.Secret(t.Context())
			if err != nil {
				t.Errorf("%s%s: %v", name, field, err)
			}
			got[name+field] = text.Reveal()
		}
	}
	want := map[string]string{
		"a password": "from-age", "a enable": "from-nested", "b password": "hunter2-Tr0ub4dor", "b enable": "en4ble-Tr0ub4dor",
		"c password": "hunter2-Tr0ub4dor", "d password": "from-age",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), "file:/no/such/file: no such file") || strings.Contains(log.String(), "from-age") {
		t.Errorf("the log says %q, want the reference that failed, and no secret", log.String())
	}
}

func TestRowsAndSourcesOpenReferencesAsTheSettingsSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, identity := sealed(t, dir, "r1: from-age\nvault: correct horse\n")
	o := options(dir)
	o.File = put(t, dir, "muster.yaml", "inventory: [file: list.csv]\nsecrets: {age: {identities: age.key}, ansible_vault: {default: \"age:"+file+"#vault\"}}\n")
	put(t, dir, "list.csv", "name,password\nr1,age:"+file+"#r1\n")
	if identity != filepath.Join(dir, "age.key") {
		t.Fatal("the identity is not beside muster.yaml")
	}
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := s.Keyring(nil)
	if err != nil {
		t.Fatal(err)
	}
	env := s.Env(ring, nil)
	if _, err := inventory.Load(t.Context(), env, s.Specs()...); err != nil {
		t.Fatal(err)
	}
	c, _ := ring.Get("device/r1")
	if c.Password == nil {
		t.Fatal("r1 has no password")
	}
	if text, err := c.Password.Secret(t.Context()); err != nil || text.Reveal() != "from-age" {
		t.Errorf("got %q, %v", text.Reveal(), err)
	}
	data, err := os.ReadFile(fixture(t, "whole_1.1.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := env.Vault(t.Context(), "", data); err != nil || !bytes.Contains(plain, []byte("ansible_user")) {
		t.Errorf("an encrypted file: got %q, %v", plain, err)
	}
}

// The environment names other identities, and another Vault.
func TestTheEnvironmentComesBeforeTheSettingsOfSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, identity := sealed(t, dir, "x")
	vars := []string{
		"MUSTER_AGE_IDENTITY=" + identity + string(filepath.ListSeparator) + "/second", "MUSTER_VAULT_ADDRESS=https://vault.example.net:8200",
		"MUSTER_VAULT_NAMESPACE=net", "MUSTER_VAULT_CA_FILE=/ca.pem",
	}
	o := options(dir, vars...)
	o.File = put(t, dir, "muster.yaml", "secrets: {age: {identities: [~/a]}, vault: {address: \"https://elsewhere\", namespace: x, ca_file: y}}\n")
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.Secrets.Vault.Address, s.Secrets.Vault.Namespace, s.Secrets.Vault.CAFile}
	got = append(got, s.Secrets.Age.Identities...)
	if diff := cmp.Diff([]string{"https://vault.example.net:8200", "net", "/ca.pem", identity, "/second"}, got); diff != "" {
		t.Error(diff)
	}
	_, err = settings.Load(options(dir, "MUSTER_VAULT_ADDRESS=http://vault.example.net"))
	if want := "environment: MUSTER_VAULT_ADDRESS: the address of Vault must begin with https://: by http the token could be read on the way"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTheSettingsOfTheGuideAreRight(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "secrets.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(guide, -1)
	if len(blocks) < 5 {
		t.Fatalf("the guide shows %d settings", len(blocks))
	}
	for _, block := range blocks {
		file := put(t, t.TempDir(), "muster.yaml", string(block[1]))
		if p := settings.Check(file, options(t.TempDir())); len(p) > 0 {
			t.Errorf("%v in\n%s", p, block[1])
		}
	}
}

func TestBadSecrets(t *testing.T) {
	t.Parallel()
	itself := "which may need it: use env:, file:, exec: or prompt:"
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":                  {"secrets: {vualt: {}}", `1:11: unknown key "vualt" in secrets: did you mean "vault"?`},
		"unknown key of Vault":         {"secrets: {vault: {adress: x}}", `1:19: unknown key "adress" in secrets.vault: did you mean "address"?`},
		"unknown key of age":           {"secrets: {age: {identity: x}}", `1:17: unknown key "identity" in secrets.age: did you mean "identities"?`},
		"a word for all":               {"secrets: mask", `1:10: secrets must be a set of keys with their values`},
		"time without unit":            {"secrets: {cache: 60}", `1:18: secrets.cache: must be a time with its unit, such as 10s, 6h, 1d or 2w`},
		"address without scheme":       {"secrets: {vault: {address: \"vault:8200\"}}", `1:28: the address of Vault must be a URL such as https://vault.example.net:8200`},
		"address in clear text":        {"secrets: {vault: {address: \"http://192.0.2.1:8200\"}}", `1:28: the address of Vault must begin with https://: by http the token could be read on the way`},
		"address with a password":      {"secrets: {vault: {address: \"https://u:" + hidden + "@h\"}}", `1:28: the address of Vault holds more than a host, a port and a path: tokens stand at keys of their own`},
		"token itself":                 {"secrets: {vault: {token: " + hidden + "}}", `1:26: secrets.vault.token[0]: ` + literal},
		"secret ID itself":             {"secrets: {vault: {role_id: env:R, secret_id: " + hidden + "}}", `1:46: secrets.vault.secret_id[0]: ` + literal},
		"password of a vault ID":       {"secrets: {ansible_vault: {dev: " + hidden + "}}", `1:32: secrets.ansible_vault.dev[0]: ` + literal},
		"token and AppRole":            {"secrets: {vault: {token: env:T, role_id: env:R}}", `1:26: one logs in to Vault by a token or by role_id: keep one of them`},
		"secret ID without role":       {"secrets: {vault: {secret_id: env:S}}", `1:30: secret_id is part of AppRole: add role_id`},
		"mount without role":           {"secrets: {vault: {approle_mount: x}}", `1:34: approle_mount is part of AppRole: add role_id`},
		"token out of Vault":           {"secrets: {vault: {token: \"vault:a/b#c\"}}", `1:26: it cannot come from vault:, ` + itself},
		"role out of Vault":            {"secrets: {vault: {role_id: [\"env:R\", \"vault:a/b#c\"]}}", `1:38: it cannot come from vault:, ` + itself},
		"passphrase out of age":        {"secrets: {age: {passphrase: age:/x}}", `1:29: it cannot come from age:, ` + itself},
		"vault ID out of itself":       {"secrets: {ansible_vault: {a: ansible-vault:/x}}", `1:30: it cannot come from ansible-vault:, ` + itself},
		"age without a path":           {"credentials: {a: {password: \"age:\"}}", `1:29: credentials.a.password[0]: age: wants a path after it`},
		"age with a relative path":     {"credentials: {a: {password: \"age:x.age#k\"}}", `1:29: credentials.a.password[0]: age: wants a path that begins with / or ~/`},
		"age with half a key":          {"credentials: {a: {password: \"age:/x.age#\"}}", `1:29: credentials.a.password[0]: age: wants a key behind the #, or no #`},
		"Vault without a field":        {"credentials: {a: {password: \"vault:secret/data/x\"}}", `1:29: credentials.a.password[0]: vault: wants #field at its end, as in vault:secret/data/routers#password`},
		"Vault without a path":         {"credentials: {a: {password: \"vault:secret#x\"}}", `1:29: credentials.a.password[0]: vault: wants mount/path, as in vault:secret/data/routers#password`},
		"Vault with a way out":         {"credentials: {a: {password: \"vault:secret/../sys#x\"}}", `1:29: credentials.a.password[0]: vault: wants mount/path, as in vault:secret/data/routers#password`},
		"Vault with no number":         {"credentials: {a: {password: \"vault:secret/x?version=0#y\"}}", `1:29: credentials.a.password[0]: vault: takes ?version=N alone, with a number from 1`},
		"half an ansible-vault value":  {"credentials:\n  a:\n    password: |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162", `3:15: credentials.a.password[0]: the ansible-vault text is damaged: a part is missing or was changed`},
		"the second of several is bad": {"credentials: {a: {password: [\"env:A\", " + hidden + "]}}", `1:39: credentials.a.password[1]: ` + literal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := put(t, t.TempDir(), "muster.yaml", c.text+"\n")
			problems := settings.Check(file, options(t.TempDir()))
			if len(problems) != 1 {
				t.Fatalf("got %d problems, want one: %v", len(problems), problems)
			}
			if got, want := problems[0].Error(), file+":"+c.want; got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if strings.Contains(problems.Error(), hidden) {
				t.Errorf("the secret came out: %s", problems)
			}
		})
	}
}
