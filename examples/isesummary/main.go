// Isesummary asks Cisco ISE for its endpoints, groups and policies at once: three REST calls, no waiting in line.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/task"
)

func main() {
	if os.Getenv("MUSTER_ISE_URL") == "" || os.Getenv("MUSTER_ISE_PASSWORD") == "" {
		fmt.Fprintln(os.Stderr, "usage: MUSTER_ISE_URL=https://ISE MUSTER_ISE_USERNAME=... MUSTER_ISE_PASSWORD=... [MUSTER_ISE_CA_FILE=...] isesummary     to practise: muster sim --ise")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error {
		return run(ctx, os.Stdout, ise.Config{
			URL: os.Getenv("MUSTER_ISE_URL"), Username: os.Getenv("MUSTER_ISE_USERNAME"), CAFile: os.Getenv("MUSTER_ISE_CA_FILE"),
			Password: func(context.Context) (string, error) { return os.Getenv("MUSTER_ISE_PASSWORD"), nil },
		})
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "isesummary:", err)
		os.Exit(1)
	}
}

// call is one REST call: it returns how many there are.
type call func(context.Context) (int, error)

func run(ctx context.Context, w io.Writer, c ise.Config) error {
	client, err := ise.New(c)
	if err != nil {
		return err
	}
	defer client.Close()
	calls := []call{
		func(ctx context.Context) (int, error) { return client.Endpoint.Total(ctx, ise.Filter{}) },
		func(ctx context.Context) (int, error) { return client.EndpointGroup.Total(ctx, ise.Filter{}) },
		func(ctx context.Context) (int, error) { sets, err := client.PolicySets(ctx); return len(sets), err },
	}
	totals, err := task.Gather(ctx, calls, func(ctx context.Context, c call) (int, error) { return c(ctx) })
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Endpoints: %d\nGroups: %d\nPolicies: %d\n", totals[0], totals[1], totals[2])
	return nil
}
