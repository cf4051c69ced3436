package alert

import (
	"encoding/json"
	"slices"
)

// MostTaken is how many events an Engine knows again: more than a bus tells again after kill -9.
const MostTaken = 512

// taken are the IDs of the last events.
type taken struct {
	order   []string // oldest first
	numbers map[string]int64
	last    int64
}

func newTaken() taken { return taken{numbers: map[string]int64{}} }

func (t *taken) has(id string) bool {
	_, ok := t.numbers[id]
	return ok
}

// restore takes back an ID that was kept; sort puts all of them in order.
func (t *taken) restore(id string, state []byte) error {
	var n int64
	if err := json.Unmarshal(state, &n); err != nil {
		return err
	}
	t.order = append(t.order, id)
	t.numbers[id] = n
	t.last = max(t.last, n)
	return nil
}

func (t *taken) sort() {
	slices.SortFunc(t.order, func(a, b string) int { return int(t.numbers[a] - t.numbers[b]) })
}

// remember adds an event to those that were taken; the oldest is forgotten.
func (d *desk) remember(id string) {
	if id == "" {
		return
	}
	t := &d.taken
	t.last++
	t.order = append(t.order, id)
	t.numbers[id] = t.last
	d.dirty[row{"", eventKey + id}] = struct{}{}
	for len(t.order) > MostTaken {
		old := row{"", eventKey + t.order[0]}
		delete(t.numbers, t.order[0])
		t.order = t.order[1:]
		d.dirty[old] = struct{}{}
	}
}
