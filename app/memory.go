package app

import (
	"os"
	"runtime/debug"

	"github.com/musternet/muster/job"
)

// What a run may hold before the collector has to hurry: measured, a conversation that waits holds about 105 KB, most of
// it stacks and buffers of the SSH library.
const (
	memoryBase    = 64 << 20
	memorySession = 160 << 10
)

// Frugal sets the garbage collector for a run over n devices: lazy as long as there is room, so that a small fleet does
// not pay for scanning hundreds of stacks every few megabytes, and eager near the soft limit, so that a burst of texts that all
// come at once does not double the memory. restore puts back what was before. GOGC and GOMEMLIMIT of the
// environment come first. The setting is the process's: it is for a program's main, not for a library.
func Frugal(o RunOptions, n int) (restore func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	atOnce := o.Limit
	if atOnce == 0 {
		atOnce = job.MaxLimit
	}
	limit := debug.SetMemoryLimit(memoryBase + int64(min(atOnce, n))*memorySession)
	percent := debug.SetGCPercent(400)
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}
