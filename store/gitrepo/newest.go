package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// logFormat ends every field with NUL, which none of them can hold.
const logFormat = "--format=%H%x00%ct%x00%an%x00%B%x00"

// Newest yields the revisions from the newest to the oldest, read from git log. Commits of other tools are left out.
func (r *Repo) Newest(ctx context.Context) iter.Seq2[muster.Revision, error] {
	return func(yield func(muster.Revision, error) bool) {
		head, err := r.Head(ctx)
		if err != nil {
			yield(muster.Revision{}, err)
			return
		}
		if head == "" {
			return
		}
		if err := r.log(ctx, head, func(rev muster.Revision) bool { return yield(rev, nil) }); err != nil {
			yield(muster.Revision{}, err)
		}
	}
}

// log hands each revision to yield until that returns false.
func (r *Repo) log(ctx context.Context, head string, yield func(muster.Revision) bool) (err error) {
	cmd, said, err := command(ctx, r.dir, "log", "-z", "--raw", "--no-abbrev", "--no-renames", "--first-parent", logFormat, head)
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start git log: %w", err)
	}
	stopped := false
	defer func() {
		if stopped || err != nil {
			_ = cmd.Process.Kill()
		}
		wait := cmd.Wait()
		if err == nil && !stopped {
			err = wait
		}
		err = said.explain(ctx, "log", err)
	}()
	sizes, err := startCat(r.dir, "--batch-check")
	if err != nil {
		return err
	}
	defer sizes.end()
	in := &logReader{in: bufio.NewReaderSize(stdout, 1<<16)}
	for {
		rev, ours, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !ours {
			continue
		}
		if err := sizes.ask(rev.Blob); err != nil {
			return err
		}
		if rev.Bytes, err = sizes.head(); err != nil {
			return err
		}
		if !yield(rev) {
			stopped = true
			return nil
		}
	}
}

// logReader takes the output of git log apart.
type logReader struct {
	in   *bufio.Reader
	held string // a field read too far
	has  bool
}

// next reads one commit. ours is false where another tool made it. io.EOF at the end.
func (l *logReader) next() (rev muster.Revision, ours bool, err error) {
	id, err := l.field()
	if err != nil {
		return rev, false, err
	}
	var fields [4]string // time, author, message, and the NUL that -z puts behind the format
	for i := range fields {
		if fields[i], err = l.field(); err != nil && (i < 3 || !errors.Is(err, io.EOF)) {
			return rev, false, cut(err)
		}
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || !isID(id) {
		return rev, false, fmt.Errorf("unexpected commit %q", id)
	}
	c, ours := parseMessage(fields[2])
	rev = muster.Revision{
		ID: id, Device: c.Device, Time: time.Unix(seconds, 0).UTC(), Author: fields[1], Trigger: c.Trigger, Run: c.Run,
		Added: c.Added, Removed: c.Removed,
	}
	if err := l.files(&rev); err != nil {
		return rev, false, err
	}
	return rev, ours && rev.Blob != "", nil
}

// files reads the lines of the files a commit changed: the one it wrote is the text.
func (l *logReader) files(rev *muster.Revision) error {
	for {
		line, err := l.field()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		raw, ok := strings.CutPrefix(strings.TrimPrefix(line, "\n"), ":")
		if !ok {
			l.held, l.has = line, true
			return nil
		}
		path, err := l.field()
		if err != nil {
			return cut(err)
		}
		if parts := strings.Fields(raw); len(parts) == 5 && parts[4] != "D" {
			rev.Blob, rev.Path = parts[3], path
		}
	}
}

func (l *logReader) field() (string, error) {
	if l.has {
		l.has = false
		return l.held, nil
	}
	s, err := l.in.ReadString(0)
	if err != nil {
		return "", err
	}
	return s[:len(s)-1], nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
