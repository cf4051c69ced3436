//go:build e2e && linux

package e2e

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// responder is 198.18.0.0/16 behind a TUN device: each request is given to answer, which sends what it likes, from any
// goroutine.
type responder struct {
	tun    *os.File
	asked  atomic.Int64
	answer func(r *responder, request []byte)
	later  sync.WaitGroup
}

// respond makes the device in a space of its own.
func respond(t *testing.T, answer func(*responder, []byte)) (space, *responder) {
	t.Helper()
	w := newSpace(t, "")
	r := &responder{answer: answer}
	w.inside(t, func() (err error) {
		r.tun, err = openTUN("tun0")
		return err
	})
	w.shell(t, "ip link set tun0 txqueuelen 100000\nip addr add 198.19.0.1/32 dev tun0\nip link set tun0 up\nip route add 198.18.0.0/16 dev tun0\n")
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
	return w, r
}

// openTUN makes a device in the network of the thread.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (r *responder) serve() {
	b := make([]byte, 2048)
	for {
		n, err := r.tun.Read(b)
		if err != nil {
			return
		}
		if n >= 28 && b[0] == 0x45 && b[9] == unix.IPPROTO_ICMP && b[20] == 8 {
			r.asked.Add(1)
			r.answer(r, append([]byte(nil), b[:n]...))
		}
	}
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
func (r *responder) reply(request []byte) {
	b := append([]byte(nil), request...)
	copy(b[12:16], request[16:20])
	copy(b[16:20], request[12:16])
	b[20] = 0
	sum16(b[20:], 2)
	r.tun.Write(b)
}

// unreachable sends what a router says that may not forward a request.
func (r *responder) unreachable(request []byte) {
	b := make([]byte, 28, 56)
	copy(b, request[:20])
	copy(b[12:16], []byte{198, 18, 255, 254})
	copy(b[16:20], request[12:16])
	b[20], b[21] = 3, 13
	b = append(b, request[:28]...)
	b[2], b[3] = 0, byte(len(b))
	sum16(b[:20], 10)
	sum16(b[20:], 2)
	r.tun.Write(b)
}

// sum16 puts the checksum of a header or a message where it belongs.
func sum16(b []byte, at int) {
	b[at], b[at+1] = 0, 0
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	b[at], b[at+1] = byte(^sum>>8), byte(^sum)
}
