package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSSHConfigHosts(t *testing.T) {
	t.Parallel()
	inv, err := load(t, env(t), "ssh_config", `
Host r1 r2 *.lab r? !r9
  User a
Match exec "rm -rf /"
  User b
Match final host r1
  User c
Host r1
  User d
  Port 2022
Match host r2,r3
  Port 2023
  User e
host=r3
  # User f
  ProxyJump none
Host "r4"
  HostName=192.0.2.4
`)
	if err != nil || len(inv.Bad) > 0 {
		t.Fatalf("%v %v", err, inv.Bad)
	}
	var got []string
	for _, d := range inv.Devices {
		got = append(got, strings.Join([]string{d.Name, d.Address, d.Username, string(rune('0' + d.Port%10))}, " "))
	}
	if diff := cmp.Diff([]string{"r1 r1 a 2", "r2 r2 a 3", "r3 r3 a 3", "r4 192.0.2.4 a 0"}, got); diff != "" {
		t.Error(diff)
	}
	if len(inv.Notes) != 2 {
		t.Errorf("got the notes %v, want one for each Match that is left out", inv.Notes)
	}
}
