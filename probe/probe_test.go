package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

// subject is a kind of probe with the servers that it needs to be shown.
type subject struct {
	kind   string
	up     server
	detail string // of up
	wrong  server // answers, but not as it should; nil: there is no such thing
	stage  muster.Stage
	code   string // of wrong
	mute   string // the code of silence after the connection; empty: it waits for nothing
}

var subjects = []subject{
	{kind: "dns", up: nameServer("192.0.2.7"), detail: "192.0.2.7", wrong: nameServer(), stage: muster.StageCommand, code: "wrong-answer", mute: "timeout"},
	{kind: "http", up: webServer("HTTP/1.1 200 OK\r\n\r\nwell"), detail: "HTTP/1.1 200 OK",
		wrong: webServer("HTTP/1.1 503 Service Unavailable\r\n\r\n"), stage: muster.StageCommand, code: "wrong-answer", mute: "timeout"},
	{kind: "https", up: secure(webServer("HTTP/1.1 204 No Content\r\n\r\n")), detail: "HTTP/1.1 204 No Content",
		wrong: webServer("HTTP/1.1 400 Bad Request\r\n\r\n"), stage: muster.StageHandshake, code: "wrong-answer", mute: "timeout"},
	{kind: "ssh", up: sshServer("SSH-2.0-OpenSSH_9.2p1", nil), detail: "SSH-2.0-OpenSSH_9.2p1",
		wrong: say("220 mail.example.org ESMTP\r\n"), stage: muster.StageHandshake, code: "not-ssh", mute: "mute"},
	{kind: "tcp", up: mute, detail: "198.18.0.1:22"},
}

// options are those of a subject, with a Dial.
func (s subject) options(t *testing.T, d probe.Dial) probe.Options {
	return probe.Options{
		Dial: d, HTTP: probe.HTTP{CAFile: authority(t)}, DNS: probe.DNS{Name: "www.example.org", Type: "A"},
	}
}

var target = probe.Target{Addr: addr, Timeout: 2 * time.Second}

// every runs a test for each kind that connects.
func every(t *testing.T, f func(*testing.T, subject)) {
	t.Parallel()
	for _, s := range subjects {
		t.Run(s.kind, func(t *testing.T) {
			t.Parallel()
			f(t, s)
		})
	}
}

func TestATargetThatAnswersIsUp(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		o, _ := inBubble(t, s.kind, s.options(t, wire(40*time.Millisecond, s.up)), target, whole)
		if !o.Up || o.Detail != s.detail {
			t.Fatalf("got %+v (%v), want %q", o, o.Failure, s.detail)
		}
		if o.RTT != 40*time.Millisecond && s.kind != "dns" { // whose socket takes no time
			t.Errorf("a connection of 40 ms has an RTT of %s", o.RTT)
		}
	})
}

func TestASlowTargetIsUpWithinItsTimeAndDownBeyond(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		for _, late := range []bool{false, true} {
			answers := 1900 * time.Millisecond
			if late {
				answers = 2100 * time.Millisecond
			}
			d := wire(0, lingering(answers, s.up))
			if s.mute == "" {
				d = wire(answers, s.up)
			}
			o, took := inBubble(t, s.kind, s.options(t, d), target, whole)
			if o.Up == late || took > target.Timeout {
				t.Errorf("an answer after %s of 2s: up is %t after %s: %v", answers, o.Up, took, o.Failure)
			}
		}
	})
}

func TestAServerThatStaysMuteIsNotUp(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		if s.mute == "" {
			t.Skip("it waits for no word")
		}
		o, took := inBubble(t, s.kind, s.options(t, wire(0, mute)), target, whole)
		if o.Up || o.Failure.Code != s.mute || took != target.Timeout {
			t.Errorf("got %+v (%v) after %s, want %s", o, o.Failure, took, s.mute)
		}
	})
}

func TestAWrongAnswerIsNotUpAndSaid(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		if s.wrong == nil {
			t.Skip("a connection is no wrong one")
		}
		o, _ := inBubble(t, s.kind, s.options(t, wire(0, s.wrong)), target, whole)
		want(t, o, s.stage, s.code)
	})
}

func TestAServerThatHangsUpIsNotUp(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		if s.mute == "" {
			t.Skip("it was up when it connected")
		}
		o, took := inBubble(t, s.kind, s.options(t, wire(0, func(string, net.Conn) {})), target, whole)
		if o.Up || o.Failure.Code != "connection-lost" || took != 0 {
			t.Errorf("got %+v (%v) after %s", o, o.Failure, took)
		}
	})
}

func TestWhatAConnectEndsWithIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		dial  probe.Dial
		code  string
		local bool
		took  time.Duration
	}{
		{"silence is a timeout", silence, "timeout", false, target.Timeout},
		{"a refusal is one", refuse(refusedErrno), "refused", false, 0},
		{"a router's word is unreachable", refuse(syscall.EHOSTUNREACH), "unreachable", false, 0},
		{"no route is unreachable", refuse(syscall.ENETUNREACH), "unreachable", false, 0},
		{"a prohibition is unreachable", refuse(syscall.EACCES), "unreachable", false, 0},
		{"the kernel's own timeout is one", refuse(syscall.ETIMEDOUT), "timeout", false, 0},
		{"a reset is a lost connection", refuse(syscall.ECONNRESET), "connection-lost", false, 0},
		{"no descriptor is our own fault", refuse(syscall.EMFILE), "send-failed", true, 0},
		{"no buffer is our own fault", refuse(syscall.ENOBUFS), "send-failed", true, 0},
		{"no port left is our own fault", refuse(syscall.EADDRNOTAVAIL), "send-failed", true, 0},
		{"a filter of ours is our own fault", refuse(syscall.EPERM), "send-failed", true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			every(t, func(t *testing.T, s subject) {
				o, took := inBubble(t, s.kind, s.options(t, c.dial), target, whole)
				want(t, o, muster.StageConnect, c.code)
				if probe.Local(o) != c.local || took != c.took || o.RTT != 0 || o.Detail != "" {
					t.Errorf("local is %t, after %s: %+v", probe.Local(o), took, o)
				}
			})
		})
	}
}

func TestARefusalHasARoundTripBecauseTheHostLives(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		o, _ := inBubble(t, s.kind, s.options(t, afterwards(30*time.Millisecond, refuse(refusedErrno))), target, whole)
		if want(t, o, muster.StageConnect, "refused"); o.RTT != 30*time.Millisecond {
			t.Errorf("RTT %s", o.RTT)
		}
	})
}

func TestTheEndOfTheContextEndsAProbeAtOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		dial  probe.Dial
		after time.Duration
	}{
		{"before it began", wire(0, mute), 0},
		{"while it connects", silence, 100 * time.Millisecond},
		{"while it waits for an answer", wire(0, mute), 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			every(t, func(t *testing.T, s subject) {
				if s.mute == "" && c.name == "while it waits for an answer" {
					t.Skip("it waits for none")
				}
				o, took := inBubble(t, s.kind, s.options(t, c.dial), target, cutAfter(c.after))
				want(t, o, muster.StageCanceled, "canceled")
				if !errors.Is(o.Failure, errEnough) || took != c.after || probe.Local(o) {
					t.Errorf("after %s: %v", took, o.Failure)
				}
			})
		})
	}
}

// slowly is a connection that takes a second to close.
type slowly struct {
	net.Conn
	closed atomic.Bool
}

func (c *slowly) Close() error {
	err := c.Conn.Close()
	if c.closed.CompareAndSwap(false, true) {
		time.Sleep(time.Second)
	}
	return err
}

func TestAProbeReturnsNoSoonerThanItsConnectionIsClosed(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		if s.mute == "" {
			t.Skip("it closes by itself")
		}
		dial := func(ctx context.Context, network, to string) (net.Conn, error) {
			conn, err := wire(0, mute)(ctx, network, to)
			return &slowly{Conn: conn}, err
		}
		if _, took := inBubble(t, s.kind, s.options(t, dial), target, cutAfter(time.Second)); took != 2*time.Second {
			t.Errorf("after %s", took)
		}
	})
}

func TestAnIPv4AddressThatIsWrittenAsIPv6IsOneOfIPv4(t *testing.T) {
	every(t, func(t *testing.T, s subject) {
		var dialed string
		dial := func(ctx context.Context, network, to string) (net.Conn, error) {
			dialed = to
			return wire(0, s.up)(ctx, network, to)
		}
		mapped := probe.Target{Addr: netip.MustParseAddr("::ffff:198.18.0.1"), Port: 99}
		if o, _ := inBubble(t, s.kind, s.options(t, dial), mapped, whole); !o.Up || dialed != "198.18.0.1:99" {
			t.Errorf("dialed %s: %+v", dialed, o)
		}
	})
}

func TestATargetThatCannotBeAskedSaysSo(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		p := prober(t, k.Name, probe.Options{})
		for _, bad := range []probe.Target{{}, {Addr: netip.MustParseAddr("127.0.0.1"), Port: 65536}, {Addr: netip.MustParseAddr("127.0.0.1"), Port: -1}} {
			o := p.Probe(t.Context(), bad)
			check(t, k.Name, o)
			want(t, o, muster.StageResolve, "unknown-host")
		}
	}
}

func TestKindsAreSortedAndEachCanBeMade(t *testing.T) {
	t.Parallel()
	kinds := probe.Kinds()
	byName := func(a, b probe.Kind) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(kinds, byName) || len(kinds) != len(subjects)+1 {
		t.Errorf("kinds: %+v", kinds)
	}
	for _, k := range kinds {
		if _, err := probe.New(k.Name, probe.Options{}); err != nil || k.Summary == "" || k.Timeout <= 0 || k.Port < 0 {
			t.Errorf("%+v: %v", k, err)
		}
		i := slices.IndexFunc(subjects, func(s subject) bool { return s.kind == k.Name })
		if i < 0 && k.Name != "icmp" { // which has no connection to test it by
			t.Errorf("%s is not in the suite that every probe passes", k.Name)
		}
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  string
		o     probe.Options
		words string
	}{
		{"gopher", probe.Options{}, `unknown kind of probe "gopher": there are dns, http, https, icmp, ssh, tcp`},
		{"http", probe.Options{HTTP: probe.HTTP{Path: "status"}}, `path "status"`},
		{"http", probe.Options{HTTP: probe.HTTP{Path: "http://example.org/"}}, `path "http://example.org/"`},
		{"http", probe.Options{HTTP: probe.HTTP{Body: "("}}, "body: error parsing regexp"},
		{"https", probe.Options{HTTP: probe.HTTP{CAFile: "/dev/null"}}, "/dev/null holds no certificate"},
		{"https", probe.Options{HTTP: probe.HTTP{CAFile: "testdata/none.pem"}}, "testdata/none.pem"},
		{"dns", probe.Options{DNS: probe.DNS{Type: "ANY"}}, `unknown type "ANY": there are A, AAAA, CNAME`},
		{"dns", probe.Options{DNS: probe.DNS{Name: "a..b"}}, `name "a..b"`},
		{"dns", probe.Options{DNS: probe.DNS{Name: strings.Repeat("a", 64)}}, `name "aaaa`},
		{"dns", probe.Options{DNS: probe.DNS{Name: strings.Repeat("a.", 200)}}, `name "a.a`},
	} {
		if _, err := probe.New(c.kind, c.o); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s %+v: %v, want %s", c.kind, c.o, err, c.words)
		}
	}
}
