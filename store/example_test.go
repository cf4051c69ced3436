package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
	"github.com/musternet/muster/store/sqlite"
)

// A run keeps what a device printed and learns whether that was new.
func Example() {
	dir, err := os.MkdirTemp("", "muster-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := keepTwice(context.Background(), dir); err != nil {
		fmt.Println(err)
	}
	// Output:
	// r1 new +2 -0
	// r1 changed +1 -1
}

func keepTwice(ctx context.Context, dir string) error {
	lock, err := store.LockDir(ctx, dir, "example")
	if err != nil {
		return err
	}
	defer lock.Unlock()
	history, err := gitrepo.Open(ctx, filepath.Join(dir, "configs.git"))
	if err != nil {
		return err
	}
	index, err := sqlite.Open(ctx, filepath.Join(dir, "muster.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	s, err := store.New(history, index, filepath.Join(dir, "configs"))
	if err != nil {
		return err
	}
	defer s.Close()
	for i, text := range []string{"hostname r1\nmtu 1500\n", "hostname r1\nmtu 9000\n"} {
		b, err := s.Begin(ctx, muster.Job{Run: fmt.Sprint(i), Kind: "backup", Trigger: "manual", Started: time.Now()}, 1)
		if err != nil {
			return err
		}
		r := b.Keep(ctx, store.Kept{
			Result: muster.Result{Device: muster.Device{Name: "r1", Address: "198.18.0.1"}},
			Config: muster.Config{Device: "r1", Platform: "frr", Text: []byte(text)},
		})
		fmt.Printf("%s %s +%d -%d\n", r.Device.Name, r.Status, r.Added, r.Removed)
		if err := b.End(ctx); err != nil {
			return err
		}
	}
	return nil
}
