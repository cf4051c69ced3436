package syslog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/syslog/syslogtest"
)

// load is messages that are sent by a process of its own, so that what they cost to send is nobody's.
type load struct {
	TCP     bool
	Address string
	Form    string // a key of forms
	Count   int
	Rate    int // 0: as fast as they are taken
}

// forms are what the messages look like. Of a hundred, one is what one of ten rules is about.
var forms = map[string]syslogtest.Form{
	"plain": func(b []byte, n int) []byte {
		b = append(b, "<30>Nov 29 04:08:48 host1 dhcpd[4711]: "...)
		if n%100 == 0 {
			return appendFault(b, n/100%10)
		}
		return strconv.AppendInt(append(b, "DHCPACK on 192.0.2.7 to 00:00:5e:00:53:07 via eth0 number "...), int64(n), 10)
	},
	"Cisco": func(b []byte, n int) []byte {
		if n%100 == 0 {
			b = strconv.AppendInt(append(b, "<189>"...), int64(n), 10)
			return appendFault(append(b, ": sw1: *Mar  1 18:46:11.123: %LINK-3-UPDOWN: "...), n/100%10)
		}
		return syslogtest.Cisco(b, n)
	},
	"noise": func(b []byte, n int) []byte { // a rule of the shipped noise is about all of it
		b = append(b, "<38>Nov 29 04:08:48 host1 sshd[4711]: Connection closed by 192.0.2.7 port "...)
		return append(strconv.AppendInt(b, int64(n%65536), 10), " [preauth]"...)
	},
}

const rules = 1000

// ruleTexts are what the rules look for. They begin as the messages do that no rule is about.
func ruleTexts() (all []string) {
	for i := range rules {
		all = append(all, string(appendFault(nil, i)))
	}
	return all
}

// appendFault appends the text that rule n is about.
func appendFault(b []byte, n int) []byte {
	b = strconv.AppendInt(append(b, "Interface GigabitEthernet0/"...), int64(1000+n), 10)
	return append(b, ", changed state to down"...)
}

const sendEnv = "MUSTER_BENCH_LOAD" // a load in JSON: what the process is there for

func TestMain(m *testing.M) {
	if text := os.Getenv(sendEnv); text != "" {
		send(text)
		return
	}
	os.Exit(m.Run())
}

// sent is what a sender prints.
type sent struct {
	Sent int
	Took time.Duration
}

func send(text string) {
	var l load
	err := json.Unmarshal([]byte(text), &l)
	var s sent
	if err == nil {
		to := syslogtest.Send
		if l.TCP {
			to = syslogtest.SendTCP
		}
		began := time.Now()
		s.Sent, err = to(context.Background(), l.Address, syslogtest.Flood{Form: forms[l.Form], Count: l.Count, Rate: l.Rate})
		s.Took = time.Since(began)
	}
	if err = errors.Join(err, json.NewEncoder(os.Stdout).Encode(s)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// send sends the load.
func (l load) send(b *testing.B) sent {
	b.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(program)
	c.Env = append(os.Environ(), sendEnv+"="+string(text), "GOMAXPROCS=1")
	c.Stderr = os.Stderr
	out, err := c.Output()
	var s sent
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil || s.Sent != l.Count {
		b.Fatalf("%d of %d messages were sent: %v", s.Sent, l.Count, err)
	}
	return s
}

// loopback moves the benchmark into a network of its own, which is gone with its goroutine.
func loopback(b *testing.B) {
	b.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the benchmark
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		b.Skipf("a network namespace is not allowed: %v", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		b.Fatalf("set up the network: %v\n%s", err, out)
	}
}

// figures are what was measured of some things, round by round.
type figures map[string][]float64

func (f figures) add(name string, value float64) { f[name] = append(f[name], value) }

func (f figures) median(name string) float64 {
	all := slices.Sorted(slices.Values(f[name]))
	return all[len(all)/2]
}
