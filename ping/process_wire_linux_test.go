package ping

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

// commandWire is a wire whose command is a script: nothing is sent.
func commandWire(t *testing.T, script string, body func(*processWire)) {
	t.Helper()
	command := filepath.Join(t.TempDir(), "ping")
	if err := os.WriteFile(command, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	err := task.Scope(t.Context(), "", func(_ context.Context, g *task.Group) error {
		defer g.Cancel(nil)
		body(&processWire{group: g, command: command, ended: make(chan ended, ProcessLimit)})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMoreThanFiftyCommandsAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	commandWire(t, "exec sleep 60", func(w *processWire) {
		var request [packetLen]byte
		for i := range ProcessLimit + 5 {
			err := w.send(request[:], netip.MustParseAddr("127.0.0.1"), time.Second)
			if (err == nil) != (i < ProcessLimit) {
				t.Errorf("command %d: %v", i+1, err)
			}
		}
	})
}

func TestACommandThatHasEndedMakesRoom(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]arrival{
		"echo 'time=1.5 ms'": {message: []byte{echoReply4}},
		"exit 1":             {},
		"exit 2":             {message: []byte{echoRequest4}, hint: hintCommand},
	} {
		commandWire(t, script, func(w *processWire) {
			addr := netip.MustParseAddr("127.0.0.1")
			var got arrival
			began := time.Now()
			if err := w.send([]byte{echoRequest4}, addr, time.Second); err != nil {
				t.Fatal(err)
			}
			for w.running > 0 && time.Since(began) < time.Minute {
				w.receive(0, func(a arrival) { got = a })
				time.Sleep(time.Millisecond)
			}
			if w.running != 0 || string(got.message) != string(want.message) || got.hint != want.hint {
				t.Errorf("%s: %d are running, got %+v", script, w.running, got)
			}
			if want.hint == hintNone && want.message != nil && (got.peer != addr || got.at.Before(began.Add(1500*time.Microsecond)) || got.at.After(time.Now().Add(1500*time.Microsecond))) {
				t.Errorf("%s: got %+v", script, got)
			}
		})
	}
}

func TestACommandGetsNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("MUSTER_PASSWORD", "hidden")
	command := filepath.Join(t.TempDir(), "ping")
	if err := os.WriteFile(command, []byte("#!/bin/sh\necho \"time=1.5 ms $MUSTER_PASSWORD\" | grep -v hidden\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if rtt, err := runPing(t.Context(), command, netip.MustParseAddr("127.0.0.1"), time.Second); err != nil || rtt != 1500*time.Microsecond {
		t.Errorf("got %v, %v", rtt, err)
	}
}
