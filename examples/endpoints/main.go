// Endpoints lists the endpoints that Cisco ISE knows, all of them and not the first page alone.
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
		fmt.Fprintln(os.Stderr, "usage: MUSTER_ISE_URL=https://ISE MUSTER_ISE_USERNAME=... MUSTER_ISE_PASSWORD=... [MUSTER_ISE_CA_FILE=...] endpoints     to practise: muster sim --ise")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error {
		return run(ctx, os.Stdout, ise.Config{
			URL: os.Getenv("MUSTER_ISE_URL"), Username: os.Getenv("MUSTER_ISE_USERNAME"), CAFile: os.Getenv("MUSTER_ISE_CA_FILE"),
			Password: func(context.Context) (string, error) { return os.Getenv("MUSTER_ISE_PASSWORD"), nil },
		})
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "endpoints:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, c ise.Config) error {
	client, err := ise.New(c)
	if err != nil {
		return err
	}
	defer client.Close()
	n := 0
	for endpoint, err := range client.Endpoints(ctx, ise.Filter{}) {
		if err != nil {
			return err
		}
		n++
		fmt.Fprintf(w, "%s  %q\n", endpoint.ID, endpoint.Name) // quoted: it may hold anything
	}
	fmt.Fprintf(w, "Found %d endpoints\n", n)
	return nil
}
