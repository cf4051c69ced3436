package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

// scanRow is one host of a scan.
type scanRow struct {
	Address       string        `json:"address"`
	State         string        `json:"state"`
	RTT           *int64        `json:"rtt_us"`
	Late          bool          `json:"late"`
	Duplicates    int           `json:"duplicates"`
	Filtered      bool          `json:"filtered"` // a port answers, a ping does not
	Ports         []muster.Port `json:"ports"`
	PlatformGuess string        `json:"platform_guess"`
	LoggedIn      bool          `json:"logged_in"` // the platform is no guess
	KnownAs       string        `json:"known_as"`
	Name          string        `json:"name"`
	Hostname      string        `json:"hostname"`
	MAC           string        `json:"mac"`
	Vendor        string        `json:"vendor"`
	Change        string        `json:"change"`
	Reason        string        `json:"reason"` // why it is not up
	failureFields
}

func newScanRow(h muster.Host) scanRow {
	row := scanRow{
		Address: h.Addr.String(), State: string(h.State), Late: h.Late, Duplicates: h.Duplicates, Filtered: h.Filtered,
		Ports: h.Ports, PlatformGuess: h.Platform, LoggedIn: h.LoggedIn, KnownAs: h.Device, Name: h.Name, Hostname: h.Hostname,
		MAC: h.MAC, Vendor: h.Vendor, Change: string(h.Change), Reason: h.Reason, failureFields: fieldsOfFailure(h.Failure),
	}
	if row.Ports == nil {
		row.Ports = []muster.Port{}
	}
	if h.State == muster.HostUp {
		us := h.RTT.Microseconds()
		row.RTT = &us
	}
	return row
}

// scanView shows what was asked for; with compared also what has changed.
func scanView(s *scanFlags, compared bool) view[scanRow] {
	columns := []column[scanRow]{
		{head: "ADDRESS", cell: func(r scanRow) string { return r.Address }, tone: func(r scanRow) tone {
			if r.State == string(muster.HostUp) {
				return good
			}
			return faint
		}},
		{head: "RTT", cell: scanRow.rtt, right: true},
	}
	if len(s.options.Ports) > 0 || s.options.Identify || s.options.Login {
		columns = append(columns, column[scanRow]{head: "PORTS", cell: scanRow.open})
	}
	columns = append(columns,
		column[scanRow]{head: "WHAT", cell: scanRow.what},
		column[scanRow]{head: "KNOWN AS", cell: func(r scanRow) string { return orDash(r.KnownAs) }},
	)
	if compared {
		columns = append(columns, column[scanRow]{head: "CHANGE", cell: func(r scanRow) string { return r.Change }, tone: func(scanRow) tone { return changed }})
	}
	return view[scanRow]{columns: columns, note: scanRow.notes, word: func(r scanRow) string { return r.Address }}
}

// rtt is the round trip as people read it: 0.05 ms.
func (r scanRow) rtt() string {
	if r.RTT == nil {
		return "-"
	}
	return strconv.FormatFloat(float64(*r.RTT)/1000, 'f', 2, 64) + " ms"
}

// open are the ports that are open.
func (r scanRow) open() string {
	var open []string
	for _, p := range r.Ports {
		if p.State == muster.PortOpen || p.State == muster.PortMute {
			open = append(open, strconv.Itoa(p.Number))
		}
	}
	return orDash(strings.Join(open, ","))
}

// what is all that is known of a host, in few words.
func (r scanRow) what() string {
	if r.State != string(muster.HostUp) {
		return strings.Join(compact(r.State, r.Reason), ": ")
	}
	words := r.said()
	if r.PlatformGuess != "" {
		words = append(words, r.PlatformGuess+map[bool]string{false: "?"}[r.LoggedIn])
	}
	words = append(words, compact(r.Hostname, r.Name, r.Vendor)...)
	for _, odd := range []struct {
		is   bool
		text string
	}{{r.Filtered, "no ping"}, {r.Late, "late"}, {r.Duplicates > 0, fmt.Sprintf("%d duplicates", r.Duplicates)}} {
		if odd.is {
			words = append(words, odd.text)
		}
	}
	return orDash(strings.Join(words, "  "))
}

// said is what the open ports said by themselves.
func (r scanRow) said() []string {
	var words []string
	for _, p := range r.Ports {
		switch {
		case p.State == muster.PortMute:
			words = append(words, "open, mute: no banner in 3 s")
		case p.Banner != "":
			words = append(words, p.Banner)
		case p.State == muster.PortClosed && len(r.Ports) == 1:
			words = append(words, fmt.Sprintf("refuses %d", p.Number))
		}
	}
	return words
}

// notes are why a login failed.
func (r scanRow) notes() []string {
	if r.Code == "" {
		return nil
	}
	return []string{strings.Join(compact(r.Stage, r.Code, r.Error), "  ")}
}

// scanFoot is the end of a scan for people.
func (p *program) scanFoot(s *app.Scan, f *scanFlags, cut bool) string {
	sum := s.Summary
	lines := []string{fmt.Sprintf("Found %d hosts up in %s: %s, %s.", sum.Up, s.Targets.Label(), scanCounts(sum, f.options.Progress.Done.Load(), cut),
		shortDuration(time.Duration(sum.DurationMS)*time.Millisecond))}
	if sum.Lost > 0 {
		lines = append(lines, scanDoubts(sum)...)
	}
	if sum.Compared != nil && !cut {
		lines = append(lines, scanCompared(s)...)
	}
	if add := f.adding(); add != "" && !f.add && !cut && sum.Up > 0 && p.stdoutTerminal {
		lines = append(lines, "Add what speaks SSH:"+p.again(add))
	}
	return strings.Join(lines, "\n")
}

// scanDoubts says why a scan is not complete and what to try.
func scanDoubts(sum app.ScanSummary) []string {
	why, try := "requests could not be sent", "the routes and the firewall of this machine, fewer connections --in-flight"
	switch {
	case sum.ReceiveDrops > 0:
		why, try = "replies were lost here", fmt.Sprintf("a lower --rate, more --retries, a larger --buffer (%d bytes were granted)", sum.Buffer)
	case sum.Doubt != "":
		why += ": " + visible(sum.Doubt)
	}
	return []string{fmt.Sprintf("Not complete: %d hosts are in doubt, because %s.", sum.Lost, why), noteIndent + "try: " + try}
}

// scanCounts is what was not found and what was odd.
func scanCounts(sum app.ScanSummary, done int64, cut bool) string {
	words := []string{fmt.Sprintf("%d silent", sum.Targets-sum.Up)}
	if cut {
		words = []string{fmt.Sprintf("interrupted, %d without a verdict", int64(sum.Targets)-done)}
	}
	words = append(words, fmt.Sprintf("%d receive drops", sum.ReceiveDrops), fmt.Sprintf("%d late", sum.Late))
	for _, odd := range []struct {
		n    int
		what string
	}{{sum.Duplicates, "duplicates"}, {sum.Unreachable, "unreachable messages"}, {sum.SendErrors, "send errors"}, {sum.Foreign, "forged replies"}} {
		if odd.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", odd.n, odd.what))
		}
	}
	return strings.Join(words, ", ")
}

// goneNamed is how many hosts that are gone are named.
const goneNamed = 10

// scanCompared tells the differences to the last scan. Who is gone is not known where a silent host may be up.
func scanCompared(s *app.Scan) []string {
	sum := s.Summary
	since := fmt.Sprintf("Since the last scan (%s): %d new, ", clock(sum.Compared), sum.New)
	if !sum.Complete() {
		return []string{since + fmt.Sprintf("%d changed; this scan is not complete, so that nobody is called gone.", sum.Changed)}
	}
	lines := []string{since + fmt.Sprintf("%d gone, %d changed.", sum.Gone, sum.Changed)}
	var names []string
	for i, h := range s.Gone() {
		if i == goneNamed {
			names = append(names, fmt.Sprintf("and %d more", sum.Gone-goneNamed))
			break
		}
		names = append(names, strings.Join(compact(h.Addr.String(), h.Device), " "))
	}
	if len(names) > 0 {
		lines = append(lines, "Gone: "+strings.Join(names, ", "))
	}
	return lines
}

func quotedAll(words []string) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = quoted(w)
	}
	return all
}
