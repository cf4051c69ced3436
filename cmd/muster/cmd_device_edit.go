package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) deviceAddCommand() *cobra.Command {
	var dev muster.Device
	var tags, credentials, jump []string
	var dryRun bool
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a device to devices.yaml",
		Long:  `Add a device to devices.yaml, beside the settings. --user and --legacy-crypto say the same for this device as for every other.`,
		Example: `  muster device add r1 --address 192.0.2.1 --platform cisco_ios --group core
  muster device add r2 --address 192.0.2.2 --tag site=ams --dry-run`,
		Args: takes(1, 1, "the name of one device"),
	}
	f := c.Flags()
	f.StringVar(&dev.Address, "address", "", "`HOST` name or IP address (default: the name)")
	f.IntVar(&dev.Port, "port", 0, "TCP `PORT` (0: the transport's own)")
	f.StringVar(&dev.Transport, "transport", "", "`KIND`, ssh or telnet (default: ssh)")
	f.StringVar(&dev.Platform, "platform", "", "`NAME` as in: muster list platforms (default: detected once)")
	f.StringVar(&dev.Group, "group", "", "`GROUP` whose settings it inherits")
	f.StringArrayVar(&tags, "tag", nil, "`KEY=VALUE` that selectors look at (repeatable)")
	f.StringArrayVar(&credentials, "credential", nil, "`NAME` of a credential in the settings, tried in order (repeatable)")
	f.StringArrayVar(&jump, "jump", nil, "`HOP` on the way, a device's name or user@host[:port] (repeatable)")
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, args []string) error {
		dev.Name, dev.Username, dev.LegacyCrypto = args[0], p.user, p.legacy
		dev.Credentials, dev.Jump = credentials, jump
		if dev.Address == "" {
			dev.Address = dev.Name
		}
		var err error
		if dev.Tags, err = parseTags(tags); err != nil {
			return err
		}
		if err := parsePort(dev.Port); err != nil {
			return err
		}
		return p.with(c.Context(), func(a *app.App) error {
			file, err := a.AddDevice(c.Context(), dev, dryRun)
			if err != nil {
				return err
			}
			return all(p, editView(), []editRow{{dev.Name, "add", file, dryRun}})
		})
	}
	return c
}

func parseTags(texts []string) (map[string]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	tags := make(map[string]string, len(texts))
	for _, t := range texts {
		k, v, ok := strings.Cut(t, "=")
		if !ok || k == "" {
			return nil, usage("tag %q is not KEY=VALUE", t)
		}
		tags[k] = v
	}
	return tags, nil
}

func (p *program) deviceRmCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "rm SELECTOR...",
		Short: "Take devices out of devices.yaml; their history stays",
		Example: `  muster device rm r1
  muster device rm role=lab --dry-run`,
	}
	sel := p.newSelector(c)
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, args []string) error {
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		if len(terms) == 0 {
			return usage("device rm wants to be told which: name the devices, or @all for every one")
		}
		return p.withDevices(c.Context(), terms, func(a *app.App, devices []muster.Device) error {
			out := newOutput(p, editView())
			for i, dev := range devices {
				file, err := a.RemoveDevice(c.Context(), dev.Name, dryRun)
				if err != nil {
					_ = out.end(count{i}, "")
					return err
				}
				if err := out.add(i, editRow{dev.Name, "remove", file, dryRun}); err != nil {
					return err
				}
			}
			return out.end(count{len(devices)}, "")
		})
	}
	return c
}

// editRow is one change of devices.yaml.
type editRow struct {
	Device string `json:"device"`
	Change string `json:"change"` // add, remove
	File   string `json:"file"`
	DryRun bool   `json:"dry_run"`
}

func editView() view[editRow] {
	return view[editRow]{
		bare: true,
		columns: []column[editRow]{
			{cell: func(r editRow) string {
				if r.DryRun {
					return "would " + r.Change
				}
				return map[string]string{"add": "added", "remove": "removed"}[r.Change]
			}},
			{cell: func(r editRow) string { return r.Device }},
			{cell: func(r editRow) string { return r.File }},
		},
		word: func(r editRow) string { return r.Device },
	}
}
