package inventory_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/inventory"
)

// A large network: 20,000 hosts in 400 groups with variables in three layers.
func BenchmarkAnsible(b *testing.B) {
	dir := b.TempDir()
	var text strings.Builder
	for g := range 400 {
		fmt.Fprintf(&text, "[g%d]\n", g)
		for h := range 50 {
			fmt.Fprintf(&text, "h%d-%d ansible_host=10.%d.%d.%d\n", g, h, g/200, g%200, h)
		}
	}
	text.WriteString("[core:children]\n")
	for g := range 400 {
		fmt.Fprintf(&text, "g%d\n", g)
	}
	text.WriteString("[core:vars]\nansible_network_os=ios\nansible_user=u\nansible_password='{{ pw }}'\npw=x\n")
	path := filepath.Join(dir, "hosts")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e := inventory.Env{Getenv: func(string) string { return "" }, SSHConfigs: []string{}}
		inv, err := inventory.Load(b.Context(), e, inventory.Spec{Type: "ansible", File: path})
		if err != nil || len(inv.Devices) != 20_000 {
			b.Fatal(len(inv.Devices), err, inv.Bad[:1])
		}
	}
}
