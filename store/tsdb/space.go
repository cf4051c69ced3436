package tsdb

import (
	"errors"
	"fmt"

	"github.com/musternet/muster/store"
)

// mostReserve is what is left to the engine on a disk of 2 GB or more: what it holds in memory of 150,000 series that get a
// sample each second is less.
const mostReserve = 256 << 20

// space returns how much of the disk is free, and how much of that is the reserve. Where the system does not say,
// nothing is held back.
func (d *DB) space() (free, reserve uint64) {
	free, total, err := diskSpace(d.dir)
	if err != nil {
		return 1, 0
	}
	return free, min(mostReserve, total/8)
}

// roomy fails where the engine must not be opened: it panics when it cannot write what it reads from its log.
func (d *DB) roomy() error {
	if free, reserve := d.space(); free < reserve {
		return tooFull(free, reserve)
	}
	return nil
}

func tooFull(free, reserve uint64) error {
	return fmt.Errorf("%w: %d MB are free, below the reserve of %d MB", store.ErrDiskFull, free>>20, reserve>>20)
}

// full joins store.ErrDiskFull to what the system says of a full disk.
func full(err error) error {
	if noSpace(err) && !errors.Is(err, store.ErrDiskFull) {
		return fmt.Errorf("%w (%w)", store.ErrDiskFull, err)
	}
	return err
}
