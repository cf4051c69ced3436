package secret

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Life is how long a secret that was read is kept, where an Opener says nothing: longer than a run over a fleet takes, and
// short enough for a server that runs for months to notice that a password was changed.
const Life = time.Hour

// failureLife is how long the reason why a secret could not be read is kept: a fleet that logs in at once hears it from one
// reading, and a Vault that was away for a minute is found when it is back.
const failureLife = 30 * time.Second

// Opener opens references to secrets, with what age:, vault: and ansible-vault: need. Its fields are set before it is used
// and not changed after; one Opener is for one process, so that each secret is read once and each passphrase asked once. The
// zero Opener is ready, is safe for concurrent use and must not be copied.
//
// A Source reads at its first use; callers at the same time share one reading. What comes of it is kept: from the environment
// and a prompt for good, else for Life, or less where Vault's lease is shorter; a failure for 30 s.
type Opener struct {
	Prompt       Prompt              // asks without echo; nil: nobody can be asked
	Age          Age                 // for age:
	Vault        Vault               // for vault:
	AnsibleVault map[string]Source   // passwords for ansible-vault:, by vault id; without any: ANSIBLE_VAULT_PASSWORD_FILE
	Life         time.Duration       // 0: the constant Life
	Getenv       func(string) string // for VAULT_ADDR and the like, where the fields say nothing; nil: os.Getenv
	Log          *slog.Logger        // hears of each reference that failed where a later one gave the secret; nil: nobody

	mu       sync.Mutex
	ask      Prompt // Prompt, for each text once
	sources  map[Ref]*source
	texts    map[string]*kept[*document] // by scheme and place
	unlocked map[string]*kept[Secret]    // age identity files that a passphrase locks, by path
	client   *kept[*vaultClient]
}

// Open returns the Source of a reference, the same one each time. Of several references the first that gives a secret wins,
// in their order each time something is read; the error of the Source names all that failed. Nothing is read yet: the error
// of Open is about the text of a reference, and does not quote it.
func (o *Opener) Open(refs ...Ref) (Source, error) {
	if len(refs) == 0 {
		return nil, ErrNotRef
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]Source, len(refs))
	for i, ref := range refs {
		s := o.sources[ref]
		if s == nil {
			var err error
			if s, err = o.open(ref); err != nil {
				return nil, err
			}
			if o.sources == nil {
				o.sources = map[Ref]*source{}
			}
			o.sources[ref] = s
		}
		all[i] = s
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return o.inOrder(all), nil
}

func (o *Opener) getenv(name string) string {
	if o.Getenv != nil {
		return o.Getenv(name)
	}
	return os.Getenv(name)
}

// life is how long something read now is kept.
func (o *Opener) life() time.Duration {
	if o.Life > 0 {
		return o.Life
	}
	return Life
}

// held gives what a function reads its time.
func held[T any](o *Opener, read func(context.Context) (T, error)) func(context.Context) (T, time.Time, error) {
	return func(ctx context.Context) (T, time.Time, error) {
		v, err := read(ctx)
		if err != nil {
			return v, time.Now().Add(failureLife), err
		}
		return v, time.Now().Add(o.life()), nil
	}
}

// prompt returns the function that asks for each text once; nil: nobody can be asked.
func (o *Opener) prompt() Prompt {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ask == nil {
		o.ask = AskOnce(o.Prompt)
	}
	return o.ask
}

// shared returns the entry of a map of the Opener, made where there is none.
func shared[T any](o *Opener, all *map[string]*kept[T], name string, read func(context.Context) (T, time.Time, error)) *kept[T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := (*all)[name]
	if k == nil {
		if *all == nil {
			*all = map[string]*kept[T]{}
		}
		k = &kept[T]{read: read}
		(*all)[name] = k
	}
	return k
}
