package logfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

func TestWhatWasAppendedIsFound(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "syslog")
	a, stop := run(t, dir, logfile.Options{SegmentBytes: 100 << 10, Sync: time.Millisecond})
	want, text := []muster.LogLine(nil), ""
	for n := 1; n <= 2000; n++ {
		l := line(n)
		if n == 1000 {
			l.RawBytes, l.Message, l.Raw = []byte{0xff, 0, '\n'}, "\ufffd\u2028\"\\<b>", "\ufffd\x00\n"
		}
		want = append(want, l)
		text += string(encode(t, l))
		if err := a.Append(t.Context(), encode(t, l), l.Received); err != nil {
			t.Fatal(err)
		}
		if n%100 == 0 {
			flush(t, a)
		}
	}
	flush(t, a)
	if c := a.Counts(); c.Appended != 2000 || c.Durable != 2000 || c.Lost != 0 || c.Segments < 5 || c.Bytes == 0 {
		t.Errorf("counts: %+v", c)
	}
	stop()
	var got []muster.LogLine
	for l, err := range logfile.Search(t.Context(), dir, store.LogQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b muster.LogLine) bool { return string(encode(t, a)) == string(encode(t, b)) })); diff != "" {
		t.Error(diff)
	}
	if textOf(t, dir) != text {
		t.Error("the files hold another text than what was appended")
	}
}

func TestOthersReadItToo(t *testing.T) {
	t.Parallel()
	dir := filled(t, 1000)
	for _, tool := range []string{"sh", "zstdcat", "jq", "grep"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	script := `zstdcat *.jsonl.zst | cat - *.jsonl | jq -r 'select(.device == "r3") | .message' | grep -c down`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "72" {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filled(t, 1000)
	kinds := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode != 0o600 && !(d.IsDir() && mode == 0o700) {
			t.Errorf("%s: %v", path, mode)
		}
		_, kind, _ := strings.Cut(d.Name(), ".")
		kinds[kind]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds["jsonl"] != 1 || kinds["jsonl.zst"] < 3 || kinds["index.json"] != kinds["jsonl.zst"] || len(kinds) != 4 {
		t.Errorf("there are files of %v", kinds)
	}
}

func TestOneWriterADirectory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		open(t, dir, logfile.Options{})
		_, err := logfile.Open(dir, logfile.Options{})
		if locked, ok := errors.AsType[*store.LockedError](err); !ok || locked.Command != "syslog archive" {
			t.Errorf("got %v", err)
		}
	})
}

func TestADirectoryThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := logfile.Open(file, logfile.Options{}); err == nil || !strings.HasPrefix(err.Error(), "open syslog archive: ") {
		t.Errorf("got %v", err)
	}
}

func TestAppendTakesLinesOnly(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir(), logfile.Options{})
	for name, text := range map[string]string{
		"nothing": "", "a line without its end": "{}", "two lines": "{}\n{}\n", "a line with a beginning of another": "{}\n{",
	} {
		if err := a.Append(t.Context(), []byte(text), at); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if c := a.Counts(); c.Appended != 0 || c.Lost != 0 {
		t.Errorf("counts: %+v", c)
	}
}

func TestALineLongerThanTheBufferIsLost(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir(), logfile.Options{Buffer: 64 << 10})
	for size, ok := range map[int]bool{64<<10 - 1: true, 64 << 10: false} {
		err := a.Append(t.Context(), append([]byte(strings.Repeat("x", size)), '\n'), at)
		if (err == nil) != ok {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
	if c := a.Counts(); c.Appended != 2 || c.Lost != 1 {
		t.Errorf("counts: %+v", c)
	}
}

// fill appends lines until the buffer has no room for another one, and returns how many there are.
func fill(t *testing.T, a *logfile.Archive, line []byte) (n int) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for a.Append(ctx, line, at) == nil {
		n++
	}
	return n
}

func TestAppendWaitsForASlowDisk(t *testing.T) {
	t.Parallel()
	text := encode(t, line(1))
	t.Run("until ctx ends", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a := open(t, t.TempDir(), logfile.Options{Buffer: 64 << 10})
			n := fill(t, a, text)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begun := time.Now()
			if err := a.Append(ctx, text, at); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(begun))
			}
			if c := a.Counts(); c.Appended != uint64(n+2) || c.Lost != 2 {
				t.Errorf("counts of %d lines and two that were lost: %+v", n, c)
			}
		})
	})
	t.Run("until there is room", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a := open(t, t.TempDir(), logfile.Options{Buffer: 64 << 10})
			fill(t, a, text)
			time.AfterFunc(3*time.Second, func() {
				if err := a.Commit(); err != nil {
					t.Error(err)
				}
			})
			begun := time.Now()
			if err := a.Append(t.Context(), text, at); err != nil || time.Since(begun) != 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(begun))
			}
		})
	})
	t.Run("for five seconds, and then no more", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a := open(t, t.TempDir(), logfile.Options{Buffer: 64 << 10})
			fill(t, a, text)
			for _, want := range []time.Duration{5 * time.Second, 0, 0} {
				begun := time.Now()
				if err := a.Append(t.Context(), text, at); !errors.Is(err, logfile.ErrSlow) || time.Since(begun) != want {
					t.Errorf("got %v after %v, want %v", err, time.Since(begun), want)
				}
			}
			if err := a.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := a.Append(t.Context(), text, at); err != nil {
				t.Errorf("after the disk came back: %v", err)
			}
		})
	})
}

func TestLostLinesAreToldOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said heard
		dir := filepath.Join(t.TempDir(), "syslog")
		a, stop := run(t, dir, logfile.Options{Buffer: 64 << 10, Log: said.log()})
		// A file in the place of the directory: nothing can be written.
		if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		text := encode(t, line(1))
		fill(t, a, text)
		time.Sleep(10 * time.Second)
		for range 150 { // seconds
			for range 10 {
				if a.Append(t.Context(), text, at) == nil {
					t.Fatal("a full buffer took a line")
				}
			}
			time.Sleep(time.Second)
		}
		if n := strings.Count(said.String(), "syslog lines are lost"); n != 3 {
			t.Errorf("it was said %d times in 2.5 minutes:\n%s", n, said.String())
		}
		if n := strings.Count(said.String(), "cannot be written"); n != 1 {
			t.Errorf("that it cannot be written was said %d times:\n%s", n, said.String())
		}
		if err := errors.Join(os.Remove(dir), os.Mkdir(dir, 0o700)); err != nil {
			t.Fatal(err)
		}
		flush(t, a)
		synctest.Wait()
		if !strings.Contains(said.String(), "is written again") {
			t.Errorf("that it is written again was not said:\n%s", said.String())
		}
		stop()
		if c := a.Counts(); c.Appended != c.Durable+c.Lost || c.Lost != 1501 || len(search(t, dir, store.LogQuery{})) != int(c.Durable) {
			t.Errorf("counts: %+v", c)
		}
	})
}

func TestFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, t.TempDir(), logfile.Options{})
		if err := a.Flush(t.Context()); err != nil {
			t.Errorf("with nothing to wait for: %v", err)
		}
		add(t, a, 1, 10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) || a.Counts().Durable != 0 {
			t.Errorf("with nobody who writes: got %v", err)
		}
		time.AfterFunc(time.Second, func() {
			if err := a.Commit(); err != nil {
				t.Error(err)
			}
		})
		if err := a.Flush(t.Context()); err != nil || a.Counts().Durable != 10 {
			t.Errorf("got %v, %+v", err, a.Counts())
		}
	})
}

func TestALineIsWrittenSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, t.TempDir(), logfile.Options{Sync: 100 * time.Millisecond})
		for n := range 3 {
			add(t, a, n, n)
			time.Sleep(99 * time.Millisecond)
			synctest.Wait()
			if got := a.Counts().Durable; got != uint64(n) {
				t.Errorf("%d lines are durable before the time, want %d", got, n)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if got := a.Counts().Durable; got != uint64(n+1) {
				t.Errorf("%d lines are durable in time, want %d", got, n+1)
			}
		}
	})
}

func TestHalfABufferIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, t.TempDir(), logfile.Options{Sync: time.Hour, Buffer: 64 << 10})
		begun := time.Now()
		for a.Counts().Durable == 0 && time.Since(begun) < time.Minute {
			add(t, a, 1, 1)
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(begun); took >= time.Minute {
			t.Error("nothing was written")
		}
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	add(t, a, 1, 10)
	for range 2 {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := search(t, dir, store.LogQuery{}); len(got) != 10 {
		t.Errorf("got %v", got)
	}
	if err := a.Append(t.Context(), encode(t, line(11)), at); !errors.Is(err, logfile.ErrClosed) {
		t.Errorf("append after the end: %v", err)
	}
	if c := a.Counts(); c.Appended != 11 || c.Durable != 10 || c.Lost != 1 {
		t.Errorf("counts: %+v", c)
	}
}

func TestCloseCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	var said heard
	dir := filepath.Join(t.TempDir(), "syslog")
	a, err := logfile.Open(dir, logfile.Options{Log: said.log()})
	if err != nil {
		t.Fatal(err)
	}
	add(t, a, 1, 10)
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err == nil || a.Counts().Lost != 0 {
		t.Errorf("Run, with a disk that fails: %v, %+v", err, a.Counts())
	}
	if err := a.Close(); err == nil {
		t.Error("closed without an error")
	}
	if c := a.Counts(); c.Appended != 10 || c.Lost != 10 || !strings.Contains(said.String(), "lines=10") {
		t.Errorf("counts: %+v\n%s", c, said.String())
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Errorf("nothing is left to wait for: %v", err)
	}
}

func TestASegmentThatSomebodyRemovesIsLeftBehind(t *testing.T) {
	t.Parallel()
	var said heard
	dir := filepath.Join(t.TempDir(), "syslog")
	a, _ := run(t, dir, logfile.Options{Log: said.log(), Sync: time.Millisecond})
	add(t, a, 1, 10)
	flush(t, a)
	for _, file := range glob(t, dir, "*.jsonl") {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	add(t, a, 11, 20)
	flush(t, a)
	if diff := cmp.Diff(count(11, 20), search(t, dir, store.LogQuery{})); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(said.String(), "somebody removed the segment") {
		t.Errorf("it was not said:\n%s", said.String())
	}
}

func TestWhatCouldNotBeSyncedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	var said heard
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{Log: said.log()})
	commit(t, a, 1, 10)
	broken := errors.New("input/output error")
	synced := false
	a.SyncWith(func(f *os.File) error { return broken })
	add(t, a, 11, 20)
	for range 2 {
		if err := a.Commit(); !errors.Is(err, broken) || a.Counts().Durable != 10 {
			t.Errorf("got %v, %+v", err, a.Counts())
		}
	}
	same(t, "what is durable", count(1, 10), search(t, dir, store.LogQuery{}))
	a.SyncWith(func(f *os.File) error { synced = true; return logfile.Datasync(f) })
	commit(t, a, 21, 30)
	if c := a.Counts(); !synced || c.Durable != 30 || c.Lost != 0 {
		t.Errorf("counts: %+v", c)
	}
	same(t, "each line once", count(1, 30), search(t, dir, store.LogQuery{}))
	if n := strings.Count(said.String(), "cannot be written"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, said.String())
	}
}
