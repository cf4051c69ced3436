// Taskgroup fills one map with the kinds of host key that all devices show (who still has ssh-rsa?): all of them, or nothing.
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
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: taskgroup HOST[:PORT]...     to practise: muster sim")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1:], session.Config{}) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "taskgroup:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts []string, c session.Config) error {
	var tasks []*task.Task[string]
	err := task.Scope(ctx, "host keys", func(_ context.Context, g *task.Group) error {
		for _, host := range hosts {
			tasks = append(tasks, task.Start(g, host, func(ctx context.Context) (string, error) { return kind(ctx, host, c) }))
		}
		return nil
	})
	if err != nil {
		return err
	}
	kinds := map[string]string{}
	for _, t := range tasks { // all have ended well, and nobody but this function knows the map
		kinds[t.Name()], _ = t.Wait(ctx)
	}
	for _, host := range hosts {
		fmt.Fprintf(w, "%s: %s\n", host, kinds[host])
	}
	return nil
}

// kind asks one device for its host key, without logging in.
func kind(ctx context.Context, host string, c session.Config) (string, error) {
	key, err := session.FetchHostKey(ctx, host, c)
	if err != nil {
		return "", err
	}
	return key.Type(), nil
}
