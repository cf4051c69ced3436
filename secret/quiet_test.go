package secret_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/secret"
)

// everything is an Opener that has read a secret in every way there is, with the sources that it opened.
func everything(t *testing.T) (*secret.Opener, []secret.Source) {
	t.Helper()
	id := newIdentity(t)
	srv := newVaultServer(t)
	t.Setenv("SECRET_TEST_A", hidden)
	t.Setenv("SECRET_TEST_HELPER", "args")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, whole := ansible(t, "whole_1.1.yml")
	value, _ := ansible(t, "password")
	var asked []string
	o := &secret.Opener{
		Prompt: answer(hidden, &asked), Vault: srv.appRole(), Getenv: environ(),
		Age:          secret.Age{Identities: []string{write(t, encrypt(t, id.String(), false, byPassphrase(t, agePassphrase)), 0o600)}, Passphrase: literal(agePassphrase)},
		AnsibleVault: map[string]secret.Source{"default": literal(ansiblePassword)},
	}
	var all []secret.Source
	for _, ref := range []string{
		"env:SECRET_TEST_A", "file:" + write(t, hidden, 0o600), "exec:'" + self + "' x", "prompt:Password", "vault:secret/routers#password",
		"age:" + write(t, encrypt(t, "a: "+hidden+"\nb: c", false, id.Recipient()), 0o644) + "#a", "ansible-vault:" + whole + "#ansible_password", string(value),
	} {
		src, err := o.Open(secret.Ref(ref))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, src)
	}
	chain, err := o.Open("file:/no/such/file", "env:SECRET_TEST_A")
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, chain, literal(hidden))
	for _, src := range all {
		if _, err := src.Secret(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return o, all
}

// Printing, encoding and logging whatever holds secrets that were read, and walking through its memory by reflection as a
// dumper does, gives no secret.
func TestNoSecretComesOutOfWhatHoldsIt(t *testing.T) {
	o, all := everything(t)
	var ring secret.Keyring
	ring.Add(secret.Credential{Name: "a", Password: all[0], Enable: all[4], Passphrase: all[6]})
	held := struct {
		Opener  *secret.Opener
		sources []secret.Source
		ring    *secret.Keyring
		one     secret.Secret
		any     map[string]any
	}{o, all, &ring, secret.New(hidden), map[string]any{"k": secret.New(hidden)}}
	var out bytes.Buffer
	for _, v := range []any{held, &held, o, all, &ring, held.one, &held.one} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("held", "v", v)
		}
		out.WriteString(dump(v))
	}
	for _, v := range []any{all, held.one, held.any, struct{ S secret.Secret }{held.one}} {
		js, _ := json.Marshal(v)
		ya, _ := yaml.Marshal(v)
		out.Write(js)
		out.Write(ya)
	}
	out.WriteString(cmp.Diff(map[string]secret.Secret{"a": secret.New(hidden)}, map[string]secret.Secret{"a": secret.New("other-" + hidden)}))
	quiet(t, strings.NewReplacer("\x1b", "", "\r", "").Replace(out.String()))
	if strings.Contains(out.String(), fmt.Sprintf("%x", hidden)) {
		t.Error("a secret came out in hex digits")
	}
	if !strings.Contains(dump(struct{ text *string }{func() *string { s := hidden; return &s }()}), hidden) {
		t.Error("the dumper of this test does not find what it looks for")
	}
}

// The command line of this process and of what it starts holds references alone; see TestExecReference for the environment
// of what it starts.
func TestNoSecretIsInACommandLine(t *testing.T) {
	everything(t)
	t.Setenv("SECRET_TEST_HELPER", "args")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	src := open(t, "exec:'"+self+"' a b")
	if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != "a|b" {
		t.Errorf("the command got the words %q, %v", s.Reveal(), err)
	}
	quiet(t, strings.Join(os.Args, " "))
}

// dump returns every text that reflection can reach from a value, through unexported fields too, and calls no method.
func dump(v any) string {
	var out strings.Builder
	walk(&out, reflect.ValueOf(v), map[uintptr]bool{})
	return out.String()
}

func walk(out *strings.Builder, v reflect.Value, seen map[uintptr]bool) {
	switch v.Kind() {
	case reflect.String:
		out.WriteString(v.String() + "\n")
	case reflect.Pointer:
		if !v.IsNil() && !seen[v.Pointer()] && v.Type().Elem().PkgPath() != "reflect" {
			seen[v.Pointer()] = true
			walk(out, v.Elem(), seen)
		}
	case reflect.Interface:
		if !v.IsNil() {
			walk(out, v.Elem(), seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if f.CanAddr() {
				f = reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
			}
			walk(out, f, seen)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(out, k, seen)
			walk(out, v.MapIndex(k), seen)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			for i := range v.Len() {
				out.WriteByte(byte(v.Index(i).Uint()))
			}
			return
		}
		for i := range v.Len() {
			walk(out, v.Index(i), seen)
		}
	}
}

func FuzzRef(f *testing.F) {
	for _, s := range []string{
		"env:A", "file:/x", "file:~/x", "exec:a 'b c'", "prompt:", "age:/x#y", "age:~/x", "vault:secret/data/a/b?version=2#c", "vault:a/b#c",
		"ansible-vault:/x#a.b", "$ANSIBLE_VAULT;1.1;AES256\n6162", "-----BEGIN AGE ENCRYPTED FILE-----\nx", "hunter2", "keyring:x", ":", "age:#", "vault:#/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref := secret.Ref(text)
		err := ref.Check()
		src, err2 := (&secret.Opener{Prompt: func(context.Context, string) (secret.Secret, error) { panic("asked") }}).Open(ref)
		if (err == nil) != (err2 == nil) || (err == nil) != (src != nil) {
			t.Fatalf("Check says %v, Open says %v and gives %v", err, err2, src)
		}
		if err == nil && ref.Scheme() == "" {
			t.Errorf("a reference without a scheme")
		}
		if err == nil {
			if strings.ContainsAny(src.String(), "\x1b\x7f") || strings.Contains(src.String(), "\n") && ref.Scheme() != "exec" {
				t.Errorf("a reference that cannot be printed: %q", src)
			}
			return
		}
		rest := text[strings.IndexByte(text, ':')+1:]
		if strings.ContainsAny(err.Error(), "\n\x1b") || len(rest) > 40 && strings.Contains(err.Error(), rest) {
			t.Errorf("the error quotes the text: %q", err)
		}
	})
}

// Whatever stands in an encrypted file: what comes out of it stands in it, and no error quotes it.
func FuzzDocument(f *testing.F) {
	id := newIdentity(f)
	dir := f.TempDir()
	key := put(f, dir, "key", id.String(), 0o600)
	for _, s := range []string{"a: b\nc: d", `{"a": {"b": "c"}}`, "A=b\nexport C='d'", "x", "a: &a {<<: *a}", "a: [*a]", "&a a: *a", "a: !vault |\n  x", "A=\"\\n\"", "{", "- a", "a:\n  a:\n    a: b", "? [a]\n: b"} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, text, pick string) {
		if strings.ContainsAny(pick, "#") || len(text) > 4096 {
			return
		}
		path := put(t, dir, "file", encrypt(t, text, false, id.Recipient()), 0o600)
		ref := "age:" + path
		if pick != "" {
			ref += "#" + pick
		}
		if secret.Ref(ref).Check() != nil {
			return
		}
		got, err := read(t, &secret.Opener{Age: secret.Age{Identities: []string{key}}}, ref)
		if err == nil && got == "" {
			t.Errorf("got nothing and no error")
		}
		if err != nil && strings.ContainsAny(strings.TrimPrefix(err.Error(), ref), "\n\x1b") {
			t.Errorf("got %q", err)
		}
	})
}
