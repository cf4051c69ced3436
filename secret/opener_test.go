package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/secret"
)

func TestTheFirstReferenceThatGivesASecretWins(t *testing.T) {
	t.Setenv("SECRET_TEST_A", hidden)
	t.Setenv("SECRET_TEST_B", "second-"+hidden)
	for name, c := range map[string]struct {
		refs      []string
		want, log string
	}{
		"the first":  {[]string{"env:SECRET_TEST_A", "env:SECRET_TEST_B"}, hidden, ""},
		"the second": {[]string{"env:SECRET_TEST_NONE", "env:SECRET_TEST_A", "env:SECRET_TEST_B"}, hidden, "used=env:SECRET_TEST_A err=\"env:SECRET_TEST_NONE: the environment variable is not set\""},
		"the last": {[]string{"env:SECRET_TEST_NONE", "file:/no/such/file", "env:SECRET_TEST_B"}, "second-" + hidden,
			"used=env:SECRET_TEST_B err=\"env:SECRET_TEST_NONE: the environment variable is not set; file:/no/such/file: no such file or directory\""},
	} {
		var log bytes.Buffer
		o := &secret.Opener{Log: slog.New(slog.NewTextHandler(&log, nil))}
		for range 2 {
			if got, err := read(t, o, c.refs...); err != nil || got != c.want {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
			}
		}
		if c.log == "" && log.Len() > 0 || !strings.Contains(log.String(), c.log) {
			t.Errorf("%s: the log says %q, want %q in it", name, log.String(), c.log)
		}
		quiet(t, log.String())
	}
}

func TestReferencesThatAllFailAreAllNamed(t *testing.T) {
	t.Parallel()
	o := &secret.Opener{Getenv: environ()}
	src, err := o.Open("env:SECRET_TEST_NONE", "file:/no/such/file", "vault:secret/routers#password", "prompt:Password")
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.Secret(t.Context())
	want := "none of 4 references gives the secret: env:SECRET_TEST_NONE: the environment variable is not set; file:/no/such/file: no such file or directory; " +
		"vault:secret/routers#password: no address of a Vault is known: give it in secrets: vault: address, or in VAULT_ADDR; " +
		"prompt:Password: nobody can be asked here: run it on a terminal, or use env:, file: or exec:"
	if err == nil || err.Error() != want || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	if got := src.String(); got != "env:SECRET_TEST_NONE, file:/no/such/file, vault:secret/routers#password, prompt:Password" {
		t.Errorf("got the name %q", got)
	}
	if _, err := o.Open(); !errors.Is(err, secret.ErrNotRef) {
		t.Errorf("no reference: got %v, want ErrNotRef", err)
	}
	if _, err := o.Open("env:A", hidden); !errors.Is(err, secret.ErrNotRef) || strings.Contains(err.Error(), hidden) {
		t.Errorf("a secret among references: got %v, want ErrNotRef", err)
	}
}

// The one whose context has ended does not go on to the next reference, and leaves the next caller to begin anew.
func TestACancelledReadingTriesNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		o := &secret.Opener{Prompt: func(ctx context.Context, text string) (secret.Secret, error) {
			asked = append(asked, text)
			select {
			case <-time.After(time.Minute):
				return secret.New(hidden), nil
			case <-ctx.Done():
				return secret.Secret{}, ctx.Err()
			}
		}}
		src, err := o.Open("prompt:a", "prompt:b")
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		if _, err := src.Secret(ctx); !errors.Is(err, why) {
			t.Errorf("got %v, want the cause of the context", err)
		}
		if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != hidden || strings.Join(asked, " ") != "a a" {
			t.Errorf("got %q, %v, asked %v, want the first one, anew", s.Reveal(), err, asked)
		}
	})
}

func TestWhatWasReadIsKeptForItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := write(t, "first", 0o600)
		o := &secret.Opener{}
		need := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			for _, refs := range [][]string{{"file:" + path}, {"file:/no/such/file", "file:" + path}} {
				if got, err := read(t, o, refs...); err != nil || got != want {
					t.Errorf("%v after %v: got %q, %v, want %q", refs, after, got, err, want)
				}
			}
		}
		need(0, "first")
		if err := os.WriteFile(path, []byte("second"), 0o600); err != nil {
			t.Fatal(err)
		}
		need(59*time.Minute, "first")
		need(2*time.Minute, "second")
		o = &secret.Opener{Life: time.Minute}
		need(0, "second")
		if err := os.WriteFile(path, []byte("third"), 0o600); err != nil {
			t.Fatal(err)
		}
		need(59*time.Second, "second")
		need(2*time.Second, "third")
	})
}

func TestAFailureIsKeptForHalfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "secret")
		o := &secret.Opener{}
		fails := func() {
			t.Helper()
			if _, err := read(t, o, "file:"+path); err == nil {
				t.Error("got no error")
			}
		}
		fails()
		put(t, filepath.Dir(path), "secret", hidden, 0o600)
		time.Sleep(29 * time.Second)
		fails()
		time.Sleep(2 * time.Second)
		if got, err := read(t, o, "file:"+path); err != nil || got != hidden {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// Whatever refers to the same secret shares one reading of it.
func TestEqualReferencesAreReadOnce(t *testing.T) {
	t.Setenv("SECRET_TEST_HELPER", "args")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &secret.Opener{}
	first, err := o.Open(secret.Ref("exec:'" + self + "' " + hidden))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := first.Secret(t.Context()); err != nil || s.Reveal() != hidden {
		t.Fatalf("got %q, %v", s.Reveal(), err)
	}
	t.Setenv("SECRET_TEST_HELPER", "fail")
	if s, err := read(t, o, "exec:'"+self+"' "+hidden); err != nil || s != hidden {
		t.Errorf("got %q, %v: the command ran a second time", s, err)
	}
}

func TestAnsibleVaultReference(t *testing.T) {
	t.Parallel()
	_, whole := ansible(t, "whole_1.1.yml")
	_, dev := ansible(t, "whole_1.2.yml")
	_, inline := ansible(t, "inline.yml")
	_, alone := ansible(t, "password")
	_, empty := ansible(t, "empty")
	plain := write(t, "a: "+hidden+"\nb: c\n", 0o644)
	text := write(t, hidden, 0o644)
	broken := write(t, "$ANSIBLE_VAULT;1.1;AES256\n"+hidden, 0o644)
	o := &secret.Opener{AnsibleVault: map[string]secret.Source{"default": literal(ansiblePassword), "dev": literal(ansibleDev)}}
	for ref, want := range map[string]string{
		whole + "#ansible_password": hidden, whole + "#routers.enable": "0123", dev + "#ansible_password": hidden, alone: hidden,
		inline + "#ansible_password": hidden, inline + "#enable": "en4ble-Tr0ub4dor",
	} {
		if got, err := read(t, o, "ansible-vault:"+ref); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", ref, got, err, want)
		}
	}
	for ref, want := range map[string]string{
		whole:             "it holds several secrets: say which one by #key behind it",
		whole + "#none":   `it has no key "none"`,
		alone + "#none":   "it is no set of secrets (YAML, JSON or lines NAME=value) of which a key could choose one",
		empty:             "it is empty",
		inline:            "it is encrypted only in parts: say which one by #key behind it",
		inline + "#plain": "this value stands there unencrypted: encrypt it with ansible-vault encrypt_string",
		inline + "#none":  `it has no key "none"`,
		plain + "#a":      "this value stands there unencrypted: encrypt it with ansible-vault encrypt_string",
		text:              "nothing in it is encrypted: it neither begins with $ANSIBLE_VAULT; nor is it YAML with such values",
		broken:            "the ansible-vault text is damaged: a part is missing or was changed",
		"/no/such/file":   "no such file or directory",
	} {
		_, err := read(t, o, "ansible-vault:"+ref)
		if err == nil || err.Error() != "ansible-vault:"+ref+": "+want {
			t.Errorf("\n got %v\nwant ansible-vault:%s: %s", err, ref, want)
		} else {
			quiet(t, err.Error())
		}
	}
	_, err := read(t, &secret.Opener{AnsibleVault: map[string]secret.Source{"x": literal("wrong")}}, "ansible-vault:"+alone)
	if !errors.Is(err, secret.ErrVaultPassword) {
		t.Errorf("another password: got %v, want ErrVaultPassword", err)
	}
}

func TestAnsibleVaultPasswordOfAnsiblesEnvironment(t *testing.T) {
	_, alone := ansible(t, "password")
	dir := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := put(t, dir, "file", ansiblePassword+"\n", 0o600)
	for name, path := range map[string]string{"a file": file, "a program": put(t, dir, "program", "#!/bin/sh\necho '"+ansiblePassword+"'\n", 0o700)} {
		o := &secret.Opener{Getenv: environ("ANSIBLE_VAULT_PASSWORD_FILE=" + path)}
		if got, err := read(t, o, "ansible-vault:"+alone); err != nil || got != hidden {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for path, want := range map[string]string{
		"":              "no ansible-vault password is known: name it in secrets: ansible_vault, or its file in ANSIBLE_VAULT_PASSWORD_FILE",
		"/no/such/file": `password of the vault id "default": file:/no/such/file: no such file or directory`,
		put(t, dir, "open", ansiblePassword, 0o644): "others than its owner may read it (mode 0644): chmod 600 it",
	} {
		_, err := read(t, &secret.Opener{Getenv: environ("ANSIBLE_VAULT_PASSWORD_FILE=" + path)}, "ansible-vault:"+alone)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: got %v, want %q at its end", path, err, want)
		}
	}
}

// One passphrase opens what a run needs, and is asked for once however many need it at the same time.
func TestAPassphraseIsAskedOnce(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	dir := t.TempDir()
	key := put(t, dir, "key", encrypt(t, id.String(), false, byPassphrase(t, agePassphrase)), 0o600)
	var asked []string
	o := &secret.Opener{Prompt: answer(agePassphrase, &asked), Age: secret.Age{Identities: []string{key}}}
	var wg sync.WaitGroup
	for i := range 50 {
		src, err := o.Open(secret.Ref(fmt.Sprintf("age:%s#k%d", put(t, dir, fmt.Sprint(i%5), encrypt(t, fmt.Sprintf("k%d: %s\nx: y", i, hidden), false, id.Recipient()), 0o644), i)))
		if i < 45 { // overwritten by those behind
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != hidden {
				t.Errorf("got %q, %v", s.Reveal(), err)
			}
		})
	}
	wg.Wait()
	if len(asked) != 1 || asked[0] != "Passphrase of "+key {
		t.Errorf("asked %q, want once", asked)
	}
}
