package ping_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
	"golang.org/x/sys/unix"
)

// inNamespace moves the test into a network of its own, which is gone with the goroutine of the test: nothing that it
// sends leaves this machine, whatever the address.
func inNamespace(t testing.TB, script string) {
	t.Helper()
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("a network namespace needs the command %s", tool)
		}
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("a network namespace is not allowed: %v", err)
	}
	shell(t, "ip link set lo up\n"+script)
}

func shell(t testing.TB, script string) {
	t.Helper()
	c := exec.Command("sh", "-e")
	c.Stdin = strings.NewReader(script)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("set up the namespace: %v\n%s", err, out)
	}
}

// silence is a network in which nobody answers: the far end of its wire is nobody's.
const silence = `
ip link add wire0 type veth peer name wire1
ip link set wire0 arp off
ip addr add 198.19.0.1/32 dev wire0
ip link set wire0 up
ip link set wire1 up
ip route add 198.18.0.0/16 dev wire0
`

func TestWithSixPercentAliveExactlyTheseAreFound(t *testing.T) {
	var alive []netip.Addr
	var routes strings.Builder
	i := 0
	for addr := range count("198.18.0.0", 65536) {
		if i++; i*7919%100 < 6 {
			alive = append(alive, addr)
			fmt.Fprintf(&routes, "route add local %s dev lo\n", addr)
		}
	}
	inNamespace(t, silence+"ip -batch - <<END\n"+routes.String()+"END\n")
	var sum ping.Summary
	up, silent := sweep(t, count("198.18.0.0", 65536), ping.Config{Rate: ping.Unlimited, Timeout: 200 * time.Millisecond, Summary: &sum})
	for _, addr := range alive {
		if _, ok := up[addr]; !ok {
			t.Errorf("%s is alive and was not found", addr)
		}
	}
	if len(up) != len(alive) || len(up)+len(silent) != 65536 || sum.Sent != 2*65536-len(alive) {
		t.Errorf("found %d of %d, %d silent, %+v", len(up), len(alive), len(silent), sum)
	}
	t.Logf("%+v", sum)
}

// With 1 % lost each way half a host in 65,536 is expected to be missed by three tries; more than 8 never are.
func TestWithOnePercentLossEachWayThreeTriesMissNextToNobody(t *testing.T) {
	inNamespace(t, `ip route add local 198.18.0.0/16 dev lo
nft add table ip loss
nft add chain ip loss in '{ type filter hook input priority 0; }'
nft add rule ip loss in icmp type echo-request numgen random mod 100 == 0 drop
nft add rule ip loss in icmp type echo-reply numgen random mod 100 == 0 drop
`)
	var sum ping.Summary
	up, _ := sweep(t, count("198.18.0.0", 65536), ping.Config{Rate: ping.Unlimited, Tries: 3, Timeout: 200 * time.Millisecond, Summary: &sum})
	if len(up) < 65536-8 || sum.Sent < 65536+1000 || sum.Sent > 65536+1700 || sum.Received != sum.Up {
		t.Errorf("%+v", sum)
	}
	t.Logf("%d missed, %+v", 65536-len(up), sum)
}

func TestTheEndOfTheContextEndsASweepAtOnce(t *testing.T) {
	inNamespace(t, silence+"ip route add local 198.18.0.0/32 dev lo\n")
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	var up int
	var last error
	began := time.Now()
	for _, err := range ping.Sweep(ctx, count("198.18.0.0", 3), ping.Config{Timeout: time.Hour}) {
		if last = err; err == nil {
			up++
		}
	}
	if up != 1 || !errors.Is(last, why) || time.Since(began) > time.Minute {
		t.Errorf("%d up, ended with %v after %s", up, last, time.Since(began))
	}
}

func TestASmallNetworkIsSweptInItsTimeouts(t *testing.T) {
	inNamespace(t, silence+"for i in 0 1 2 3 4 5 6 7 8 9 10 11 12; do ip route add local 198.18.0.$((i*20+1))/32 dev lo; done\n")
	var sum ping.Summary
	up, _ := sweep(t, count("198.18.0.1", 254), ping.Config{Timeout: 500 * time.Millisecond, Summary: &sum})
	if len(up) != 13 {
		t.Errorf("%+v", sum)
	}
	t.Logf("%+v", sum)
}

func TestTheUnprivilegedSocketFindsTheSame(t *testing.T) {
	inNamespace(t, "echo 0 0 >/proc/sys/net/ipv4/ping_group_range\n")
	var sum ping.Summary
	up, _ := sweep(t, count("127.1.0.0", 65536), ping.Config{Method: ping.MethodSocket, Rate: ping.Unlimited, Summary: &sum})
	if len(up) != 65536 || sum.Method != ping.MethodSocket || sum.Foreign != 0 {
		t.Errorf("%+v", sum)
	}
	t.Logf("%+v", sum)
}

func TestIPv6IsSweptByBothSockets(t *testing.T) {
	inNamespace(t, `echo 0 0 >/proc/sys/net/ipv4/ping_group_range
ip -6 route add local 2001:db8::/112 dev lo || exit 0
`)
	for _, m := range []ping.Method{ping.MethodRaw, ping.MethodSocket} {
		var sum ping.Summary
		up, silent := sweep(t, count("2001:db8::", 65536), ping.Config{Method: m, Rate: ping.Unlimited, Summary: &sum})
		for _, err := range silent {
			if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.ENETUNREACH) {
				t.Skipf("no IPv6 here: %v", err)
			}
		}
		if len(up) != 65536 || sum.Foreign != 0 {
			t.Errorf("%s: %+v", m, sum)
		}
		t.Logf("%+v", sum)
	}
}

func TestWhatTheKernelRefusesIsSaidOfItsTarget(t *testing.T) {
	inNamespace(t, silence+"ip route add prohibit 198.18.1.0/24\nip route add unreachable 198.18.2.0/24\n")
	var sum ping.Summary
	_, silent := sweep(t, list("198.18.0.1", "198.18.1.1", "198.18.2.1", "203.0.113.1"), ping.Config{Timeout: 10 * time.Millisecond, Summary: &sum})
	for host, want := range map[string]error{"198.18.0.1": ping.ErrNoReply, "198.18.1.1": unix.EACCES, "198.18.2.1": unix.EHOSTUNREACH, "203.0.113.1": unix.ENETUNREACH} {
		if got := silent[netip.MustParseAddr(host)]; !errors.Is(got, want) {
			t.Errorf("%s: got %v, want %v", host, got, want)
		}
	}
	if sum.SendErrors != 6 || sum.Sent != 2 {
		t.Errorf("%+v", sum)
	}
}

// responder is a network behind a TUN device: answer is given each request and sends what it likes, from any goroutine.
type responder struct {
	tun    *os.File
	asked  atomic.Int64
	answer func(r *responder, request []byte)
	later  sync.WaitGroup
}

// openTun makes the device tun0, behind which 198.18.0.0/16 is.
func openTun(t testing.TB) (fd int) {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("a TUN device is needed: %v", err)
	}
	req, err := unix.NewIfreq("tun0")
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		t.Skipf("a TUN device is not allowed: %v", err)
	}
	shell(t, "ip link set tun0 txqueuelen 100000\nip addr add 198.19.0.1/32 dev tun0\nip link set tun0 up\nip route add 198.18.0.0/16 dev tun0\n")
	return fd
}

// respond answers for the network behind a TUN device.
func respond(t *testing.T, answer func(*responder, []byte)) *responder {
	t.Helper()
	r := &responder{tun: os.NewFile(uintptr(openTun(t)), "tun0"), answer: answer}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.serve()
	}()
	t.Cleanup(func() {
		r.later.Wait()
		r.tun.Close()
		<-done
	})
	return r
}

func (r *responder) serve() {
	b := make([]byte, 2048)
	for {
		n, err := r.tun.Read(b)
		if err != nil {
			return
		}
		if isRequest(b[:n]) {
			r.asked.Add(1)
			r.answer(r, append([]byte(nil), b[:n]...))
		}
	}
}

func isRequest(b []byte) bool {
	return len(b) >= 28 && b[0] == 0x45 && b[9] == unix.IPPROTO_ICMP && b[20] == 8
}

// after calls f when d is over; the test waits for it.
func (r *responder) after(d time.Duration, f func()) {
	r.later.Add(1)
	time.AfterFunc(d, func() {
		defer r.later.Done()
		f()
	})
}

// reply sends the reply to a request.
func (r *responder) reply(request []byte) { r.tun.Write(replyOf(request)) }

func replyOf(request []byte) []byte {
	b := append([]byte(nil), request...)
	copy(b[12:16], request[16:20])
	copy(b[16:20], request[12:16])
	b[20] = 0
	fill(b[20:])
	return b
}

// unreachable sends what a router says that may not forward a request, quoting no more of it than it must.
func (r *responder) unreachable(request []byte, quote int) {
	b := make([]byte, 28, 28+quote)
	copy(b, request[:20])
	copy(b[12:16], []byte{198, 18, 255, 254})
	copy(b[16:20], request[12:16])
	b[20], b[21] = 3, 13
	b = append(b, request[:quote]...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	clear(b[10:12])
	binary.BigEndian.PutUint16(b[10:], sum16(b[:20]))
	fill(b[20:])
	r.tun.Write(b)
}

// fill puts the checksum into an ICMP message.
func fill(icmp []byte) {
	clear(icmp[2:4])
	binary.BigEndian.PutUint16(icmp[2:], sum16(icmp))
}

func sum16(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func TestLateRepliesDuplicatesAndUnreachablesOnTheWire(t *testing.T) {
	for _, m := range []ping.Method{ping.MethodRaw, ping.MethodSocket} {
		t.Run(string(m), func(t *testing.T) {
			inNamespace(t, "echo 0 0 >/proc/sys/net/ipv4/ping_group_range\n")
			respond(t, func(r *responder, request []byte) {
				switch host := request[19]; {
				case host%5 == 0:
					r.after(1500*time.Millisecond, func() { r.reply(request) })
				case host%5 == 1:
					r.reply(request)
					r.reply(request)
				case host%5 == 2:
					r.unreachable(request, 28)
				case host%5 == 3:
					r.unreachable(request, len(request))
				default:
					r.reply(request)
				}
			})
			var sum ping.Summary
			up, silent := sweep(t, count("198.18.0.0", 250), ping.Config{
				Method: m, Tries: 1, Timeout: 500 * time.Millisecond, Linger: 1500 * time.Millisecond, Summary: &sum,
			})
			for addr, r := range up {
				late := addr.As4()[3]%5 == 0
				if r.Late != late || late && (r.RTT < 1500*time.Millisecond || r.RTT > 1700*time.Millisecond) {
					t.Errorf("%+v", r)
				}
			}
			for addr, err := range silent {
				if want := "no reply: administratively prohibited"; err.Error() != want {
					t.Errorf("%s: got %v, want %s", addr, err, want)
				}
			}
			if len(up) != 150 || sum.Late != 50 || sum.Duplicates != 50 || sum.Unreachable != 100 || sum.Sent != 250 || sum.SendErrors+sum.Foreign != 0 {
				t.Errorf("%+v", sum)
			}
		})
	}
}

// inBursts lets replies come 64 at a time, which the smallest buffer has no room for.
func inBursts(t *testing.T) *responder {
	var held [][]byte
	return respond(t, func(r *responder, request []byte) {
		if held = append(held, request); len(held) == 64 {
			for _, h := range held {
				r.reply(h)
			}
			held = held[:0]
		}
	})
}

func TestDropsAreExactlyTheShortfall(t *testing.T) {
	inNamespace(t, "")
	r := inBursts(t)
	var sum ping.Summary
	up, silent := sweep(t, count("198.18.0.0", 4096), ping.Config{
		Rate: ping.Unlimited, Tries: 8, Timeout: 100 * time.Millisecond, Linger: 200 * time.Millisecond, Buffer: 1, Summary: &sum,
	})
	lost := int(r.asked.Load())/64*64 - sum.Received
	if int(r.asked.Load()) != sum.Sent {
		t.Fatalf("the device took %d of %d requests", r.asked.Load(), sum.Sent)
	}
	if sum.ReceiveDrops == 0 || sum.ReceiveDrops != lost || sum.Sent <= 4096 || len(up)+len(silent) != 4096 {
		t.Errorf("%d replies were lost: %+v", lost, sum)
	}
	t.Logf("%d found with a buffer of %d bytes, %+v", len(up), sum.Buffer, sum)
}

func TestWithOneTryWhatTheBufferDroppedIsLostForGood(t *testing.T) {
	inNamespace(t, "")
	inBursts(t)
	var sum ping.Summary
	_, silent := sweep(t, count("198.18.0.0", 4096), ping.Config{
		Rate: ping.Unlimited, Tries: 1, Timeout: 200 * time.Millisecond, Buffer: 1, Summary: &sum,
	})
	if sum.Lost == 0 || sum.Lost != len(silent) || sum.Lost != sum.ReceiveDrops || sum.Unsent != 0 {
		t.Errorf("%d are silent: %+v", len(silent), sum)
	}
	t.Logf("%+v", sum)
}

// The second request finds a buffer that is empty, because what is missing comes back one by one.
func TestRepliesThatARetryBringsAreNotLost(t *testing.T) {
	inNamespace(t, "")
	var held [][]byte
	respond(t, func(r *responder, request []byte) {
		if r.asked.Load() > 256 {
			r.reply(request)
			return
		}
		if held = append(held, request); len(held) == 256 {
			for _, h := range held {
				r.reply(h)
			}
		}
	})
	var sum ping.Summary
	up, _ := sweep(t, count("198.18.0.0", 256), ping.Config{Rate: 500, Timeout: 200 * time.Millisecond, Buffer: 16 << 10, Summary: &sum})
	if len(up) != 256 || sum.ReceiveDrops == 0 || sum.Lost != 0 {
		t.Errorf("%+v", sum)
	}
	t.Logf("%+v", sum)
}

func TestDuplicatesAreToldAlsoWhenEverybodyAnswers(t *testing.T) {
	inNamespace(t, "")
	respond(t, func(r *responder, request []byte) {
		r.after(50*time.Millisecond, func() {
			r.reply(request)
			r.reply(request)
		})
	})
	var sum ping.Summary
	told := map[netip.Addr]int{}
	up, _ := sweep(t, count("198.18.0.0", 256), ping.Config{Duplicate: func(a netip.Addr) { told[a]++ }, Summary: &sum})
	if len(up) != 256 || sum.Received != 512 || sum.Duplicates != 256 || len(told) != 256 {
		t.Errorf("told of %d: %+v", len(told), sum)
	}
}
