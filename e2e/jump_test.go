//go:build e2e && linux

package e2e

import (
	"fmt"
	"testing"
)

func TestRoutersBehindBastionsAreReachedByNameAndByAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t).identity(t)
	bastion, bastion2 := of("bastion"), of("bastion2")
	bastion2.jump = "bastion"
	byAddress := func(name, jump string) row {
		r := of(name)
		r.name, r.password, r.jump = name+"-by-address", "", jump // the key opens router and bastions
		return r
	}
	hop := fmt.Sprintf("hop@%s:22", bastion.address)
	hop2 := "hop@" + bastion2.address
	r3, r4 := of("r3"), of("r4")
	r3.jump, r4.jump = "bastion", "bastion,bastion2"
	rows := []row{bastion, bastion2, r3, r4, byAddress("r3", hop), byAddress("r4", hop+","+hop2)}
	s.expect(t, rows, 0, "backup", "-i", s.inventory(t, rows...), "-o", "ndjson")
}

func TestADeadBastionIsSaidToBeTheReason(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := of("r3")
	r.jump, r.want = fmt.Sprintf("hop@%s:%d", machine, closedPort(t)), "connect refused"
	s.expect(t, []row{r}, 1, "backup", "-i", s.inventory(t, r), "-o", "ndjson")
}
