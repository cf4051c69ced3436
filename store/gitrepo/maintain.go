package gitrepo

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// maxPacks is how many packs are let be. Every checkpoint makes one, and reading looks into each.
const maxPacks = 20

// endWait is how long a fast-import may take to end: all it was given has been written before.
const endWait = 30 * time.Second

// Maintain ends the run's fast-import and packs the repository when it holds too many packs. Packs are merged as
// geometry asks, each new one at least as large as all smaller ones together, so that the work for n commits stays near
// n log n and an old large pack is left alone. Only this process waits for it: nothing is detached.
func (r *Repo) Maintain(ctx context.Context) error {
	patient := context.WithoutCancel(ctx) // an interrupted run ends its stream in order and leaves the packing to the next
	if err := r.acquire(patient); err != nil {
		return err
	}
	defer r.release()
	limited, cancel := context.WithTimeout(patient, endWait)
	defer cancel()
	if err := r.finish(limited); err != nil {
		return err
	}
	n, err := r.packs()
	if err != nil || n <= maxPacks {
		return err
	}
	return run(ctx, r.dir, "repack", "-d", "-l", "-n", "-q", "--geometric=2")
}

func (r *Repo) packs() (int, error) {
	entries, err := os.ReadDir(packDir(r.dir))
	if err != nil {
		return 0, fmt.Errorf("count packs: %w", err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".pack") {
			n++
		}
	}
	return n, nil
}
