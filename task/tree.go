package task

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Info is one row of the live tree: a running Gather, Settle, AsCompleted or Scope, or one of their running tasks.
type Info struct {
	// ID is unique in the process and grows with time; Parent is the ID of the row above, 0 at the top.
	ID, Parent uint64
	// Name is the name that was given, or one like gather and gather[3].
	Name string
	// Status is what Note said last.
	Status string
	// Since is when it began.
	Since time.Time
	// Depth is the number of rows above.
	Depth int
}

// Tasks yields what is running now in this process, each row after its parent, siblings in the order in which they began.
// Every range over it takes a new snapshot, which stops nothing: two rows may be some nanoseconds apart.
func Tasks() iter.Seq[Info] {
	return func(yield func(Info) bool) {
		rows := live.snapshot()
		slices.SortFunc(rows, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
		known := make(map[uint64]bool, len(rows))
		for _, row := range rows {
			known[row.ID] = true
		}
		below := make(map[uint64][]Info)
		for _, row := range rows {
			if !known[row.Parent] {
				row.Parent = 0
			}
			below[row.Parent] = append(below[row.Parent], row)
		}
		walk(below, 0, 0, yield)
	}
}

func walk(below map[uint64][]Info, parent uint64, depth int, yield func(Info) bool) bool {
	for _, row := range below[parent] {
		row.Depth = depth
		if !yield(row) || !walk(below, row.ID, depth+1, yield) {
			return false
		}
	}
	return true
}

// Note sets the status of the current task, the one that ctx was given to, as Tasks shows it. Outside a task it does
// nothing. It never blocks and may be called from any goroutine while the task runs.
func Note(ctx context.Context, status string) {
	if r := current(ctx); r != nil {
		r.note(status)
	}
}

// row is what a context knows of the task it was given to.
type row interface {
	ident() uint64
	given() string // the name, empty when nobody gave one
	note(status string)
}

type rowKey struct{}

func current(ctx context.Context) row {
	r, _ := ctx.Value(rowKey{}).(row)
	return r
}

// givenName is the name of the task that ctx was given to.
func givenName(ctx context.Context) string {
	if r := current(ctx); r != nil {
		return r.given()
	}
	return ""
}

// call is the row of one running Gather, Settle, AsCompleted or Scope.
type call struct {
	id, parent uint64
	kind, name string
	began      time.Time
	status     atomic.Pointer[string]
}

var lastID atomic.Uint64

// open fills the call, with IDs reserved for n items after its own.
func (c *call) open(ctx context.Context, kind, name string, n int) {
	c.id = lastID.Add(uint64(n)+1) - uint64(n)
	c.kind, c.name, c.began = kind, name, time.Now()
	if r := current(ctx); r != nil {
		c.parent = r.ident()
	}
}

func (c *call) ident() uint64 { return c.id }

func (c *call) given() string { return c.name }

func (c *call) note(status string) { c.status.Store(&status) }

func (c *call) info() Info {
	return Info{ID: c.id, Parent: c.parent, Name: c.shown(), Status: text(&c.status), Since: c.began}
}

func (c *call) shown() string { return cmp.Or(c.name, c.kind) }

// itemName is the name of item i as an error shows it: none when nobody named the call.
func (c *call) itemName(i int) string {
	if c.name == "" {
		return ""
	}
	return indexed(c.name, i)
}

func indexed(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" }

func text(status *atomic.Pointer[string]) string {
	if s := status.Load(); s != nil {
		return *s
	}
	return ""
}

// branch is a call with the tasks that run below it.
type branch interface {
	ident() uint64
	info() Info
	tasks(rows []Info) []Info // appends the running ones
}

// registry holds what runs. Only calls enter it: their items are found through them, so that an item costs nothing here.
type registry struct {
	mu       sync.Mutex
	branches map[uint64]branch
}

var live = registry{branches: make(map[uint64]branch)}

func (r *registry) add(b branch) {
	r.mu.Lock()
	r.branches[b.ident()] = b
	r.mu.Unlock()
}

func (r *registry) remove(b branch) {
	r.mu.Lock()
	delete(r.branches, b.ident())
	r.mu.Unlock()
}

func (r *registry) snapshot() []Info {
	r.mu.Lock()
	branches := make([]branch, 0, len(r.branches))
	for _, b := range r.branches {
		branches = append(branches, b)
	}
	r.mu.Unlock()
	var rows []Info
	for _, b := range branches {
		rows = b.tasks(append(rows, b.info()))
	}
	return rows
}
