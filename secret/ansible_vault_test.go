package secret_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/secret"
)

// The passwords of the files in testdata/ansible.
const (
	ansiblePassword = "correct horse"
	ansibleDev      = "battery staple"
	ansibleUTF8     = "hästar ✓"
)

// ansible returns a file that ansible-vault made, and its path.
func ansible(t testing.TB, name string) (text []byte, path string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", "ansible", name))
	if err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text, path
}

func TestWhatAnsibleVaultMadeIsDecrypted(t *testing.T) {
	t.Parallel()
	vars := "---\nansible_user: backup\nansible_password: \"" + hidden + "\"\nrouters:\n  enable: 0123\n"
	var bytes256 []byte
	for i := range 256 {
		bytes256 = append(bytes256, byte(i))
	}
	for name, c := range map[string]struct{ password, want string }{
		"whole_1.1.yml": {ansiblePassword, vars},
		"whole_1.2.yml": {ansibleDev, vars},
		"password":      {ansiblePassword + "\n", hidden + "\n"},
		"utf8_password": {ansibleUTF8, hidden},
		"long":          {ansiblePassword, strings.Repeat("x", 500)},
		"block":         {ansiblePassword, "0123456789abcdef"},
		"empty":         {ansiblePassword, ""},
		"bytes":         {ansiblePassword, string(bytes256)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, _ := ansible(t, name)
			if !secret.IsAnsibleVault(text) {
				t.Error("it is not taken for an ansible-vault text")
			}
			indented := bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n          "))
			for how, text := range map[string][]byte{"as it is": text, "indented, with Windows line ends": indented} {
				got, err := secret.DecryptAnsibleVault(text, secret.New(c.password))
				if err != nil || string(got) != c.want {
					t.Errorf("%s: got %q, %v, want %q", how, got, err, c.want)
				}
			}
			if _, err := secret.DecryptAnsibleVault(text, secret.New("wrong")); !errors.Is(err, secret.ErrVaultPassword) {
				t.Errorf("with another password: got %v, want ErrVaultPassword", err)
			}
		})
	}
}

func TestBrokenAnsibleVaultTexts(t *testing.T) {
	t.Parallel()
	whole, _ := ansible(t, "password")
	lines := strings.Split(strings.TrimSpace(string(whole)), "\n")
	body := strings.Join(lines[1:], "\n")
	flipped := strings.Replace(string(whole), lines[len(lines)-1], "3"+strings.Repeat("0", len(lines[len(lines)-1])-1), 1)
	for name, c := range map[string]struct{ text, want string }{
		"no head":              {body, "does not begin with $ANSIBLE_VAULT;"},
		"nothing":              {"", "does not begin with $ANSIBLE_VAULT;"},
		"half a head":          {"$ANSIBLE_VAULT;1.1\n" + body, "damaged"},
		"format 1.0":           {"$ANSIBLE_VAULT;1.0;AES\n" + body, "formats 1.1 and 1.2"},
		"format of the future": {"$ANSIBLE_VAULT;2.0;AES256\n" + body, "formats 1.1 and 1.2"},
		"another cipher":       {"$ANSIBLE_VAULT;1.1;AES\n" + body, "only AES256"},
		"no body":              {lines[0], "damaged"},
		"half a body":          {lines[0] + "\n" + lines[1], "damaged"},
		"a line is missing":    {strings.Join(lines[:len(lines)-1], "\n"), "damaged"},
		"no hex digits":        {lines[0] + "\n" + hidden, "damaged"},
		"bytes changed":        {flipped, "damaged"},
		"a quote in the body":  {lines[0] + "\n'" + body + "'", "damaged"},
	} {
		_, err := secret.DecryptAnsibleVault([]byte(c.text), secret.New(ansiblePassword))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
	changed := bytes.Replace(whole, []byte(lines[1][:2]), []byte("66"), 1) // the first digit of the salt
	if _, err := secret.DecryptAnsibleVault(changed, secret.New(ansiblePassword)); !errors.Is(err, secret.ErrVaultPassword) {
		t.Errorf("a changed salt: got %v, want ErrVaultPassword", err)
	}
}

func TestAnsibleVaultPasswordsByID(t *testing.T) {
	t.Parallel()
	dev, _ := ansible(t, "whole_1.2.yml")
	asked := map[string]int{}
	password := func(id, text string) secret.Source {
		src, err := secret.Open(secret.Ref("prompt:"+id), func(context.Context, string) (secret.Secret, error) {
			asked[id]++
			return secret.New(text), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	o := &secret.Opener{AnsibleVault: map[string]secret.Source{
		"a": password("a", "wrong"), "dev": password("dev", ansibleDev), "z": password("z", ansiblePassword),
	}}
	if got, err := o.DecryptAnsibleVault(t.Context(), dev); err != nil || !bytes.Contains(got, []byte(hidden)) {
		t.Errorf("by its vault id: got %q, %v", got, err)
	}
	if len(asked) != 1 {
		t.Errorf("asked for %v, want the password of the vault id alone", asked)
	}
	other, _ := ansible(t, "whole_1.1.yml")
	if got, err := o.DecryptAnsibleVault(t.Context(), other); err != nil || !bytes.Contains(got, []byte(hidden)) {
		t.Errorf("by all: got %q, %v", got, err)
	}
	utf8, _ := ansible(t, "utf8_password")
	_, err := o.DecryptAnsibleVault(t.Context(), utf8)
	if !errors.Is(err, secret.ErrVaultPassword) || !strings.Contains(err.Error(), "vault ids a, dev, z") {
		t.Errorf("by none: got %v, want ErrVaultPassword and the names that were tried", err)
	}
	o = &secret.Opener{AnsibleVault: map[string]secret.Source{"a": open(t, "env:SECRET_TEST_NOT_SET"), "z": secret.Literal(secret.New(ansiblePassword))}}
	if _, err := o.DecryptAnsibleVault(t.Context(), other); err != nil {
		t.Errorf("a password that cannot be read does not stand in the way: got %v", err)
	}
	_, err = o.DecryptAnsibleVault(t.Context(), utf8)
	if err == nil || !strings.Contains(err.Error(), `vault id "a": env:SECRET_TEST_NOT_SET: the environment variable is not set`) {
		t.Errorf("got %v, want the password that could not be read", err)
	}
}

// What ansible-vault makes at this moment is read.
func TestFilesOfTheAnsibleVaultCommand(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("ansible-vault")
	if err != nil {
		t.Skip("there is no ansible-vault here")
	}
	dir := t.TempDir()
	password := put(t, dir, "password", ansiblePassword+"\n", 0o600)
	path := put(t, dir, "vars.yml", "a: x\nrouters: "+hidden+"\n", 0o600)
	cmd := exec.Command(command, "encrypt", "--vault-id", "net@"+password, path)
	cmd.Env = append(os.Environ(), "ANSIBLE_HOME="+dir, "ANSIBLE_LOCAL_TEMP="+dir, "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ansible-vault: %v: %s", err, out)
	}
	o := &secret.Opener{AnsibleVault: map[string]secret.Source{"net": open(t, "file:"+password)}}
	if got, err := read(t, o, "ansible-vault:"+path+"#routers"); err != nil || got != hidden {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzAnsibleVault(f *testing.F) {
	for _, name := range []string{"password", "whole_1.2.yml", "empty", "bytes"} {
		text, _ := ansible(f, name)
		f.Add(text)
	}
	f.Add([]byte("$ANSIBLE_VAULT;1.2;AES256;\n"))
	f.Add([]byte("$ANSIBLE_VAULT;1.1;AES256\n310a320a33"))
	f.Fuzz(func(t *testing.T, text []byte) {
		plain, err := secret.DecryptAnsibleVault(text, secret.New(ansiblePassword))
		if err == nil && !secret.IsAnsibleVault(text) {
			t.Errorf("decrypted to %q what is no ansible-vault text", plain)
		}
		if err != nil && (plain != nil || len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\n\x1b")) {
			t.Errorf("got %q, %q", plain, err)
		}
	})
}
