package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/musternet/muster"
)

// Kept is one device's configuration with all that belongs to it.
type Kept struct {
	Result  muster.Result // as far as the caller knows it: Index, Device, Attempts, Elapsed, Warning
	Config  muster.Config // whole: what is empty is refused
	Session SessionFacts
	Author  string // who changed it, where known
}

// Batch is one run's way into the Store.
type Batch struct {
	store *Store
	job   muster.Job
	total int
	now   chan struct{} // a token: do not wait for company

	mu      sync.Mutex
	pending []*entry
	seen    int   // entries that came so far
	led     bool  // one of the callers waits for company or writes
	err     error // the first failure of the store itself
}

// entry is one call of Keep or Fail. Its caller waits until done is closed, or until lead is: then it has to write.
type entry struct {
	out           Outcome
	text          []byte
	blob          string
	author        string
	path, oldPath string // where its text lies, and where the one before lies
	since         time.Time
	done          chan struct{}
	lead          chan struct{}
}

func newEntry(out Outcome) *entry {
	return &entry{out: out, since: time.Now(), done: make(chan struct{}), lead: make(chan struct{})}
}

// Keep stores a device's configuration and returns how that ended: new, changed, unchanged, or failed in the stage
// store. It blocks until the text is in History and its row in Index, at most about a second longer than the writing
// takes. A cancelled ctx makes it hurry, not give up: what was read whole is kept.
func (b *Batch) Keep(ctx context.Context, k Kept) muster.Result {
	e := newEntry(Outcome{Result: k.Result, Facts: k.Config.Facts, Session: k.Session})
	if e.out.Result.Device.Platform == "" {
		e.out.Result.Device.Platform = k.Config.Platform
	}
	e.text, e.author = k.Config.Text, k.Author
	e.out.Result.Bytes = len(k.Config.Text)
	if f := refuse(k); f != nil {
		e.fail(f)
	} else {
		e.blob = BlobID(k.Config.Text)
	}
	return b.add(ctx, e)
}

// Fail records a device that failed; o.Result.Failure says why. It blocks as Keep does and returns the result as given.
func (b *Batch) Fail(ctx context.Context, o Outcome) muster.Result {
	o.Result.Status = muster.StatusFailed
	o.Revision = nil
	return b.add(ctx, newEntry(o))
}

// Flush says that no result comes soon: those that wait are written at once. It does not block.
func (b *Batch) Flush() {
	select {
	case b.now <- struct{}{}:
	default:
	}
}

// End closes the run after the last Keep and Fail returned, and packs the history if it needs packing. It returns the
// first error of the store itself, of which the devices it hit know too. A cancelled ctx cuts only the packing short.
func (b *Batch) End(ctx context.Context) error {
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLimit)
	defer cancel()
	err := b.store.Index.FinishRun(keep, b.job.Run, time.Now())
	if e := b.store.end(ctx); err == nil && ctx.Err() == nil {
		err = e
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	return err
}

// add puts an entry among the pending ones and returns when it was written, by this caller or by another.
func (b *Batch) add(ctx context.Context, e *entry) muster.Result {
	if b.join(e) {
		b.lead(ctx, e)
		return e.out.Result
	}
	hurry := ctx.Done()
	for {
		select {
		case <-e.done:
			return e.out.Result
		case <-e.lead:
			b.lead(ctx, e)
			return e.out.Result
		case <-hurry:
			hurry = nil
			b.Flush()
		}
	}
}

// join tells whether the caller has to write, because nobody else does.
func (b *Batch) join(e *entry) (lead bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = append(b.pending, e)
	b.seen++
	if len(b.pending) >= flushCount || b.seen >= b.total {
		b.Flush()
	}
	lead = !b.led
	b.led = true
	return lead
}

// lead waits for company, writes all that is pending, and hands the lead to one who came meanwhile.
func (b *Batch) lead(ctx context.Context, e *entry) {
	wait := time.NewTimer(flushDelay - time.Since(e.since))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-b.now:
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLimit)
	defer cancel()
	defer b.handOver()
	b.writeOut(limited, b.take())
}

// writeOut writes entries and wakes their callers, also when the writing panics: nobody waits for ever.
func (b *Batch) writeOut(ctx context.Context, batch []*entry) {
	panicked := true
	defer func() {
		if panicked {
			b.note(failAll(batch, errors.New("writing panicked")))
		}
		for _, e := range batch {
			close(e.done)
		}
	}()
	err := b.store.flush(ctx, b.job, batch)
	panicked = false
	b.note(err)
}

func (b *Batch) take() []*entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.pending
	b.pending = nil
	select {
	case <-b.now: // meant for those just taken
	default:
	}
	return batch
}

func (b *Batch) handOver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.led = len(b.pending) > 0
	if b.led {
		close(b.pending[0].lead)
	}
}

func (b *Batch) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}
