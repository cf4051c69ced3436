package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

// BenchmarkOutput shows that the cost of an output grows with its size and no faster: the MB/s stay the same. The
// device and its end of the encryption are in it.
func BenchmarkOutput(b *testing.B) {
	for _, mb := range []int{1, 10, 40} {
		b.Run(fmt.Sprintf("%dMB", mb), func(b *testing.B) {
			text := strings.Repeat("interface GigabitEthernet1/0/1 description some text\n", mb<<20/53)
			srv := sessiontest.New(b, sessiontest.Device{Commands: map[string]string{"show tech": text}})
			c := srv.Config(b)
			c.Shell, c.Limits.SessionBytes = &session.Shell{}, 1<<40
			s, err := session.Dial(b.Context(), srv.Addr, c)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				out, err := s.Run(b.Context(), "show tech")
				if err != nil || len(out.Text) != len(text) {
					b.Fatalf("got %d bytes, %v", len(out.Text), err)
				}
			}
		})
	}
}
