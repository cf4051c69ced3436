// Gather fetches the configurations of all devices at once. The results have the order of the input.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/task"
)

func main() {
	if len(os.Args) < 2 || os.Getenv("MUSTER_PASSWORD") == "" {
		fmt.Fprintln(os.Stderr, "usage: MUSTER_USERNAME=... MUSTER_PASSWORD=... gather HOST[:PORT]...     to practise: muster sim --platform cisco_ios")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error {
		keys, err := session.OpenKnownHosts(true, "known_hosts") // a new device is believed, a changed key is not
		if err != nil {
			return err
		}
		user := session.Credential{User: os.Getenv("MUSTER_USERNAME"), Password: env("MUSTER_PASSWORD")}
		return run(ctx, os.Stdout, os.Args[1:], login{HostKeys: keys, Credentials: []session.Credential{user}}.fetch)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "gather:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts []string, fetch func(context.Context, string) (platform.Config, error)) error {
	configs, err := task.Gather(ctx, hosts, fetch)
	if err != nil {
		return err
	}
	for i, host := range hosts {
		fmt.Fprintf(w, "%s: %d bytes\n", host, len(configs[i].Text))
	}
	return nil
}

type login session.Config

// fetch logs in to one device and returns its configuration: whole, and without what changes by itself.
func (l login) fetch(ctx context.Context, host string) (platform.Config, error) {
	ios, _ := platform.Lookup("cisco_ios") // `muster list platforms` has the others
	conn, err := ios.Open(ctx, host, session.Config(l), platform.Options{Enable: env("MUSTER_ENABLE")})
	if err != nil {
		return platform.Config{}, fmt.Errorf("%s: %w", host, err)
	}
	defer conn.Close()
	return conn.Config(ctx)
}

func env(name string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return os.Getenv(name), nil }
}
