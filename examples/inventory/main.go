// Inventory runs a function of yours on every device of an inventory file. Here: the host key's fingerprint.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/task"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: inventory FILE [SELECTOR]...     to practise: muster sim --inventory fleet.csv")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1], os.Args[2:]) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "inventory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, file string, selectors []string) error {
	inv, err := inventory.Load(ctx, inventory.Env{}, inventory.Spec{File: file})
	if err != nil {
		return err
	}
	picked, err := inv.Select(ctx, selectors, inventory.Outside{})
	if err != nil {
		return err
	}
	for i, r := range task.Settle(ctx, picked.Devices, yours, task.Limit(10)) {
		if r.Err != nil {
			fmt.Fprintf(w, "%s: FAILED - %v\n", picked.Devices[i].Name, r.Err)
			continue
		}
		fmt.Fprintf(w, "%s: %s\n", picked.Devices[i].Name, r.Value)
	}
	return ctx.Err()
}

func yours(ctx context.Context, dev muster.Device) (string, error) {
	address := net.JoinHostPort(dev.Address, strconv.Itoa(cmp.Or(dev.Port, 22)))
	key, err := session.FetchHostKey(ctx, address, session.Config{})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(key.Marshal())
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]), nil // as ssh prints it
}
