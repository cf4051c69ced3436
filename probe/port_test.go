package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

var port22 = netip.AddrPortFrom(addr, 22)

// askPort asks one port on a clock of its own.
func askPort(t *testing.T, o probe.PortOptions, cut func(context.Context) (context.Context, context.CancelFunc)) (got muster.Port, rtt, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := cut(t.Context())
		defer cancel()
		began := time.Now()
		got, rtt, err = probe.Port(ctx, port22, o)
		took = time.Since(began)
		time.Sleep(time.Minute) // for slow servers to end
	})
	if got.Number != 22 {
		t.Errorf("asked port 22, heard of %d", got.Number)
	}
	return got, rtt, took, err
}

func TestAPortIsOpenMuteClosedOrFiltered(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name      string
		o         probe.PortOptions
		state     muster.PortState
		rtt, took time.Duration
	}{
		{"open where no banner is waited for", probe.PortOptions{Dial: wire(10*ms, mute)}, muster.PortOpen, 10 * ms, 10 * ms},
		{"mute where one is", probe.PortOptions{Dial: wire(10*ms, mute), Banner: 3 * time.Second}, muster.PortMute, 10 * ms, 3010 * ms},
		{"mute where the server hangs up without a word", probe.PortOptions{Dial: wire(0, func(string, net.Conn) {}), Banner: time.Second}, muster.PortMute, 0, 0},
		{"open where the banner comes late", probe.PortOptions{Dial: wire(0, lingering(900*ms, say("220 x\r\n"))), Banner: time.Second}, muster.PortOpen, 0, 900 * ms},
		{"closed where it is refused", probe.PortOptions{Dial: afterwards(10*ms, refuse(refusedErrno))}, muster.PortClosed, 10 * ms, 10 * ms},
		{"closed where it is reset", probe.PortOptions{Dial: refuse(syscall.ECONNRESET)}, muster.PortClosed, 0, 0},
		{"filtered where it is silent", probe.PortOptions{Dial: silence}, muster.PortFiltered, 0, probe.DefaultTimeout},
		{"filtered after the time given", probe.PortOptions{Dial: silence, Timeout: 500 * ms}, muster.PortFiltered, 0, 500 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, rtt, took, err := askPort(t, c.o, whole)
			if err != nil || got.State != c.state || rtt != c.rtt || took != c.took {
				t.Errorf("%+v, RTT %s, after %s: %v", got, rtt, took, err)
			}
		})
	}
}

func TestAnErrorOfAPortIsItsRouteOrOurs(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EACCES} {
		got, rtt, _, err := askPort(t, probe.PortOptions{Dial: refuse(errno)}, whole)
		unreachable, ok := errors.AsType[*probe.UnreachableError](err)
		if !ok || unreachable.Reason != errno.Error() || got.State != muster.PortFiltered || rtt != 0 {
			t.Errorf("%v: %+v, %v", errno, got, err)
		}
	}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.EPERM} {
		got, _, _, err := askPort(t, probe.PortOptions{Dial: refuse(errno)}, whole)
		if _, ok := errors.AsType[*probe.UnreachableError](err); ok || !errors.Is(err, errno) || got.State != "" {
			t.Errorf("%v: %+v, %v", errno, got, err)
		}
	}
	if got, _, err := probe.Port(t.Context(), netip.AddrPort{}, probe.PortOptions{}); err == nil || got.State != "" {
		t.Errorf("no address: %+v, %v", got, err)
	}
}

func TestTheEndOfTheContextEndsAPortAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range []probe.Dial{silence, wire(0, mute)} {
		for _, after := range []time.Duration{0, 100 * time.Millisecond} {
			got, _, took, err := askPort(t, probe.PortOptions{Dial: d, Banner: time.Hour}, cutAfter(after))
			if !errors.Is(err, errEnough) || got.State != "" || took != after {
				t.Errorf("%+v after %s: %v", got, took, err)
			}
		}
	}
}

func TestABannerIsTheFirstLineThatIsNotBlank(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 255)
	for _, c := range []struct{ name, said, want string }{
		{"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", "SSH-2.0-OpenSSH_9.2p1"},
		{"the first of several", "220-one\r\n220 two\r\n", "220-one"},
		{"telnet behind its negotiation", "\xff\xfd\x18\xff\xfb\x01\xff\xfa\x18\x01\xff\xf0\xff\xf1\r\n\r\nUser Access Verification\r\n", "User Access Verification"},
		{"telnet's negotiation alone", "\xff\xfd\x18\xff\xfb\x01", ""},
		{"a doubled IAC is a byte", "a\xff\xffb\n", "a\uFFFDb"},
		{"a prompt that does not end", "\r\nlogin: ", "login: "},
		{"control bytes stay", "\x1b[2Jhello\a\x00\n", "\x1b[2Jhello\a\x00"},
		{"bytes that are no UTF-8 are made so", "caf\xe9!\n", "caf\uFFFD!"},
		{"the longest", long + "\n", long},
		{"cut where it is longer", long + "bcd\n", long},
		{"cut between characters", strings.Repeat("\xe9a", 200), strings.Repeat("\uFFFDa", 63) + "\uFFFD"},
		{"endless", strings.Repeat("a", 100_000), long},
		{"blank lines without end", strings.Repeat(" \r\n", 5000), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, _, _, err := askPort(t, probe.PortOptions{Dial: wire(0, say(c.said)), Banner: time.Second}, whole)
			if err != nil || got.State != muster.PortOpen || got.Banner != c.want {
				t.Errorf("%+v: %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestABannerOneByteAtATimeCounts(t *testing.T) {
	t.Parallel()
	serve := func(_ string, conn net.Conn) {
		for _, c := range []byte("SSH-2.0-slow\n") {
			time.Sleep(200 * time.Millisecond)
			conn.Write([]byte{c})
		}
	}
	got, _, took, err := askPort(t, probe.PortOptions{Dial: wire(0, serve), Banner: 3 * time.Second}, whole)
	if err != nil || got.Banner != "SSH-2.0-slow" || took != 2600*time.Millisecond {
		t.Errorf("%+v after %s: %v", got, took, err)
	}
}

func TestASSHServerIsToldWhoAskedForItsBanner(t *testing.T) {
	t.Parallel()
	var heard string
	got, _, _, _ := askPort(t, probe.PortOptions{Dial: wire(0, sshServer("SSH-2.0-x", &heard)), Banner: time.Second}, whole)
	if got.Banner != "SSH-2.0-x" || heard != "SSH-2.0-muster\r\n" {
		t.Errorf("%+v, the server read %q", got, heard)
	}
}

// FuzzBanner: whatever a server says, a banner is one line of valid UTF-8 within its bound.
func FuzzBanner(f *testing.F) {
	for _, said := range []string{"", "\n", "SSH-2.0-x\r\n", "\xff", "\xff\xfa\x18", "\xff\xff", "caf\xe9", strings.Repeat("\xe9", 300)} {
		f.Add([]byte(said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		o := probe.PortOptions{Banner: time.Minute, Dial: wire(0, func(_ string, conn net.Conn) { conn.Write(said) })}
		got, _, err := probe.Port(t.Context(), port22, o)
		if err != nil || len(got.Banner) > 255 || !utf8.ValidString(got.Banner) || strings.Contains(got.Banner, "\n") {
			t.Errorf("%+v: %v", got, err)
		}
		if (got.State == muster.PortMute) != (len(said) == 0) {
			t.Errorf("%q makes the port %s", said, got.State)
		}
	})
}
