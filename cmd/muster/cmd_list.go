package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
	"github.com/musternet/muster/platform"
)

func (p *program) listCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List what this muster knows: platforms, sources, probes",
		Example: `  muster list platforms
  muster list sources
  muster list probes`,
		Args: cobra.ArbitraryArgs,
		RunE: groupHelp,
	}
	c.AddCommand(&cobra.Command{
		Use:   "platforms",
		Short: "List the platforms and the other names they go by",
		Long:  `List the platforms and the other names they go by, as Netmiko, Oxidized, Ansible, NAPALM, scrapli and NetBox call them. Each is good wherever a platform is named.`,
		Example: `  muster list platforms
  muster list platforms -o json`,
		Args: takes(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error { return p.listPlatforms() },
	})
	c.AddCommand(&cobra.Command{
		Use:   "sources",
		Short: "List the kinds of device lists that can be read",
		Long: `List the kinds of device lists that can be read. The kind is found out by name and content; -i KIND:FILE says it where that goes
wrong.`,
		Example: `  muster list sources
  muster backup -i rancid:/etc/rancid/core/router.db`,
		Args: takes(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error { return all(p, sourceView(), app.Sources()) },
	})
	c.AddCommand(&cobra.Command{
		Use:     "probes",
		Short:   "List the kinds of probes that a monitor can ask with",
		Example: `  muster list probes`,
		Args:    takes(0, 0, "no argument"),
		RunE:    func(*cobra.Command, []string) error { return all(p, probeView(), app.Probes()) },
	})
	return c
}

func probeView() view[app.Probe] {
	return view[app.Probe]{
		columns: []column[app.Probe]{
			{head: "PROBE", cell: func(p app.Probe) string { return p.Name }},
			{head: "PORT", cell: func(p app.Probe) string { return orDash(strings.TrimPrefix(strconv.Itoa(p.Port), "0")) }, right: true},
			{head: "WHAT", cell: func(p app.Probe) string { return p.What }},
		},
		word: func(p app.Probe) string { return p.Name },
	}
}

func sourceView() view[app.Source] {
	return view[app.Source]{
		columns: []column[app.Source]{
			{head: "SOURCE", cell: func(s app.Source) string { return s.Name }},
			{head: "WHAT", cell: func(s app.Source) string { return s.What }},
		},
		word: func(s app.Source) string { return s.Name },
	}
}

// platformRow is one platform.
type platformRow struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Aliases []string `json:"aliases"`
	Backup  bool     `json:"backup"` // whether there is a configuration to keep
}

func (p *program) listPlatforms() error {
	var rows []platformRow
	for _, name := range platform.Names() {
		if d, ok := platform.Lookup(name); ok {
			rows = append(rows, platformRow{name, d.Title(), d.Aliases(), d.HasConfig()})
		}
	}
	return all(p, platformView(), rows)
}

func platformView() view[platformRow] {
	return view[platformRow]{
		columns: []column[platformRow]{
			{head: "PLATFORM", cell: func(r platformRow) string { return r.Name }},
			{head: "WHAT", cell: func(r platformRow) string { return r.Title }},
			{head: "ALSO CALLED", cell: func(r platformRow) string { return strings.Join(r.Aliases, " ") }},
		},
		word: func(r platformRow) string { return r.Name },
	}
}
