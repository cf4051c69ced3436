package alert

import (
	"time"

	"github.com/musternet/muster"
)

// LogCritical is the name of the shipped rule of kind log. Who watches the log has to know it by the same name, as a rule for
// messages of severity critical and worse that are no known noise.
const LogCritical = "log-critical"

// Defaults returns the rules of who names none, in a new slice.
//
// A backup that failed is told the first time: the run has tried again what is worth it by then, and the next one may be a
// day away. Where the device is down as well docs/guides/add-a-rule.md shows how that alert silences this one.
func Defaults() []Rule {
	severity := func(s string) map[string]string { return map[string]string{muster.LabelSeverity: s} }
	return []Rule{
		{Name: "device-down", Kind: "state", Labels: severity("critical")},
		{Name: "device-degraded", Kind: "state", States: []muster.Health{muster.HealthDegraded}, For: 5 * time.Minute,
			Labels: severity("warning")},
		{Name: "uplink-down", Kind: "uplink", Labels: severity("critical")},
		{Name: "many-down", Kind: "group", Share: 0.5, Least: 4, By: muster.LabelGroup, Labels: severity("critical")},
		{Name: "backup-failed", Kind: "event", Event: muster.EventBackupFailed, Labels: severity("warning"),
			Summary: "the backup of {{.Device}} failed", Description: "{{.Text}}\n{{.Detail}}"},
		{Name: "config-changed", Kind: "event", Event: muster.EventBackupChanged, Labels: severity("info"),
			Summary: "the configuration of {{.Device}} changed", Description: "{{.Text}}\n{{.Detail}}"},
		{Name: LogCritical, Kind: "log", Labels: severity("critical")},
	}
}
