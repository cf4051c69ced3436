package secret

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// inOrder is a Source that asks several in their order.
func (o *Opener) inOrder(all []Source) Source {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.String()
	}
	s := &source{name: strings.Join(names, ", ")}
	s.read = func(ctx context.Context) (Secret, time.Time, error) { return o.first(ctx, all) }
	return s
}

// first returns the first secret that there is. A failure before it is told, so that a store that is away for months does not
// go unnoticed.
func (o *Opener) first(ctx context.Context, all []Source) (Secret, time.Time, error) {
	var failed failures
	for _, one := range all {
		text, until, err := get(ctx, one)
		if ctx.Err() != nil {
			return Secret{}, time.Time{}, context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if len(failed) == 0 {
			return text, until, nil
		}
		if o.Log != nil {
			o.Log.Warn("secret: a reference failed and a later one was used", "used", one.String(), "err", failed)
		}
		if later := time.Now().Add(o.life()); until.IsZero() || until.After(later) {
			until = later // those before are asked again
		}
		return text, until, nil
	}
	return Secret{}, time.Now().Add(failureLife), fmt.Errorf("none of %d references gives the secret: %w", len(all), failed)
}

// get reads a source and says until when that holds.
func get(ctx context.Context, s Source) (Secret, time.Time, error) {
	if k, ok := s.(*source); ok {
		return k.get(ctx)
	}
	text, err := s.Secret(ctx)
	return text, time.Time{}, err
}

// failures are errors in one line.
type failures []error

// Error joins the sentences.
func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns all of them.
func (f failures) Unwrap() []error { return f }
