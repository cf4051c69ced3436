package sim_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
)

// banner connects as a scan does: it reads one line, says nothing and goes.
func banner(d sim.Device, limit time.Duration) (string, error) {
	c, err := net.DialTimeout("tcp", address(d), patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(limit))
	return bufio.NewReaderSize(c, 256).ReadString('\n')
}

func TestADeviceSaysWhatItsPlatformIsKnownBy(t *testing.T) {
	t.Parallel()
	guesses := map[string]string{
		"arista_eos": "", "aruba_aoscx": "", "cisco_nxos": "", "juniper_junos": "", // a plain OpenSSH
		"bird": "linux", "frr": "linux", // what answers is the system below
		"cisco_asa": "cisco_ios", // the same words
		"cisco_ios": "cisco_ios", "cisco_iosxr": "cisco_iosxr", "fortinet_fortios": "fortinet_fortios", "linux": "linux",
		"mikrotik_routeros": "mikrotik_routeros",
	}
	for _, d := range start(t, sim.Config{Devices: 2 * len(platform.Recordings()), Recordings: platform.Recordings()}).Devices() {
		line, err := banner(d, patience)
		if err != nil || !strings.HasPrefix(line, "SSH-2.0-") || !strings.HasSuffix(line, "\r\n") {
			t.Errorf("%s: got %q, %v", d.Platform, line, err)
		}
		want, known := guesses[d.Platform]
		if got, _ := platform.Guess(line); got != want || !known && d.Platform != "generic" {
			t.Errorf("%s: %q is guessed to be %q, want %q", d.Platform, line, got, want)
		}
	}
}

func TestABannerComesAtOnceHoweverSlowTheDevice(t *testing.T) {
	t.Parallel()
	for _, c := range []sim.Config{{Total: time.Hour}, {Latency: time.Hour, LoginLatency: time.Hour}} {
		f := start(t, c)
		if line, err := banner(f.Devices()[0], patience); err != nil || line != "SSH-2.0-Cisco-1.25\r\n" {
			t.Errorf("got %q, %v", line, err)
		}
	}
}

func TestWhoReadsABannerTakesNoSessionAndIsNoLogin(t *testing.T) {
	t.Parallel()
	const readers = 40
	f := start(t, sim.Config{MaxSessions: 1, Recordings: []*platform.Recording{router()}})
	d := f.Devices()[0]
	stay, err := net.DialTimeout("tcp", address(d), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer stay.Close()
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			if line, err := banner(d, patience); err != nil {
				t.Errorf("got %q, %v", line, err)
			}
		})
	}
	wg.Wait()
	text, err := fetch(f, d)
	if err != nil || clean(text) != string(f.Want(d.Name)) {
		t.Errorf("the backup afterwards: %v", err)
	}
	if c := f.Counts(); c.Connections != readers+2 || c.Logins != 1 || c.Rejected != 0 || c.Peak != 1 || c.Commands != 4 {
		t.Errorf("counts %+v", c)
	}
}

func TestWhoReadsABannerTurnsNoHostKey(t *testing.T) {
	t.Parallel()
	f, d := faulty(t, "wrong-key", router())
	for range 3 {
		if line, err := banner(d, patience); err != nil {
			t.Fatalf("got %q, %v", line, err)
		}
		if said, _ := raw(t, d); !strings.HasPrefix(said, "SSH-2.0-") {
			t.Fatalf("it said %q", said)
		}
	}
	showsWrongKey(t, f, d)
}

func TestABannerShowsTheFaultsThatConcernIt(t *testing.T) {
	t.Parallel()
	shows := map[string]func(line string, err error) bool{
		"flaky":       func(line string, err error) bool { return line == "" && errors.Is(err, syscall.ECONNRESET) },
		"garbage":     func(line string, err error) bool { return err == nil && line != "" && !strings.Contains(line, "SSH-") },
		"hang-banner": func(line string, err error) bool { return line == "" && isTimeout(err) },
		"refuse":      func(line string, err error) bool { return errors.Is(err, syscall.ECONNREFUSED) },
	}
	well := func(line string, err error) bool { return err == nil && line == "SSH-2.0-Cisco-1.25\r\n" }
	for _, k := range sim.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			limit, right := patience, shows[k.Name]
			if right == nil {
				right = well
			}
			if k.Name == "hang-banner" {
				limit = moment
			}
			_, d := faulty(t, k.Name, router())
			if line, err := banner(d, limit); !right(line, err) {
				t.Errorf("got %q, %v", line, err)
			}
		})
	}
}

func TestAFlakyDeviceHasItsBannerFromTheSecondConnectionOn(t *testing.T) {
	t.Parallel()
	_, d := faulty(t, "flaky", router())
	if _, err := banner(d, patience); err == nil || errors.Is(err, io.EOF) {
		t.Fatalf("the first connection ends with %v", err)
	}
	if line, err := banner(d, patience); err != nil || line != "SSH-2.0-Cisco-1.25\r\n" {
		t.Errorf("got %q, %v", line, err)
	}
}
