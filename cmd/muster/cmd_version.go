package main

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"

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
	Commit   string `json:"commit"` // "" where Go was not told, as in sources without git
	Date     string `json:"date"`   // of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readVersion() versionRow {
	row := versionRow{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		row.fill(info)
	}
	return row
}

// fill adds what Go noted when it built this binary.
func (r *versionRow) fill(info *debug.BuildInfo) {
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			r.Commit = s.Value
		case "vcs.time":
			r.Date = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified && r.Commit != "" {
		r.Commit += "+changes"
	}
	if r.Version == "dev" && info.Main.Version != "(devel)" {
		r.Version = cmp.Or(info.Main.Version, r.Version)
	}
}

func versionView() view[versionRow] {
	return view[versionRow]{
		bare: true,
		columns: []column[versionRow]{
			{cell: func(r versionRow) string { return "muster " + r.Version }},
			{cell: func(r versionRow) string { return strings.TrimSpace(shortRevision(r.Commit) + "  " + r.Date) }},
			{cell: func(r versionRow) string { return r.Go }},
			{cell: func(r versionRow) string { return r.Platform }},
		},
		word: func(r versionRow) string { return r.Version },
	}
}
