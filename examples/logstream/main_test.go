package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stopper ends a context when so many lines were printed.
type stopper struct {
	strings.Builder
	lines int
	stop  func()
}

func (s *stopper) Write(b []byte) (int, error) {
	if s.lines--; s.lines == 0 {
		s.stop()
	}
	return s.Builder.Write(b)
}

func TestWhatIsCriticalAlerts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := stopper{lines: 3, stop: cancel}
	err := run(ctx, &out, "127.0.0.1:0", func(address string) {
		conn, err := net.Dial("udp", address)
		if err != nil {
			t.Error(err)
			cancel()
			return
		}
		defer conn.Close()
		for _, text := range []string{
			"<189>45: sw1: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by admin",
			"<186>46: sw1: *Mar  1 18:46:12.123: %SYS-2-MALLOCFAIL: Memory allocation of 65536 bytes failed",
			"<14>app: CRITICAL: queue is full",
			"<13>nothing to see",
			"<8>\x1b[31mpanic",
		} {
			if _, err := io.WriteString(conn, text); err != nil {
				t.Error(err)
			}
		}
	})
	want := `ALERT: 127.0.0.1: "Memory allocation of 65536 bytes failed"
ALERT: 127.0.0.1: "CRITICAL: queue is full"
ALERT: 127.0.0.1: "\x1b[31mpanic"
`
	if got := out.String(); err != nil || got != want {
		t.Errorf("%v, printed\n%s", err, got)
	}
}
