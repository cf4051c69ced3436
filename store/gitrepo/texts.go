package gitrepo

import (
	"context"
	"errors"
	"iter"

	"github.com/musternet/muster/store"
)

func one(blob string) iter.Seq[string] {
	return func(yield func(string) bool) { yield(blob) }
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

// texts asks for a few blobs ahead and yields their texts in order. It kills the process when ctx ends before it does.
func (c *catFile) texts(ctx context.Context, blobs iter.Seq[string]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
		defer stop()
		next, done := iter.Pull(blobs)
		defer done()
		more, asked := true, 0
		for {
			for more && asked < readAhead {
				blob, ok := next()
				if more = ok; !ok {
					break
				}
				if err := c.ask(blob); err != nil {
					yield(nil, c.reason(ctx, err))
					return
				}
				asked++
			}
			if asked == 0 {
				return
			}
			text, err := c.text()
			asked--
			if !yield(text, c.reason(ctx, err)) || err != nil {
				return
			}
		}
	}
}

// reason says why reading failed. A missing blob is an answer, not a failure of the process.
func (c *catFile) reason(ctx context.Context, err error) error {
	if err == nil || isNotFound(err) {
		return err
	}
	return c.said.explain(ctx, "cat-file", err)
}
