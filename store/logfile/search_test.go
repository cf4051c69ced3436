package logfile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

var second = time.Second

func TestSearch(t *testing.T) {
	t.Parallel()
	const last = 3000
	dir := filled(t, last)
	for name, c := range map[string]struct {
		query store.LogQuery
		want  func(n int) bool
	}{
		"everything":                  {store.LogQuery{}, func(int) bool { return true }},
		"since a time":                {store.LogQuery{Since: at.Add(2500 * second)}, func(n int) bool { return n >= 2500 }},
		"until a time":                {store.LogQuery{Until: at.Add(2500 * second)}, func(n int) bool { return n < 2500 }},
		"a minute in the middle":      {store.LogQuery{Since: at.Add(1000 * second), Until: at.Add(1060 * second)}, func(n int) bool { return n >= 1000 && n < 1060 }},
		"a time when nothing came":    {store.LogQuery{Since: at.Add(-time.Hour), Until: at}, func(int) bool { return false }},
		"a device":                    {store.LogQuery{Devices: []string{"r3"}}, func(n int) bool { return n%7 == 3 }},
		"a device and an address":     {store.LogQuery{Devices: []string{"r3", "198.18.0.5"}}, func(n int) bool { return n%7 == 3 || n%7 == 5 }},
		"an address in IPv6's way":    {store.LogQuery{Devices: []string{"::ffff:198.18.0.5"}}, func(n int) bool { return n%7 == 5 }},
		"a device that there is not":  {store.LogQuery{Devices: []string{"r33"}}, func(int) bool { return false }},
		"a severity":                  {store.LogQuery{Severity: "critical"}, func(n int) bool { return n*5%8 <= 2 }},
		"an application":              {store.LogQuery{App: "LIN*"}, func(int) bool { return true }},
		"a mnemonic":                  {store.LogQuery{Mnemonic: "LINK-[34]-*"}, func(int) bool { return false }},
		"a mnemonic's pattern":        {store.LogQuery{Mnemonic: "*-3-*"}, func(n int) bool { return n%8 == 3 }},
		"text of any case":            {store.LogQuery{Text: "gi0/47, CHANGED"}, func(n int) bool { return n%48 == 47 }},
		"text with what JSON escapes": {store.LogQuery{Text: "<189>1234:"}, func(n int) bool { return n == 1234 }},
		"text of the raw form alone":  {store.LogQuery{Text: "%link-7-updown"}, func(n int) bool { return n%8 == 7 }},
		"text that there is not":      {store.LogQuery{Text: "flap"}, func(int) bool { return false }},
		"a regexp":                    {store.LogQuery{Match: regexp.MustCompile(`^<189>\d+1: .*Gi0/(1|2), .* up$`)}, func(n int) bool { return n%10 == 1 && n%48 == 2 || n%10 == 1 && n%48 == 1 && n%2 == 0 }},
		"a regexp without a literal":  {store.LogQuery{Match: regexp.MustCompile(`>\d{4}:`)}, func(n int) bool { return n >= 1000 }},
		"a regexp of any case":        {store.LogQuery{Match: regexp.MustCompile(`(?i)STATE TO DOWN`)}, func(n int) bool { return n%2 == 1 }},
		"everything at once": {store.LogQuery{Since: at.Add(100 * second), Until: at.Add(2900 * second), Devices: []string{"r1", "r2"}, Severity: "warning",
			App: "L*", Mnemonic: "LINK*", Text: "TO down", Match: regexp.MustCompile("Gi0/[0-9],")},
			func(n int) bool {
				return n >= 100 && n < 2900 && (n%7 == 1 || n%7 == 2) && n*5%8 <= 4 && n%2 == 1 && n%48 < 10
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []int
			for n := 1; n <= last; n++ {
				if c.want(n) {
					want = append(want, n)
				}
			}
			if diff := cmp.Diff(want, search(t, dir, c.query)); diff != "" {
				t.Error(diff)
			}
			slices.Reverse(want)
			q := c.query
			q.Newest = true
			if diff := cmp.Diff(want, search(t, dir, q)); diff != "" {
				t.Errorf("newest first:\n%s", diff)
			}
			q.Limit = 5
			if diff := cmp.Diff(want[:min(5, len(want))], search(t, dir, q), cmp.Transformer("set", func(s []int) []int { return append([]int{}, s...) })); diff != "" {
				t.Errorf("the newest five:\n%s", diff)
			}
		})
	}
}

// TestSearchFindsWhatMatches compares with a query's own word about each line, and the literals with the lines they stand for.
func TestSearchFindsWhatMatches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	words := []string{"Link", "DOWN", "up", "\u212aelvin", "\u017fharp", "<b>", `"quoted"`, `back\slash`, "tab\there", "ä", "\u2028", "\xff", "&", "", "K", "S", "ks"}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() string { return words[random.IntN(len(words))] }
	var lines []muster.LogLine
	for n := range 500 {
		l := line(n)
		l.Device, l.Message, l.Raw, l.App = pick(), pick()+" "+pick(), pick()+" "+pick(), pick()
		text := encode(t, l)
		decoded, err := logfile.Decode(text[:len(text)-1])
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, decoded)
		if err := a.Append(t.Context(), text, l.Received); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 300 {
		q := store.LogQuery{Text: pick(), App: pick()}
		switch random.IntN(4) {
		case 0:
			q.Match = regexp.MustCompile("(?i)" + quote(pick()))
		case 1:
			q.Match = regexp.MustCompile(quote(pick()) + ".*(" + quote(pick()) + ")+")
		case 2:
			q = store.LogQuery{Devices: []string{pick(), pick()}, Match: regexp.MustCompile("(up){1,2}|" + quote(pick()))}
		}
		var want []int
		for i := range lines {
			if q.Matches(&lines[i]) {
				want = append(want, int(lines[i].Sequence))
			}
		}
		if diff := cmp.Diff(want, search(t, dir, q)); diff != "" {
			t.Fatalf("%+v:\n%s", q, diff)
		}
	}
}

func TestLiteralOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, match, want string }{
		{"", "", ""}, {"Down", "", "down"}, {"a<longer>b", "", "longer"}, {"x\"", "interface .* down", "interface "}, {"a longer one", "short", "a longer one"},
		{"", "a|b", ""}, {"", "(abc)+d", "abc"}, {"", "(abc)*d", "d"}, {"", "(abc){2,}", "abc"}, {"", "(abc)?de", "de"}, {"", "(?i)dOWN", "down"},
		{"", "(?i)desk of", " of"}, {"", "ä(?:up)", "up"}, {"", "^$", ""}, {"", `\d+: %LINK`, ": %link"}, {"", "[a]bc", "abc"},
	} {
		var match *regexp.Regexp
		if c.match != "" {
			match = regexp.MustCompile(c.match)
		}
		if got := logfile.LiteralOf(c.text, match); got != c.want {
			t.Errorf("text %q and regexp %q: got %q, want %q", c.text, c.match, got, c.want)
		}
	}
}

func FuzzToLower(f *testing.F) {
	f.Add([]byte("ABCxyz@[`{\x7f\x80\xc1\xff ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := make([]byte, len(text))
		logfile.ToLower(got, text)
		for i, c := range text {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if got[i] != c {
				t.Fatalf("%q: got %q", text, got)
			}
		}
	})
}

func TestSearchOfAWrongQuery(t *testing.T) {
	t.Parallel()
	for name, seq := range map[string]func(context.Context, string, store.LogQuery) func(func(muster.LogLine, error) bool){
		"Search": func(ctx context.Context, dir string, q store.LogQuery) func(func(muster.LogLine, error) bool) {
			return logfile.Search(ctx, dir, q)
		},
		"Follow": func(ctx context.Context, dir string, q store.LogQuery) func(func(muster.LogLine, error) bool) {
			return logfile.Follow(ctx, dir, q)
		},
	} {
		if _, err := numbers(seq(t.Context(), t.TempDir(), store.LogQuery{Severity: "bad"})); err == nil || !strings.Contains(err.Error(), "severity") {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := numbers(seq(t.Context(), filepath.Join(t.TempDir(), "none"), store.LogQuery{})); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of no directory: got %v", name, err)
		}
	}
}

func TestASearchThatIsCutShortSaysSo(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	why := errors.New("enough of that")
	n := 0
	var last error
	for _, err := range logfile.Search(ctx, dir, store.LogQuery{}) {
		if last = err; err == nil {
			n++
		}
		cancel(why)
	}
	if !errors.Is(last, why) || n == 0 || n == 3000 {
		t.Errorf("%d lines and %v", n, last)
	}
	for _, err := range logfile.Search(ctx, dir, store.LogQuery{}) {
		if !errors.Is(err, why) {
			t.Errorf("in a context that has ended: %v", err)
		}
	}
}

func TestASearchCanBeLeft(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	seq := logfile.Search(t.Context(), dir, store.LogQuery{})
	for range 3 {
		for l, err := range seq {
			if err != nil || l.Sequence != 1 {
				t.Errorf("got line %d, %v", l.Sequence, err)
			}
			break
		}
	}
}

func TestAnEmptyArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	tidy(t, a)
	if got := search(t, dir, store.LogQuery{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if c := a.Counts(); c != (logfile.Counts{}) {
		t.Errorf("counts: %+v", c)
	}
}

func TestLinesLongerThanABlock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	for n := 1; n <= 9; n++ {
		l := line(n)
		if n%3 == 0 {
			l.Raw = strings.Repeat("x", n<<18)
		}
		if err := a.Append(t.Context(), encode(t, l), l.Received); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	check := func(form string) {
		if diff := cmp.Diff(count(1, 9), search(t, dir, store.LogQuery{})); diff != "" {
			t.Errorf("%s:\n%s", form, diff)
		}
		if diff := cmp.Diff([]int{9, 8, 7}, search(t, dir, store.LogQuery{Newest: true, Limit: 3})); diff != "" {
			t.Errorf("%s, newest first:\n%s", form, diff)
		}
	}
	check("plain")
	if err := a.Turn(); err != nil {
		t.Fatal(err)
	}
	tidy(t, a)
	check("compressed")
}

func TestASearchOfWhatItsWriterTakesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	commit(t, a, 1, 15_000) // a dozen blocks
	file := first(t, dir, "*.jsonl")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for l, err := range logfile.Search(t.Context(), dir, store.LogQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, int(l.Sequence)); len(got) > 1 {
			continue
		}
		if err := os.Truncate(file, info.Size()*3/4); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) < 10_000 || len(got) > 12_000 {
		t.Errorf("%d lines were found", len(got))
	}
	same(t, "they are", count(1, len(got)), got)
}

func TestALineThatBeginsWithABlock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	for n := 1; n <= 2000; n++ { // of 1,024 bytes: 512 are a block
		text := fmt.Sprintf(`{"received":"2026-01-02T03:04:05Z","sequence":%d,"raw":"`, n)
		text += strings.Repeat("x", 1024-len(text)-3) + "\"}\n"
		if err := a.Append(t.Context(), []byte(text), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	same(t, "plain", count(1, 2000), search(t, dir, store.LogQuery{}))
	turn(t, a)
	tidy(t, a)
	same(t, "compressed", count(1, 2000), search(t, dir, store.LogQuery{}))
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		least  int // lines that are found all the same
		said   string
	}{
		"a line that is none, in a plain file": {func(t *testing.T, dir string) {
			change(t, last(t, dir, "*.jsonl"), 0, "[")
		}, 2999, "at byte 1 of its text: "},
		"a line torn in the middle of a plain file": {func(t *testing.T, dir string) {
			change(t, last(t, dir, "*.jsonl"), 3000, strings.Repeat("\x00", 100))
		}, 2998, " of its text: invalid character"},
		"a frame whose text is another": {func(t *testing.T, dir string) {
			change(t, first(t, dir, "*.zst"), 2000, strings.Repeat("\xa5", 20))
		}, 2000, ".jsonl.zst at byte 1 of its text: "},
		"a frame without a beginning": {func(t *testing.T, dir string) {
			change(t, first(t, dir, "*.zst"), 0, "noise")
		}, 2000, "no whole frame at byte 0 of the file"},
		"a file that ends too early": {func(t *testing.T, dir string) {
			file := first(t, dir, "*.zst")
			info, err := os.Stat(file)
			if err = errors.Join(err, os.Truncate(file, info.Size()-5)); err != nil {
				t.Fatal(err)
			}
		}, 2000, "unexpected EOF"},
		"a file with more behind its end": {func(t *testing.T, dir string) {
			file := first(t, dir, "*.zst")
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			change(t, file, info.Size(), "noise")
		}, 3000, "no whole frame at byte "},
		"a segment that is a directory": {func(t *testing.T, dir string) {
			file := first(t, dir, "*.zst")
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, 2000, "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filled(t, 3000)
			for _, index := range glob(t, dir, "*.index.json") {
				if err := os.Remove(index); err != nil {
					t.Fatal(err)
				}
			}
			c.damage(t, dir)
			check := func(least int, q store.LogQuery) {
				t.Helper()
				got, err := numbers(logfile.Search(t.Context(), dir, q))
				if e, ok := errors.AsType[*logfile.LineError](err); !ok || !strings.Contains(err.Error(), c.said) || e.File == "" {
					t.Errorf("got error %v, want %q", err, c.said)
				}
				if len(got) < least || slices.Contains(got, 0) {
					t.Errorf("%d lines were found, want %d", len(got), least)
				}
			}
			check(c.least, store.LogQuery{})
			check(c.least, store.LogQuery{Newest: true})
			a := open(t, dir, logfile.Options{})
			tidy(t, a) // it makes indexes, by which no damage is passed
			check(0, store.LogQuery{Since: at.AddDate(1, 0, 0)})
			if len(glob(t, dir, "*.index.json")) == 0 {
				t.Error("there are no indexes")
			}
		})
	}
}

func first(t *testing.T, dir, pattern string) string { return glob(t, dir, pattern)[0] }

func last(t *testing.T, dir, pattern string) string {
	all := glob(t, dir, pattern)
	return all[len(all)-1]
}

func change(t *testing.T, file string, offset int64, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(text), offset)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func FuzzFrames(f *testing.F) {
	dir := filled(f, 1000)
	text, err := os.ReadFile(glob(f, dir, "*.zst")[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("\x50\x2a\x4d\x18\x01\x00\x00\x00x\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00")
	f.Fuzz(func(t *testing.T, text string) {
		ends, err := logfile.Frames(strings.NewReader(text), int64(len(text)))
		if !slices.IsSorted(ends) || len(slices.Compact(slices.Clone(ends))) != len(ends) {
			t.Errorf("frames end at %v, %v", ends, err)
		}
	})
}

func quote(word string) string { return regexp.QuoteMeta(strings.ToValidUTF8(word, "\ufffd")) }
