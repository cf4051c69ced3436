package main

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

// scanHosts are hosts in the order of completion, with all that can be said of one.
func scanHosts() []indexed[muster.Host] {
	at := func(i int, h muster.Host) indexed[muster.Host] {
		h.Addr = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		return indexed[muster.Host]{i, h}
	}
	port := func(n int, s muster.PortState, banner string) muster.Port {
		return muster.Port{Number: n, State: s, Banner: banner}
	}
	return []indexed[muster.Host]{
		at(3, muster.Host{State: muster.HostUp, RTT: 1499 * time.Millisecond, Late: true, Duplicates: 2, Change: muster.ChangeNew}),
		at(1, muster.Host{
			State: muster.HostUp, RTT: 51 * time.Microsecond, Ports: []muster.Port{port(22, muster.PortOpen, "SSH-2.0-Cisco-1.25")},
			Platform: "cisco_ios", LoggedIn: true, Hostname: "r1", Device: "core1", MAC: "00:00:0c:01:02:03", Vendor: "Cisco",
		}),
		at(2, muster.Host{
			State: muster.HostUp, Filtered: true, Ports: []muster.Port{port(22, muster.PortOpen, hostile)},
			Name: hostile, Hostname: hostile, Platform: "linux", Change: muster.ChangeChanged,
		}),
		at(4, muster.Host{State: muster.HostUp, Ports: []muster.Port{port(22, muster.PortMute, "")}}),
		at(5, muster.Host{State: muster.HostUp, Ports: []muster.Port{port(22, muster.PortClosed, "")}}),
		at(6, muster.Host{State: muster.HostUp, Failure: &muster.Failure{
			Device: "192.0.2.6", Stage: muster.StageAuth, Code: "auth-rejected", Err: errors.New("it said: " + hostile),
		}}),
		at(7, muster.Host{State: muster.HostDown, Reason: "no reply"}),
		at(8, muster.Host{State: muster.HostUnreachable, Reason: "host unreachable"}),
	}
}

func TestGoldenScan(t *testing.T) {
	golden(t, "scan", func(p *program) error {
		var s scanFlags
		s.options.Ports = []int{22}
		out := newOutput(p, scanView(&s, true))
		for _, h := range scanHosts() {
			if err := out.add(h.index, newScanRow(h.row)); err != nil {
				return err
			}
		}
		return out.end(app.ScanSummary{}, "")
	})
}

func TestTheProgressOfAScanSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	began := time.Unix(0, 0)
	for name, c := range map[string]struct {
		asked, up, done int64
		after           time.Duration
		want            string
	}{
		"nothing was asked":    {0, 0, 0, 0, " 0/1000 asked  0 up"},
		"half was asked":       {500, 40, 40, 5 * time.Second, " 500/1000 asked  40 up  100/s  ETA 5s"},
		"answers are awaited":  {1000, 60, 60, 10 * time.Second, " 1000/1000 asked  60 up  940 without a verdict"},
		"the silent are asked": {1000, 61, 800, 20 * time.Second, " 1000/1000 asked  61 up  200 without a verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scanProgress{1000, began, new(app.ScanProgress)}
			s.done.Asked.Store(c.asked)
			s.done.Up.Store(c.up)
			s.done.Done.Store(c.done)
			if got := s.line(began.Add(c.after)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheLineThatAddsFindsTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags scanFlags
		want  string
	}{
		"a prefix": {scanFlags{args: []string{"192.0.2.0/24"}}, "scan 192.0.2.0/24 --add"},
		"all that decides what is found": {
			scanFlags{
				args: []string{"192.0.2.0/24"}, files: []string{"my list"}, ports: "22,2222",
				options: app.ScanOptions{NoPing: true, Exclude: []string{"192.0.2.1", "192.0.2.2"}, Targets: []string{"many", "more"}},
			},
			"scan 192.0.2.0/24 -f 'my list' --exclude 192.0.2.1 --exclude 192.0.2.2 --tcp 22,2222 --no-ping --add",
		},
		"a pipe is empty now": {scanFlags{files: []string{"-"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.flags.adding(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
