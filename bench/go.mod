module github.com/musternet/muster/bench

go 1.26.0

require (
	github.com/musternet/muster v0.0.0
	github.com/sourcegraph/conc v0.3.0
	golang.org/x/sync v0.24.0
)

require go.uber.org/multierr v1.11.0 // indirect

replace github.com/musternet/muster => ../
