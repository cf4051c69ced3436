package task_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/task"
)

// below draws the live tree from the row called root on, a line for each task.
func below(root string) string {
	var b strings.Builder
	inside, depth := false, 0
	for info := range task.Tasks() {
		if info.Name == root {
			inside, depth = true, info.Depth
		} else if info.Depth <= depth {
			inside = false
		}
		if inside {
			fmt.Fprintln(&b, strings.TrimRight(strings.Repeat("  ", info.Depth-depth)+info.Name+" "+info.Status, " "))
		}
	}
	return b.String()
}

func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

func Test66NoteAndNameAreVisibleWhileRunning(t *testing.T) {
	bubble(t, func(t *testing.T) {
		err := task.Scope(t.Context(), "visible", func(ctx context.Context, g *task.Group) error {
			task.Note(ctx, "filling")
			g.Go("ping", func(ctx context.Context) error {
				task.Note(ctx, "UP")
				return sleep(ctx, time.Second)
			})
			g.Go("backup", func(ctx context.Context) error {
				_, err := task.Gather(ctx, []string{"sw1", "sw2", "sw3"}, func(ctx context.Context, dev string) (int, error) {
					task.Note(ctx, dev)
					return 0, sleep(ctx, time.Second)
				}, task.Named("fetch"), task.Limit(2))
				return err
			})
			synctest.Wait()
			want := lines("visible filling", "  ping UP", "  backup", "    fetch 0 of 3 done", "      fetch[0] sw1", "      fetch[1] sw2")
			if got := below("visible"); got != want {
				t.Errorf("got tree\n%swant\n%s", got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func Test66NoteAndNameAreGoneAfterwards(t *testing.T) {
	bubble(t, func(t *testing.T) {
		err := task.Scope(t.Context(), "leaving", func(_ context.Context, g *task.Group) error {
			short := task.Start(g, "short", func(ctx context.Context) (int, error) {
				task.Note(ctx, "here")
				return 0, nil
			})
			task.Settle(t.Context(), []int{1, 2}, double, task.Named("settled and gone"))
			for range task.AsCompleted(t.Context(), slices.Values([]int{1}), double, task.Named("ranged and gone")) {
			}
			<-short.Done()
			synctest.Wait()
			if got, want := below("leaving"), lines("leaving"); got != want {
				t.Errorf("got tree\n%swant\n%s", got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, gone := range []string{"leaving", "settled and gone", "ranged and gone"} {
			if got := below(gone); got != "" {
				t.Errorf("left in the tree:\n%s", got)
			}
		}
	})
}

func TestTasksShowsParentsDepthsAndTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		var rows []task.Info
		_ = task.Scope(t.Context(), "timed", func(_ context.Context, g *task.Group) error {
			time.Sleep(time.Second)
			g.Go("task", func(ctx context.Context) error {
				time.Sleep(time.Second)
				_, err := task.Gather(ctx, []time.Duration{time.Second, time.Second}, sleeper, task.Limit(1))
				return err
			})
			time.Sleep(2500 * time.Millisecond)
			for info := range task.Tasks() {
				if info.Name == "timed" || len(rows) > 0 && info.Depth > rows[0].Depth {
					rows = append(rows, info)
				} else if len(rows) > 0 {
					break
				}
			}
			return nil
		})
		want := []struct {
			name  string
			depth int
			since time.Duration
		}{{"timed", 0, 0}, {"task", 1, time.Second}, {"gather", 2, 2 * time.Second}, {"gather[1]", 3, 3 * time.Second}}
		if len(rows) != len(want) {
			t.Fatalf("got %+v, want %+v", rows, want)
		}
		parent := uint64(0)
		for i, w := range want {
			got := rows[i]
			if got.Name != w.name || got.Depth != w.depth || got.Since.Sub(begin) != w.since || got.Parent != parent || got.ID == 0 {
				t.Errorf("row %d: got %+v, want %+v below %d", i, got, w, parent)
			}
			parent = got.ID
		}
	})
}

func TestTasksNamesItemsAfterTheirCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for range task.AsCompleted(t.Context(), slices.Values([]time.Duration{0, time.Hour}), sleeper, task.Named("sweep")) {
			synctest.Wait()
			if got, want := below("sweep"), lines("sweep", "  sweep[1]"); got != want {
				t.Errorf("got tree\n%swant\n%s", got, want)
			}
			break
		}
	})
}

func TestTasksForgetsTheStatusOfTheItemBefore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		task.Settle(t.Context(), []string{"first", ""}, func(ctx context.Context, note string) (int, error) {
			if note != "" {
				task.Note(ctx, note)
				return 0, nil
			}
			if got, want := below("forgetful"), lines("forgetful 1 of 2 done", "  forgetful[1]"); got != want {
				t.Errorf("got tree\n%swant\n%s", got, want)
			}
			return 0, nil
		}, task.Named("forgetful"), task.Limit(1))
	})
}

func TestContextKeptBeyondItsItemNamesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var kept context.Context
		task.Settle(t.Context(), []int{1}, func(ctx context.Context, _ int) (int, error) {
			kept = context.WithoutCancel(ctx)
			return 0, nil
		}, task.Named("over"))
		task.Note(kept, "late")
		err := task.Shield(kept, time.Second, func(ctx context.Context) error { return sleep(ctx, time.Hour) })
		if got := as[*task.TimeoutError](t, err); got.Name != "" {
			t.Errorf("got %+v, want no name", got)
		}
	})
}

func TestTasksMayBeReadWhileEverythingMoves(t *testing.T) {
	t.Parallel()
	var over sync.WaitGroup
	_ = task.Scope(t.Context(), "moving", func(_ context.Context, g *task.Group) error {
		over.Add(2)
		g.Go("settle", func(ctx context.Context) error {
			defer over.Done()
			task.Settle(ctx, numbers(2000), func(ctx context.Context, i int) (int, error) {
				task.Note(ctx, "moving")
				return i, nil
			}, task.Limit(4))
			return nil
		})
		g.Go("scope", func(ctx context.Context) error {
			defer over.Done()
			return task.Scope(ctx, "inner", func(_ context.Context, g *task.Group) error {
				for range 2000 {
					g.Go("leaf", func(context.Context) error { return nil })
				}
				return nil
			})
		})
		g.Go("reader", func(context.Context) error {
			for range 200 {
				seen := map[uint64]bool{0: true}
				for info := range task.Tasks() {
					if !seen[info.Parent] {
						t.Errorf("%+v comes before its parent", info)
					}
					seen[info.ID] = true
				}
			}
			return nil
		})
		over.Wait()
		return nil
	})
}

func TestTasksCanBeLeft(t *testing.T) {
	t.Parallel()
	_ = task.Scope(t.Context(), "one", func(ctx context.Context, _ *task.Group) error {
		return task.Scope(ctx, "two", func(context.Context, *task.Group) error {
			n := 0
			for range task.Tasks() {
				n++
				break
			}
			if n != 1 {
				t.Errorf("got %d rows, want 1", n)
			}
			return nil
		})
	})
}

func TestNoteOutsideATaskDoesNothing(t *testing.T) {
	t.Parallel()
	task.Note(t.Context(), "nobody")
	for info := range task.Tasks() {
		if info.Status == "nobody" {
			t.Errorf("got %+v", info)
		}
	}
}
