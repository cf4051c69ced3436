package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// maxTranscript bounds what is kept of a conversation that failed: its end tells why.
const maxTranscript = 64 << 10

const (
	insertOutcomes = `INSERT INTO outcomes (run, status, devices) VALUES (?, ?, ?)`

	// A device that answered as it did before changes few columns; what it says of itself is compared by SQLite only.
	upsertDevice = `INSERT INTO devices
		(name, address, port, grp, platform, hostname, model, version, serial, session, last_run, last_try, last_good, status, failure, transcript)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET
			address = excluded.address, port = excluded.port, grp = excluded.grp,
			platform = iif(excluded.platform = '', platform, excluded.platform),
			hostname = iif(excluded.hostname = '', hostname, excluded.hostname),
			model = iif(excluded.model = '', model, excluded.model),
			version = iif(excluded.version = '', version, excluded.version),
			serial = iif(excluded.serial = '', serial, excluded.serial),
			session = iif(excluded.session = '', session, excluded.session),
			last_run = excluded.last_run, last_try = excluded.last_try,
			last_good = max(last_good, excluded.last_good),
			status = excluded.status, failure = excluded.failure, transcript = excluded.transcript`

	countRun = `UPDATE runs SET new = new + ?, changed = changed + ?, unchanged = unchanged + ?, failed = failed + ? WHERE run = ?`
)

// Record implements store.Index.
func (d *DB) Record(ctx context.Context, run string, outcomes []store.Outcome) error {
	now := time.Now()
	return d.within(ctx, func(tx *sql.Tx) error {
		w := &recorder{ctx: ctx, tx: tx, run: run, now: now}
		defer w.close()
		head := ""
		for _, o := range outcomes {
			if err := w.record(o); err != nil {
				return err
			}
			if o.Revision != nil {
				head = o.Revision.ID
			}
		}
		if err := errors.Join(w.list(outcomes), w.count(outcomes)); err != nil || head == "" {
			return err
		}
		return setHead(ctx, tx, head)
	})
}

// recorder writes outcomes in one transaction with statements prepared at first use.
type recorder struct {
	ctx context.Context
	tx  *sql.Tx
	run string
	now time.Time

	device, revision *sql.Stmt
}

func (w *recorder) record(o store.Outcome) error {
	if o.Revision != nil {
		if err := w.prepare(&w.revision, insertRevision); err != nil {
			return err
		}
		if err := addRevision(w.ctx, w.revision, *o.Revision); err != nil {
			return err
		}
	}
	if err := w.prepare(&w.device, upsertDevice); err != nil {
		return err
	}
	return w.recordDevice(o)
}

func (w *recorder) recordDevice(o store.Outcome) error {
	dev, good := o.Result.Device, w.now
	var failure sql.NullString
	var transcript []byte
	if f := o.Result.Failure; f != nil {
		good = time.Time{}
		failure = sql.NullString{String: encodeFailure(f), Valid: true}
		transcript = f.Transcript[max(0, len(f.Transcript)-maxTranscript):]
	}
	session, err := encodeSession(o.Session)
	if err != nil {
		return err
	}
	_, err = w.device.ExecContext(w.ctx, dev.Name, dev.Address, dev.Port, dev.GroupName(), dev.Platform, o.Facts.Hostname,
		o.Facts.Model, o.Facts.Version, o.Facts.Serial, session, w.run, nanos(w.now), nanos(good), o.Result.Status, failure,
		transcript)
	return err
}

// place is a device's place in a run.
type place struct {
	Index int
	Name  string
}

// MarshalJSON writes a place as [index, name].
func (p place) MarshalJSON() ([]byte, error) { return json.Marshal([]any{p.Index, p.Name}) }

// UnmarshalJSON reads it back.
func (p *place) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&p.Index, &p.Name})
}

// list writes down which devices ended how.
func (w *recorder) list(outcomes []store.Outcome) error {
	places := make(map[muster.Status][]place)
	for _, o := range outcomes {
		s := o.Result.Status
		places[s] = append(places[s], place{o.Result.Index, o.Result.Device.Name})
	}
	for status, list := range places {
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		if _, err := w.tx.ExecContext(w.ctx, insertOutcomes, w.run, status, string(text)); err != nil {
			return err
		}
	}
	return nil
}

func (w *recorder) count(outcomes []store.Outcome) error {
	n := make(map[muster.Status]int)
	for _, o := range outcomes {
		n[o.Result.Status]++
	}
	_, err := w.tx.ExecContext(w.ctx, countRun, n[muster.StatusNew], n[muster.StatusChanged], n[muster.StatusUnchanged],
		n[muster.StatusFailed], w.run)
	return err
}

func (w *recorder) prepare(s **sql.Stmt, query string) (err error) {
	if *s == nil {
		*s, err = w.tx.PrepareContext(w.ctx, query)
	}
	return err
}

func (w *recorder) close() {
	for _, s := range []*sql.Stmt{w.device, w.revision} {
		if s != nil {
			_ = s.Close() // the transaction's end closed it already
		}
	}
}

// failure is how a muster.Failure is written down.
type failure struct {
	Stage    muster.Stage  `json:"stage"`
	Code     string        `json:"code"`
	Err      string        `json:"error"`
	Hint     string        `json:"hint,omitempty"`
	Attempts int           `json:"attempts"`
	Elapsed  time.Duration `json:"elapsed"`
}

func asFailure(f *muster.Failure) failure {
	out := failure{Stage: f.Stage, Code: f.Code, Hint: f.Hint, Attempts: f.Attempts, Elapsed: f.Elapsed}
	if f.Err != nil {
		out.Err = f.Err.Error()
	}
	return out
}

func encodeFailure(f *muster.Failure) string {
	text, _ := json.Marshal(asFailure(f)) // strings and numbers: it cannot fail
	return string(text)
}

func (f failure) restore(device string, transcript []byte) *muster.Failure {
	return &muster.Failure{
		Device: device, Stage: f.Stage, Code: f.Code, Err: errors.New(f.Err), Hint: f.Hint, Attempts: f.Attempts,
		Elapsed: f.Elapsed, Transcript: transcript,
	}
}

func decodeFailure(device, text string, transcript []byte) (*muster.Failure, error) {
	var f failure
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, err
	}
	return f.restore(device, transcript), nil
}

// encodeSession returns the empty string where nothing was negotiated: what is known from before stays.
func encodeSession(s store.SessionFacts) (string, error) {
	if s.ServerVersion == "" && s.Kex == "" && s.Credential == "" && s.Fingerprint == "" {
		return "", nil
	}
	text, err := json.Marshal(s)
	return string(text), err
}
