package backup_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster"
	"github.com/musternet/muster/backup"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

// keeper remembers what it was given.
type keeper struct {
	kept   []store.Kept
	failed []store.Outcome
	line   int // what it says of changed texts
}

func (k *keeper) Keep(_ context.Context, e store.Kept) muster.Result {
	k.kept = append(k.kept, e)
	r := e.Result
	r.Status, r.Line = muster.StatusChanged, k.line
	return r
}

func (k *keeper) Fail(_ context.Context, o store.Outcome) muster.Result {
	k.failed = append(k.failed, o)
	return o.Result
}

// withDevice runs f with one simulated device and a Backup that reaches it.
func withDevice(t *testing.T, c sim.Config, f func(ctx context.Context, dev muster.Device, b *backup.Backup, k *keeper)) {
	t.Helper()
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		c.Devices = 1
		fleet, err := sim.Start(ctx, g, c)
		if err != nil {
			return err
		}
		defer fleet.Close()
		user, password, enable := fleet.Login()
		ring := &secret.Keyring{}
		ring.Add(secret.Credential{Name: "sim", Username: user,
			Password: secret.Literal(secret.New(password)), Enable: secret.Literal(secret.New(enable))})
		keys, err := session.OpenKnownHosts(true, filepath.Join(t.TempDir(), "known_hosts"))
		if err != nil {
			return err
		}
		d := fleet.Devices()[0]
		k := &keeper{}
		f(ctx, muster.Device{Name: d.Name, Address: d.Address, Port: d.Port, Platform: d.Platform, Credentials: []string{"sim"}},
			&backup.Backup{Dialer: &backup.Dialer{Keyring: ring, HostKeys: keys}, Keeper: k, HashKey: []byte("key")}, k)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreStoredAsTheDeviceWants(t *testing.T) {
	t.Parallel()
	withDevice(t, sim.Config{Platforms: []string{"cisco_ios"}, Seed: 1}, func(ctx context.Context, dev muster.Device, b *backup.Backup, k *keeper) {
		for _, mode := range []muster.SecretsMode{muster.SecretsKeep, muster.SecretsMask, muster.SecretsHash} {
			dev.Secrets = mode
			if r := b.Do(ctx, dev); r.Failure != nil {
				t.Fatal(r.Failure)
			}
		}
		kept, masked, hashed := string(k.kept[0].Config.Text), string(k.kept[1].Config.Text), string(k.kept[2].Config.Text)
		if strings.Contains(kept, "<secret") || !strings.Contains(masked, "<secret>") || !strings.Contains(hashed, "<secret:") {
			t.Errorf("kept:\n%s\nmasked:\n%s\nhashed:\n%s", kept, masked, hashed)
		}
		if f := k.kept[0].Config.Facts; f.Hostname == "" || f.Version == "" {
			t.Errorf("got facts %+v, want host name and version", f)
		}
		if s := k.kept[0].Session; s.Cipher == "" || !strings.HasPrefix(s.Fingerprint, "SHA256:") || s.Credential != "sim" {
			t.Errorf("got session facts %+v", s)
		}
	})
}

func TestTheTasteOfAChangeHoldsNoSecret(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	b := &backup.Backup{Keeper: k}
	text := "hostname r1\nline vty 0 4\n password 0 hunter2\ninterface x\n description uplink\nend\n"
	for line, want := range map[int]string{0: "", 3: "password 0 <secret>", 5: "description uplink", 99: ""} {
		k.line = line
		r := b.Keep(t.Context(), muster.Result{}, backup.Fetched{Config: muster.Config{Platform: "cisco_ios", Text: []byte(text)}})
		if r.Taste != want {
			t.Errorf("line %d: got %q, want %q", line, r.Taste, want)
		}
	}
}

func TestWhoChangedADeviceIsTheAuthorOfItsRevision(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	b := &backup.Backup{Keeper: k, Authors: map[string]string{"r1": "ada", "r2": "eve <x>\nforged: y"}}
	for _, c := range []struct{ device, want string }{
		{"r1", "ada"}, {"r2", "eve  x  forged: y"}, {"r3", ""},
	} {
		dev := muster.Device{Name: c.device}
		r := b.Keep(t.Context(), muster.Result{Device: dev}, backup.Fetched{Config: muster.Config{Text: []byte("x\n")}})
		if kept := k.kept[len(k.kept)-1].Author; r.Author != c.want || kept != c.want {
			t.Errorf("%s: kept by %q, told by %q, want %q", c.device, kept, r.Author, c.want)
		}
		r = b.Keep(t.Context(), muster.Result{Device: dev, Failure: &muster.Failure{Code: "timeout"}}, backup.Fetched{})
		if r.Author != c.want {
			t.Errorf("%s: failed by %q, want %q", c.device, r.Author, c.want)
		}
	}
}

func TestAFailureIsKeptWithWhatToTry(t *testing.T) {
	t.Parallel()
	withDevice(t, sim.Config{Seed: 1, Faults: []sim.Share{{Kind: "auth", Share: 1}}}, func(ctx context.Context, dev muster.Device, b *backup.Backup, k *keeper) {
		r := b.Do(ctx, dev)
		if r.Failure == nil || r.Failure.Code != "auth-rejected" || r.Failure.Stage != muster.StageAuth {
			t.Fatalf("got %v", r.Failure)
		}
		if try := r.Failure.Try(); !strings.Contains(try, "muster device test "+dev.Name) {
			t.Errorf("try: %q does not name the device", try)
		}
		if len(k.failed) != 1 || len(k.kept) != 0 {
			t.Errorf("got %d failures and %d texts, want one failure", len(k.failed), len(k.kept))
		}
	})
}

func TestEveryCodeOfASessionHasItsPage(t *testing.T) {
	t.Parallel()
	f := backup.Failure(muster.Device{Name: "r1"}, errors.New("odd"))
	if f.Code != "internal" {
		t.Errorf("got %s for an error of no known kind, want internal", f.Code)
	}
	files, err := filepath.Glob("../session/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources of session")
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range strings.Split(string(src), "failf(")[1:] {
			parts := strings.SplitN(call, `"`, 3)
			if len(parts) < 3 || strings.Count(parts[0], ",") != 1 || strings.ContainsAny(parts[0], "\n)") {
				continue // the code is a variable
			}
			if _, ok := muster.LookupCode(parts[1]); !ok {
				t.Errorf("%s: code %q has no line in muster.Codes", file, parts[1])
			}
		}
	}
}

func TestKeyFilesOfACredential(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, locked := writeKey(t, dir, "plain", ""), writeKey(t, dir, "locked", "passphrase")
	for _, c := range []struct {
		name string
		cred secret.Credential
		keys int
		err  string
	}{
		{"plain", secret.Credential{Keys: []string{plain}}, 1, ""},
		{"locked with its passphrase", secret.Credential{Keys: []string{plain, locked}, Passphrase: secret.Literal(secret.New("passphrase"))}, 2, ""},
		{"locked, the agent may have it", secret.Credential{Keys: []string{locked, plain}, Agent: true}, 1, ""},
		{"locked", secret.Credential{Keys: []string{locked}}, 0, "locked by a passphrase"},
		{"wrong passphrase", secret.Credential{Keys: []string{locked}, Passphrase: secret.Literal(secret.New("wrong"))}, 0, "does not fit"},
		{"absent", secret.Credential{Keys: []string{filepath.Join(dir, "absent")}}, 0, "absent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ring := &secret.Keyring{}
			c.cred.Name = "c"
			ring.Add(c.cred)
			d := &backup.Dialer{Keyring: ring}
			_, conf, _, err := d.Config(t.Context(), muster.Device{Name: "r1", Address: "192.0.2.1", Credentials: []string{"c"}})
			if err != nil {
				t.Fatal(err)
			}
			signers, err := conf.Credentials[0].Keys(t.Context())
			if len(signers) != c.keys || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %d keys, %v; want %d, %q", len(signers), err, c.keys, c.err)
			}
		})
	}
}

func writeKey(t *testing.T, dir, name, passphrase string) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASlowDeviceGetsTheTimeItsCallerGivesIt(t *testing.T) {
	t.Parallel()
	d := &backup.Dialer{Keyring: &secret.Keyring{}}
	for given, want := range map[time.Duration]session.Limits{
		20 * time.Minute: {Total: 20 * time.Minute, Command: 4 * time.Minute}, // the usual five minutes would end it first
		5 * time.Minute:  {},
		10 * time.Second: {},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), given)
		_, c, _, err := d.Config(ctx, muster.Device{Name: "sw1", Address: "192.0.2.1"})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Limits; got.Total.Round(10*time.Second) != want.Total || got.Command.Round(10*time.Second) != want.Command {
			t.Errorf("with %v: got %v in all and %v for a command, want %v and %v", given, got.Total, got.Command, want.Total, want.Command)
		}
	}
}
