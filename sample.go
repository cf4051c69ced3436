package muster

import "time"

// Sample is one measured value of one series.
type Sample struct {
	Name   string            // of the metric: "muster_probe_rtt_seconds"
	Labels map[string]string // device, probe, group; not kept by who gets it
	Time   time.Time
	Value  float64
}

// Series is what a query gives of one set of labels: one point or many, ascending in time. A scalar has no labels.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Point is one value at one time.
type Point struct {
	Time  time.Time
	Value float64
}
