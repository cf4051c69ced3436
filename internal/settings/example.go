package settings

import _ "embed"

//go:embed example.yaml
var example string

// Example returns the commented muster.yaml that `muster init` writes. Nothing in it is switched on: a line that begins
// with # and no blank is a setting, one with a blank is an explanation.
func Example() string { return example }
