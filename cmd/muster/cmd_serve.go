package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
	"github.com/musternet/muster/secret"
)

func (p *program) serveCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Watch, back up and alert, for ever",
		Long: `Watch every device, back all of them up when that is due, keep what was measured, and alert: a host that is down, a backup
that failed, a configuration that changed, with its diff. What to watch, when to back up and whom to tell stands in
muster.yaml (monitor, backup, history, alerts); without it devices are pinged each 10 s and backed up each 6 h.

It listens on this machine alone: /health, /metrics, Prometheus' read API below /prometheus and Alertmanager's API below
/alertmanager, where promtool, Grafana and amtool feel at home. SIGHUP reads the settings and the inventory anew.`,
		Example: `  muster serve
  muster serve --listen 127.0.0.1:9970
  amtool --alertmanager.url http://127.0.0.1:8970/alertmanager alert query`,
		Args: takes(0, 0, "no argument"),
	}
	c.Flags().StringVar(&listen, "listen", "", "`ADDRESS` and port on this machine (default: the settings', or 127.0.0.1:8970)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p.forever = true
		if !p.verbose {
			p.level = slog.LevelInfo
		}
		err := p.serve(c.Context(), listen)
		if cause := context.Cause(c.Context()); cause != nil && (errors.Is(err, cause) || errors.Is(err, context.Canceled)) {
			return nil // that is how it ends
		}
		return err
	}
	return c
}

func (p *program) serve(ctx context.Context, listen string) error {
	opened := p.options()
	opened.Prompt = askedOnce(opened.Prompt)
	var stdin bytes.Buffer // what was read of it: a list that came that way does not come again
	again := opened
	opened.Stdin = io.TeeReader(p.stdin, &stdin)
	o := app.ServeOptions{
		Version: version, Listen: listen, Ready: func(address string, devices int) {
			p.hint("muster watches %d devices; see http://%s/health", devices, address)
		},
		Again: func(ctx context.Context) (*app.App, error) {
			again.Stdin = bytes.NewReader(stdin.Bytes())
			return app.Open(ctx, again)
		},
	}
	reload, stop := reloadSignals()
	defer stop()
	o.Reload = reload
	return p.withOptions(ctx, opened, func(a *app.App) error { return a.Serve(ctx, o) })
}

// askedOnce remembers what a person answered: nobody sits there when the settings are read anew.
func askedOnce(prompt func(context.Context, string) (secret.Secret, error)) func(context.Context, string) (secret.Secret, error) {
	if prompt == nil {
		return nil
	}
	var mu sync.Mutex
	answers := map[string]secret.Secret{}
	return func(ctx context.Context, text string) (secret.Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		if answer, known := answers[text]; known {
			return answer, nil
		}
		answer, err := prompt(ctx, text)
		if err == nil {
			answers[text] = answer
		}
		return answer, err
	}
}

func (p *program) tasksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tasks",
		Short: "Show what the muster that serves is doing, as a tree",
		Example: `  muster tasks
  muster tasks -o json`,
		Args: takes(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.with(c.Context(), func(a *app.App) error {
				tasks, err := a.LiveTasks(c.Context())
				if err != nil {
					return err
				}
				return all(p, taskView(), tasks)
			})
		},
	}
}

func taskView() view[app.TaskInfo] {
	return view[app.TaskInfo]{
		columns: []column[app.TaskInfo]{
			{head: "TASK", cell: func(t app.TaskInfo) string { return fmt.Sprintf("%*s%s", 2*t.Depth, "", t.Name) }},
			{head: "FOR", cell: func(t app.TaskInfo) string { return shortDuration(sinceNow(t.Since)) }, right: true},
			{head: "STATUS", cell: func(t app.TaskInfo) string { return t.Status }},
		},
		word: func(t app.TaskInfo) string { return t.Name },
	}
}
