package inventory_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/musternet/muster/inventory"
)

func Example() {
	list := "name,address,tags\ncore-1,192.0.2.1,site=ams\ncore-2,192.0.2.2,site=fra\nedge-1,192.0.2.300,site=ams\n"
	env := inventory.Env{Stdin: strings.NewReader(list)}
	inv, err := inventory.Load(context.Background(), env, inventory.Spec{Type: "csv", File: "-"})
	if err != nil {
		fmt.Println(err)
		return
	}
	picked, err := inv.Select(context.Background(), []string{"site=ams", "edge-*"}, inventory.Outside{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, dev := range picked.Devices {
		fmt.Println(dev.Name, dev.Address)
	}
	fmt.Println("nothing matches", picked.Unmatched)
	fmt.Println("left out:", inv.Bad[0])
	// Output:
	// core-1 192.0.2.1
	// nothing matches [edge-*]
	// left out: stdin:4:8: the address "192.0.2.300" is no IPv4 address
}
