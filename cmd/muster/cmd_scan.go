package main

import (
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

// scanFlags are the flags of scan.
type scanFlags struct {
	options app.ScanOptions
	args    []string
	ports   string
	rate    int
	timeout span
	linger  span
	files   []string
	add     bool
	dryRun  bool
}

// defaultLinger is how long a scan waits for late replies after the time of the last request.
const defaultLinger = 50 * time.Millisecond

func (p *program) scanCommand() *cobra.Command {
	s := scanFlags{rate: 5000, timeout: span(2 * time.Second), linger: span(defaultLinger)}
	c := &cobra.Command{
		Use:   "scan PREFIX...",
		Short: "Find every host of a network, and say what was lost",
		Long: `Find every host of a network: prefixes, ranges (192.0.2.10-192.0.2.40, 192.0.2.10-40), addresses, names. All are
pinged over one socket; with --tcp every address is asked for those ports too, so that a host that drops pings is found (it is marked: no ping). What an
open port says by itself is shown. A bare network address such as 10.50.1.0 means its /24.

--identify asks what is up for SSH, its name, and logs in to devices of the inventory whose platform nobody knows yet.
--login logs in to everything that speaks SSH, with the default credentials: the hosts get to see them, so only scan
networks that are yours. --add puts what speaks SSH and no inventory knows into devices.yaml.

The result is compared with that of the last scan of the same targets. Exit 1 when replies were lost for good, so that a
silent host may be up: that is never left unsaid.`,
		Example: `  muster scan 192.0.2.0/24
  muster scan 192.0.2.0/24 198.51.100.10-40 --tcp 22,443
  muster scan 192.0.2.0/24 --exclude 192.0.2.128/25
  muster scan 192.0.2.0/24 --identify --add
  muster scan 192.0.2.0/24 -o list | muster run -f - -- show version`,
	}
	s.define(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := s.complete(p, args); err != nil {
			return err
		}
		return p.with(c.Context(), func(a *app.App) error { return p.scan(c.Context(), a, &s) })
	}
	return c
}

func (s *scanFlags) define(c *cobra.Command) {
	f, o := c.Flags(), &s.options
	f.StringVar(&s.ports, "tcp", "", "ask every address for these `PORTS` too: 22,443 or 8000-8010")
	f.BoolVar(&o.NoPing, "no-ping", false, "do not ping: ask by --tcp alone")
	f.IntVar(&s.rate, "rate", s.rate, "`N` requests a second (0: as fast as the kernel takes them)")
	f.IntVar(&o.Retries, "retries", 1, "ask the silent ones `N` times more")
	f.Var(&s.timeout, "timeout", "how long each try waits")
	f.Var(&s.linger, "linger", "wait so much longer for late replies to the last try")
	f.StringArrayVar(&o.Exclude, "exclude", nil, "leave out `PREFIX`, range or address (repeatable)")
	f.BoolVar(&o.Identify, "identify", false, "ask what is up for SSH, name and platform")
	f.BoolVar(&o.Login, "login", false, "log in to all that speaks SSH, also to what no inventory knows")
	f.BoolVar(&o.All, "all", false, "show the silent ones too")
	f.BoolVar(&s.add, "add", false, "add what speaks SSH and is not known to devices.yaml")
	dryRunFlag(c, &s.dryRun)
	f.StringArrayVarP(&s.files, "file", "f", nil, "read targets from `FILE`, one a line (- for standard input; repeatable)")
	f.IntVar(&o.Max, "max", 0, "`N` addresses of a scan at most (default 1048576)")
	f.IntVar(&o.InFlight, "in-flight", 0, "`N` connections at once at most (default 2048)")
	f.IntVar(&o.Buffer, "buffer", 0, "receive buffer to ask the kernel for, in `BYTES` (default 33554432)")
}

// complete puts together what the flags and arguments say.
func (s *scanFlags) complete(p *program, args []string) error {
	o := &s.options
	s.args = args
	for _, n := range []int{s.rate, o.Retries, o.Max, o.InFlight, o.Buffer} {
		if n < 0 {
			return usage("--rate, --retries, --max, --in-flight and --buffer are not negative")
		}
	}
	var err error
	if o.Ports, err = parsePorts(s.ports); err != nil {
		return err
	}
	if o.Retries > app.MaxScanRetries {
		return usage("--retries %d: the silent ones are asked again at most %d times", o.Retries, app.MaxScanRetries)
	}
	if s.timeout == 0 {
		return usage("--timeout 0s waits for nobody")
	}
	if o.NoPing && len(o.Ports) == 0 {
		return usage("--no-ping leaves nothing to ask: name ports with --tcp")
	}
	if s.dryRun && !s.add {
		return usage("--dry-run says what --add would do: give both")
	}
	if o.Targets, err = s.targets(p, args); err != nil {
		return err
	}
	o.Rate = s.rate
	if s.rate == 0 {
		o.Rate = -1
	}
	o.Timeout, o.Linger = s.timeout.duration(), s.linger.duration()
	o.Identify = o.Identify || s.add
	return nil
}

// targets are the arguments and the lines of the lists. In a list an address is that address, as scan itself lists them:
// only a person who types 192.0.2.0 means its /24.
func (s *scanFlags) targets(p *program, args []string) ([]string, error) {
	lists := selector{p: p, files: s.files}
	terms, err := lists.terms(args)
	if err == nil && len(terms) == 0 {
		return nil, usage("scan wants to be told what: a prefix such as 192.0.2.0/24, a range, addresses")
	}
	typed := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "-" })
	for i := len(typed); i < len(terms); i++ {
		if addr, err := netip.ParseAddr(terms[i]); err == nil {
			terms[i] = app.AloneTarget(addr)
		}
	}
	return terms, err
}

// adding is a command line that adds what this one found; empty where nobody can repeat it, because it read a pipe.
func (s *scanFlags) adding() string {
	words := append([]string{"scan"}, quotedAll(s.args)...)
	for _, flag := range []struct {
		name   string
		values []string
	}{{"-f", s.files}, {"--exclude", s.options.Exclude}, {"--tcp", compact(s.ports)}} {
		for _, v := range flag.values {
			words = append(words, flag.name, quoted(v))
		}
	}
	if slices.Contains(words, "-") {
		return ""
	}
	if s.options.NoPing {
		words = append(words, "--no-ping")
	}
	return strings.Join(append(words, "--add"), " ")
}

// parsePorts reads 22,443,8000-8010.
func parsePorts(text string) ([]int, error) {
	var ports []int
	for part := range strings.SplitSeq(text, ",") {
		if text == "" {
			return nil, nil
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || from < 1 || to < from {
			return nil, usage("--tcp %q: %q is no port: ports are 1 to 65535, as in 22,443 or 8000-8010", text, part)
		}
		for ; from <= to; from++ {
			ports = append(ports, int(from))
		}
	}
	return ports, nil
}

// scanGC is how much garbage a scan makes before it is collected, in per cent of what it holds: little, because the ten
// megabytes that a million targets take hold no pointers and are looked through in no time.
const scanGC = 25

// scan runs a scan and prints what it finds.
func (p *program) scan(ctx context.Context, a *app.App, s *scanFlags) error {
	defer debug.SetGCPercent(debug.SetGCPercent(scanGC))
	scan, watch, err := p.newScan(ctx, a, s)
	if err != nil {
		return err
	}
	out := newOutput(p, scanView(s, scan.Summary.Compared != nil))
	var found scanned
	err = p.showing(ctx, watch.line, func(ctx context.Context) (err error) {
		found, err = s.take(ctx, scan, out)
		return err
	})
	broken := found.cut != nil && ctx.Err() == nil
	switch {
	case err != nil && ctx.Err() == nil:
		return err
	case broken && out.taken == 0:
		return found.cut
	}
	if err := out.end(scan.Summary, p.scanFoot(scan, s, found.cut != nil)); err != nil {
		return err
	}
	if broken {
		return found.cut
	}
	if scan.Summary.Lost > 0 && (p.format == formatList || p.format == formatCSV) { // which have no place for it
		p.warn(scanDoubts(scan.Summary))
	}
	if s.add && found.cut == nil {
		if err := p.addHosts(ctx, a, found.hosts, s.dryRun); err != nil {
			return err
		}
	}
	return interruptedOr(ctx, scan.Summary.Lost)
}

// scanned is what a scan gave.
type scanned struct {
	hosts []muster.Host // kept for --add alone
	cut   error         // what ended it too early
}

// take prints what a scan finds. The error is that of the output: what ends a scan too early takes nothing from what was
// found until then.
func (s *scanFlags) take(ctx context.Context, scan *app.Scan, out *output[scanRow]) (found scanned, err error) {
	for h, err := range scan.Hosts(ctx) {
		if err != nil {
			found.cut = err
			break
		}
		if s.add {
			found.hosts = append(found.hosts, h)
		}
		index, _ := scan.Targets.Index(h.Addr)
		if err := out.add(index, newScanRow(h)); err != nil {
			return found, err
		}
	}
	return found, nil
}

// newScan prepares a scan, says what a person should know before it, and gives what shows its progress.
func (p *program) newScan(ctx context.Context, a *app.App, s *scanFlags) (*app.Scan, scanProgress, error) {
	s.options.Note = func(text string) { p.warn([]string{text}) }
	s.options.Progress = new(app.ScanProgress)
	scan, err := a.Scan(ctx, s.options)
	if err != nil {
		return nil, scanProgress{}, err
	}
	for _, note := range scan.Targets.Notes() {
		p.hint("%s", note)
	}
	return scan, scanProgress{scan.Targets.Len(), time.Now(), s.options.Progress}, nil
}

// addHosts puts hosts into devices.yaml.
func (p *program) addHosts(ctx context.Context, a *app.App, hosts []muster.Host, dryRun bool) error {
	devices, file, err := a.AddHosts(ctx, hosts, dryRun)
	if err != nil {
		return err
	}
	verb := "added"
	if dryRun {
		verb = "would add"
	}
	for _, d := range devices {
		p.hint("%s %s", verb, strings.Join(compact(d.Name, d.Address, d.Platform), "  "))
	}
	if len(devices) == 0 {
		p.hint("nothing to add: no host that speaks SSH and that no inventory knows")
		return nil
	}
	p.hint("%s %d devices to %s", verb, len(devices), file)
	return nil
}

// compact leaves out empty words.
func compact(words ...string) []string {
	var some []string
	for _, w := range words {
		if w != "" {
			some = append(some, w)
		}
	}
	return some
}

// scanProgress is the progress of a scan.
type scanProgress struct {
	total int
	began time.Time
	done  *app.ScanProgress
}

func (s scanProgress) line(now time.Time) string {
	asked, done, up := s.done.Asked.Load(), s.done.Done.Load(), s.done.Up.Load()
	line := fmt.Sprintf(" %d/%d asked  %d up", asked, s.total, up)
	elapsed := now.Sub(s.began)
	switch {
	case asked == 0 || elapsed <= 0:
		return line
	case asked >= int64(s.total):
		return line + fmt.Sprintf("  %d without a verdict", int64(s.total)-done)
	}
	rate := float64(asked) / elapsed.Seconds()
	left := time.Duration(float64(int64(s.total)-asked) / rate * float64(time.Second))
	return line + fmt.Sprintf("  %.0f/s  ETA %s", rate, shortDuration(left.Round(time.Second)))
}
