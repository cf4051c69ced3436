package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/musternet/muster"
)

// maxFile bounds what is read as an inventory: far more than a hundred thousand devices need.
const maxFile = 64 << 20

// fileSource is a Source that is one file, or standard input, read whole; or a directory, where dir is not nil.
type fileSource struct {
	spec  Spec
	env   *Env
	parse func(r *rows, data []byte) error
	dir   func(r *rows, dir string) error
}

var _ Source = (*fileSource)(nil)

// Devices reads the file and yields its rows.
func (s *fileSource) Devices(ctx context.Context) iter.Seq2[muster.Device, error] {
	return func(yield func(muster.Device, error) bool) {
		r := &rows{ctx: ctx, env: s.env, spec: s.spec, file: s.spec.File, yield: yield}
		if r.file == "-" {
			r.file = "stdin"
		}
		err := s.rows(r)
		switch {
		case r.stopped:
		case ctx.Err() != nil:
			yield(muster.Device{}, context.Cause(ctx))
		case err != nil:
			yield(muster.Device{}, err)
		case r.secrets && r.open != 0:
			r.noteOpen(r.file, r.open)
		}
	}
}

// rows reads the file and parses it.
func (s *fileSource) rows(r *rows) error {
	if s.dir != nil && r.file != "" && r.ctx.Err() == nil {
		if info, err := os.Stat(s.env.expand(r.file)); err == nil && info.IsDir() {
			return s.dir(r, r.file)
		}
	}
	data, err := s.read(r)
	if err == nil {
		err = checkText(r.file, data)
	}
	if err != nil {
		return err
	}
	return s.parse(r, bytes.TrimPrefix(data, []byte("\ufeff")))
}

// fileIn reads one file of a directory, where that is what a tool's own directory has.
func fileIn(name string, parse func(r *rows, data []byte) error) func(r *rows, dir string) error {
	return func(r *rows, dir string) error {
		r.file = filepath.Join(dir, name)
		path := r.env.expand(r.file)
		data, err := readRegular(path)
		if err == nil {
			err = checkText(r.file, data)
		}
		if err != nil {
			return fmt.Errorf("inventory: %w", err)
		}
		if info, err := os.Stat(path); err == nil {
			r.open = openMode(info)
		}
		return parse(r, bytes.TrimPrefix(data, []byte("\ufeff")))
	}
}

// cause is an error without the name of the file, which stands before it.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// read returns what the file holds.
func (s *fileSource) read(r *rows) ([]byte, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	var in io.Reader = s.env.Stdin
	if s.spec.File != "-" {
		f, err := os.Open(s.env.expand(s.spec.File))
		if err != nil {
			return nil, fmt.Errorf("inventory: %w", err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			r.open = openMode(info)
		}
		in = f
	} else if in == nil {
		in = os.Stdin
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("inventory: read %s: %w", r.file, cause(err))
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("inventory: %s is larger than %d MiB", r.file, maxFile>>20)
	}
	return data, nil
}

// platform returns what a source's own name of a platform is called here.
func (s Spec) platform(name string) string {
	if ours, ok := s.Platforms[strings.TrimSpace(name)]; ok {
		return ours
	}
	return name
}

// expand makes ~/ the user's home.
func (e *Env) expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(e.home(), rest)
	}
	return path
}

// openMode returns the permissions of a file that others than its owner may read, else 0.
func openMode(info fs.FileInfo) fs.FileMode {
	if perm := info.Mode().Perm(); info.Mode().IsRegular() && runtime.GOOS != "windows" && perm&0o077 != 0 {
		return perm
	}
	return 0
}

// exposed notes which of the files that hold secrets others than their owner may read.
func (r *rows) exposed(files map[string]bool) {
	for _, path := range slices.Sorted(maps.Keys(files)) {
		info, err := os.Stat(r.env.expand(path))
		if err != nil || !files[path] {
			continue
		}
		if mode := openMode(info); mode != 0 {
			r.noteOpen(path, mode)
		}
	}
}

func (r *rows) noteOpen(path string, mode fs.FileMode) {
	r.env.note(path, 0, "it holds passwords and others than its owner may read it (mode %04o): chmod 600 %s", mode, path)
}

// checkText refuses what is no text, before its bytes make a thousand strange rows.
func checkText(file string, data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fmt.Errorf("inventory: %s is UTF-16: save it as UTF-8", file)
	case bytes.IndexByte(data, 0) >= 0:
		return fmt.Errorf("inventory: %s is not a text file", file)
	}
	return nil
}

// rows is where a parser puts what it finds.
type rows struct {
	ctx     context.Context
	env     *Env
	spec    Spec
	file    string
	yield   func(muster.Device, error) bool
	stopped bool        // the reader of the rows wants no more
	secrets bool        // a literal secret was among them
	open    fs.FileMode // of a file that others may read
}

// add yields one row; place finds a field for an error (nil: unknown). It says whether to go on.
func (r *rows) add(row Row, line int, place func(field string) (line, col int)) bool {
	row.Platform = r.spec.platform(row.Platform)
	dev, err := r.env.device(row, fmt.Sprintf("%s:%d", r.file, line))
	if err != nil {
		col := 0
		var field *fieldError
		if errors.As(err, &field) && place != nil {
			line, col = place(field.field)
		}
		return r.bad(line, col, err)
	}
	r.secrets = r.secrets || row.literal()
	return r.device(dev)
}

// device yields a device that is complete.
func (r *rows) device(dev muster.Device) bool {
	r.stopped = r.stopped || r.more() && !r.yield(dev, nil)
	return r.more()
}

// bad yields a row that is wrong. It says whether to go on.
func (r *rows) bad(line, col int, err error) bool { return r.badIn(r.file, line, col, err) }

// badIn is bad for a row of another file, or at a URL.
func (r *rows) badIn(file string, line, col int, err error) bool {
	r.stopped = r.stopped || r.more() && !r.yield(muster.Device{}, &RowError{File: file, Line: line, Col: col, Err: err})
	return r.more()
}

func (r *rows) more() bool { return !r.stopped && r.ctx.Err() == nil }

// lines yields the lines of a text with their numbers from 1, without their ends.
func lines(data []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range bytes.Lines(data) {
			n++
			if !yield(n, strings.TrimRight(string(line), "\r\n")) {
				return
			}
		}
	}
}
