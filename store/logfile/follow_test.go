package logfile_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

// follow pulls from a Follow: next returns the numbers of the lines that come until there is none for a second.
func follow(t *testing.T, dir string, q store.LogQuery) (next func() []int, problems *[]error) {
	t.Helper()
	lines := make(chan muster.LogLine, 10_000)
	ctx, cancel := context.WithCancel(t.Context())
	problems = new([]error)
	done := make(chan struct{})
	time.AfterFunc(0, func() {
		defer close(done)
		for l, err := range logfile.Follow(ctx, dir, q) {
			if err != nil {
				*problems = append(*problems, err)
				continue
			}
			lines <- l
		}
	})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return func() (all []int) {
		time.Sleep(time.Second)
		synctest.Wait()
		for len(lines) > 0 {
			all = append(all, int((<-lines).Sequence))
		}
		return all
	}, problems
}

func commit(t *testing.T, a *logfile.Archive, first, last int) {
	t.Helper()
	add(t, a, first, last)
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
}

func turn(t *testing.T, a *logfile.Archive) {
	t.Helper()
	if err := a.Turn(); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, when string, want, got []int) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s:\n%s", when, diff)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, dir, logfile.Options{})
		next, problems := follow(t, dir, store.LogQuery{Limit: 5})
		same(t, "nothing is there", nil, next())
		commit(t, a, 1, 10)
		same(t, "the first lines", count(1, 10), next())
		commit(t, a, 11, 20)
		same(t, "more of the same segment", count(11, 20), next())
		turn(t, a)
		commit(t, a, 21, 30)
		same(t, "a segment was turned", count(21, 30), next())
		turn(t, a)
		tidy(t, a)
		commit(t, a, 31, 40)
		same(t, "the one before was compressed", count(31, 40), next())
		commit(t, a, 41, 45)
		turn(t, a)
		commit(t, a, 46, 50)
		turn(t, a)
		tidy(t, a)
		commit(t, a, 51, 55)
		same(t, "segments were compressed before they were seen", count(41, 55), next())
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		b := open(t, dir, logfile.Options{})
		commit(t, b, 56, 60)
		same(t, "the archive was closed and opened", count(56, 60), next())
		if len(*problems) > 0 {
			t.Error(errors.Join(*problems...))
		}
	})
}

func TestFollowBeginsWithTheLastLines(t *testing.T) {
	t.Parallel()
	const had = 3000
	for name, c := range map[string]struct {
		query   store.LogQuery
		prepare func(t *testing.T, a *logfile.Archive)
		want    []int
		fresh   []int // of three lines more
	}{
		"none":                  {store.LogQuery{}, nil, nil, []int{3001, 3002, 3003}},
		"some":                  {store.LogQuery{Limit: 3}, nil, []int{2998, 2999, 3000}, []int{3001, 3002, 3003}},
		"of a device":           {store.LogQuery{Limit: 3, Devices: []string{"r5"}}, nil, []int{2980, 2987, 2994}, []int{3001}},
		"of several segments":   {store.LogQuery{Limit: 3, Match: nil, Text: "<189>1000:"}, nil, []int{1000}, nil},
		"newest first or not":   {store.LogQuery{Limit: 2, Newest: true}, nil, []int{2999, 3000}, []int{3001, 3002, 3003}},
		"all that there are":    {store.LogQuery{Limit: 5000}, nil, count(1, had), []int{3001, 3002, 3003}},
		"all of them are old":   {store.LogQuery{Limit: 2}, turn, []int{2999, 3000}, []int{3001, 3002, 3003}},
		"those that are packed": {store.LogQuery{Limit: 2}, func(t *testing.T, a *logfile.Archive) { turn(t, a); tidy(t, a) }, []int{2999, 3000}, []int{3001, 3002, 3003}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				a := open(t, dir, logfile.Options{SegmentBytes: 200 << 10, Buffer: 128 << 10})
				for n := 1; n <= had; n += 100 {
					commit(t, a, n, n+99)
				}
				if c.prepare != nil {
					c.prepare(t, a)
				}
				add(t, a, 3001, 3001) // appended, but not yet written
				next, problems := follow(t, dir, c.query)
				same(t, "the last lines", c.want, next())
				commit(t, a, 3002, 3003)
				same(t, "new lines", c.fresh, next())
				if len(*problems) > 0 {
					t.Error(errors.Join(*problems...))
				}
			})
		})
	}
}

func TestFollowGoesOnWhereNumbersBeginAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, dir, logfile.Options{})
		commit(t, a, 1, 3)
		turn(t, a)
		commit(t, a, 4, 6)
		next, _ := follow(t, dir, store.LogQuery{Limit: 1})
		same(t, "the last line", []int{6}, next())
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		for _, file := range glob(t, dir, "0*") {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "nothing is left", nil, next())
		b := open(t, dir, logfile.Options{})
		commit(t, b, 7, 9)
		same(t, "the first segment again", count(7, 9), next())
	})
}

func TestFollowSaysWhatItMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, dir, logfile.Options{})
		commit(t, a, 1, 3)
		next, problems := follow(t, dir, store.LogQuery{Limit: 3})
		same(t, "the last lines", count(1, 3), next())
		for n := 4; n < 7; n++ {
			turn(t, a)
			commit(t, a, n, n)
		}
		for _, name := range []string{"0000000002*", "0000000003*"} {
			if err := os.Remove(first(t, dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "after two that were forgotten", []int{6}, next())
		if err := errors.Join(*problems...); err == nil || !strings.Contains(err.Error(), "2 segments were forgotten") {
			t.Errorf("got %v", err)
		}
	})
}

func TestFollowSaysWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, dir, logfile.Options{})
		next, problems := follow(t, dir, store.LogQuery{})
		same(t, "nothing is there", nil, next())
		for _, text := range []string{"{\"sequence\":1}\n", "noise\n", "{\"sequence\":3}\n"} {
			if err := a.Append(t.Context(), []byte(text), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		same(t, "the lines around it", []int{1, 3}, next())
		if e, ok := errors.AsType[*logfile.LineError](errors.Join(*problems...)); !ok || e.Offset != 15 || !strings.HasSuffix(e.File, ".jsonl") {
			t.Errorf("got %v", *problems)
		}
		turn(t, a)
		commit(t, a, 4, 4)
		turn(t, a)
		tidy(t, a)
		change(t, first(t, dir, "0000000002*.zst"), 20, "noise")
		same(t, "a damaged segment", nil, next())
		if len(*problems) != 2 {
			t.Errorf("got %v", *problems)
		}
	})
}

func TestFollowCanBeLeft(t *testing.T) {
	t.Parallel()
	dir := filled(t, 1000)
	for range logfile.Follow(t.Context(), dir, store.LogQuery{Limit: 5}) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	got, err := numbers(limited(logfile.Follow(ctx, dir, store.LogQuery{Limit: 5}), 5, cancel))
	if err != nil {
		t.Errorf("the end of ctx is no error: %v", err)
	}
	same(t, "before that", count(996, 1000), got)
}

// limited calls f after so many lines.
func limited(seq iter.Seq2[muster.LogLine, error], n int, f func()) iter.Seq2[muster.LogLine, error] {
	return func(yield func(muster.LogLine, error) bool) {
		for l, err := range seq {
			if n--; n == 0 {
				f()
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

func TestFollowOfLongLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, dir, logfile.Options{})
		next, problems := follow(t, dir, store.LogQuery{})
		same(t, "nothing is there", nil, next())
		for n := 1; n <= 5; n++ {
			l := line(n)
			l.Raw = strings.Repeat("x", n<<18)
			if err := a.Append(t.Context(), encode(t, l), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		same(t, "all of them", count(1, 5), next())
		if len(*problems) > 0 {
			t.Error(errors.Join(*problems...))
		}
	})
}

func TestFollowSeesEachLineOnceWhileSegmentsAreTurned(t *testing.T) {
	t.Parallel()
	const all = 3000
	dir := t.TempDir()
	a, _ := run(t, dir, logfile.Options{SegmentBytes: 64 << 10, Sync: time.Millisecond, Buffer: 64 << 10})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var reader sync.WaitGroup
	reader.Go(func() {
		got, err := numbers(limited(logfile.Follow(ctx, dir, store.LogQuery{Limit: all}), all, cancel))
		if err != nil {
			t.Error(err)
		}
		same(t, "all lines", count(1, all), got)
	})
	for n := 1; n <= all; n += 50 {
		add(t, a, n, n+49)
		flush(t, a)
	}
	reader.Wait()
}

func TestFollowOfASlowReader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	commit(t, a, 1, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []int
	for l, err := range logfile.Follow(ctx, dir, store.LogQuery{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, int(l.Sequence)); len(got) == 5 {
			break
		}
		if l.Sequence > 1 {
			continue
		}
		for n := 2; n <= 5; n++ {
			turn(t, a)
			commit(t, a, n, n)
		}
		if err := os.Chtimes(dir, at, at); err != nil { // long ago: the directory looks as if nothing came since it was read
			t.Fatal(err)
		}
	}
	same(t, "all lines", count(1, 5), got)
}
