//go:build e2e && linux

package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// Verdicts of `muster serve`, and whom it tells of them.

const (
	watchInterval = 200 * time.Millisecond
	watchSettings = "monitor: {interval: 200ms, timeout: 150ms, down: 3/3, up: 2/2, loss: 60/64, flap: {changes: 4, in: 12s, quiet: 3s}}\n" +
		"backup: off\nalerts: {alertmanager: alertmanager.yml}\n"
)

// watchedDevices are a router with fifty hosts behind it, ten that are always well, and some that are not; and the addresses of
// those behind the router and of all.
func watchedDevices() (settings string, behind, all []string) {
	var b strings.Builder
	add := func(name, address, more string) string {
		b.WriteString(device(name, address, more))
		all = append(all, address)
		return address
	}
	b.WriteString("groups: {quick: {monitor: {interval: 100ms, timeout: 80ms, down: 1/1, up: 1/1}}}\ndevices:\n")
	add("r1", "198.18.1.1", "")
	for i := range 50 {
		behind = append(behind, add(fmt.Sprintf("c%d", i), fmt.Sprintf("198.18.2.%d", i+1), ", parents: [r1]"))
	}
	for i := range 10 {
		add(fmt.Sprintf("well%d", i), fmt.Sprintf("198.18.3.%d", i+1), "")
	}
	add("dead", "198.18.4.1", "")
	add("lossy", "198.18.4.2", "")
	add("flaps", "198.18.4.3", ", group: quick")
	return b.String(), behind, all
}

func TestWatchTellsWhatIsDownOnce(t *testing.T) {
	t.Parallel()
	w, h := watched(t)
	hook := w.newHook(t)
	s := newSite(t)
	s.write(t, "alertmanager.yml", hook.receivers())
	devices, behind, everybody := watchedDevices()
	s.watch(t, &w, devices+watchSettings)
	settled := func(t *testing.T) (from int) {
		t.Helper()
		time.Sleep(3 * watchInterval)
		return len(hook.taken())
	}
	t.Run("One that loses one packet of three is not down", func(t *testing.T) {
		from := settled(t)
		w.shell(t, "nft 'add table ip lossy; add chain ip lossy in { type filter hook input priority 0; };"+
			" add rule ip lossy in ip saddr 198.18.4.2 icmp type echo-reply numgen inc mod 3 == 0 counter drop'\n")
		h.silence(2, "198.18.3.1")
		time.Sleep(10 * watchInterval)
		if got := hook.words(from); len(got) > 0 {
			t.Errorf("somebody was told %q", got)
		}
		if out, _ := w.run(t, exec.Command("nft", "list", "table", "ip", "lossy")); strings.Contains(out.stdout, "packets 0 ") {
			t.Errorf("nothing was lost: %s", out.stdout)
		}
		w.shell(t, "nft delete table ip lossy\n")
	})
	t.Run("One that dies is down after exactly three misses and up after two answers", func(t *testing.T) {
		from, began := settled(t), time.Now()
		h.silence(forEver, "198.18.4.1")
		down := hook.await(t, from, "device-down dead firing")
		if n := h.missedIn("198.18.4.1", began, down.StartsAt); n != 3 {
			t.Errorf("it was called down after %d misses", n)
		}
		h.silence(0, "198.18.4.1")
		hook.await(t, from, "device-down dead resolved")
		if got, want := hook.words(from), []string{"device-down dead firing", "device-down dead resolved"}; !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
	t.Run("A router that dies is told and none of the fifty behind it", func(t *testing.T) {
		from := settled(t)
		h.silence(forEver, append(behind, "198.18.1.1")...)
		hook.await(t, from, "device-down r1 firing")
		time.Sleep(8 * watchInterval)
		h.silence(0, append(behind, "198.18.1.1")...)
		hook.await(t, from, "device-down r1 resolved")
		settled(t)
		if got, want := hook.words(from), []string{"device-down r1 firing", "device-down r1 resolved"}; !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
	t.Run("One that comes and goes is told until it is called flapping", func(t *testing.T) {
		from := settled(t)
		var told int
		for i := range 10 {
			h.silence(forEver, "198.18.4.3")
			time.Sleep(2 * watchInterval)
			h.silence(0, "198.18.4.3")
			time.Sleep(2 * watchInterval)
			if i == 4 {
				told = len(hook.words(from))
			}
		}
		if got := hook.words(from); told == 0 || len(got) != told || told > 6 {
			t.Errorf("told %q, %d of them in the first half", got, told)
		}
		if out := s.ok(t, "monitor", "report", "flaps", "-o", "ndjson"); !strings.Contains(out, `"downs":10`) {
			t.Errorf("the state itself is not true: %s", out)
		}
	})
	t.Run("A cut uplink is told about this machine and about nobody else", func(t *testing.T) {
		from := settled(t)
		h.silence(forEver, everybody...)
		hook.await(t, from, "uplink-down firing")
		time.Sleep(8 * watchInterval)
		h.silence(0, everybody...)
		hook.await(t, from, "uplink-down resolved")
		settled(t)
		about := slices.DeleteFunc(hook.words(from), func(s string) bool { return strings.HasPrefix(s, "device-down flaps") })
		if want := []string{"uplink-down firing", "uplink-down resolved"}; !slices.Equal(about, want) {
			t.Errorf("told %q, want %q", about, want)
		}
	})
	t.Run("An interface that goes down is told about this machine and about nobody else", func(t *testing.T) {
		from := settled(t)
		w.shell(t, "ip link set tun0 down\n")
		hook.await(t, from, "uplink-down firing")
		time.Sleep(8 * watchInterval)
		w.shell(t, "ip link set tun0 up\nip route add 198.18.0.0/16 dev tun0\n")
		hook.await(t, from, "uplink-down resolved")
		settled(t)
		about := slices.DeleteFunc(hook.words(from), func(s string) bool { return strings.HasPrefix(s, "device-down flaps") })
		if want := []string{"uplink-down firing", "uplink-down resolved"}; !slices.Equal(about, want) {
			t.Errorf("told %q, want %q", about, want)
		}
	})
}
