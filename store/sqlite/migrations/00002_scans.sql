-- +goose Up

-- The last scans. What is short comes first: a list of scans does not read the sets of addresses.
CREATE TABLE scans (
    id       TEXT PRIMARY KEY,
    started  INTEGER NOT NULL,
    elapsed  INTEGER NOT NULL, -- nanoseconds
    label    TEXT NOT NULL,
    ports    TEXT NOT NULL,    -- JSON list, null: none
    ping     INTEGER NOT NULL,
    identify INTEGER NOT NULL,
    targets  TEXT NOT NULL,
    up       TEXT NOT NULL
) STRICT;
CREATE INDEX scans_targets ON scans (targets, started, id);
CREATE INDEX scans_started ON scans (started, id);

-- Hosts of which more is known than that they were up: JSON lists of up to 1,024 hosts a row.
CREATE TABLE scan_hosts (
    scan  TEXT NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    part  INTEGER NOT NULL,
    hosts TEXT NOT NULL,
    PRIMARY KEY (scan, part)
) STRICT;
