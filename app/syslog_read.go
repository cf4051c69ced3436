package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

// SyslogQuery says which messages of an archive are wanted.
type SyslogQuery struct {
	Archive  string // a directory; empty: that of the data directory
	Terms    []string
	Since    time.Time
	Until    time.Time
	Severity string // at least as bad
	App      string // a pattern
	Mnemonic string // a pattern
	Text     string // is in the message, in upper or lower case
	Match    string // a regular expression
	Newest   bool
	Limit    int
}

// SyslogSearch yields the messages of the archive that are wanted. What cannot be read is an error in between, and it goes on.
func (a *App) SyslogSearch(ctx context.Context, q SyslogQuery) (iter.Seq2[muster.LogLine, error], error) {
	dir, query, err := a.logQuery(ctx, q)
	if err != nil {
		return nil, err
	}
	return logfile.Search(ctx, dir, query), nil
}

// SyslogTail yields the last Limit messages that are wanted, and then those that are archived from now on, until ctx ends.
func (a *App) SyslogTail(ctx context.Context, q SyslogQuery) (iter.Seq2[muster.LogLine, error], error) {
	dir, query, err := a.logQuery(ctx, q)
	if err != nil {
		return nil, err
	}
	return logfile.Follow(ctx, dir, query), nil
}

func (a *App) logQuery(ctx context.Context, q SyslogQuery) (dir string, query store.LogQuery, err error) {
	dir = a.archiveDir(q.Archive)
	query = store.LogQuery{
		Since: q.Since, Until: q.Until, App: q.App, Mnemonic: q.Mnemonic, Text: q.Text, Newest: q.Newest, Limit: q.Limit,
	}
	if q.Severity != "" {
		s, err := parseSeverity(q.Severity)
		if err != nil {
			return "", query, usage(err)
		}
		query.Severity = s
	}
	if q.Match != "" {
		if query.Match, err = regexp.Compile(q.Match); err != nil {
			return "", query, usage(fmt.Errorf("--match is no regular expression: %w", err))
		}
	}
	if query.Devices, err = a.senders(ctx, q.Terms); err != nil {
		return "", query, err
	}
	if err := query.Check(); err != nil {
		return "", query, usage(err)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", query, fmt.Errorf("%w: there is no syslog archive %s: %w", ErrNothing, dir, errNoArchive)
	case err != nil:
		return "", query, storeError(err)
	case !info.IsDir():
		return "", query, fmt.Errorf("%w: %s is no syslog archive: it is no directory", ErrNothing, dir)
	}
	return dir, query, nil
}

// senders are the names and addresses that selectors stand for. No selector stands for everybody, also those whom no inventory
// knows; so does an address for whom no inventory knows.
func (a *App) senders(ctx context.Context, terms []string) ([]string, error) {
	if len(terms) == 0 {
		return nil, nil
	}
	var all, rest []string
	for _, term := range terms {
		if _, err := netip.ParseAddr(term); err == nil {
			all = append(all, term)
		} else {
			rest = append(rest, term)
		}
	}
	if len(rest) == 0 {
		return all, nil
	}
	sel, err := a.Select(ctx, rest)
	if err != nil {
		return nil, err
	}
	for _, d := range sel.Devices {
		all = append(all, d.Name)
	}
	return all, nil
}

// SyslogRuleRow is how often a rule would have fired.
type SyslogRuleRow struct {
	Name     string           `json:"name"`
	About    string           `json:"about"`
	Matched  int              `json:"matched"` // messages
	Fired    int              `json:"fired"`   // alerts that would have begun, or gone on
	First    *time.Time       `json:"first"`
	Last     *time.Time       `json:"last"`
	Senders  []SyslogSender   `json:"senders"`
	Examples []muster.LogLine `json:"examples"`
}

// SyslogSender is how often a rule would have fired for one sender.
type SyslogSender struct {
	Sender  string `json:"sender"`
	Matched int    `json:"matched"`
	Fired   int    `json:"fired"`
}

// SyslogTest says what to try on an archive.
type SyslogTest struct {
	Archive string // a directory; empty: that of the data directory
	Names   []string
	Rule    *SyslogRule // one that stands in no settings, instead of those
	Since   time.Time
	Wrong   func(error) // hears what of the archive cannot be read
}

// SyslogRule is what a rule of muster.yaml with when: log says of messages.
type SyslogRule struct {
	Severity string
	Apps     []string
	Mnemonic []string
	Text     string
	Match    string
	Count    int
	Within   time.Duration
	Select   []string
}

// SyslogTested is what was tried.
type SyslogTested struct {
	Lines      int   `json:"lines"`
	Noise      int   `json:"noise"`
	Problems   int   `json:"problems"`
	DurationMS int64 `json:"duration_ms"`
}

// SyslogRulesTest replays the archive: how often would rules have fired?
func (a *App) SyslogRulesTest(ctx context.Context, o SyslogTest) (rows []SyslogRuleRow, sum SyslogTested, err error) {
	began := time.Now()
	rules, err := a.testedRules(ctx, o)
	if err != nil {
		return nil, sum, err
	}
	lines, err := a.SyslogSearch(ctx, SyslogQuery{Archive: o.Archive, Since: o.Since})
	if err != nil {
		return nil, sum, err
	}
	good := func(yield func(muster.LogLine, error) bool) {
		for l, err := range lines {
			if err != nil {
				sum.Problems++
				o.Wrong(err)
			} else if !yield(l, nil) {
				return
			}
		}
	}
	report, err := logwatch.Replay(ctx, good, rules, logwatch.ReplayOptions{Device: a.inv.Lookup})
	if _, wrong := errors.AsType[*logwatch.RuleError](err); wrong {
		return nil, sum, usage(err)
	}
	sum.Lines, sum.Noise, sum.DurationMS = report.Lines, report.Noise, time.Since(began).Milliseconds()
	for i, r := range report.Rules {
		row := SyslogRuleRow{
			Name: r.Rule, About: aboutLog(rules[i]), Matched: r.Matched, Fired: r.Fired, Senders: []SyslogSender{}, Examples: r.Examples,
		}
		if !r.First.IsZero() {
			row.First, row.Last = &r.First, &r.Last
		}
		for _, s := range r.Senders {
			row.Senders = append(row.Senders, SyslogSender{s.Key, s.Matched, s.Fired})
		}
		rows = append(rows, row)
	}
	return rows, sum, err
}

// testedRules are the rules to try.
func (a *App) testedRules(ctx context.Context, o SyslogTest) ([]logwatch.Rule, error) {
	if o.Rule != nil {
		r := o.Rule
		made := logwatch.Rule{
			Name: "this", Apps: r.Apps, Mnemonics: r.Mnemonic, Text: r.Text, Match: r.Match, Count: r.Count, Within: r.Within,
		}
		err := conditions(&made, r.Severity, nil)
		if err == nil {
			err = ruleCause(logwatch.Check([]logwatch.Rule{made}))
		}
		if err != nil {
			return nil, usage(err)
		}
		made.Select, err = a.picker(ctx, r.Select)
		return []logwatch.Rule{made}, err
	}
	all, err := a.logRules(ctx)
	if err != nil || len(o.Names) == 0 {
		return all, err
	}
	var some []logwatch.Rule
	for _, name := range o.Names {
		i := slices.IndexFunc(all, func(r logwatch.Rule) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: there is no rule %q with when: log; list them with: muster alert rules", ErrUsage, name)
		}
		some = append(some, all[i])
	}
	return some, nil
}
