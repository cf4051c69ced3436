package sim

import (
	"math/rand/v2"
	"slices"
)

// edits are what its changes have made of a device's configuration. The zero edits are the recording. They are never
// changed, only replaced.
type edits struct {
	revision  int
	described int   // number of the description; 0: as recorded
	lines     []int // numbers of the lines that were added and not removed, oldest first
}

// firstLine is the number of the first line that a change adds.
const firstLine = 101

// next is the revision after e: another description, a line more or a line less, which of them by chance.
func (e *edits) next(chance uint64, described bool) *edits {
	n := &edits{revision: e.revision + 1, described: e.described, lines: slices.Clone(e.lines)}
	switch kind := chance % 3; {
	case kind == 0 && described:
		n.described = n.revision
	case kind == 1 || len(e.lines) == 0:
		n.lines = append(n.lines, firstLine+n.revision)
	default:
		n.lines = n.lines[1:]
	}
	return n
}

func (d *device) change() {
	e := d.now.Load()
	chance := mix(d.seed ^ mix(uint64(d.index)<<32+uint64(e.revision)+1))
	d.now.Store(e.next(chance, d.script.described))
}

// Change gives n devices a new revision of their configuration, as a person at the keyboard would: a description
// changed, a line added or one removed. It returns their names, sorted. The devices take turns; those are left out whose
// fault keeps their configuration from being read, so there may be fewer than n.
func (f *Fleet) Change(n int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var able []*device
	for _, i := range rand.New(rand.NewPCG(f.config.Seed, 1)).Perm(len(f.devices)) {
		if d := f.devices[i]; readable(d.fault) && d.script.last >= 0 {
			able = append(able, d)
		}
	}
	names := make([]string, 0, min(max(n, 0), len(able)))
	for range cap(names) {
		d := able[f.turn%len(able)]
		f.turn++
		d.change()
		names = append(names, d.name)
	}
	slices.Sort(names)
	return names
}

// Want returns the text that must be stored of a device now, exactly. It is nil for a name that the fleet does not have
// and for a recording without a configuration.
func (f *Fleet) Want(name string) []byte {
	d, ok := f.byName[name]
	if !ok || d.script.last < 0 {
		return nil
	}
	r := renderer{device: d, edits: d.now.Load(), where: stored}
	want := make([]byte, 0, max(d.script.wantBytes, f.config.ConfigBytes)+1024)
	for i := range d.script.steps {
		if s := &d.script.steps[i]; s.config {
			want = r.append(want, s.output)
		}
	}
	return want
}
