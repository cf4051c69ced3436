-- +goose Up

CREATE TABLE health (
    device   TEXT PRIMARY KEY,
    state    TEXT NOT NULL,
    since    INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    seen     INTEGER NOT NULL,
    flapping INTEGER NOT NULL,
    recent   BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE transitions (
    seq    INTEGER PRIMARY KEY,
    time   INTEGER NOT NULL,
    device TEXT NOT NULL, -- empty: this machine's way to the network
    before TEXT NOT NULL,
    after  TEXT NOT NULL,
    reason TEXT NOT NULL,
    quiet  INTEGER NOT NULL
) STRICT;
CREATE INDEX transitions_time ON transitions (time);
CREATE INDEX transitions_device ON transitions (device, time);

CREATE TABLE firings (
    rule  TEXT NOT NULL,
    key   TEXT NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
    name  TEXT PRIMARY KEY,
    last  INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    next  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The journal of events. Places have no gaps: what is forgotten is the oldest, and the newest stays.
CREATE TABLE events (
    place INTEGER PRIMARY KEY,
    id    TEXT NOT NULL UNIQUE,
    time  INTEGER NOT NULL,
    event TEXT NOT NULL -- JSON
) STRICT;

-- How far each durable subscriber has come.
CREATE TABLE subscribers (
    name  TEXT PRIMARY KEY,
    place INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
