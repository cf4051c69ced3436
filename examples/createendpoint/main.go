// Createendpoint creates an endpoint in Cisco ISE. Only 201 Created is a success.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/task"
)

func main() {
	if len(os.Args) != 3 || os.Getenv("MUSTER_ISE_URL") == "" || os.Getenv("MUSTER_ISE_PASSWORD") == "" {
		fmt.Fprintln(os.Stderr, "usage: MUSTER_ISE_URL=https://ISE MUSTER_ISE_USERNAME=... MUSTER_ISE_PASSWORD=... [MUSTER_ISE_CA_FILE=...] createendpoint MAC GROUP     to practise: muster sim --ise")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error {
		return run(ctx, os.Stdout, os.Args[1], os.Args[2], ise.Config{
			URL: os.Getenv("MUSTER_ISE_URL"), Username: os.Getenv("MUSTER_ISE_USERNAME"), CAFile: os.Getenv("MUSTER_ISE_CA_FILE"),
			Password: func(context.Context) (string, error) { return os.Getenv("MUSTER_ISE_PASSWORD"), nil },
		})
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "createendpoint:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, mac, group string, c ise.Config) error {
	client, err := ise.New(c)
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := client.EndpointGroup.Find(ctx, group)
	if err != nil {
		return err
	}
	id, err := client.Endpoint.Create(ctx, ise.Endpoint{MAC: mac, GroupID: found.ID})
	if errors.Is(err, ise.ErrExists) {
		fmt.Fprintf(w, "%s: already there\n", mac)
		return nil
	}
	if err != nil {
		return err // such as: create endpoint AA:BB:CC:00:11:22: unexpected answer: want 201 Created (200 OK)
	}
	fmt.Fprintf(w, "%s: created as %s\n", mac, id)
	return nil
}
