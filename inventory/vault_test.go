package inventory_test

import (
	"context"
	"fmt"

	"github.com/musternet/muster/secret"
)

// unvault decrypts what ansible-vault made for the fixtures. The file of the vault id prod says so, the value says none.
func unvault(_ context.Context, label string, data []byte) ([]byte, error) {
	plain, err := secret.DecryptAnsibleVault(data, secret.New("vaultpass"))
	if err == nil && label != map[string]string{hidden + "-vaulted": "", "sealed_enable: " + hidden + "-sealed\n": "prod"}[string(plain)] {
		return nil, fmt.Errorf("the label is %q", label)
	}
	return plain, err
}
