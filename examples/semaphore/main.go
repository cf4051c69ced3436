// Semaphore asks every device for its version and keeps no more than ten sessions open at once.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/task"
)

func main() {
	if len(os.Args) < 2 || os.Getenv("MUSTER_PASSWORD") == "" {
		fmt.Fprintln(os.Stderr, "usage: MUSTER_USERNAME=... MUSTER_PASSWORD=... semaphore HOST[:PORT]...     to practise: muster sim --platform cisco_ios")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error {
		keys, err := session.OpenKnownHosts(true, "known_hosts") // a new device is believed, a changed key is not
		if err != nil {
			return err
		}
		password := func(context.Context) (string, error) { return os.Getenv("MUSTER_PASSWORD"), nil }
		user := session.Credential{User: os.Getenv("MUSTER_USERNAME"), Password: password}
		return run(ctx, os.Stdout, os.Args[1:], session.Config{HostKeys: keys, Credentials: []session.Credential{user}, Shell: &session.Shell{}})
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "semaphore:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts []string, login session.Config) error {
	slots := task.NewSemaphore(10)
	versions, err := task.Gather(ctx, hosts, func(ctx context.Context, host string) (string, error) {
		if err := slots.Acquire(ctx, 1); err != nil {
			return "", err
		}
		defer slots.Release(1)
		return version(ctx, host, login)
	}, task.Limit(0)) // a task for every device, and ten of them with a session
	if err != nil {
		return err
	}
	for i, host := range hosts {
		fmt.Fprintf(w, "%s: %d bytes\n", host, len(versions[i]))
	}
	return nil
}

func version(ctx context.Context, host string, login session.Config) (string, error) {
	s, err := session.Dial(ctx, host, login)
	if err != nil {
		return "", err
	}
	defer s.Close()
	out, err := s.Run(ctx, "show version")
	return out.Text, err
}
