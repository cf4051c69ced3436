package secret_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/musternet/muster/secret"
)

func literal(text string) secret.Source { return secret.Literal(secret.New(text)) }

func TestKeyringIDNamesTheAccount(t *testing.T) {
	t.Parallel()
	var ring secret.Keyring
	base := secret.Credential{Name: "a", Username: "admin", Password: literal(hidden)}
	id := ring.ID(t.Context(), base, "")
	same := map[string]secret.Credential{
		"another name":     {Name: "device/r1", Username: "admin", Password: literal(hidden)},
		"user from device": {Name: "a", Password: literal(hidden)},
		"another enable":   {Name: "a", Username: "admin", Password: literal(hidden), Enable: literal("en")},
	}
	for what, c := range same {
		if got := ring.ID(t.Context(), c, "admin"); got != id {
			t.Errorf("%s: got another ID, want the same", what)
		}
	}
	other := map[string]secret.Credential{
		"another user":     {Username: "root", Password: literal(hidden)},
		"another password": {Username: "admin", Password: literal("other")},
		"no password":      {Username: "admin"},
		"passphrase":       {Username: "admin", Passphrase: literal(hidden)},
		"agent":            {Username: "admin", Password: literal(hidden), Agent: true},
		"key":              {Username: "admin", Password: literal(hidden), Keys: []string{"/k"}},
		"shifted fields":   {Username: "admin" + "password", Password: literal(hidden)},
		"unreadable":       {Username: "admin", Password: open(t, "file:/no/such/file")},
	}
	seen := map[string]string{id: "base"}
	for what, c := range other {
		got := ring.ID(t.Context(), c, "")
		if was, ok := seen[got]; ok {
			t.Errorf("%s has the ID of %s", what, was)
		}
		seen[got] = what
	}
	if strings.Contains(id, hidden) || len(id) != 32 {
		t.Errorf("got the ID %q", id)
	}
	var second secret.Keyring
	if second.ID(t.Context(), base, "") == id {
		t.Error("two keyrings hash with the same key")
	}
}

func TestKeyringIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var ring secret.Keyring
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			name := fmt.Sprintf("c%02d", i)
			ring.Add(secret.Credential{Name: name, Keys: []string{"/k"}})
			c, ok := ring.Get(name)
			if !ok || c.Name != name {
				t.Errorf("got %v, %v, want %s", c, ok, name)
			}
			c.Keys[0] = "changed by its user"
			ring.ID(t.Context(), c, "u")
		})
	}
	wg.Wait()
	if names := ring.Names(); len(names) != 50 || !slices.IsSorted(names) {
		t.Errorf("got %d names, want 50, sorted", len(names))
	}
	if c, _ := ring.Get("c07"); c.Keys[0] != "/k" {
		t.Error("a credential in the ring was changed from outside")
	}
	if _, ok := ring.Get("none"); ok {
		t.Error("got a credential that nobody added")
	}
}
