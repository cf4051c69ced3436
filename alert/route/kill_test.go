package route_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

const killedDevices = 150

// child says that one device more is down every few milliseconds, and makes silences; it writes what was acknowledged.
func child(dir string) {
	r, err := route.Open(route.Options{Dir: dir, Config: []byte(killConfig(os.Getenv("ROUTE_TEST_HOOK"))), Delay: -1})
	if err != nil {
		fmt.Println("open", err)
		os.Exit(1)
	}
	go r.Run(context.Background())
	var some []muster.Alert
	for i := 0; ; i++ {
		if i < killedDevices {
			some = append(some, down(fmt.Sprintf("r%03d", i), "edge"))
		}
		r.Send(context.Background(), some)
		id, err := r.Silence(context.Background(), []string{"device=other"}, time.Now().Add(time.Hour), "me", "works")
		if err == nil {
			fmt.Println("made", id)
		}
		if i%3 == 0 && r.Expire(context.Background(), id) == nil {
			fmt.Println("expired", id)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func killConfig(hook string) string {
	return strings.NewReplacer("http://127.0.0.1:80/", hook, "group_by: [group]", "group_by: [device]", "group_wait: 10s", "group_wait: 0s").Replace(config)
}

// TestKilled kills a process that notifies, again and again: no silence that was acknowledged is lost, nothing that was logged
// is told again, and in the end everything has been told.
func TestKilled(t *testing.T) {
	t.Parallel()
	h := &hook{begin: time.Now()}
	server := httptest.NewServer(h)
	defer server.Close()
	dir := t.TempDir()
	logged := map[string]bool{}
	said := map[string]string{} // of silences
	for round := range 8 {
		for id, word := range runChild(t, dir, server.URL, time.Duration(5+rand.IntN(80))*time.Millisecond) {
			said[id] = word
		}
		for device := range told(h) {
			if logged[device] {
				t.Errorf("round %d: %s was told again, although it was logged", round, device)
			}
		}
		logged = loggedDevices(t, dir)
		checkSilences(t, dir, said)
	}
	r, err := route.Open(route.Options{Dir: dir, Config: []byte(killConfig(server.URL)), Delay: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var some []muster.Alert
	for i := range killedDevices {
		some = append(some, down(fmt.Sprintf("r%03d", i), "edge"))
	}
	if err := r.Send(ctx, some); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); len(loggedDevices(t, dir)) < killedDevices; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d devices are in the log of notifications", len(loggedDevices(t, dir)), killedDevices)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for device := range told(h) {
		if logged[device] {
			t.Errorf("%s was told again, although it was logged", device)
		}
	}
	t.Logf("%d silences were acknowledged, %d devices told in the killed rounds", len(said), len(logged))
}

// runChild runs the child for a time, kills it, and returns its last word about each silence.
func runChild(t *testing.T, dir, hook string, d time.Duration) map[string]string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ROUTE_TEST_CHILD="+dir, "ROUTE_TEST_HOOK="+hook)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	lines := bufio.NewReader(out)
	kill := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer kill.Stop()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // also half a line: what the kill cut was not acknowledged
		}
		word, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "open" {
			t.Fatalf("the next process could not start: %s", id)
		}
		if said[id] = word; len(said) == 1 {
			kill.Reset(d)
		}
	}
	io.Copy(io.Discard, lines)
	cmd.Wait()
	return said
}

// told returns the devices that the receiver was told about since the last call.
func told(h *hook) map[string]bool {
	devices := map[string]bool{}
	for _, note := range h.taken() {
		_, device, _ := strings.Cut(note, "device=")
		device, _, _ = strings.Cut(device, ":")
		devices[device] = true
	}
	return devices
}

// loggedDevices looks into the log of notifications for the keys of groups.
func loggedDevices(t *testing.T, dir string) map[string]bool {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "nflog"))
	if err != nil {
		t.Fatal(err)
	}
	logged := map[string]bool{}
	for i := range killedDevices {
		if device := fmt.Sprintf("r%03d", i); strings.Contains(string(content), `{device="`+device+`"}`) {
			logged[device] = true
		}
	}
	return logged
}

func checkSilences(t *testing.T, dir string, said map[string]string) {
	t.Helper()
	r, err := route.Open(route.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := r.Silences(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, s := range all {
		states[s.ID] = s.State
	}
	for id, word := range said {
		if states[id] == "" || word == "expired" && states[id] != "expired" {
			t.Errorf("silence %s was acknowledged as %s and is now %q", id, word, states[id])
		}
	}
}
