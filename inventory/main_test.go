package inventory_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hidden is the secret that the fixtures hold and that must not come out.
const hidden = "hunter2"

// platforms stands for package platform, so that these tests are about inventories.
var platforms = map[string]string{
	"ios": "cisco_ios", "cisco_ios": "cisco_ios", "cisco.ios.ios": "cisco_ios", "cisco": "cisco_ios",
	"junipernetworks.junos.junos": "juniper_junos", "eos": "arista_eos",
	"iosxr": "cisco_iosxr", "junos": "juniper_junos", "juniper": "juniper_junos", "juniper_junos": "juniper_junos",
}

// env returns an Env that knows nothing of the machine it runs on.
func env(t *testing.T) inventory.Env {
	t.Helper()
	return inventory.Env{
		Keyring:    &secret.Keyring{},
		Getenv:     func(string) string { return "" },
		Home:       "/home/netops",
		SSHConfigs: []string{},
		Platform: func(name string) (string, bool) {
			c, ok := platforms[strings.ToLower(name)]
			return c, ok
		},
		Platforms: func() []string { return []string{"cisco_ios", "cisco_iosxr", "cisco.ios.ios", "juniper_junos", "ios"} },
	}
}

// secrets opens references by a table.
func secrets(table map[string]string) inventory.OpenSecret {
	return func(refs ...secret.Ref) (secret.Source, error) {
		text, ok := table[string(refs[0])]
		if !ok {
			return nil, secret.ErrNotRef
		}
		return secret.Literal(secret.New(text)), nil
	}
}
