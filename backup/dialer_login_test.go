package backup

import (
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/secret"
)

// The password that was asked for is that of a device which brings the secret of its privileged mode alone, too.
func TestADeviceWithAnEnableSecretAloneTakesThePasswordThatWasAskedFor(t *testing.T) {
	t.Parallel()
	keyring := &secret.Keyring{}
	keyring.Add(secret.Credential{Name: "asked", Password: secret.Literal(secret.New("pw"))})
	keyring.Add(secret.Credential{Name: "device/r1", Enable: secret.Literal(secret.New("en"))})
	keyring.Add(secret.Credential{Name: "device/r2", Agent: true})
	for _, c := range []struct {
		device   string
		defaults []string
		want     bool
	}{{"r1", []string{"asked"}, true}, {"r1", nil, false}, {"r2", []string{"asked"}, false}} {
		d := &Dialer{Keyring: keyring, Defaults: c.defaults}
		logins, err := d.logins(t.Context(), d.credentials(muster.Device{Credentials: []string{"device/" + c.device}}), "u")
		if err != nil || len(logins) != 1 || (logins[0].Password != nil) != c.want || logins[0].Agent == c.want {
			t.Errorf("%s with %v: got %+v, %v", c.device, c.defaults, logins, err)
		}
	}
}
