package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/scan"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
)

// ScanOptions are the flags of scan.
type ScanOptions struct {
	Targets  []string // prefixes, ranges, addresses and names
	Exclude  []string
	Max      int // most addresses; 0: scan.DefaultMax
	Ports    []int
	NoPing   bool
	Identify bool // ask hosts that are up what they are: SSH, reverse DNS, the login of devices whose platform nobody knows
	Login    bool // log in to every host that speaks SSH, with the default credentials where no inventory knows it
	All      bool // yield the silent ones too
	Forget   bool // neither compare with the last scan of the same targets nor keep this one for the next

	Rate     int // requests a second; 0: ping.DefaultRate, negative: as fast as the kernel takes them
	Retries  int
	Timeout  time.Duration // of each try; 0: ping.DefaultTimeout
	Linger   time.Duration
	Buffer   int
	InFlight int

	Note     func(string)  // hears what an operator should know; nil: nobody does
	Progress *ScanProgress // nil: nobody watches
}

// MaxScanRetries is how often a silent target is asked again at most.
const MaxScanRetries = ping.MaxTries - 1

// ScanProgress counts what a scan has done. It may be read at any time.
type ScanProgress = scan.Progress

// ScanSummary is the end of a scan.
type ScanSummary struct {
	scan.Summary
	New     int    `json:"new"` // against the last scan of the same targets, as the next two
	Gone    int    `json:"gone"`
	GoneAre string `json:"gone_addresses"` // the canonical text of the set of those
	Changed int    `json:"changed"`

	Compared *time.Time `json:"compared_with"` // when that was; nil: this was the first
}

// Scan is a scan that can be run.
type Scan struct {
	Targets scan.Targets
	Summary ScanSummary // kept up to date while it runs

	app        *App
	options    ScanOptions
	known      knownDevices
	links      *neighbourhood
	identify   *identifier
	comparison *scan.Comparison
	up         *scan.Set
	telling    []muster.Host // hosts of which more is known than that they are up
	gone       []muster.Host
	began      time.Time
}

// Scan reads the targets of a scan and what was found at the last one. Nothing is sent but what looking names up takes.
func (a *App) Scan(ctx context.Context, o ScanOptions) (*Scan, error) {
	onLink, err := scan.OnLink()
	if err != nil {
		return nil, fmt.Errorf("look at the interfaces of this machine: %w", err)
	}
	targets, err := scan.Parse(ctx, o.Targets, scan.ParseOptions{Exclude: o.Exclude, Max: o.Max, OnLink: onLink, Lookup: a.addresses})
	if errors.Is(err, scan.ErrNothingLeft) {
		return nil, fmt.Errorf("%w: %w", ErrNothing, err)
	}
	if err != nil {
		return nil, usage(err)
	}
	s := &Scan{app: a, options: o, Targets: targets, known: a.knownDevices(), links: newNeighbourhood(onLink), up: scan.NewSet(targets)}
	if o.Identify || o.Login {
		if s.identify, err = a.identifier(ctx, o, s.known); err != nil {
			return nil, err
		}
	}
	if !o.Forget {
		if err := s.compareWithLast(ctx); err != nil {
			s.warn("nothing is known of the last scan", err)
		}
	}
	return s, nil
}

// warn tells of what went wrong and is no reason to fail: what the scan finds is told all the same.
func (s *Scan) warn(what string, err error) { s.options.warn(what, err) }

func (o ScanOptions) warn(what string, err error) {
	if o.Note != nil {
		o.Note(fmt.Sprintf("%s: %s", what, strings.TrimPrefix(err.Error(), ErrStore.Error()+": ")))
	}
}

// Hosts runs the scan and yields what it finds. The error is not nil only once, at the end, where the scan as a whole did
// not come to its end.
func (s *Scan) Hosts(ctx context.Context) iter.Seq2[muster.Host, error] {
	return func(yield func(muster.Host, error) bool) {
		s.began = time.Now()
		for h, err := range scan.Run(ctx, s.Targets, s.config()) {
			if err != nil {
				yield(h, scanError(err))
				return
			}
			s.describe(ctx, &h)
			s.note(h)
			if !yield(h, nil) {
				return
			}
		}
		s.finish(ctx)
	}
}

// Gone are the hosts that were up at the last scan of the same targets and are not now, after Hosts has ended.
func (s *Scan) Gone() []muster.Host { return s.gone }

func (s *Scan) config() scan.Config {
	o := s.options
	c := scan.Config{
		NoPing: o.NoPing, Ports: o.Ports, InFlight: s.app.connections(o.InFlight), All: o.All,
		Summary: &s.Summary.Summary, Progress: o.Progress,
		Ping: ping.Config{
			Rate: o.Rate, Tries: o.Retries + 1, Timeout: o.Timeout, Linger: o.Linger, Buffer: o.Buffer, Note: o.Note,
		},
	}
	if s.identify != nil {
		c.Identify = s.identify.host
	}
	return c
}

// scanError marks what a person can mend by another command line.
func scanError(err error) error {
	if errors.Is(err, ping.ErrNotAllowed) || errors.Is(err, exec.ErrNotFound) {
		return usage(fmt.Errorf("%w; to scan without pings: --no-ping --tcp 22", err))
	}
	return err
}

// connections is how many connections a scan may have open at once: half of what this process may open.
func (a *App) connections(wanted int) int {
	n := cmp.Or(wanted, scan.DefaultInFlight)
	if most, ok := openFiles(); ok {
		n = max(1, min(n, int(most/2)))
	}
	return n
}

// note remembers a host for the comparison and the store.
func (s *Scan) note(h muster.Host) {
	if h.State != muster.HostUp {
		return
	}
	s.up.Add(h.Addr)
	if tells(h) {
		s.telling = append(s.telling, h)
	}
	switch h.Change {
	case muster.ChangeNew:
		s.Summary.New++
	case muster.ChangeChanged:
		s.Summary.Changed++
	}
}

// tells says whether more is known of a host than that it is up.
func tells(h muster.Host) bool {
	return len(h.Ports) > 0 || h.Platform != "" || h.Name != "" || h.MAC != ""
}

// compareWithLast reads the last scan of the same targets, if there is one.
func (s *Scan) compareWithLast(ctx context.Context) error {
	last, err := s.last(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.comparison, err = scan.NewComparison(last); err != nil {
		return err
	}
	s.comparison.Asked(!s.options.NoPing, s.options.Ports)
	started := last.Started.UTC().Truncate(time.Second)
	s.Summary.Compared = &started
	return nil
}

func (s *Scan) last(ctx context.Context) (last store.Scan, err error) {
	index, err := sqlite.Open(ctx, filepath.Join(s.app.dir, indexFile), sqlite.Options{ReadOnly: true})
	if err != nil {
		return last, err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	return index.LastScan(ctx, s.Targets.String())
}

// finish compares and keeps a scan that came to its end; not one that lost replies, which would call the silent ones gone.
func (s *Scan) finish(ctx context.Context) {
	if s.identify != nil && s.identify.names.givenUp() {
		s.warn("not all hosts have their names", errors.New("the name service is silent"))
	}
	if !s.Summary.Complete() || s.options.Forget {
		return
	}
	s.gone = s.comparison.Gone()
	gone := scan.NewSet(s.Targets)
	for _, h := range s.gone {
		gone.Add(h.Addr)
	}
	s.Summary.Gone, s.Summary.GoneAre = len(s.gone), gone.String()
	if err := s.keep(ctx); err != nil {
		s.warn("the scan is not kept: the next one has nothing to be compared with", err)
	}
}

func (s *Scan) keep(ctx context.Context) (err error) {
	index, err := s.app.writableIndex(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	return index.KeepScan(ctx, store.Scan{
		ID: newRun(s.began), Targets: s.Targets.String(), Label: s.Targets.Label(), Ports: s.options.Ports, Ping: !s.options.NoPing,
		Identify: s.identify != nil, Started: s.began, Elapsed: time.Since(s.began), Up: s.up.String(), Hosts: s.telling,
	})
}

// addresses finds the addresses of a name: those of the inventory's device, else of the name service.
func (a *App) addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	if dev, ok := a.inv.Lookup(name); ok && dev.Address != "" {
		if addr, err := netip.ParseAddr(dev.Address); err == nil {
			return []netip.Addr{addr}, nil
		}
		name = dev.Address
	}
	return lookupHost(ctx, name)
}
