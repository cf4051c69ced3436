//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/sim"
)

// books is a server that knows a fleet: a NetBox at /api/dcim/devices/, and a list with passwords at /nodes.json. How says what
// it does.
type books struct {
	*httptest.Server
	fleet *sim.Fleet
	token string
	how   atomic.Pointer[string]
	asked chan struct{} // a request has come and is not answered
}

func newBooks(t *testing.T, fleet *sim.Fleet, token string) *books {
	b := &books{fleet: fleet, token: token, asked: make(chan struct{}, 1)}
	b.be("well")
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *books) be(how string) { b.how.Store(&how) }

// pageSize is less than what is asked for, as NetBox's own setting may have it.
const pageSize = 2

func (b *books) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	devices := b.fleet.Devices()
	switch how := *b.how.Load(); how {
	case "failing":
		http.Error(w, "out of order, "+r.Header.Get("Authorization"), http.StatusServiceUnavailable)
		return
	case "hanging":
		b.asked <- struct{}{}
		<-r.Context().Done()
		return
	case "talking nonsense":
		fmt.Fprint(w, "<html>Please log in</html>")
		return
	case "sending elsewhere":
		http.Redirect(w, r, "http://127.9.9.9:9/", http.StatusFound)
		return
	case "shrunk":
		devices = devices[:2]
	case "empty":
		devices = nil
	case "cutting off":
		w = &cut{w, 300}
	case "cutting off its last page":
		if r.URL.Query().Get("offset") == strconv.Itoa(len(devices)-pageSize) {
			w = &cut{w, 100}
		}
	}
	switch {
	case r.Header.Get("Authorization") != "Token "+b.token && r.Header.Get("X-Token") != b.token:
		http.Error(w, "bad token", http.StatusForbidden)
	case r.URL.Path == "/nodes.json":
		var nodes []map[string]any
		for _, d := range devices {
			nodes = append(nodes, map[string]any{"name": d.Name, "ip": d.Address, "port": d.Port, "os": d.Platform, "user": "admin", "pw": the.sec.password, "en": the.sec.level})
		}
		json.NewEncoder(w).Encode(map[string]any{"nodes": nodes})
	default:
		b.page(w, r.URL, devices)
	}
}

// page answers as NetBox does.
func (b *books) page(w http.ResponseWriter, u *url.URL, devices []sim.Device) {
	from, _ := strconv.Atoi(u.Query().Get("offset"))
	to := min(from+pageSize, len(devices))
	var next any
	if to < len(devices) {
		q := u.Query()
		q.Set("offset", strconv.Itoa(to))
		next = b.URL + u.Path + "?" + q.Encode()
	}
	results := []any{}
	for i, d := range devices[min(from, to):to] {
		results = append(results, map[string]any{
			"id": from + i + 1, "name": d.Name, "primary_ip": map[string]any{"address": d.Address + "/32"}, "status": map[string]any{"value": "active"},
			"platform": map[string]any{"slug": strings.ReplaceAll(d.Platform, "_", "-")}, "site": map[string]any{"slug": "ams"},
			"custom_fields": map[string]any{"ssh_port": d.Port, "snmp_community": the.sec.vty},
		})
	}
	json.NewEncoder(w).Encode(map[string]any{"count": len(devices), "next": next, "previous": nil, "results": results})
}

// cut lets some bytes through and then breaks the connection.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	c.Header().Set("Content-Length", strconv.Itoa(1<<20))
	c.ResponseWriter.Write(p[:min(len(p), c.left)])
	http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// settings make muster ask it.
func (b *books) settings(s *site, t *testing.T, source string) string {
	t.Helper()
	s.set("BOOKS_TOKEN", b.token).set("LAB_PASSWORD", the.sec.password).set("LAB_ENABLE", the.sec.level)
	return s.write(t, "muster.yaml", fmt.Sprintf(`inventory:
  - %s
credentials:
  lab: {username: admin, password: "env:LAB_PASSWORD", enable: "env:LAB_ENABLE"}
defaults: {credentials: [lab]}
`, strings.ReplaceAll(source, "URL", b.URL)))
}

const (
	fromNetBox = `{type: netbox, url: URL, token: "env:BOOKS_TOKEN", map: {port: custom_fields.ssh_port}}`
	fromJSON   = `{type: json, url: URL/nodes.json, headers: {X-Token: "env:BOOKS_TOKEN"}, map: {list: nodes, name: name, address: ip, port: port, platform: os, username: user, password: pw, enable: en}}`
)

func TestAServerThatFailsNeverEmptiesTheFleet(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 6, Platforms: []string{"cisco_ios"}})
	b := newBooks(t, fleet, "Tk"+the.sec.wrong[2:])
	s := newSite(t)
	config := b.settings(s, t, fromNetBox)
	backup := func(t *testing.T, devices int, args ...string) answer {
		t.Helper()
		a := s.muster(t, append([]string{"--config", config, "backup", "-o", "ndjson", "-q"}, args...)...)
		got := outcomes(t, a.stdout)
		for _, o := range got {
			if o.Status == "failed" {
				t.Errorf("%s: %s: %s", o.Device, o.word(), o.Error)
			}
		}
		if len(got) != devices || a.code != 0 {
			t.Errorf("%d devices and exit %d, want %d and 0:\n%s", len(got), a.code, devices, a.stderr)
		}
		s.nowhere(t, a, b.token, the.sec.password, the.sec.vty)
		return a
	}

	b.be("failing") // before there was ever a good answer
	s.muster(t, "--config", config, "backup", "-q").complaint(t, 4, b.URL, "503")

	b.be("well")
	if a := backup(t, len(fleet.Devices())); strings.Contains(a.stderr, "are used") {
		t.Errorf("what it gives is not used: %s", a.stderr)
	}
	for how, words := range map[string][]string{
		"failing": {"HTTP 503"}, "talking nonsense": {"JSON"}, "cutting off": {"read the answer"}, "cutting off its last page": {"read the answer"},
		"sending elsewhere": {"127.9.9.9"},
		"shrunk":            {"gives 2 devices where it gave 6 before", "muster backup --accept-shrunk"}, "empty": {"gives 0 devices where it gave 6 before", "muster backup --accept-shrunk"},
	} {
		b.be(how)
		a := backup(t, len(fleet.Devices()))
		for _, word := range append(words, b.URL, "the 6 devices that it gave at", "are used") {
			if !strings.Contains(a.stderr, word) {
				t.Errorf("%s: no word of %q: %s", how, word, a.stderr)
			}
		}
		if n := strings.Count(a.stderr, "are used"); n != 1 {
			t.Errorf("%s: told %d times: %s", how, n, a.stderr)
		}
		if got := listedOf(t, s.ok(t, "--config", config, "device", "ls", "-o", "ndjson")); len(got) != len(fleet.Devices()) {
			t.Errorf("%s: device ls lists %d devices", how, len(got))
		}
	}
	b.be("well")
	if a := backup(t, len(fleet.Devices())); strings.Contains(a.stderr, "are used") {
		t.Errorf("when it is back, what it gives is not used: %s", a.stderr)
	}
	b.be("shrunk")
	if a := backup(t, 2, "--accept-shrunk"); strings.Contains(a.stderr, "are used") {
		t.Errorf("what is accepted is not used: %s", a.stderr)
	}
	backup(t, 2)
	b.Close()
	if a := backup(t, 2); !strings.Contains(a.stderr, "the 2 devices that it gave at") {
		t.Errorf("not told that it is gone: %s", a.stderr)
	}
}

func TestPasswordsOfAServerAreNotKept(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 3, Platforms: []string{"cisco_ios"}})
	b := newBooks(t, fleet, "Tk"+the.sec.wrong[2:])
	s := newSite(t)
	config := b.settings(s, t, fromJSON)
	backup := func() (answer, map[string]outcome) {
		a := s.muster(t, "--config", config, "backup", "-o", "ndjson", "-q", "-v")
		s.nowhere(t, a, b.token, the.sec.password, the.sec.level)
		return a, outcomes(t, a.stdout)
	}
	a, got := backup()
	s.loggedIn(t, fleet, a)
	b.be("cutting off") // the credential of the settings is what is left
	if a, got = backup(); len(got) != 3 || a.code != 0 || !strings.Contains(a.stderr, "3 of these devices had passwords from there, which are never kept") {
		t.Errorf("%d devices, exit %d: %s", len(got), a.code, a.stderr)
	}
}

func TestAServerThatHangsIsLeftAtOnce(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 3, Platforms: []string{"cisco_ios"}})
	b := newBooks(t, fleet, "Tk"+the.sec.wrong[2:])
	s := newSite(t)
	config := b.settings(s, t, fromNetBox)
	s.ok(t, "--config", config, "device", "ls")
	b.be("hanging")
	cmd := s.command(t.Context(), "--config", config, "device", "ls", "-o", "ndjson")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-b.asked
	began := time.Now()
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if took := time.Since(began); cmd.ProcessState.ExitCode() != 130 || took > 3*time.Second || strings.Contains(stderr.String(), "are used") {
		t.Errorf("exit %d after %v: %s%s", cmd.ProcessState.ExitCode(), took, stdout.String(), stderr.String())
	}
	b.be("well")
	if got := listedOf(t, s.ok(t, "--config", config, "device", "ls", "-o", "ndjson")); len(got) != 3 {
		t.Errorf("afterwards it lists %d devices", len(got))
	}
}
