package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/musternet/muster/store"
)

const selectDevices = `SELECT name, address, port, grp, platform, hostname, model, version, serial, session, last_run,
	last_try, last_good, status, failure, transcript,
	coalesce((SELECT id FROM revisions WHERE device = name ORDER BY seq DESC LIMIT 1), '') FROM devices `

// Device implements store.Index.
func (d *DB) Device(ctx context.Context, name string) (store.Device, error) {
	devs, err := d.devices(ctx, selectDevices+`WHERE name = ?`, name)
	if err != nil {
		return store.Device{}, err
	}
	if len(devs) == 0 {
		return store.Device{}, fmt.Errorf("device %q: %w", name, store.ErrNotFound)
	}
	return devs[0], nil
}

// Devices implements store.Index, in the order of their names.
func (d *DB) Devices(ctx context.Context) ([]store.Device, error) {
	return d.devices(ctx, selectDevices+`ORDER BY name`)
}

// RemoveDevice implements store.Index.
func (d *DB) RemoveDevice(ctx context.Context, name string) error {
	return d.touch(ctx, name, `DELETE FROM devices WHERE name = ?`, name)
}

// SetPlatform implements store.Index. A device not seen yet gets a row.
func (d *DB) SetPlatform(ctx context.Context, device, platform string) error {
	return d.touch(ctx, device, `INSERT INTO devices (name, platform) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET platform = excluded.platform`, device, platform)
}

// touch changes one device's row, which must be there.
func (d *DB) touch(ctx context.Context, name, query string, args ...any) error {
	res, err := d.write.ExecContext(ctx, query, args...)
	if err != nil {
		return explain(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("device %q: %w", name, store.ErrNotFound)
	}
	return nil
}

func (d *DB) devices(ctx context.Context, query string, args ...any) ([]store.Device, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	return collect(rows, err, scanDevice)
}

func scanDevice(rows *sql.Rows) (dev store.Device, err error) {
	var session string
	var failure sql.NullString
	var transcript []byte
	var try, good int64
	err = rows.Scan(&dev.Name, &dev.Address, &dev.Port, &dev.Group, &dev.Platform, &dev.Facts.Hostname, &dev.Facts.Model,
		&dev.Facts.Version, &dev.Facts.Serial, &session, &dev.LastRun, &try, &good, &dev.LastStatus, &failure, &transcript,
		&dev.Revision)
	if err != nil {
		return dev, err
	}
	dev.LastTry, dev.LastGood = fromNanos(try), fromNanos(good)
	if session != "" {
		if err := json.Unmarshal([]byte(session), &dev.Session); err != nil {
			return dev, fmt.Errorf("session of device %q: %w", dev.Name, err)
		}
	}
	if failure.Valid {
		if dev.Failure, err = decodeFailure(dev.Name, failure.String, transcript); err != nil {
			return dev, fmt.Errorf("failure of device %q: %w", dev.Name, err)
		}
	}
	return dev, nil
}
