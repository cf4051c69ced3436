package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// kept is the last good answer of a remote source: its rows before groups and defaults, so that what the settings say
// now holds for them, and without secrets.
type kept struct {
	Source  string
	Time    time.Time
	Devices int // how many of the rows became devices
	Rows    []keptRow
}

type keptRow struct {
	found
	Secrets bool // it brought secrets of its own, which are not kept
}

// lastGood keeps an answer that is good, and gives the last one that was in the place of a failure and of an answer with
// less than half of the devices. Where there is none, a failure stays one.
func (s *remote) lastGood(rows []found, failed error) ([]made, error) {
	all, devices := s.complete(rows)
	if s.env.Keep == "" {
		return all, failed
	}
	last, err := s.load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.env.note(s.spec.place(), 0, "its last good answer cannot be read: %w", err)
	}
	way := ""
	if failed == nil && !s.env.AcceptShrunk {
		failed = Shrunk(s.spec.String(), last.Devices, devices)
		way = ". If it is right: muster backup --accept-shrunk"
	}
	if failed == nil {
		if err := s.save(rows, devices); err != nil {
			s.env.note(s.spec.place(), 0, "its answer cannot be kept for times when it fails: %w", err)
		}
		return all, nil
	}
	if err != nil {
		return nil, failed
	}
	s.env.note("inventory", 0, "%w; the %d devices that it gave at %s are used%s", failed, last.Devices, last.Time.Format("2006-01-02 15:04"), way)
	all, _ = s.complete(s.restore(last))
	return all, nil
}

// fresh returns the rows of the last answer where that is young enough, and whole: passwords from there are not kept.
func (s *remote) fresh() ([]found, bool) {
	if s.spec.MaxAge <= 0 || s.env.Keep == "" || s.env.AcceptShrunk {
		return nil, false
	}
	last, err := s.load()
	age := time.Since(last.Time)
	if err != nil || age < 0 || age >= s.spec.MaxAge || slices.ContainsFunc(last.Rows, func(k keptRow) bool { return k.Secrets }) {
		return nil, false
	}
	return s.restore(last), true
}

// keepFile names the file of a source: another query is another source.
func (s *remote) keepFile() string {
	id, err := json.Marshal([]any{s.spec.Type, s.spec.URL, s.spec.Filter, s.spec.Map})
	if err != nil {
		panic("inventory: name of what is kept: " + err.Error())
	}
	sum := sha256.Sum256(id)
	host := ""
	if u, err := parseURL(s.spec.URL); err == nil {
		host = strings.Map(func(r rune) rune {
			if r != ':' && r < 0x80 && nameRune(r) {
				return r
			}
			return '_'
		}, u.Hostname())
	}
	return filepath.Join(s.env.Keep, fmt.Sprintf("%s-%.80s-%s.json", s.spec.Type, host, hex.EncodeToString(sum[:4])))
}

// load reads what was kept; the zero kept where that cannot be.
func (s *remote) load() (kept, error) {
	data, err := readRegular(s.keepFile())
	if err != nil {
		return kept{}, cause(err)
	}
	var last kept
	if err := json.Unmarshal(data, &last); err != nil {
		return kept{}, fmt.Errorf("%s: %w", s.keepFile(), errNoJSON)
	}
	return last, nil
}

// restore returns the rows that were kept. Secrets that may stand there are not ours, and a reference would be followed.
func (s *remote) restore(last kept) []found {
	var rows []found
	lost := 0
	for _, k := range last.Rows {
		k.Row.Password, k.Row.Enable, k.Row.foreign = "", "", true
		if k.Secrets {
			lost++
		}
		rows = append(rows, k.found)
	}
	if lost > 0 {
		s.env.note(s.spec.place(), 0, "%d of these devices had passwords from there, which are never kept: they are without", lost)
	}
	return rows
}

// save keeps an answer, for its owner alone.
func (s *remote) save(rows []found, devices int) error {
	now := kept{Source: s.spec.String(), Time: time.Now().Truncate(time.Second), Devices: devices}
	for _, f := range rows {
		if f.Err == nil {
			secrets := f.Row.literal()
			f.Row.Password, f.Row.Enable = "", ""
			now.Rows = append(now.Rows, keptRow{f, secrets})
		}
	}
	data, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return writeOwn(s.keepFile(), data)
}

// writeOwn replaces a file at once, with mode 0600.
func writeOwn(path string, data []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
