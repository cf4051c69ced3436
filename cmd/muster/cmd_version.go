package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of muster",
		Example: `  muster version
  muster version -o json`,
		Args: takes(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error { return all(p, versionView(), []versionRow{readVersion()}) },
	}
}

// versionRow is what this binary is.
type versionRow struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readVersion() versionRow {
	row := versionRow{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return row
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			row.Commit = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified && row.Commit != "" {
		row.Commit += "+changes"
	}
	if row.Version == "dev" && info.Main.Version != "(devel)" {
		row.Version = cmp.Or(info.Main.Version, row.Version)
	}
	return row
}

func versionView() view[versionRow] {
	return view[versionRow]{
		bare: true,
		columns: []column[versionRow]{
			{cell: func(r versionRow) string { return "muster " + r.Version }},
			{cell: func(r versionRow) string { return shortRevision(r.Commit) }},
			{cell: func(r versionRow) string { return r.Go }},
			{cell: func(r versionRow) string { return r.Platform }},
		},
		word: func(r versionRow) string { return r.Version },
	}
}
