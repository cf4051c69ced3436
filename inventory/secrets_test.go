package inventory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// everything writes down all that comes out of an inventory, in every way in which it can be printed.
func everything(e inventory.Env, spec inventory.Spec, inv *inventory.Inventory, err error) string {
	var b strings.Builder
	js, _ := json.Marshal(inv.Devices)
	fmt.Fprintf(&b, "%s %s\n%+v %#v\n%v %+v %#v\n%+v\n", js, spec, inv.Devices, inv.Devices, err, err, err, inv.Counts)
	for _, row := range append(inv.Bad, inv.Notes...) {
		fmt.Fprintf(&b, "%v %+v %#v\n", row, row, row)
		for err := error(row); err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&b, "%v %+v %#v\n", err, err, err)
		}
	}
	for _, name := range e.Keyring.Names() {
		c, _ := e.Keyring.Get(name)
		js, _ := json.Marshal(c)
		fmt.Fprintf(&b, "%v %+v %#v %s %v %v %v\n", c, c, c, js, c.Password, c.Enable, c.Passphrase)
	}
	return b.String()
}

// No secret of a fixture comes out, be the vault open or not, be the file whole or cut off anywhere.
func TestNoSecretComesOut(t *testing.T) {
	t.Parallel()
	for _, kind := range inventory.Sources() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			spec, _ := subject(t, kind)
			held := false
			for name, vault := range map[string]func(context.Context, string, []byte) ([]byte, error){"no vault": nil, "a vault": unvault, "a wrong password": func(context.Context, string, []byte) ([]byte, error) { return nil, secret.ErrVaultPassword }} {
				e := env(t)
				e.Vault, e.Keep = vault, t.TempDir()
				inv, err := inventory.Load(t.Context(), e, spec)
				out := everything(e, spec, inv, err)
				for _, file := range below(t, e.Keep) {
					out += file
				}
				leaks(t, kind+", "+name, out)
			}
			if spec.URL != "" {
				return
			}
			data, err := os.ReadFile(spec.File)
			if err != nil {
				t.Fatal(err)
			}
			for cut := 0; cut < len(data); cut += 1 + len(data)/150 {
				for _, text := range []string{string(data[:cut]), string(data[:cut]) + "\"" + string(data[cut:]), string(data[:cut]) + "{" + string(data[cut:])} {
					held = held || strings.Contains(text, hidden)
					e := env(t)
					e.Stdin = strings.NewReader(text)
					stdin := inventory.Spec{Type: kind, File: "-"}
					inv, err := inventory.Load(t.Context(), e, stdin)
					leaks(t, fmt.Sprintf("%s, cut at %d", kind, cut), everything(e, stdin, inv, err))
				}
			}
			if !held && kind != "list" && kind != "rancid" {
				t.Error("the fixture holds no secret: nothing was tested")
			}
		})
	}
}

// leaks fails where a secret stands in a text.
func leaks(t *testing.T, what, text string) {
	t.Helper()
	if i := strings.Index(text, hidden); i >= 0 {
		t.Fatalf("%s: the secret came out: ...%s...", what, text[max(i-200, 0):min(i+40, len(text))])
	}
}

// below returns what all files below a directory hold.
func below(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, path+string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
