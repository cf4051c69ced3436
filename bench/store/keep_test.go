// Package store_test compares keeping configurations with plain git fast-import of the same.
package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
	"github.com/musternet/muster/store/sqlite"
)

const (
	fleet    = 10_000
	textSize = 30_000
	inFlight = 1_000 // as in the wall bar of the whole backup
)

// spent is wall time and CPU time of this process and of its children that ended.
type spent struct{ wall, cpu time.Duration }

func now() spent {
	var self, children syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &self)
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children)
	var cpu int64
	for _, t := range []syscall.Timeval{self.Utime, self.Stime, children.Utime, children.Stime} {
		cpu += t.Nano()
	}
	return spent{time.Duration(time.Now().UnixNano()), time.Duration(cpu)}
}

func (s spent) since() spent {
	n := now()
	return spent{n.wall - s.wall, n.cpu - s.cpu}
}

// config makes a text as a router prints it: sections whose lines are alike and yet differ.
func config(r *rand.Rand, name string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "hostname %s\n!\n", name)
	for i := 0; b.Len() < textSize; i++ {
		fmt.Fprintf(&b, "interface GigabitEthernet%d/%d\n description to %x\n ip address 10.%d.%d.%d 255.255.255.0\n switchport access vlan %d\n spanning-tree portfast\n!\n",
			i/48, i%48, r.Uint32(), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(4094))
	}
	return []byte(b.String())
}

func change(text []byte, r *rand.Rand) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	lines[2+r.IntN(len(lines)-4)] = fmt.Sprintf(" description changed %x\n", r.Uint64())
	return []byte(strings.Join(lines, ""))
}

type device struct {
	group, name string
	text        []byte
}

func makeFleet(groups int) []device {
	r := rand.New(rand.NewPCG(1, 2))
	devices := make([]device, fleet)
	for i := range devices {
		name := fmt.Sprintf("sw-%05d", i)
		devices[i] = device{fmt.Sprintf("site%03d", i%groups), name, config(r, name)}
	}
	return devices
}

// changed returns the fleet with one device in twenty changed, spread evenly.
func changed(devices []device, round uint64) []device {
	r := rand.New(rand.NewPCG(3, round))
	out := append([]device(nil), devices...)
	for i := 0; i < len(out); i += 20 {
		at := i + r.IntN(20)
		out[at].text = change(out[at].text, r)
	}
	return out
}

// keep is a run as the job engine makes it: so many devices at once, each waiting for its result.
func keep(b testing.TB, s *store.Store, run string, devices []device) (changed int) {
	ctx := context.Background()
	batch, err := s.Begin(ctx, muster.Job{Run: run, Kind: "backup", Trigger: "manual", Started: time.Now()}, len(devices))
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan int)
	for range inFlight {
		wg.Go(func() {
			for i := range next {
				d := devices[i]
				r := batch.Keep(ctx, store.Kept{
					Result: muster.Result{Index: i, Attempts: 1, Device: muster.Device{Name: d.name, Group: d.group, Address: "198.18.0.1"}},
					Config: muster.Config{Device: d.name, Platform: "cisco_ios", Text: d.text,
						Facts: muster.Facts{Hostname: d.name, Model: "C9300-48P", Version: "17.9.4", Serial: "FCW0000"}},
					Session: store.SessionFacts{ServerVersion: "SSH-2.0-Cisco-1.25", Kex: "curve25519-sha256", HostKey: "ssh-ed25519",
						Cipher: "aes128-gcm@openssh.com", Fingerprint: "SHA256:0123456789012345678901234567890123456789012", Credential: "default"},
				})
				mu.Lock()
				if r.Failure != nil {
					b.Error(r.Failure)
				}
				if r.Status == muster.StatusChanged {
					changed++
				}
				mu.Unlock()
			}
		})
	}
	for i := range devices {
		next <- i
	}
	close(next)
	wg.Wait()
	if err := batch.End(ctx); err != nil {
		b.Fatal(err)
	}
	return changed
}

func open(b testing.TB, dir string) *store.Store {
	ctx := context.Background()
	history, err := gitrepo.Open(ctx, filepath.Join(dir, "configs.git"))
	if err != nil {
		b.Fatal(err)
	}
	index, err := sqlite.Open(ctx, filepath.Join(dir, "muster.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.New(history, index, filepath.Join(dir, "configs"))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// plain writes devices with git fast-import and nothing else, one commit each, as a script would.
func plain(b testing.TB, dir string, devices []device) {
	cmd := exec.Command("git", "--git-dir="+dir, "fast-import", "--quiet")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(stdin, 1<<18)
	from := "from refs/heads/main^0\n"
	for _, d := range devices {
		msg := d.name + ": changed\n"
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter muster <muster@localhost> 1700000000 +0000\ndata %d\n%s%s", len(msg), msg, from)
		fmt.Fprintf(w, "M 100644 inline %s/%s.cfg\ndata %d\n", d.group, d.name, len(d.text))
		w.Write(d.text)
		io.WriteString(w, "\n")
		from = ""
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

func git(b testing.TB, args ...string) string {
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		b.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// BenchmarkKeep10000x5 keeps 10,000 devices of which 5 % changed, and has plain git fast-import write the same in the
// same iteration, from the same repository: "same" gives it the same 10,000 texts, "changed" only the 500 that changed,
// as if somebody had chosen them for it. Packing at the end of a run counts as ours.
func BenchmarkKeep10000x5(b *testing.B) {
	for _, groups := range []int{100, 1} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) { compareKeep(b, groups) })
	}
}

func compareKeep(b *testing.B, groups int) {
	devices := makeFleet(groups)
	dir := b.TempDir()
	bare := filepath.Join(dir, "configs.git")
	s := open(b, dir)
	defer s.Close()
	keep(b, s, "run0", devices)
	git(b, "--git-dir="+bare, "repack", "-adq")
	same, few := filepath.Join(dir, "same.git"), filepath.Join(dir, "few.git")
	for _, copied := range []string{same, few} {
		git(b, "clone", "-q", "--mirror", bare, copied)
		git(b, "--git-dir="+copied, "config", "core.bare", "true")
	}
	var ours, plainFew, plainSame spent
	for round := uint64(1); b.Loop(); round++ {
		next := changed(devices, round)
		var diff []device
		for i := range next {
			if &next[i].text[0] != &devices[i].text[0] {
				diff = append(diff, next[i])
			}
		}
		start := now()
		if n := keep(b, s, fmt.Sprintf("run%d", round), next); n != fleet/20 {
			b.Fatalf("%d changed, want %d", n, fleet/20)
		}
		ours = ours.plus(start.since())
		start = now()
		plain(b, few, diff)
		plainFew = plainFew.plus(start.since())
		start = now()
		plain(b, same, next)
		plainSame = plainSame.plus(start.since())
		devices = next
	}
	report := func(name string, other spent) {
		b.ReportMetric(float64(ours.wall)/float64(other.wall), "x-wall/"+name)
		b.ReportMetric(float64(ours.cpu)/float64(other.cpu), "x-cpu/"+name)
	}
	report("changed", plainFew)
	report("same", plainSame)
	b.ReportMetric(ours.wall.Seconds()/float64(b.N), "wall-s")
	b.ReportMetric(ours.cpu.Seconds()/float64(b.N), "cpu-s")
}

func (s spent) plus(t spent) spent { return spent{s.wall + t.wall, s.cpu + t.cpu} }
