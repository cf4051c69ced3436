package secret_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/secret"
)

const agePassphrase = "staple-Tr0ub4dor"

// encrypt returns a text as age encrypts it.
func encrypt(t testing.TB, text string, armored bool, to ...age.Recipient) string {
	t.Helper()
	var out bytes.Buffer
	dst := armor.NewWriter(&out)
	target := any(&out)
	if armored {
		target = dst
	}
	w, err := age.Encrypt(target.(interface{ Write([]byte) (int, error) }), to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if armored {
		if err := dst.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// byPassphrase is a recipient that is quick.
func byPassphrase(t testing.TB, passphrase string) age.Recipient {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(10)
	return r
}

func newIdentity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sshKey returns a private key file, locked where there is a passphrase, and who can encrypt for it.
func sshKey(t testing.TB, key any, passphrase string) (file string, to age.Recipient) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if to, err = agessh.ParseRecipient(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), to
}

// answer is a prompt that gives one text and notes what it was asked for.
func answer(text string, asked *[]string) secret.Prompt {
	return func(_ context.Context, what string) (secret.Secret, error) {
		*asked = append(*asked, what)
		return secret.New(text), nil
	}
}

func TestAgeFilesOfEveryKind(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edFile, edTo := sshKey(t, ed, "")
	edLocked, _ := sshKey(t, ed, agePassphrase)
	rsaFile, rsaTo := sshKey(t, rsaKey, "")
	list := "# created: today\n# public key: " + id.Recipient().String() + "\n" + id.String() + "\n\n" + hybrid.String() + "\n"
	for name, c := range map[string]struct {
		to       age.Recipient
		identity string
		asked    string // the end of what is asked for
	}{
		"an identity":                        {id.Recipient(), list, ""},
		"one against quantum computers":      {hybrid.Recipient(), list, ""},
		"an SSH key, Ed25519":                {edTo, edFile, ""},
		"an SSH key, RSA":                    {rsaTo, rsaFile, ""},
		"a locked SSH key":                   {edTo, edLocked, "identity"},
		"a locked SSH key nobody needs":      {id.Recipient(), edLocked, ""},
		"a locked identity file":             {id.Recipient(), encrypt(t, list, false, byPassphrase(t, agePassphrase)), "identity"},
		"a locked identity file, as text":    {id.Recipient(), encrypt(t, list, true, byPassphrase(t, agePassphrase)), "identity"},
		"a passphrase":                       {byPassphrase(t, agePassphrase), list, "file"},
		"a passphrase, without any identity": {byPassphrase(t, agePassphrase), "", "file"},
	} {
		for _, armored := range []bool{false, true} {
			if armored && strings.Contains(name, "key") {
				continue // slow for no gain
			}
			t.Run(fmt.Sprintf("%s, armored %v", name, armored), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := put(t, dir, "file", encrypt(t, "password: "+hidden+"\nenable: x\n", armored, c.to), 0o644)
				alone := put(t, dir, "alone", encrypt(t, hidden+"\n", armored, c.to), 0o644)
				other := put(t, dir, "other.key", newIdentity(t).String(), 0o600)
				var asked []string
				o := &secret.Opener{Prompt: answer(agePassphrase, &asked), Age: secret.Age{Identities: []string{other}}}
				if name == "a locked SSH key nobody needs" {
					o.Age.Identities = append(o.Age.Identities, put(t, dir, "fits.key", id.String(), 0o600))
				}
				if c.identity != "" {
					o.Age.Identities = append(o.Age.Identities, put(t, dir, "identity", c.identity, 0o600))
				}
				for range 2 {
					if got, err := read(t, o, "age:"+path+"#password"); err != nil || got != hidden {
						t.Fatalf("got %q, %v", got, err)
					}
				}
				if c.asked == "" && len(asked) > 0 || c.asked != "" && (len(asked) != 1 || !strings.HasSuffix(asked[0], "/"+c.asked)) {
					t.Errorf("asked %q", asked)
				}
				if got, err := read(t, o, "age:"+alone); err != nil || got != hidden {
					t.Errorf("a secret alone: got %q, %v", got, err)
				}
			})
		}
	}
}

// put writes a file below dir.
func put(t testing.TB, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAValueThatIsEncryptedItself(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	key := write(t, id.String(), 0o600)
	value := encrypt(t, hidden, true, id.Recipient())
	vaulted, _ := ansible(t, "password")
	o := &secret.Opener{Age: secret.Age{Identities: []string{key}}, AnsibleVault: map[string]secret.Source{"default": literal(ansiblePassword)}}
	for name, ref := range map[string]string{
		"age: value": value, "age: value\n": "\n  " + value + "\n", "age: value ": "age:" + value,
		"ansible-vault: value": string(vaulted), "ansible-vault: value ": "ansible-vault:\n" + string(vaulted),
	} {
		src, err := o.Open(secret.Ref(ref))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != hidden {
			t.Errorf("%s: got %q, %v", name, s.Reveal(), err)
		}
		if got, want := src.String(), strings.TrimSpace(name); got != want {
			t.Errorf("got the name %q, want %q", got, want)
		}
		if got := secret.Ref(ref).Scheme(); !strings.HasPrefix(name, got+":") || got == "" {
			t.Errorf("%s: got the scheme %q", name, got)
		}
	}
}

func TestTheKeyChoosesASecret(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	key := write(t, id.String(), 0o600)
	yaml := "---\n# all of them\nrouters: " + hidden + "\nnumber: 0123\nsite:\n  ams: {enable: deep}\nsite.fra: dotted\nsite: {fra: nested}\nmany:\n  - a\nnull: ~\nempty: ''\nblock: |\n  one\n  two\n"
	for name, c := range map[string]struct{ text, key, want, err string }{
		"YAML":                           {yaml[:strings.Index(yaml, "site: {")], "routers", hidden, ""},
		"digits stay as they are":        {"number: 0123\nb: c", "number", "0123", ""},
		"nested":                         {"site:\n  ams: {enable: deep}\nx: y", "site.ams.enable", "deep", ""},
		"a key with a dot comes first":   {"site: {fra: nested}\nsite.fra: dotted\n", "site.fra", "dotted", ""},
		"several lines":                  {"block: |\n  one\n  two\nb: c\n", "block", "one\ntwo", ""},
		"an alias":                       {"a: &x {p: " + hidden + "}\nb: *x\n", "b.p", hidden, ""},
		"a list":                         {"many: [a]\nb: c\n", "many", "", `it has no key "many"`},
		"null":                           {"none: ~\nb: c\n", "none", "", `it has no key "none"`},
		"an empty value":                 {"empty: ''\nb: c\n", "empty", "", "it is empty"},
		"another key":                    {"routers: " + hidden + "\nb: c\n", "roters", "", `it has no key "roters"`},
		"JSON":                           {`{"routers": "` + hidden + `", "n": 1.10, "on": true, "site": {"ams": "deep"}}`, "site.ams", "deep", ""},
		"a number in JSON":               {`{"n": 1.10}`, "n", "1.10", ""},
		"a truth in JSON":                {`{"on": true}`, "on", "true", ""},
		"broken JSON":                    {`{"n": "` + hidden, "n", "", "it is no set of secrets (YAML, JSON or lines NAME=value) of which a key could choose one"},
		"JSON and more":                  {`{"n": "x"} ` + hidden, "n", "", "it is no set of secrets (YAML, JSON or lines NAME=value) of which a key could choose one"},
		"lines of an environment":        {"# comment\n\nA=" + hidden + "\nexport B='b c'\n", "A", hidden, ""},
		"exported":                       {"A=x\nexport B='b $c'\n", "B", "b $c", ""},
		"double quotes":                  {"A=\"q\\\"b\\\\s\\n\\$\"\n", "A", "q\"b\\s\n$", ""},
		"an equals sign in a value":      {"A=x=y=\nB=\n", "A", "x=y=", ""},
		"no value":                       {"A=x\nB=\n", "B", "", "it is empty"},
		"a secret alone":                 {hidden, "a", "", "it is no set of secrets (YAML, JSON or lines NAME=value) of which a key could choose one"},
		"nothing":                        {"", "a", "", "it is no set of secrets (YAML, JSON or lines NAME=value) of which a key could choose one"},
		"all of YAML":                    {"a: " + hidden + "\nb: c", "", "", "it holds several secrets: say which one by #key behind it"},
		"all of JSON":                    {`{"a": "` + hidden + `"}`, "", "", "it holds several secrets: say which one by #key behind it"},
		"all lines of an environment":    {"A=" + hidden + "\nB=c", "", "", "it holds several secrets: say which one by #key behind it"},
		"a line that could be YAML":      {"a: " + hidden, "", "a: " + hidden, ""},
		"a line that could be a shell":   {"a=" + hidden, "", "a=" + hidden, ""},
		"a key in PEM":                   {"-----BEGIN X-----\nYWJj\n-----END X-----\n", "", "-----BEGIN X-----\nYWJj\n-----END X-----", ""},
		"nothing at all":                 {"\n", "", "", "it is empty"},
		"more than a secret":             {strings.Repeat("x", 65<<10), "", "", "it gives more than 64 KiB, which is no secret"},
		"a file of more than a megabyte": {strings.Repeat("x", 1<<20+1), "a", "", "it is larger than 1 MiB, which is no file of secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref := "age:" + put(t, t.TempDir(), "file#1", encrypt(t, c.text, false, id.Recipient()), 0o644)
			ref += "#" + c.key
			if c.key == "" { // the last # parts the key from the path
				ref = "age:" + put(t, t.TempDir(), "file", encrypt(t, c.text, false, id.Recipient()), 0o644)
			}
			got, err := read(t, &secret.Opener{Age: secret.Age{Identities: []string{key}}}, ref)
			switch {
			case c.err == "" && (err != nil || got != c.want):
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			case c.err != "" && (err == nil || err.Error() != ref+": "+c.err):
				t.Errorf("\n got %v\nwant %s: %s", err, ref, c.err)
			}
			if err != nil {
				quiet(t, err.Error())
			}
		})
	}
}

func TestAgeFailures(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edLocked, edTo := sshKey(t, ed, agePassphrase)
	good := encrypt(t, hidden, false, id.Recipient())
	locked := encrypt(t, hidden, false, byPassphrase(t, agePassphrase))
	slow, err := age.NewScryptRecipient(agePassphrase)
	if err != nil {
		t.Fatal(err)
	}
	slow.SetWorkFactor(10)
	dear := strings.Replace(encrypt(t, hidden, false, slow), " 10\n", " 21\n", 1)
	wrong := func(context.Context, string) (secret.Secret, error) { return secret.New("wrong"), nil }
	gone := errors.New("the terminal is gone")
	for name, c := range map[string]struct {
		file, identity string
		mode           os.FileMode
		prompt         secret.Prompt
		passphrase     secret.Source
		want           string // F: the file, I: the identity file
	}{
		"no identity":                     {file: good, want: "F: no identity is known that opens it: name a file in secrets: age: identities, or in MUSTER_AGE_IDENTITY"},
		"for another":                     {file: good, identity: newIdentity(t).String(), want: "F: it was encrypted for others: no identity in I opens it"},
		"for another, locked SSH key":     {file: good, identity: edLocked, want: "F: it was encrypted for others: no identity in I opens it"},
		"not of age":                      {file: hidden, identity: id.String(), want: "F: age did not make it: it begins otherwise"},
		"empty":                           {file: "", identity: id.String(), want: "F: age did not make it: it begins otherwise"},
		"cut":                             {file: good[:len(good)-3], identity: id.String(), want: "F: it is damaged or was changed since age encrypted it: age -d says more"},
		"cut in its head":                 {file: good[:60], identity: id.String(), want: "F: it is damaged or was changed since age encrypted it: age -d says more"},
		"changed":                         {file: good[:len(good)-1] + "\x00", identity: id.String(), want: "F: it is damaged or was changed since age encrypted it: age -d says more"},
		"text without its end":            {file: encrypt(t, hidden, true, id.Recipient())[:200], identity: id.String(), want: "F: it is damaged or was changed since age encrypted it: age -d says more"},
		"identity that all may read":      {file: good, identity: id.String(), mode: 0o644, want: "F: identity file I: others than its owner may read it (mode 0644): chmod 600 it"},
		"identity that is none":           {file: good, identity: hidden, want: "F: identity file I: it holds neither age identities (lines that begin AGE-SECRET-KEY-) alone nor an SSH private key"},
		"identity that is broken":         {file: good, identity: id.String()[:40], want: "F: identity file I: it holds neither age identities (lines that begin AGE-SECRET-KEY-) alone nor an SSH private key"},
		"identity of a plug-in":           {file: good, identity: id.String() + "\nAGE-PLUGIN-YUBIKEY-1" + hidden + "\n", want: "F: identity file I: it names a plug-in of age (a line that begins AGE-PLUGIN-), which muster does not run: use an identity of age-keygen or an SSH key"},
		"identity that is empty":          {file: good, identity: "# nothing\n", want: "F: identity file I: it holds neither age identities (lines that begin AGE-SECRET-KEY-) alone nor an SSH private key"},
		"SSH key that is broken":          {file: good, identity: "-----BEGIN OPENSSH PRIVATE KEY-----\n" + hidden, want: "F: identity file I: it is no SSH key that age can use: Ed25519 and RSA are"},
		"identity for another":            {file: good, identity: good, want: "F: identity file I: it is not locked by a passphrase but encrypted for another identity"},
		"wrong passphrase":                {file: locked, prompt: wrong, want: "F: its passphrase does not fit"},
		"wrong passphrase of an identity": {file: good, identity: locked, prompt: wrong, want: "F: identity file I: its passphrase does not fit"},
		"wrong passphrase of an SSH key":  {file: encrypt(t, hidden, false, edTo), identity: edLocked, prompt: wrong, want: "F: identity file I: its passphrase does not fit"},
		"nobody to ask":                   {file: locked, want: "F: its passphrase: nobody can be asked here: name it in secrets: age: passphrase"},
		"nobody to ask for an identity":   {file: good, identity: locked, want: "F: identity file I: its passphrase: nobody can be asked here: name it in secrets: age: passphrase"},
		"nobody to ask for an SSH key":    {file: encrypt(t, hidden, false, edTo), identity: edLocked, want: "F: identity file I: its passphrase: nobody can be asked here: name it in secrets: age: passphrase"},
		"nothing typed":                   {file: locked, prompt: answer("", new([]string)), want: "F: its passphrase: nothing was typed"},
		"a terminal that is gone":         {file: locked, prompt: func(context.Context, string) (secret.Secret, error) { return secret.Secret{}, gone }, want: "F: its passphrase: the terminal is gone"},
		"a passphrase that is not there":  {file: locked, passphrase: open(t, "env:SECRET_TEST_NOT_SET"), want: "F: its passphrase: env:SECRET_TEST_NOT_SET: the environment variable is not set"},
		"an empty passphrase":             {file: locked, passphrase: literal(""), want: "F: its passphrase is empty"},
		"a passphrase that takes hours":   {file: dear, passphrase: literal(agePassphrase), want: "F: it is damaged or was changed since age encrypted it: age -d says more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, identity := put(t, dir, "file", c.file, 0o644), filepath.Join(dir, "identity")
			o := &secret.Opener{Prompt: c.prompt, Age: secret.Age{Passphrase: c.passphrase}}
			if c.identity != "" {
				o.Age.Identities = []string{put(t, dir, "identity", c.identity, max(c.mode, 0o600))}
			}
			_, err := read(t, o, "age:"+path)
			want := strings.NewReplacer("F:", "age:"+path+":", "file I:", "file "+identity+":", " I ", " "+identity+" ").Replace(c.want)
			if err == nil || err.Error() != want {
				t.Fatalf("\n got %v\nwant %s", err, want)
			}
			quiet(t, err.Error())
		})
	}
	if _, err := read(t, &secret.Opener{Age: secret.Age{Identities: []string{"/no/such/identity"}}}, "age:"+write(t, good, 0o644)); err == nil || !strings.HasSuffix(err.Error(), "identity file /no/such/identity: no such file or directory") {
		t.Errorf("got %v, want the identity file that is not there", err)
	}
	if _, err := read(t, &secret.Opener{}, "age:/no/such/file#x"); err == nil || err.Error() != "age:/no/such/file#x: no such file or directory" {
		t.Errorf("got %v, want the file that is not there", err)
	}
}

// Who replaces an identity and encrypts anew need not start muster anew.
func TestAnotherIdentityIsFoundInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path, identity := filepath.Join(dir, "file"), filepath.Join(dir, "identity")
		var asked []string
		o := &secret.Opener{Prompt: answer(agePassphrase, &asked), Age: secret.Age{Identities: []string{identity}}}
		for _, want := range []string{"first", "second"} {
			id := newIdentity(t)
			put(t, dir, "identity", encrypt(t, id.String(), false, byPassphrase(t, agePassphrase)), 0o600)
			put(t, dir, "file", encrypt(t, want, false, id.Recipient()), 0o644)
			if got, err := read(t, o, "age:"+path); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			time.Sleep(secret.Life)
		}
		if len(asked) != 1 {
			t.Errorf("asked %q, want once", asked)
		}
	})
}

// What Debian's age made is read, and what it asks of a terminal is not needed.
func TestFilesOfTheAgeCommand(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("age")
	if err != nil {
		t.Skip("there is no age here")
	}
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if out, err := exec.Command("age-keygen", "-o", key).CombinedOutput(); err != nil {
		t.Fatalf("age-keygen: %v: %s", err, out)
	}
	pub, err := exec.Command("age-keygen", "-y", key).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-e", "-a"} {
		path := filepath.Join(dir, "file"+flag)
		cmd := exec.Command(command, flag, "-r", strings.TrimSpace(string(pub)), "-o", path)
		cmd.Stdin = strings.NewReader("a: x\nrouters: " + hidden + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("age: %v: %s", err, out)
		}
		if got, err := read(t, &secret.Opener{Age: secret.Age{Identities: []string{key}}}, "age:"+path+"#routers"); err != nil || got != hidden {
			t.Errorf("age %s: got %q, %v", flag, got, err)
		}
	}
}
