package muster

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The labels that every Alert of muster has, and those it has where they apply; tags of the device follow by their names.
const (
	LabelAlert    = "alertname" // the name of the rule
	LabelSeverity = "severity"
	LabelDevice   = "device"
	LabelGroup    = "group"
	LabelPlatform = "platform"
	LabelSource   = "source" // of what no device of the inventory sent: the sender's address
)

// Alert is something that a rule says a person should know. Its labels are its identity, as in Prometheus.
type Alert struct {
	Labels      map[string]string
	Annotations map[string]string // summary, description, count, first, last, sample
	Starts      time.Time
	Ends        time.Time // zero: it still fires
}

// Firing tells whether the alert has not ended at a time.
func (a Alert) Firing(now time.Time) bool { return a.Ends.IsZero() || a.Ends.After(now) }

// Key is the identity of the alert as a text: its labels, sorted.
func (a Alert) Key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		b.WriteString(name)
		b.WriteByte(0)
		b.WriteString(a.Labels[name])
		b.WriteByte(0)
	}
	return b.String()
}
