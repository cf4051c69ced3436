package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func (p *program) simCommand() *cobra.Command {
	config := sim.Config{Devices: 50}
	var latency span
	var faults []string
	var inventory string
	var iseFlags iseSim
	c := &cobra.Command{
		Use:   "sim",
		Short: "Run a simulated fleet to practise on",
		Long: `Run a simulated fleet to practise on: devices that replay recorded sessions over real SSH on 127.0.0.1, each with its own host key and
configuration. It writes an inventory of them and serves until Ctrl-C. A line "change N" on standard input changes the configuration of
N devices and prints their names.

Faults are given to a share of the devices, as KIND:SHARE with the share as 5% or 0.05:

` + faultTable(sim.Kinds()) + `

With --ise it is a simulated Cisco ISE instead, which serves ERS and OpenAPI over TLS and forgets all when it ends. It prints the lines that
point other commands to it. Its faults are given to a share of its answers:

` + faultTable(sim.ISEKinds()),
		Example: `  muster sim --devices 200 --latency 300ms --inventory fleet.csv
  muster sim --fault hang-banner:5% --fault auth:2%
  muster backup -i fleet.csv --data-dir ./practice     in another terminal
  muster sim --ise --endpoints 20000 --latency 50ms`,
		Args: takes(0, 0, "no argument"),
	}
	f := c.Flags()
	f.IntVar(&config.Devices, "devices", 50, "how many")
	f.Uint64Var(&config.Seed, "seed", 0, "what is by chance follows from it: the same `N` gives the same fleet")
	f.Var(&latency, "latency", "passes before each answer")
	f.StringArrayVar(&faults, "fault", nil, "`KIND:SHARE` of the devices has this fault (repeatable)")
	f.StringVar(&inventory, "inventory", "", "write the inventory to `FILE`, CSV or YAML by its ending (default: a temporary file)")
	f.StringSliceVar(&config.Platforms, "platform", nil, "use the recordings of these platforms only (`NAME`, repeatable)")
	f.IntVar(&config.ConfigBytes, "config-bytes", 0, "grow configurations to `N` bytes (0: as recorded)")
	iseFlags.define(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if iseFlags.on {
			return p.simulateISE(c.Context(), &iseFlags, config.Seed, latency.duration(), faults)
		}
		if err := iseFlags.alone(c); err != nil {
			return err
		}
		if config.Devices < 1 || config.ConfigBytes < 0 {
			return usage("--devices is 1 at least, and --config-bytes is not negative")
		}
		config.Latency = latency.duration()
		for _, text := range faults {
			share, err := sim.ParseShare(text)
			if err != nil {
				return usage("%v", err)
			}
			config.Faults = append(config.Faults, share)
		}
		return p.simulate(c.Context(), config, inventory)
	}
	return c
}

func faultTable(kinds []sim.Kind) string {
	var b strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&b, "  %-15s %s\n", k.Name, k.Meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

// simulate serves until ctx ends.
func (p *program) simulate(ctx context.Context, config sim.Config, inventory string) error {
	if inventory == "" {
		dir, err := os.MkdirTemp("", "muster-sim-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		inventory = filepath.Join(dir, "fleet.csv")
	}
	return p.withFleet(ctx, config, func(ctx context.Context, fleet *sim.Fleet) error {
		if err := writeFleet(fleet, inventory); err != nil {
			return err
		}
		user, _, _ := fleet.Login()
		err := p.print(fmt.Sprintf("%d devices are ready on 127.0.0.1, user %s; their inventory: %s\n", config.Devices, user, inventory))
		if err != nil {
			return err
		}
		p.hint("Try: muster backup -i %s --data-dir DIR     Here: \"change N\" changes N devices, Ctrl-C ends", quoted(inventory))
		if err := p.obey(ctx, fleet); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
}

// withFleet runs a simulated fleet while body runs.
func (p *program) withFleet(ctx context.Context, config sim.Config, body func(context.Context, *sim.Fleet) error) error {
	var err error
	scopeErr := task.Scope(ctx, "fleet", func(inner context.Context, g *task.Group) error {
		fleet, startErr := sim.Start(inner, g, config)
		if startErr != nil {
			err = usage("%v", startErr)
			return nil
		}
		defer fleet.Close()
		err = body(inner, fleet)
		return nil
	})
	if err == nil && ctx.Err() == nil {
		err = scopeErr
	}
	return err
}

// writeFleet writes the inventory of a fleet, which holds its password, for nobody else to read.
func writeFleet(fleet *sim.Fleet, file string) (err error) {
	kind := "csv"
	if ext := strings.ToLower(filepath.Ext(file)); ext == ".yaml" || ext == ".yml" {
		kind = "yaml"
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return usage("write the inventory: %v", err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	return fleet.WriteInventory(f, kind)
}

// obey does what the lines of standard input say, until it or ctx ends.
func (p *program) obey(ctx context.Context, fleet *sim.Fleet) error {
	in, done := p.interruptible(ctx)
	defer done()
	lines := bufio.NewScanner(in)
	for ctx.Err() == nil && lines.Scan() {
		word, number, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if word == "" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if word != "change" || err != nil || n < 1 {
			p.stderr.say(`muster: say "change N"`)
			continue
		}
		if err := p.print("changed: " + strings.Join(fleet.Change(n), " ") + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// interruptible is standard input with reads that end when ctx does. A read of a file that was opened by others cannot be
// ended, so that it is opened once more; where that is impossible there is nothing to read.
func (p *program) interruptible(ctx context.Context) (in io.Reader, done func()) {
	if _, ok := p.stdin.(*os.File); !ok {
		return p.stdin, func() {}
	}
	f, err := os.OpenFile("/dev/stdin", os.O_RDONLY, 0)
	if err != nil {
		return strings.NewReader(""), func() {}
	}
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		// A regular file, whose reads do not wait, or /dev/null.
		return f, func() { _ = f.Close() }
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(0, 1)) })
	return f, func() {
		stop()
		_ = f.Close()
	}
}
