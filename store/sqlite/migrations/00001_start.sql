-- +goose Up

CREATE TABLE runs (
    run       TEXT PRIMARY KEY,
    kind      TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    started   INTEGER NOT NULL, -- nanoseconds since 1970, as all times but those of revisions
    finished  INTEGER,          -- NULL: it did not finish
    total     INTEGER NOT NULL,
    new       INTEGER NOT NULL DEFAULT 0,
    changed   INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    failed    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_started ON runs (started);

-- How the devices of the latest runs ended: one row for each write and status, devices a JSON list of [index, name].
-- A row for each device took a third of the time of a write.
CREATE TABLE outcomes (
    run     TEXT NOT NULL,
    status  TEXT NOT NULL,
    devices TEXT NOT NULL
) STRICT;
CREATE INDEX outcomes_run ON outcomes (run, status);

CREATE TABLE devices (
    name       TEXT PRIMARY KEY,
    address    TEXT NOT NULL DEFAULT '',
    port       INTEGER NOT NULL DEFAULT 0,
    grp        TEXT NOT NULL DEFAULT '',
    platform   TEXT NOT NULL DEFAULT '',
    hostname   TEXT NOT NULL DEFAULT '',
    model      TEXT NOT NULL DEFAULT '',
    version    TEXT NOT NULL DEFAULT '',
    serial     TEXT NOT NULL DEFAULT '',
    session    TEXT NOT NULL DEFAULT '', -- JSON, empty: none yet
    last_run   TEXT NOT NULL DEFAULT '',
    last_try   INTEGER NOT NULL DEFAULT 0,
    last_good  INTEGER NOT NULL DEFAULT 0,
    status     TEXT NOT NULL DEFAULT '',
    failure    TEXT,                     -- JSON, NULL: the last try succeeded
    transcript BLOB                      -- the masked end of the conversation that failed
) STRICT, WITHOUT ROWID;

-- One row a commit. seq follows the order of the commits; a device's newest text is the one with the highest seq.
CREATE TABLE revisions (
    seq       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    blob      TEXT NOT NULL,
    device    TEXT NOT NULL,
    path      TEXT NOT NULL,
    time      INTEGER NOT NULL, -- seconds since 1970, as git keeps it
    author    TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    run       TEXT NOT NULL,
    added     INTEGER NOT NULL,
    removed   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL
) STRICT;
CREATE INDEX revisions_device ON revisions (device, seq);
CREATE INDEX revisions_time ON revisions (time, seq);

-- How far rows and commits are known to agree: see store.State.
CREATE TABLE state (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    head  TEXT NOT NULL,
    clean INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, '', 1);
