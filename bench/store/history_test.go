package store_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/gitrepo"
	"github.com/musternet/muster/store/sqlite"
)

const commits = 100_000

// BenchmarkHistory100000 reads what the commands history and diff read of one device, from opening the files on, in a
// repository of 100,000 commits of 10,000 devices; git log of the same file stands beside it.
func BenchmarkHistory100000(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	devices := make([]device, fleet)
	for i := range devices {
		devices[i] = device{group: fmt.Sprintf("site%03d", i%100), name: fmt.Sprintf("sw-%05d", i)}
	}
	for round := range commits / fleet {
		for i := range devices {
			devices[i].text = fmt.Appendf(nil, "hostname %s\nround %d\n", devices[i].name, round)
		}
		keep(b, s, fmt.Sprintf("run%d", round), devices)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	bare := filepath.Join(dir, "configs.git")
	b.Run("history", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if n := len(history(b, dir, devices[i*7919%fleet].name)); n != commits/fleet {
				b.Fatalf("got %d revisions", n)
			}
		}
	})
	b.Run("two-texts", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			texts(b, bare, history(b, dir, devices[i*7919%fleet].name)[:2])
		}
	})
	b.Run("plain-git-log", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			d := devices[i*7919%fleet]
			if err := exec.Command("git", "--git-dir="+bare, "log", "--oneline", "main", "--", d.group+"/"+d.name+".cfg").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("begin", func(b *testing.B) { // what a run of one device costs before and after its own work
		s := open(b, dir)
		defer s.Close()
		for i := 0; b.Loop(); i++ {
			batch, err := s.Begin(context.Background(), muster.Job{Run: fmt.Sprintf("b%d", time.Now().UnixNano()), Started: time.Now()}, 1)
			if err != nil {
				b.Fatal(err)
			}
			if err := batch.End(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func history(b *testing.B, dir, name string) []muster.Revision {
	ctx := context.Background()
	index, err := sqlite.Open(ctx, filepath.Join(dir, "muster.db"), sqlite.Options{ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer index.Close()
	revs, err := index.Revisions(ctx, name, 0)
	if err != nil {
		b.Fatal(err)
	}
	return revs
}

func texts(b *testing.B, bare string, revs []muster.Revision) {
	repo, err := gitrepo.OpenExisting(bare)
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	for _, r := range revs {
		if text, err := repo.Text(context.Background(), r.Blob); err != nil || len(text) != r.Bytes {
			b.Fatal(err)
		}
	}
}
