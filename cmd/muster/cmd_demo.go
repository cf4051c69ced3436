package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/sim"
)

// What the demo shows: the tutorial's numbers.
const (
	demoDevices = 50
	demoEach    = 2 * time.Second
	demoChanges = 5
)

func (p *program) demoCommand() *cobra.Command {
	var keep string
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work: 50 simulated devices, found, backed up, compared",
		Long: `See it work, without gear and without settings: 50 simulated devices, each of which takes 2 s, are found by a scan and backed up
at once; some change, they are backed up again, and what changed is shown. It takes less than 10 s and leaves nothing behind,
unless --keep says where.`,
		Example: `  muster demo
  muster demo --keep ./demo-data     look around afterwards`,
		Args: takes(0, 0, "no argument"),
	}
	c.Flags().StringVar(&keep, "keep", "", "keep the data in `DIR`, which must not exist yet")
	c.RunE = func(c *cobra.Command, _ []string) error { return p.demo(c.Context(), keep) }
	return c
}

func (p *program) demo(ctx context.Context, keep string) error {
	dir, err := demoDir(keep)
	if err != nil {
		return err
	}
	if keep == "" {
		defer os.RemoveAll(dir)
	}
	p.format, p.inventory, p.settings = formatTable, []string{filepath.Join(dir, "fleet.csv")}, filepath.Join(dir, "muster.yaml")
	p.dataDir, p.askPass = filepath.Join(dir, "data"), false
	if err := os.WriteFile(p.settings, []byte("# The demo needs no settings.\n"), 0o600); err != nil {
		return err
	}
	return p.withFleet(ctx, demoFleet(), func(ctx context.Context, fleet *sim.Fleet) error {
		if err := writeFleet(fleet, p.inventory[0]); err != nil {
			return err
		}
		return p.with(ctx, func(a *app.App) error {
			d := demo{p: p, app: a, fleet: fleet, keep: keep}
			return d.show(ctx)
		})
	})
}

// demoNet has an address for each device of the demo, where a system gives the whole of 127.0.0.0/8 to its loopback.
const (
	demoNet  = "127.8.0.0/26"
	demoPort = 2222
)

// demoFleet is the fleet of the demo: a network of its own where that can be, else ports of 127.0.0.1.
func demoFleet() sim.Config {
	c := sim.Config{Devices: demoDevices, Seed: 1, Total: demoEach}
	if l, err := net.Listen("tcp", net.JoinHostPort(netip.MustParsePrefix(demoNet).Addr().Next().String(), strconv.Itoa(demoPort))); err == nil {
		_ = l.Close()
		c.Listen, c.Port = demoNet, demoPort
	}
	return c
}

// demoDir makes the directory of the demo.
func demoDir(keep string) (string, error) {
	if keep == "" {
		return os.MkdirTemp("", "muster-demo-")
	}
	dir, err := filepath.Abs(keep)
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); errors.Is(err, os.ErrExist) {
		return "", usage("%s is there already: the demo keeps its data in a directory of its own", keep)
	} else if err != nil {
		return "", usage("make the directory of the demo: %v", err)
	}
	return dir, nil
}

// demo is one showing.
type demo struct {
	p       *program
	app     *app.App
	fleet   *sim.Fleet
	devices []muster.Device
	keep    string
}

func (d *demo) show(ctx context.Context) error {
	s, err := d.app.Select(ctx, nil)
	if err != nil {
		return err
	}
	d.devices = s.Devices
	d.say("%d simulated devices listen on this machine; each takes %s for a backup.\n", len(d.devices), shortDuration(demoEach))
	if err := d.scan(ctx); err != nil {
		return err
	}
	if err := d.first(ctx); err != nil {
		return err
	}
	names := d.fleet.Change(demoChanges)
	d.say("Somebody changes %d of them: %s.\n", len(names), strings.Join(names, ", "))
	if err := d.second(ctx, len(names)); err != nil {
		return err
	}
	if err := d.difference(ctx, names[0]); err != nil {
		return err
	}
	d.next(names[0])
	return nil
}

// demoShown is how many of the hosts that are found the demo shows.
const demoShown = 3

// scan finds the fleet, by TCP: pings may be denied here.
func (d *demo) scan(ctx context.Context) error {
	s := scanFlags{options: app.ScanOptions{NoPing: true, Retries: 1, Forget: true}}
	s.options.Targets, s.options.Ports = d.network()
	ports := make([]string, len(s.options.Ports))
	for i, port := range s.options.Ports {
		ports[i] = strconv.Itoa(port)
	}
	d.command("scan " + s.options.Targets[0] + " --no-ping --tcp " + ends(ports))
	hosts, sum, err := d.p.collect(ctx, d.app, &s)
	if err != nil {
		return err
	}
	slices.SortFunc(hosts, func(a, b muster.Host) int { return a.Addr.Compare(b.Addr) })
	out := newOutput(d.p, scanView(&s, false))
	for i, h := range hosts {
		if i < demoShown {
			if err := out.add(i, newScanRow(h)); err != nil {
				return err
			}
		}
	}
	return out.end(sum, fmt.Sprintf("... and %d more\nFound %d hosts up in %s: %d silent, %s.\n", max(0, len(hosts)-demoShown), sum.Up, s.options.Targets[0], sum.Targets-sum.Up,
		shortDuration(time.Duration(sum.DurationMS)*time.Millisecond)))
}

// network is where the fleet listens: its network and port, or its address and ports.
func (d *demo) network() (targets []string, ports []int) {
	first := d.devices[0]
	if last := d.devices[len(d.devices)-1]; first.Port == demoPort {
		return []string{first.Address + "-" + last.Address}, []int{demoPort}
	}
	for _, dev := range d.devices {
		ports = append(ports, dev.Port)
	}
	return []string{first.Address}, ports
}

// ends is a list of words with its middle left out.
func ends(words []string) string {
	if len(words) > 2 {
		words = []string{words[0], "...", words[len(words)-1]}
	}
	return strings.Join(words, ",")
}

func (d *demo) first(ctx context.Context) error {
	d.command("backup")
	sum, err := d.backup(ctx)
	if err != nil {
		return err
	}
	alone := time.Duration(len(d.devices)) * demoEach
	d.say("%d devices in %s; one by one it would have been %d s.\n", sum.Total, shortDuration(sum.Duration), int(alone.Seconds()))
	return nil
}

func (d *demo) second(ctx context.Context, changed int) error {
	d.command("backup")
	sum, err := d.backup(ctx)
	if err != nil {
		return err
	}
	if sum.Changed != changed {
		return fmt.Errorf("the demo changed %d devices, but the backup found %d changed", changed, sum.Changed)
	}
	d.say("")
	return nil
}

// backup backs all up and prints what came of it.
func (d *demo) backup(ctx context.Context) (app.Summary, error) {
	var sum app.Summary
	out := newOutput(d.p, demoView(d.p.backupView()))
	var notDone int
	err := d.p.watched(ctx, len(d.devices), func(ctx context.Context, pr *progress) error {
		var err error
		results := d.app.Backup(ctx, d.devices, app.RunOptions{Retries: -1, Started: pr.start}, &sum)
		notDone, err = addResults(out, results, pr)
		return err
	})
	if err != nil {
		return sum, err
	}
	if err := interruptedOr(ctx, 0); err != nil {
		return sum, err // the fleet ends with the demo: there is nothing to try again
	}
	if err := out.end(sum, d.p.backupFoot(sum, notDone)); err != nil {
		return sum, err
	}
	if sum.Failed > 0 {
		return sum, fmt.Errorf("%d devices of the demo failed", sum.Failed)
	}
	return sum, nil
}

// demoView leaves the new ones out: all of them are new at first.
func demoView(v view[backupRow]) view[backupRow] {
	shown := v.shown
	v.shown = func(r backupRow) bool { return r.Status != string(muster.StatusNew) && shown(r) }
	return v
}

func (d *demo) difference(ctx context.Context, name string) error {
	d.command("diff " + name)
	diff, err := d.app.Diff(ctx, name)
	if err != nil {
		return err
	}
	if err := d.p.diffs([]diffRow{newDiffRow(diff)}); err != nil {
		return err
	}
	d.say("")
	return nil
}

// next says what to try with real devices.
func (d *demo) next(name string) {
	if d.keep != "" {
		d.say("The data is kept. Look around:\n  muster changes --data-dir %[1]s\n  muster show %[2]s --data-dir %[1]s\n  git -C %[1]s/configs.git log --stat\n",
			quoted(d.p.dataDir), name)
	}
	d.say(`Now with your network:
  muster backup NAME            any name that ssh knows
  muster backup -i list.csv     a list with the columns name,address,platform
  muster init --scan PREFIX     find them, try to log in, write a settings file`)
}

func (d *demo) command(line string) { d.say("%s", d.p.painted(faint, "$ muster "+line)) }

// say prints to standard output; what matters has its error checked elsewhere.
func (d *demo) say(format string, args ...any) { _ = d.p.print(fmt.Sprintf(format, args...) + "\n") }
