package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) syslogCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "syslog",
		Short: "Hear what devices log, and look at what they have logged",
		Example: `  muster syslog listen --udp :514 --match CRITICAL --webhook env:HOOK
  muster syslog tail @core --severity warning
  muster syslog search --since 7d --text 'changed state to down'
  muster syslog rules test --since 30d`,
		Args: cobra.ArbitraryArgs,
		RunE: groupHelp,
	}
	c.AddCommand(p.syslogListenCommand(), p.syslogTailCommand(), p.syslogSearchCommand(), p.syslogRulesCommand())
	return c
}

func (p *program) syslogListenCommand() *cobra.Command {
	var o app.SyslogListen
	var most int
	c := &cobra.Command{
		Use:   "listen",
		Short: "Receive syslog messages, show them, and alert",
		Long: `Receive syslog messages over UDP, TCP, TLS and unix sockets, and show each: RFC 5424, RFC 3164 and what vendors write instead.
An address is HOST:PORT or a port alone. What the kernel dropped and what never came, by the devices' own numbers, is counted and told at the
end and on SIGUSR1.

--match alerts: a severity such as CRITICAL stands for messages at least as bad and for those with the word in their text, anything else is a
regular expression over the text. Alerts are told here and go to --webhook, as Alertmanager sends them. --archive keeps the messages for
tail and search, with -q without showing them. muster serve does all of it for ever, by the settings.`,
		Example: `  muster syslog listen --udp :514
  muster syslog listen --udp :514 --match CRITICAL --webhook env:HOOK
  muster syslog listen --tcp 1514 --archive ./log
  muster syslog listen --tls :6514 --tls-cert cert.pem --tls-key key.pem
  muster syslog listen --udp 5514 -o ndjson | jq -r .message`,
		Args: takes(0, 0, "no argument"),
	}
	f := c.Flags()
	f.StringArrayVar(&o.UDP, "udp", nil, "`ADDRESS` to receive datagrams on; may be repeated, as those below")
	f.StringArrayVar(&o.TCP, "tcp", nil, "`ADDRESS` to receive on over TCP, in any framing")
	f.StringArrayVar(&o.TLS, "tls", nil, "`ADDRESS` to receive on over TLS")
	f.StringArrayVar(&o.Unix, "unix", nil, "`PATH` of a datagram socket for programs of this machine")
	f.StringVar(&o.Cert, "tls-cert", "", "`FILE` of the certificate for --tls")
	f.StringVar(&o.Key, "tls-key", "", "`FILE` of its key")
	f.StringVar(&o.ClientCA, "tls-client-ca", "", "`FILE` of the authorities that sign clients' certificates, which they have to show then")
	f.StringVar(&o.Archive, "archive", "", "keep the messages in the directory `DIR`")
	f.StringArrayVar(&o.Match, "match", nil, "alert on messages of this `SEVERITY` or with this text; may be repeated")
	f.StringVar(&o.Webhook, "webhook", "", "send alerts to this `URL`, or to the one that env:NAME or file:PATH holds")
	f.IntVar(&most, "count", 0, "end after `N` messages")
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case len(o.UDP)+len(o.TCP)+len(o.TLS)+len(o.Unix) == 0:
			return usage("syslog listen wants an address to listen on, such as --udp :514")
		case o.Webhook != "" && len(o.Match) == 0:
			return usage("--webhook has nothing to send without --match, such as --match CRITICAL")
		case most < 0:
			return usage("--count is not negative")
		}
		p.forever = true
		return p.syslogListen(c.Context(), o, most)
	}
	return c
}

// syslogListen shows messages until it is interrupted, which is how it ends, or has shown enough.
func (p *program) syslogListen(ctx context.Context, o app.SyslogListen, most int) error {
	return p.with(ctx, func(a *app.App) error {
		defer survivePipes()()
		show := newShower(p, o.Archive != "")
		listened, taken := false, 0
		o.Ready = func(addresses string) {
			listened = true
			p.hint("muster listens on %s", addresses)
		}
		o.Told = func(rule, _, text string) { p.stderr.say("ALERT " + visible(rule) + ": " + visible(text)) }
		counts := make(chan chan<- app.SyslogCounts)
		o.Counts = counts
		p.onDump(func() { p.askCounts(ctx, counts, show) })
		var sum app.SyslogCounts
		err := show.during(ctx, func(ctx context.Context) error {
			ctx, enough := context.WithCancel(ctx)
			defer enough()
			o.Line = func(line []byte, row func() muster.LogLine) error {
				if most > 0 && taken == most {
					return nil
				}
				if taken++; taken == most {
					enough()
				}
				return show.message(line, row)
			}
			var err error
			if p.quiet && o.Archive != "" && most == 0 {
				o.Line = nil // they are kept, and nobody looks on
			}
			sum, err = a.SyslogListen(ctx, o)
			return err
		})
		if !listened {
			return err
		}
		sum.NotShown = show.skipped.Load()
		err = errors.Join(err, show.out.end(sum))
		if errors.Is(err, errStandsStill) || errors.Is(err, syscall.EPIPE) {
			err = nil // who read it has seen enough
		}
		p.sayCounts(sum)
		return err
	})
}

func (p *program) askCounts(ctx context.Context, counts chan<- chan<- app.SyslogCounts, show *shower) {
	answer := make(chan app.SyslogCounts, 1)
	select {
	case counts <- answer:
		sum := <-answer
		sum.NotShown = show.skipped.Load()
		p.sayCounts(sum)
	case <-ctx.Done():
	}
}

// sayCounts tells what became of the messages, on standard error.
func (p *program) sayCounts(c app.SyslogCounts) {
	if p.format == formatJSON || p.format == formatNDJSON {
		line, err := encodeJSON(c, "")
		if err == nil {
			fmt.Fprintf(p.stderr, "%s\n", line)
		}
		return
	}
	text := fmt.Sprintf("%d messages in %s: %d dropped by the kernel, %d missing by the devices' own numbers", c.Received,
		shortDuration(time.Duration(c.DurationMS)*time.Millisecond), c.DroppedKernel, c.Gaps)
	for _, one := range []struct {
		n    uint64
		text string
	}{
		{c.Archived, "archived"}, {c.Lost, "not archived"}, {c.Alerts, "alerts"}, {c.Truncated, "truncated"}, {c.BadFrames, "wrong octet counts"},
		{c.NotShown, "not shown"},
	} {
		if one.n > 0 {
			text += fmt.Sprintf(", %d %s", one.n, one.text)
		}
	}
	p.hint("%s.", text)
}

// queryFlags are the flags that choose messages of an archive.
type queryFlags struct {
	app.SyslogQuery
	since, until string
}

func (q *queryFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&q.Archive, "archive", "", "the archive in `DIR` (default: that of the data directory)")
	f.StringVar(&q.Severity, "severity", "", "messages at least as bad as `SEVERITY`: emergency, alert, critical, error, warning, notice, info or debug")
	f.StringVar(&q.App, "app", "", "messages of a program, a `PATTERN` with * and ?")
	f.StringVar(&q.Mnemonic, "mnemonic", "", "messages of a kind in the vendor's words, a `PATTERN` such as 'BGP-*'")
	f.StringVar(&q.Text, "text", "", "messages that have this `TEXT`, in upper or lower case")
	f.StringVar(&q.Match, "match", "", "messages whose raw text matches this regular expression `RE`")
}

// query completes a query by the selectors of a command line.
func (q *queryFlags) query(sel *selector, args []string) (_ app.SyslogQuery, err error) {
	if q.Terms, err = sel.terms(args); err != nil {
		return q.SyslogQuery, err
	}
	for _, one := range []struct {
		flag, text string
		to         *time.Time
	}{{"--since", q.since, &q.Since}, {"--until", q.until, &q.Until}} {
		if one.text == "" {
			continue
		}
		if *one.to, err = moment(one.text, time.Now()); err != nil {
			return q.SyslogQuery, usage("%s %v", one.flag, err)
		}
	}
	return q.SyslogQuery, nil
}

// moment reads a time: how long ago it was, or a date with or without its time of the day.
func moment(text string, now time.Time) (time.Time, error) {
	var ago span
	if ago.Set(text) == nil {
		return now.Add(-ago.duration()), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("must be how long ago, such as 2h or 7d, or a time such as 2026-11-22 or 2026-11-22T14:58")
}

func (p *program) syslogTailCommand() *cobra.Command {
	q := queryFlags{}
	c := &cobra.Command{
		Use:   "tail [SELECTOR...]",
		Short: "Show messages as they are archived",
		Long: `Show the last messages of the archive and then each as it is archived, by muster serve or by syslog listen --archive, until it is interrupted.
Without a selector also those of senders that no inventory knows; an address stands for such a one.`,
		Example: `  muster syslog tail
  muster syslog tail @core --severity error
  muster syslog tail 192.0.2.7 -n 100
  muster syslog tail -o ndjson --mnemonic 'LINEPROTO-*' | jq -r .device`,
	}
	sel := p.newSelector(c)
	q.add(c)
	c.Flags().IntVarP(&q.Limit, "lines", "n", 10, "begin with the last `N` messages")
	c.RunE = func(c *cobra.Command, args []string) error {
		query, err := q.query(sel, args)
		if err != nil {
			return err
		}
		if query.Limit < 0 {
			return usage("--lines is not negative")
		}
		p.forever = true
		return p.with(c.Context(), func(a *app.App) error {
			lines, err := a.SyslogTail(c.Context(), query)
			if err != nil {
				return err
			}
			return p.showLog(c.Context(), lines)
		})
	}
	return c
}

func (p *program) syslogSearchCommand() *cobra.Command {
	q := queryFlags{}
	c := &cobra.Command{
		Use:   "search [SELECTOR...]",
		Short: "Search the archive of messages",
		Long: `Search the archive of messages, oldest first. All conditions have to hold. --since and --until take how long ago, or a time of this
machine's zone, and go by when a message arrived. Without a selector also the messages of senders that no inventory knows are
searched; an address stands for such a one.`,
		Example: `  muster syslog search --since 1h --severity error
  muster syslog search r1 --since 2026-11-22 --until 2026-11-23 --text ospf
  muster syslog search --match 'Interface \S+, changed' --newest --limit 20
  muster syslog search --since 30d -o ndjson | jq -r .mnemonic | sort | uniq -c`,
	}
	sel := p.newSelector(c)
	q.add(c)
	f := c.Flags()
	f.StringVar(&q.since, "since", "", "messages that came then or later: how long ago, such as 2h or 7d, or a `TIME`")
	f.StringVar(&q.until, "until", "", "messages that came before this `TIME`")
	f.BoolVar(&q.Newest, "newest", false, "the newest message first")
	f.IntVar(&q.Limit, "limit", 0, "no more than `N` messages")
	c.RunE = func(c *cobra.Command, args []string) error {
		query, err := q.query(sel, args)
		if err != nil {
			return err
		}
		if query.Limit < 0 {
			return usage("--limit is not negative")
		}
		return p.with(c.Context(), func(a *app.App) error {
			lines, err := a.SyslogSearch(c.Context(), query)
			if err != nil {
				return err
			}
			return p.showLog(c.Context(), lines)
		})
	}
	return c
}

func (p *program) syslogRulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "rules",
		Short:   "Try rules on what was archived",
		Example: `  muster syslog rules test --since 30d`,
		Args:    cobra.ArbitraryArgs,
		RunE:    groupHelp,
	}
	c.AddCommand(p.syslogRulesTestCommand())
	return c
}

func (p *program) syslogRulesTestCommand() *cobra.Command {
	since := span(7 * day)
	var within span
	o := app.SyslogTest{Wrong: func(err error) { p.warn([]string{visible(err.Error())}) }}
	var r app.SyslogRule
	c := &cobra.Command{
		Use:   "test [RULE...]",
		Short: "Tell how often rules about messages would have fired",
		Long: `Replay the archive and tell how often rules would have fired: those of the settings with when: log, all or those that are named, or one
that the flags describe, before it goes into muster.yaml. Noise is left out, as when messages are heard.`,
		Example: `  muster syslog rules test
  muster syslog rules test log-critical --since 30d
  muster syslog rules test --mnemonic 'LINEPROTO-*' --count 5 --within 1m`,
	}
	f := c.Flags()
	f.StringVar(&o.Archive, "archive", "", "the archive in `DIR` (default: that of the data directory)")
	f.Var(&since, "since", "the period up to now")
	f.StringVar(&r.Severity, "severity", "", "try a rule about messages at least as bad as `SEVERITY`")
	f.StringArrayVar(&r.Apps, "app", nil, "try a rule about a program, a `PATTERN`; may be repeated")
	f.StringArrayVar(&r.Mnemonic, "mnemonic", nil, "try a rule about a kind of messages, a `PATTERN`; may be repeated")
	f.StringVar(&r.Text, "text", "", "try a rule about messages that have this `TEXT`")
	f.StringVar(&r.Match, "match", "", "try a rule about messages that match this regular expression `RE`")
	f.StringArrayVar(&r.Select, "select", nil, "of the rule to try: messages of these devices, a `SELECTOR`; may be repeated")
	f.IntVar(&r.Count, "count", 0, "of the rule to try: `N` messages of one sender")
	f.Var(&within, "within", "of the rule to try: within this time")
	c.RunE = func(c *cobra.Command, args []string) error {
		r.Within = within.duration()
		for _, name := range []string{"severity", "app", "mnemonic", "text", "match", "select", "count", "within"} {
			if c.Flags().Changed(name) {
				o.Rule = &r
			}
		}
		if o.Rule != nil && len(args) > 0 {
			return usage("the flags describe a rule of their own: leave them or %s out", args[0])
		}
		o.Names, o.Since = args, time.Now().Add(-since.duration())
		return p.with(c.Context(), func(a *app.App) error {
			rows, sum, err := a.SyslogRulesTest(c.Context(), o)
			if err != nil {
				return err
			}
			return p.syslogTested(rows, sum, since)
		})
	}
	return c
}

func (p *program) syslogTested(rows []app.SyslogRuleRow, sum app.SyslogTested, since span) error {
	out := newOutput(p, syslogRuleView(since))
	for i, r := range rows {
		if err := out.add(i, r); err != nil {
			return err
		}
	}
	foot := fmt.Sprintf("%d messages of the archive, %d of them noise.", sum.Lines, sum.Noise)
	if err := out.end(sum, foot); err != nil {
		return err
	}
	if sum.Problems > 0 {
		return errSomeFailed
	}
	return nil
}

func syslogRuleView(since span) view[app.SyslogRuleRow] {
	return view[app.SyslogRuleRow]{
		columns: []column[app.SyslogRuleRow]{
			{head: "RULE", cell: func(r app.SyslogRuleRow) string { return r.Name }},
			{head: "FIRED IN " + since.String(), cell: func(r app.SyslogRuleRow) string { return strconv.Itoa(r.Fired) }, right: true},
			{head: "MESSAGES", cell: func(r app.SyslogRuleRow) string { return strconv.Itoa(r.Matched) }, right: true},
			{head: "LAST", cell: func(r app.SyslogRuleRow) string {
				if r.Last == nil {
					return "-"
				}
				return clock(r.Last)
			}},
			{head: "MOST OF", cell: func(r app.SyslogRuleRow) string {
				var who []string
				for _, s := range r.Senders[:min(3, len(r.Senders))] {
					who = append(who, fmt.Sprintf("%s (%d)", s.Sender, s.Fired))
				}
				return orDash(strings.Join(who, ", "))
			}},
			{head: "ABOUT", cell: func(r app.SyslogRuleRow) string { return r.About }},
		},
		note: func(r app.SyslogRuleRow) []string {
			if len(r.Examples) == 0 {
				return nil
			}
			l := r.Examples[0]
			return []string{"such as " + logSender(&l) + ": " + l.Message}
		},
		word: func(r app.SyslogRuleRow) string { return r.Name },
	}
}
