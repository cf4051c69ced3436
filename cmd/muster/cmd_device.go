package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) deviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "device",
		Short: "List, test and edit the devices of the inventory",
		Example: `  muster device ls site=ams
  muster device test r1`,
		Args: cobra.ArbitraryArgs,
		RunE: groupHelp,
	}
	c.AddCommand(p.deviceLsCommand(), p.deviceShowCommand(), p.deviceTestCommand(), p.deviceAddCommand(), p.deviceRmCommand(), p.deviceTrustCommand())
	return c
}

func (p *program) deviceLsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ls [SELECTOR...]",
		Short: "List the devices that selectors choose",
		Example: `  muster device ls
  muster device ls @edge -o list`,
	}
	sel := p.newSelector(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		return p.withDevices(c.Context(), terms, func(_ *app.App, devices []muster.Device) error {
			return all(p, deviceView(), devices)
		})
	}
	return c
}

func deviceView() view[muster.Device] {
	return view[muster.Device]{
		columns: []column[muster.Device]{
			{head: "NAME", cell: func(d muster.Device) string { return d.Name }},
			{head: "ADDRESS", cell: deviceAddress},
			{head: "PLATFORM", cell: func(d muster.Device) string { return orDash(d.Platform) }},
			{head: "GROUP", cell: muster.Device.GroupName},
			{head: "TAGS", cell: tagList},
			{head: "FROM", cell: func(d muster.Device) string { return d.Origin }, tone: func(muster.Device) tone { return faint }},
		},
		word: func(d muster.Device) string { return d.Name },
	}
}

func deviceAddress(d muster.Device) string {
	if d.Port == 0 {
		return d.Address
	}
	if strings.Contains(d.Address, ":") {
		return fmt.Sprintf("[%s]:%d", d.Address, d.Port)
	}
	return fmt.Sprintf("%s:%d", d.Address, d.Port)
}

func tagList(d muster.Device) string {
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		tags = append(tags, k+"="+d.Tags[k])
	}
	return strings.Join(tags, ",")
}

func (p *program) deviceShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show DEVICE",
		Short:             "Show all that is known of a device",
		Example:           `  muster device show r1`,
		Args:              takes(1, 1, "one device"),
		ValidArgsFunction: p.completeDevices,
		RunE: func(c *cobra.Command, args []string) error {
			return p.withDevice(c.Context(), args[0], func(a *app.App, dev muster.Device) error {
				states, err := a.Status(c.Context(), []muster.Device{dev}, 0)
				if err != nil {
					return err
				}
				return p.showDevice(newDeviceRow(states[0]))
			})
		},
	}
}

func (p *program) showDevice(row deviceRow) error {
	if p.format != formatTable {
		return all(p, view[deviceRow]{word: func(r deviceRow) string { return r.Name }}, []deviceRow{row})
	}
	v := factView()
	v.bare = true
	return all(p, v, row.facts())
}

// deviceRow is all that is known of a device: its inventory entry and what the last backups learnt.
type deviceRow struct {
	muster.Device
	Hostname      string     `json:"hostname,omitempty"`
	Model         string     `json:"model,omitempty"`
	Version       string     `json:"version,omitempty"`
	Serial        string     `json:"serial,omitempty"`
	LastTry       *time.Time `json:"last_try"`
	LastGood      *time.Time `json:"last_good"`
	Status        string     `json:"status"`
	Revision      string     `json:"revision"`
	ServerVersion string     `json:"server_version,omitempty"`
	Kex           string     `json:"kex,omitempty"`
	HostKey       string     `json:"host_key,omitempty"`
	Cipher        string     `json:"cipher,omitempty"`
	MAC           string     `json:"mac,omitempty"`
	Fingerprint   string     `json:"fingerprint,omitempty"`
	Weak          []string   `json:"weak,omitempty"`
	Credential    string     `json:"credential,omitempty"`
	failureFields
}

func newDeviceRow(s app.State) deviceRow {
	k := s.Known
	return deviceRow{
		Device:   s.Device,
		Hostname: k.Facts.Hostname, Model: k.Facts.Model, Version: k.Facts.Version, Serial: k.Facts.Serial,
		LastTry: stamp(k.LastTry), LastGood: stamp(k.LastGood), Status: string(k.LastStatus), Revision: k.Revision,
		ServerVersion: k.Session.ServerVersion, Kex: k.Session.Kex, HostKey: k.Session.HostKey, Cipher: k.Session.Cipher,
		MAC: k.Session.MAC, Fingerprint: k.Session.Fingerprint, Weak: k.Session.Weak, Credential: k.Session.Credential,
		failureFields: fieldsOfFailure(k.Failure),
	}
}

// fact is one line of what is known.
type fact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func factView() view[fact] {
	return view[fact]{columns: []column[fact]{
		{head: "WHAT", cell: func(f fact) string { return f.Name }},
		{head: "IS", cell: func(f fact) string { return f.Text }},
	}}
}

// facts are the lines for people, without those that say nothing.
func (r deviceRow) facts() []fact {
	lines := []fact{
		{"name", r.Name}, {"address", deviceAddress(r.Device)}, {"transport", r.Transport}, {"platform", r.Platform},
		{"group", r.GroupName()}, {"tags", tagList(r.Device)}, {"username", r.Username},
		{"credentials", strings.Join(r.Credentials, ", ")}, {"jump", strings.Join(r.Jump, ", ")},
		{"legacy crypto", yes(r.LegacyCrypto)}, {"secrets", string(r.Secrets)}, {"from", r.Origin},
		{"hostname", r.Hostname}, {"model", r.Model}, {"version", r.Version}, {"serial", r.Serial},
		{"last try", clock(r.LastTry)}, {"last good", clock(r.LastGood)}, {"status", r.Status}, {"revision", r.Revision},
		{"server", r.ServerVersion}, {"key exchange", r.Kex}, {"host key", strings.TrimSpace(r.HostKey + " " + r.Fingerprint)},
		{"cipher", r.Cipher}, {"mac", r.MAC}, {"weak", strings.Join(r.Weak, ", ")}, {"credential", r.Credential},
		{"failed at", strings.TrimSpace(r.Stage + " " + r.Code)}, {"because", r.Error}, {"try", r.Hint},
	}
	return slices.DeleteFunc(lines, func(f fact) bool { return f.Text == "" || f.Text == "-" })
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func (p *program) deviceTrustCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "trust DEVICE",
		Short: "Accept the host key that a device shows now",
		Long: `Accept the host key that a device shows now, in place of the one on record. Compare the fingerprint with the one that the device's
console shows: --dry-run prints both and changes nothing.`,
		Example: `  muster device trust r1 --dry-run
  muster device trust r1`,
		Args:              takes(1, 1, "one device"),
		ValidArgsFunction: p.completeDevices,
	}
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.withDevice(c.Context(), args[0], func(a *app.App, dev muster.Device) error {
			old, now, err := a.Trust(c.Context(), dev, dryRun)
			if err != nil {
				return err
			}
			return all(p, trustView(), []trustRow{{dev.Name, old, now, old != now && !dryRun}})
		})
	}
	return c
}

// trustRow is the host key of a device, before and now.
type trustRow struct {
	Device  string `json:"device"`
	Old     string `json:"old"`
	Now     string `json:"now"`
	Changed bool   `json:"changed"`
}

func trustView() view[trustRow] {
	return view[trustRow]{
		columns: []column[trustRow]{
			{head: "DEVICE", cell: func(r trustRow) string { return r.Device }},
			{head: "ON RECORD", cell: func(r trustRow) string { return orDash(r.Old) }},
			{head: "SHOWS NOW", cell: func(r trustRow) string { return r.Now }},
			{head: "DONE", cell: func(r trustRow) string {
				switch {
				case r.Changed:
					return "trusted from now on"
				case r.Old == r.Now:
					return "nothing to do"
				}
				return "nothing: this was a dry run"
			}},
		},
		word: func(r trustRow) string { return r.Device },
	}
}

func dryRunFlag(c *cobra.Command, to *bool) {
	c.Flags().BoolVar(to, "dry-run", false, "say what would be done, and change nothing")
}

// parsePort is a TCP port.
func parsePort(n int) error {
	if n < 0 || n > 65535 {
		return usage("port %s is not between 1 and 65535", strconv.Itoa(n))
	}
	return nil
}
