package syslog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/syslog"
)

func TestAStreamIsCutIntoMessages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 90)
	for _, c := range []struct {
		name, stream string
		want         []string
		bad          int
	}{
		{"lines end with LF", "<13>one\n<13>two\n", []string{"<13>one", "<13>two"}, 0},
		{"lines end with CRLF", "<13>one\r\n<13>two\r\n", []string{"<13>one\r", "<13>two\r"}, 0}, // the parser cuts CR off
		{"lines end with NUL", "<13>one\x00<13>two\x00", []string{"<13>one", "<13>two"}, 0},
		{"the last line has no end", "<13>one\n<13>two", []string{"<13>one", "<13>two"}, 0},
		{"octets are counted", "7 <13>one7 <13>two", []string{"<13>one", "<13>two"}, 0},
		{"a counted message holds line ends", "11 <13>one\nand7 <13>two", []string{"<13>one\nand", "<13>two"}, 0},
		{"counted messages have line ends behind them", "7 <13>one\n7 <13>two\r\n", []string{"<13>one", "<13>two"}, 0},
		{"each message in its own way", "7 <13>one<13>two\n9 <13>three<13>four\x00<13>five\r\n", []string{"<13>one", "<13>two", "<13>three", "<13>four", "<13>five\r"}, 0},
		{"a line begins with digits", "123 packets dropped\n<13>two\n", []string{"123 packets dropped", "<13>two"}, 0},
		{"a line is nothing but digits", "123\n<13>two\n", []string{"123", "<13>two"}, 0},
		{"a stream ends in digits", "<13>one\n12", []string{"<13>one", "12"}, 0},
		{"a text is counted after a count", "7 <13>one7 <13>two5 hello7 <13>six", []string{"<13>one", "<13>two", "hello", "<13>six"}, 0},
		{"a count begins with zero", "07 <13>one\n", []string{"07 <13>one"}, 0},
		{"a count is too large, and lines end", "40 <13>one\n<13>two\n<13>three\n<13>four\n<13>five\n", []string{"<13>one", "<13>two", "<13>three", "<13>four", "<13>five"}, 1},
		{"a count is too large among counts", "12 <13>one7 <13>two9 <13>three", []string{"<13>one", "<13>two", "<13>three"}, 1},
		{"a count is larger than all that comes", "90 <13>one\n<13>two\n7 <13>six", []string{"<13>one", "<13>two", "<13>six"}, 1},
		{"a count is too small", "6 <13>one\n<13>two\n", []string{"<13>one", "<13>two"}, 1},
		{"a count is too small among counts", "5 <13>one7 <13>two", []string{"<13>one", "<13>two"}, 1},
		{"a counted message was cut off by the end", "12 <13>one", []string{"<13>one"}, 1},
		{"a line is too long", "<13>" + long + "yyyyyyyyyy\n<13>two\n", []string{"<13>" + long[:76] + "...", "<13>two"}, 0},
		{"a counted message is too long", "104 <13>" + long + "yyyyyyyyyy7 <13>two", []string{"<13>" + long[:76] + "...", "<13>two"}, 0},
		{"a count is absurd", "99999999 <13>one\n<13>two\n", []string{"<13>one", "<13>two"}, 1},
		{"a count that is too long for a message hides lines", "500 <13>one\n<13>two\n<13>" + long + "\n<13>three\n", []string{"<13>one", "<13>two", "<13>" + long[:76] + "...", "<13>three"}, 1},
		{"empty lines are no messages", "\n\n<13>one\n\r\n\x00<13>two\n\n", []string{"<13>one", "<13>two"}, 0},
		{"nothing comes", "", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, bad := syslog.Frames(80, []byte(c.stream))
			if diff := cmp.Diff(c.want, got); diff != "" || bad != c.bad {
				t.Errorf("%d counts were wrong, want %d (-want +got):\n%s", bad, c.bad, diff)
			}
		})
	}
}

func TestACountThatWaitsForNothingIsWrong(t *testing.T) {
	t.Parallel()
	got, left := syslog.FramesStale(80, "40 <13>one\n<13>two\n<13>thr")
	if want := []string{"<13>one", "<13>two"}; !slices.Equal(got, want) || left != "<13>thr" {
		t.Errorf("got %q and left %q", got, left)
	}
}

// However the network cuts a stream, the messages are the same.
func TestAStreamMayComeInAnyChunks(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var stream []byte
		var want []string
		for i := range 1 + r.IntN(30) {
			message := fmt.Sprintf("<%d>message %d %s", r.IntN(192), i, strings.Repeat("x", r.IntN(40)))
			switch r.IntN(4) {
			case 0:
				message += "\nmore of it"
				stream = fmt.Appendf(stream, "%d %s", len(message), message)
			case 1:
				stream = append(append(stream, message...), 0)
			default:
				stream = append(append(stream, message...), '\n')
			}
			want = append(want, message)
		}
		var chunks [][]byte
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(20))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		got, bad := syslog.Frames(1000, chunks...)
		if diff := cmp.Diff(want, got); diff != "" || bad != 0 {
			t.Fatalf("seed %d: %d counts were wrong (-want +got):\n%s", seed, bad, diff)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("7 <13>one<13>two\n12 <13>"), uint8(3), uint8(20))
	f.Add([]byte("99 <13>one\x00\r\n0 <1"), uint8(1), uint8(5))
	f.Fuzz(func(t *testing.T, stream []byte, chunk, limit uint8) {
		most := 1 + int(limit)
		messages, _ := syslog.Frames(most, slices.Collect(slices.Chunk(stream, 1+int(chunk)))...)
		rest := stream
		for _, m := range messages { // each is in the stream, behind the one before
			m, _ = strings.CutSuffix(m, "...")
			i := bytes.Index(rest, []byte(m))
			if i < 0 || len(m) > most {
				t.Fatalf("%q came out of %q", m, stream)
			}
			rest = rest[i+len(m):]
		}
	})
}
