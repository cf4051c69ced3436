//go:build e2e && linux

package e2e

import (
	"encoding/csv"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What `muster scan` is told and what it prints.

func TestScanSaysWhatIsWrongWithItsTargetsInOneSentence(t *testing.T) {
	w := newSpace(t, "")
	for name, c := range map[string]struct {
		args  []string
		code  int
		words []string
	}{
		"no target":                            {nil, 2, nil},
		"the whole Internet":                   {[]string{"0.0.0.0/0"}, 2, []string{"0.0.0.0/0", "4,294,967,296", "--max"}},
		"a prefix above the limit":             {[]string{"127.0.0.0/8"}, 2, []string{"127.0.0.0/8", "16,777,216", "--max"}},
		"prefixes that are too many together":  {[]string{"127.16.0.0/12", "127.32.0.1"}, 2, []string{"1,048,577", "--max"}},
		"a subnet of IPv6":                     {[]string{"2001:db8::/64"}, 2, []string{"2001:db8::/64"}},
		"all of IPv6":                          {[]string{"::/0"}, 2, []string{"::/0"}},
		"an unknown host":                      {[]string{"nosuch.onion"}, 2, []string{"nosuch.onion"}},
		"an octet above 255":                   {[]string{"127.0.0.256"}, 2, []string{"127.0.0.256"}},
		"a length above 32":                    {[]string{"127.1.0.0/33"}, 2, []string{"127.1.0.0/33"}},
		"a range backwards":                    {[]string{"127.1.0.9-127.1.0.1"}, 2, []string{"127.1.0.9-127.1.0.1"}},
		"an address with a port":               {[]string{"127.1.0.1:22"}, 2, []string{"127.1.0.1:22", "--tcp"}},
		"a link":                               {[]string{"http://127.1.0.1/"}, 2, []string{"http://127.1.0.1/"}},
		"an octet with a leading zero":         {[]string{"127.1.0.010"}, 2, []string{"127.1.0.010"}},
		"multicast":                            {[]string{"224.0.0.1"}, 2, []string{"224.0.0.1"}},
		"an empty word":                        {[]string{""}, 2, nil},
		"a bad exclusion":                      {[]string{"127.1.0.0/30", "--exclude", "127.1"}, 2, []string{"127.1"}},
		"an exclusion that leaves nothing":     {[]string{"127.1.0.0/30", "--exclude", "127.1.0.0/24"}, 3, nil},
		"a file that is not there":             {[]string{"-f", "/nowhere/targets"}, 2, []string{"/nowhere/targets"}},
		"port 0":                               {[]string{"127.1.0.1", "--tcp", "0"}, 2, []string{"0"}},
		"a port above 65535":                   {[]string{"127.1.0.1", "--tcp", "22,70000"}, 2, []string{"70000"}},
		"a port that is a word":                {[]string{"127.1.0.1", "--tcp", "ssh"}, 2, []string{"ssh"}},
		"neither ping nor port":                {[]string{"127.1.0.1", "--no-ping"}, 2, []string{"--tcp"}},
		"a negative rate":                      {[]string{"127.1.0.1", "--rate", "-5"}, 2, []string{"rate"}},
		"a negative number of retries":         {[]string{"127.1.0.1", "--retries", "-1"}, 2, []string{"retries"}},
		"a time without a unit":                {[]string{"127.1.0.1", "--timeout", "five"}, 2, []string{"five"}},
		"a buffer below nothing":               {[]string{"127.1.0.1", "--buffer", "-1"}, 2, []string{"buffer"}},
		"an unknown format":                    {[]string{"127.1.0.1", "-o", "xml"}, 2, []string{"xml", "ndjson"}},
		"a password where none may be said":    {[]string{"127.1.0.1", "--password", "x"}, 2, []string{"--password"}},
		"a host name that is half a sentence":  {[]string{"core switch"}, 2, []string{"core switch"}},
		"a trial of nothing":                   {[]string{"127.1.0.1", "--dry-run"}, 2, []string{"--dry-run", "--add"}},
		"control bytes that are not printable": {[]string{"127.1.0.1\x1b[2J"}, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			began := time.Now()
			a, _ := w.run(t, s.command(t.Context(), append([]string{"scan"}, c.args...)...))
			a.complaint(t, c.code, c.words...)
			if strings.Contains(a.stderr, "\x1b") || time.Since(began) > 20*time.Second {
				t.Errorf("%q after %v", a.stderr, time.Since(began))
			}
		})
	}
}

func TestScanNotesExclusionsThatOverlapAndGoesOn(t *testing.T) {
	w := newSpace(t, "")
	r := w.scan(t, newSite(t), "127.1.0.0/24", "127.1.0.16/28", "--exclude", "127.1.0.128/25", "--exclude", "127.1.0.192/26", "--exclude", "198.18.0.0/24")
	r.exactly(t, addresses("127.1.0.0", 128, 1))
	for _, word := range []string{"127.1.0.192/26", "198.18.0.0/24"} {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("no word of %s, which excludes nothing more:\n%s", word, r.stderr)
		}
	}
}

func TestScanTakesABareNetworkAddressAsItsSlash24AndSaysSo(t *testing.T) {
	w := newSpace(t, "")
	r := w.scan(t, newSite(t), "127.1.9.0")
	r.exactly(t, addresses("127.1.9.0", 256, 1))
	if !strings.Contains(r.stderr, "127.1.9.0/24") {
		t.Errorf("not said:\n%s", r.stderr)
	}
}

func TestScanSpeaksEveryFormat(t *testing.T) {
	w := newSpace(t, "")
	w.serve(t, 22, named)
	s := newSite(t)
	const targets = 16
	of := func(format string) answer {
		a, _ := w.run(t, s.command(t.Context(), "scan", "127.1.0.0/28", "--tcp", "22", "-o", format))
		if a.code != 0 {
			t.Errorf("-o %s: exit %d\n%s", format, a.code, a.stderr)
		}
		return a
	}
	var want []string
	for _, addr := range addresses("127.1.0.0", targets, 1) {
		want = append(want, addr.String())
	}

	var doc struct {
		Results []host
		Summary tally
	}
	if err := json.Unmarshal([]byte(of("json").stdout), &doc); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, h := range doc.Results {
		got = append(got, h.Address.String())
		if h.Index == nil || *h.Index != i || h.State != "up" || h.port(22).Banner != identification || h.Platform != "linux" {
			t.Errorf("%+v", h)
		}
	}
	if !slices.Equal(got, want) || doc.Summary.Up != targets || doc.Summary.Targets != targets {
		t.Errorf("json: %v, %+v", got, doc.Summary)
	}

	if list := of("list").stdout; list != strings.Join(want, "\n")+"\n" {
		t.Errorf("list: %q", list)
	}

	rows, err := csv.NewReader(strings.NewReader(of("csv").stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[0], "address")
	if column < 0 || len(rows) != 1+targets || rows[1][column] != want[0] || rows[targets][column] != want[targets-1] {
		t.Errorf("csv: %q", rows)
	}

	table := of("table")
	if !strings.Contains("\n"+table.stdout+table.stderr, "\nFound 16 hosts up in 127.1.0.0/28") || !strings.Contains(table.stdout, identification) {
		t.Errorf("table:\n%s%s", table.stdout, table.stderr)
	}
}

// interrupted starts a scan of 256 hosts of which 16 answer, and interrupts it when all were asked.
func interrupted(t *testing.T, format string) answer {
	w, network := respond(t, func(r *responder, request []byte) {
		if request[19]%16 == 0 {
			r.reply(request)
		}
	})
	var stdout, stderr console
	cmd := w.enter(newSite(t).command(t.Context(), "scan", "198.18.0.0/24", "--timeout", "50s", "--rate", "0", "-o", format))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, 20*time.Second, "all are asked", func() bool { return network.asked.Load() == 256 })
	time.Sleep(100 * time.Millisecond) // replies are on their way
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || time.Since(began) > 5*time.Second {
		t.Errorf("exit %d after %v, want 130 at once\n%s", code, time.Since(began), &stderr)
	}
	return answer{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func TestScanThatIsInterruptedPrintsWhatIsKnown(t *testing.T) {
	want := addresses("198.18.0.0", 16, 16)
	var got []netip.Addr
	a := interrupted(t, "ndjson")
	for addr := range hostsOf(t, a.stdout) {
		got = append(got, addr)
	}
	slices.SortFunc(got, netip.Addr.Compare)
	if sum := summaryOf(t, a.stderr); !slices.Equal(got, want) || sum.Up != len(want) {
		t.Errorf("found %v, %+v", got, sum)
	}
	a = interrupted(t, "table")
	for _, addr := range want {
		if !strings.Contains(a.stdout, addr.String()) {
			t.Errorf("the table has no %s:\n%s%s", addr, a.stdout, a.stderr)
		}
	}
	if !strings.Contains(a.stdout, "\nFound 16 hosts up in 198.18.0.0/24: interrupted") {
		t.Errorf("the summary is not there:\n%s%s", a.stdout, a.stderr)
	}
}
