// Session opens an SSH session that closes itself, once as a value of a type and once as a function.
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
	if len(os.Args) != 2 || os.Getenv("MUSTER_PASSWORD") == "" {
		fmt.Fprintln(os.Stderr, "usage: MUSTER_USERNAME=... MUSTER_PASSWORD=... session HOST[:PORT]     to practise: muster sim --platform cisco_ios")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error {
		keys, err := session.OpenKnownHosts(true, "known_hosts") // a new device is believed, a changed key is not
		if err != nil {
			return err
		}
		password := func(context.Context) (string, error) { return os.Getenv("MUSTER_PASSWORD"), nil }
		user := session.Credential{User: os.Getenv("MUSTER_USERNAME"), Password: password}
		return run(ctx, os.Stdout, os.Args[1], session.Config{HostKeys: keys, Credentials: []session.Credential{user}, Shell: &session.Shell{}})
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "session:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, host string, login session.Config) error {
	for _, version := range []func(context.Context, string, session.Config) (session.Output, error){asType, asFunction} {
		out, err := version(ctx, host, login)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %d bytes\n", host, len(out.Text))
	}
	return nil
}

func asType(ctx context.Context, host string, login session.Config) (session.Output, error) {
	s, err := session.Dial(ctx, host, login)
	if err != nil {
		return session.Output{}, err
	}
	defer s.Close() // however this function ends
	return s.Run(ctx, "show version")
}

func asFunction(ctx context.Context, host string, login session.Config) (out session.Output, err error) {
	err = session.With(ctx, host, login, func(ctx context.Context, s *session.Session) error {
		out, err = s.Run(ctx, "show version")
		return err
	})
	return out, err
}
