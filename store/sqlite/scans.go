package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// hostsPerRow bounds what is encoded at once. A row for each host took ten times as long.
const hostsPerRow = 1024

const (
	insertScan = `INSERT INTO scans (id, started, elapsed, label, ports, ping, identify, targets, up) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

	insertHosts = `INSERT INTO scan_hosts (scan, part, hosts) VALUES (?, ?, ?)`

	dropOldOfTargets = `DELETE FROM scans WHERE id IN
		(SELECT id FROM scans WHERE targets = ? ORDER BY started DESC, id DESC LIMIT -1 OFFSET ?)`

	dropOld = `DELETE FROM scans WHERE id IN (SELECT id FROM scans ORDER BY started DESC, id DESC LIMIT -1 OFFSET ?)`

	scanColumns = `id, started, elapsed, label, ports, ping, identify, targets`
)

var _ store.Scans = (*DB)(nil)

// KeepScan implements store.Scans.
func (d *DB) KeepScan(ctx context.Context, s store.Scan) error {
	return d.within(ctx, func(tx *sql.Tx) error {
		ports, err := json.Marshal(s.Ports)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, insertScan, s.ID, nanos(s.Started), s.Elapsed, s.Label, string(ports), s.Ping, s.Identify,
			s.Targets, s.Up)
		if err != nil {
			return err
		}
		if err := keepHosts(ctx, tx, s); err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, dropOldOfTargets, s.Targets, store.MaxScansOfTargets); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, dropOld, store.MaxScans)
		return err
	})
}

func keepHosts(ctx context.Context, tx *sql.Tx, s store.Scan) error {
	part := 0
	for hosts := range slices.Chunk(s.Hosts, hostsPerRow) {
		text, err := encodeHosts(hosts)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertHosts, s.ID, part, text); err != nil {
			return err
		}
		part++
	}
	return nil
}

// LastScan implements store.Scans.
func (d *DB) LastScan(ctx context.Context, targets string) (store.Scan, error) {
	var s store.Scan
	err := d.readScans(ctx, func(tx *sql.Tx) error {
		const last = `SELECT ` + scanColumns + `, up FROM scans WHERE targets = ? ORDER BY started DESC, id DESC LIMIT 1`
		err := scanScan(tx.QueryRowContext(ctx, last, targets), &s, &s.Up)
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrNotFound
		}
		if err == nil {
			s.Hosts, err = hostsOf(ctx, tx, s.ID)
		}
		return err
	})
	if err != nil {
		return store.Scan{}, fmt.Errorf("read the last scan: %w", err)
	}
	return s, nil
}

// Scans implements store.Scans.
func (d *DB) Scans(ctx context.Context, limit int) (scans []store.Scan, err error) {
	err = d.readScans(ctx, func(tx *sql.Tx) (err error) {
		rows, err := tx.QueryContext(ctx, `SELECT `+scanColumns+` FROM scans ORDER BY started DESC, id DESC LIMIT ?`, orAll(limit))
		scans, err = collect(rows, err, func(rows *sql.Rows) (s store.Scan, err error) {
			return s, scanScan(rows, &s)
		})
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return scans, err
}

// readScans runs f on one state of the file: another process may keep a scan, and drop that one, at any moment.
func (d *DB) readScans(ctx context.Context, f func(tx *sql.Tx) error) error {
	return d.readTable(ctx, "scans", f)
}

// scanScan reads a row of scanColumns and what comes after them.
func scanScan(row interface{ Scan(...any) error }, s *store.Scan, more ...any) error {
	var started int64
	var ports []byte
	err := row.Scan(append([]any{&s.ID, &started, &s.Elapsed, &s.Label, &ports, &s.Ping, &s.Identify, &s.Targets}, more...)...)
	if err != nil {
		return err
	}
	s.Started = fromNanos(started)
	return json.Unmarshal(ports, &s.Ports)
}

func hostsOf(ctx context.Context, tx *sql.Tx, id string) ([]muster.Host, error) {
	rows, err := tx.QueryContext(ctx, `SELECT hosts FROM scan_hosts WHERE scan = ? ORDER BY part`, id)
	lists, err := collect(rows, err, func(rows *sql.Rows) ([]muster.Host, error) {
		var text sql.RawBytes
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		return decodeHosts(text)
	})
	return slices.Concat(lists...), err
}

// host is how a muster.Host is written down.
type host struct {
	Addr     netip.Addr    `json:"addr"`
	Filtered bool          `json:"filtered,omitempty"`
	Ports    []muster.Port `json:"ports,omitempty"`
	Platform string        `json:"platform,omitempty"`
	LoggedIn bool          `json:"logged_in,omitempty"`
	Hostname string        `json:"hostname,omitempty"`
	Name     string        `json:"name,omitempty"`
	MAC      string        `json:"mac,omitempty"`
	Vendor   string        `json:"vendor,omitempty"`
	Device   string        `json:"device,omitempty"`
}

func encodeHosts(hosts []muster.Host) (string, error) {
	out := make([]host, len(hosts))
	for i, h := range hosts {
		out[i] = host{
			Addr: h.Addr, Filtered: h.Filtered, Ports: h.Ports, Platform: h.Platform, LoggedIn: h.LoggedIn, Hostname: h.Hostname,
			Name: h.Name, MAC: h.MAC, Vendor: h.Vendor, Device: h.Device,
		}
	}
	text, err := json.Marshal(out)
	return string(text), err
}

func decodeHosts(text []byte) ([]muster.Host, error) {
	var in []host
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	hosts := make([]muster.Host, len(in))
	for i, h := range in {
		hosts[i] = muster.Host{
			Addr: h.Addr, State: muster.HostUp, Filtered: h.Filtered, Ports: h.Ports, Platform: h.Platform, LoggedIn: h.LoggedIn,
			Hostname: h.Hostname, Name: h.Name, MAC: h.MAC, Vendor: h.Vendor, Device: h.Device,
		}
	}
	return hosts, nil
}
