//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// What `muster syslog` does with input that is wrong.

func TestSyslogSaysWhatIsWrongWithItsInputInOneSentence(t *testing.T) {
	t.Parallel()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	s := newSite(t)
	running := filepath.Join(s.dir, "log")
	h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--unix", filepath.Join(s.dir, "socket"), "--archive", running)
	tell(t, h.at["udp"], [][]byte{[]byte("<187>Nov 29 04:08:48 host1 app[1]: there")})
	h.await(t, 10*time.Second, "it is archived", func(c heard) bool { return c.Archived == 1 })
	a := newAuthority(t)
	cert, key := a.issue(t, "collector", time.Hour)
	_, strange := a.issue(t, "another", time.Hour)
	good, goodKey, other := s.write(t, "cert.pem", cert), s.write(t, "key.pem", key), s.write(t, "other.pem", strange)
	noPEM := s.write(t, "no.pem", "no certificate at all\n")
	listen := func(args ...string) []string { return append([]string{"syslog", "listen"}, args...) }
	search := func(args ...string) []string {
		return append([]string{"syslog", "search", "--archive", running}, args...)
	}
	for name, c := range map[string]struct {
		args  []string
		code  int
		words []string
	}{
		"no address":                              {listen(), 2, []string{"--udp"}},
		"an address without a port":               {listen("--udp", "127.0.0.1"), 2, []string{"127.0.0.1", "port"}},
		"a port above 65535":                      {listen("--udp", "127.0.0.1:99999"), 2, []string{"99999", "port"}},
		"an address that is not this machine's":   {listen("--tcp", "192.0.2.1:1514"), 2, []string{"192.0.2.1:1514"}},
		"a port that another muster has, of UDP":  {listen("--udp", h.at["udp"]), 2, []string{h.at["udp"], "in use"}},
		"a port that another muster has, of TCP":  {listen("--tcp", h.at["tcp"]), 2, []string{h.at["tcp"], "in use"}},
		"a port that another program has, of UDP": {listen("--udp", udp.LocalAddr().String()), 2, []string{udp.LocalAddr().String(), "in use"}},
		"a port that another program has, of TCP": {listen("--tcp", tcp.Addr().String()), 2, []string{tcp.Addr().String(), "in use"}},
		"a socket that another muster has":        {listen("--unix", filepath.Join(s.dir, "socket")), 2, []string{"socket", "in use"}},
		"a socket where a file is":                {listen("--unix", good), 2, []string{good, "no socket"}},
		"TLS without a certificate":               {listen("--tls", "127.0.0.1:0"), 2, []string{"--tls-cert", "--tls-key"}},
		"a certificate that is not there":         {listen("--tls", "127.0.0.1:0", "--tls-cert", "/nowhere/cert.pem", "--tls-key", goodKey), 2, []string{"/nowhere/cert.pem"}},
		"a certificate that is none":              {listen("--tls", "127.0.0.1:0", "--tls-cert", noPEM, "--tls-key", goodKey), 2, []string{noPEM}},
		"a key that is another one's":             {listen("--tls", "127.0.0.1:0", "--tls-cert", good, "--tls-key", other), 2, []string{"key"}},
		"an authority that is none":               {listen("--tls", "127.0.0.1:0", "--tls-cert", good, "--tls-key", goodKey, "--tls-client-ca", noPEM), 2, []string{noPEM}},
		"an expression that does not parse":       {listen("--udp", "127.0.0.1:0", "--match", "("), 2, []string{"--match", `"("`, "missing closing )"}},
		"an expression of nothing":                {listen("--udp", "127.0.0.1:0", "--match", ""), 2, []string{"--match"}},
		"a webhook that is no URL":                {listen("--udp", "127.0.0.1:0", "--match", "CRITICAL", "--webhook", "nonsense"), 2, []string{"--webhook", "URL"}},
		"a webhook that is kept nowhere":          {listen("--udp", "127.0.0.1:0", "--match", "CRITICAL", "--webhook", "env:NO_SUCH_HOOK"), 2, []string{"--webhook", "NO_SUCH_HOOK"}},
		"a webhook without anything to send":      {listen("--udp", "127.0.0.1:0", "--webhook", "http://127.0.0.1:9/"), 2, []string{"--webhook", "--match"}},
		"a count below nothing":                   {listen("--udp", "127.0.0.1:0", "--count", "-1"), 2, []string{"--count"}},
		"an archive that another muster writes":   {listen("--udp", "127.0.0.1:0", "--archive", running), 4, []string{running, fmt.Sprint(h.cmd.Process.Pid)}},
		"an archive where a file is":              {listen("--udp", "127.0.0.1:0", "--archive", good), 4, []string{good}},
		"search where there is no archive":        {[]string{"syslog", "search", "--archive", "/nowhere/log"}, 3, []string{"/nowhere/log"}},
		"search where a file is":                  {[]string{"syslog", "search", "--archive", good}, 3, []string{good}},
		"search in no data directory":             {[]string{"syslog", "search"}, 3, []string{s.data, "syslog listen"}},
		"tail where there is no archive":          {[]string{"syslog", "tail", "--archive", "/nowhere/log"}, 3, []string{"/nowhere/log"}},
		"search since a time that is none":        {search("--since", "yesterdayish"), 2, []string{"--since", "2h"}},
		"search until a time that is none":        {search("--until", "-1h"), 2, []string{"--until", "2h"}},
		"search of a time that ends too soon":     {search("--since", "2026-11-22", "--until", "2026-11-21"), 2, []string{"2026-11-22", "2026-11-21"}},
		"search for an unknown severity":          {search("--severity", "terrible"), 2, []string{"terrible", "critical"}},
		"search for less than nothing":            {search("--limit", "-1"), 2, []string{"--limit"}},
		"search by what does not parse":           {search("--match", "("), 2, []string{"--match", "missing closing )"}},
		"search for what is not there":            {search("--text", "nobody has said this"), 3, nil},
		"search of a sender who never was":        {search("192.0.2.99"), 3, nil},
		"tail of less than nothing":               {[]string{"syslog", "tail", "--archive", running, "-n", "-1"}, 2, []string{"--lines"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := s.command(ctx, c.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); ctx.Err() != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			answer{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}.complaint(t, c.code, c.words...)
		})
	}
}

func TestSyslogOfAUserWhoMayNotHaveThePortSaysSo(t *testing.T) {
	w := newSpace(t, "sysctl -q net.ipv4.ip_unprivileged_port_start=1024\n")
	for _, flag := range []string{"--udp", "--tcp"} {
		a, _ := w.run(t, unprivileged(t, newSite(t), "syslog", "listen", flag, "127.0.0.1:514"))
		a.complaint(t, 2, "127.0.0.1:514", "permission denied")
	}
}
