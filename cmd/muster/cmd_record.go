package main

import (
	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) recordCommand() *cobra.Command {
	var timeout span
	c := &cobra.Command{
		Use:   "record DEVICE",
		Short: "Print a conversation with a device as a recording, masked",
		Long: `Print the conversation with a device as a recording: what a platform definition is tested with and what muster sim replays.
Secrets are masked; read it before you hand it to anybody all the same.`,
		Example:           `  muster record r1 > r1.txtar`,
		Args:              takes(1, 1, "one device"),
		ValidArgsFunction: p.completeDevices,
	}
	c.Flags().Var(&timeout, "timeout", "time in all (default: the settings', or 5m)")
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.withDevice(c.Context(), args[0], func(a *app.App, dev muster.Device) error {
			recording, err := a.Record(c.Context(), dev, app.RunOptions{Timeout: timeout.duration(), Retries: -1})
			if err != nil {
				return err
			}
			if p.format == formatTable {
				return p.print(p.deviceText(string(recording)))
			}
			return all(p, view[recordingRow]{word: func(r recordingRow) string { return r.Device }}, []recordingRow{{dev.Name, string(recording)}})
		})
	}
	return c
}

// recordingRow is one recording.
type recordingRow struct {
	Device    string `json:"device"`
	Recording string `json:"recording"`
}
