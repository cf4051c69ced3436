package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/secret"
)

// initScan is what init --scan is told.
type initScan struct {
	prefixes, exclude []string
	ports             string
	noPing            bool
	keep              bool
}

func (i *initScan) define(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&i.prefixes, "scan", nil, "find the devices of `PREFIX` and log in to them (repeatable)")
	f.StringArrayVar(&i.exclude, "exclude", nil, "with --scan: leave out `PREFIX`, range or address (repeatable)")
	f.StringVar(&i.ports, "tcp", "", "with --scan: ask every address for these `PORTS`, not only those that answer a ping for 22")
	f.BoolVar(&i.noPing, "no-ping", false, "with --scan: do not ping, ask by --tcp alone")
	f.BoolVar(&i.keep, "keep-password", false, "with --scan: keep the password in a file that you alone can read, instead of asking at each run")
}

// alone checks the flags where there is no --scan.
func (i *initScan) alone() error {
	if len(i.exclude) > 0 || i.ports != "" || i.noPing || i.keep {
		return usage("--exclude, --tcp, --no-ping and --keep-password go with --scan PREFIX")
	}
	return nil
}

// initByScan finds devices, logs in to them and writes the settings with those that it could log in to.
func (p *program) initByScan(ctx context.Context, i *initScan, dryRun bool) error {
	if _, err := app.Init(ctx, p.options(), app.InitOptions{DryRun: true}); err != nil {
		return err
	}
	found, err := p.findSSH(ctx, i)
	if err != nil {
		return err
	}
	login, err := p.askLogin(ctx)
	if err != nil {
		return err
	}
	hosts, err := p.logIn(ctx, found, login)
	if err != nil {
		return err
	}
	if dryRun {
		p.hint("A run without --dry-run writes the settings and the devices whose login works.")
		return nil
	}
	return p.initWith(ctx, hosts, login, i.keep)
}

// findSSH scans for what speaks SSH.
func (p *program) findSSH(ctx context.Context, i *initScan) ([]muster.Host, error) {
	s := scanFlags{options: app.ScanOptions{
		Targets: i.prefixes, Exclude: i.exclude, NoPing: i.noPing, Retries: 1, Linger: defaultLinger, Identify: true, Forget: true,
	}}
	var err error
	if s.options.Ports, err = parsePorts(i.ports); err != nil {
		return nil, err
	}
	if i.noPing && len(s.options.Ports) == 0 {
		return nil, usage("--no-ping leaves nothing to ask: name ports with --tcp")
	}
	var speaking []muster.Host
	err = p.fresh(ctx, nil, func(a *app.App) error {
		hosts, sum, err := p.collect(ctx, a, &s)
		for _, h := range hosts {
			if app.SpeaksSSH(h) {
				speaking = append(speaking, h)
			}
		}
		p.hint("%d hosts are up in %s, %d of them speak SSH.", sum.Up, strings.Join(i.prefixes, ", "), len(speaking))
		if sum.Lost > 0 {
			p.warn(scanDoubts(sum)[:1])
		}
		return err
	})
	if err == nil && len(speaking) == 0 {
		return nil, nothing("no host that speaks SSH was found in %s: nothing was written", strings.Join(i.prefixes, ", "))
	}
	return speaking, err
}

// fresh opens an App as if there were no settings file, which is what init is going to make: those of another place have
// other credentials, and a login by them says nothing.
func (p *program) fresh(ctx context.Context, l *initLogin, body func(*app.App) error) error {
	o := p.options()
	o.Settings = os.DevNull
	if l != nil && l.asked {
		o.User, o.AskPass = l.user, true
		o.Prompt = func(context.Context, string) (secret.Secret, error) { return l.password, nil }
	}
	a, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	defer a.Close()
	return body(a)
}

// collect runs a scan and returns what it found.
func (p *program) collect(ctx context.Context, a *app.App, s *scanFlags) ([]muster.Host, app.ScanSummary, error) {
	scan, watch, err := p.newScan(ctx, a, s)
	if err != nil {
		return nil, app.ScanSummary{}, err
	}
	var hosts []muster.Host
	err = p.showing(ctx, watch.line, func(ctx context.Context) error {
		for h, err := range scan.Hosts(ctx) {
			if err != nil {
				return err
			}
			hosts = append(hosts, h)
		}
		return nil
	})
	return hosts, scan.Summary, err
}

// initLogin is whom to log in as.
type initLogin struct {
	user     string
	password secret.Secret
	asked    bool // not so where the environment has both
}

// askLogin asks once for user and password, unless the environment has them.
func (p *program) askLogin(ctx context.Context) (l initLogin, err error) {
	l.user = p.user
	if l.user == "" {
		l.user = p.getenv("MUSTER_USERNAME")
	}
	if l.user != "" && p.getenv("MUSTER_PASSWORD") != "" {
		return l, nil
	}
	ask := p.prompter()
	if ask == nil {
		return l, usage("init --scan asks for user and password at a terminal; without one set MUSTER_USERNAME and MUSTER_PASSWORD")
	}
	l.asked = true
	if l.user == "" {
		if l.user, err = p.askLine(ctx, "user: "); err != nil {
			return l, err
		}
	}
	if l.user == "" {
		return l, usage("a login needs a user")
	}
	if err = app.CheckUser(l.user); err != nil {
		return l, err
	}
	l.password, err = ask(ctx, fmt.Sprintf("password of %s: ", l.user))
	return l, err
}

// logIn logs in to hosts, prints how that went and returns them.
func (p *program) logIn(ctx context.Context, found []muster.Host, l initLogin) (hosts []muster.Host, err error) {
	s := scanFlags{options: app.ScanOptions{NoPing: true, Retries: 1, Login: true, Identify: true, All: true, Forget: true}}
	ports := map[int]bool{}
	for _, h := range found {
		s.options.Targets = append(s.options.Targets, app.AloneTarget(h.Addr))
		for _, port := range h.Ports {
			if !ports[port.Number] {
				ports[port.Number] = true
				s.options.Ports = append(s.options.Ports, port.Number)
			}
		}
	}
	err = p.fresh(ctx, &l, func(a *app.App) error {
		if hosts, _, err = p.collect(ctx, a, &s); err != nil {
			return err
		}
		slices.SortFunc(hosts, func(a, b muster.Host) int { return a.Addr.Compare(b.Addr) })
		return all(p, loginView(), loginRows(hosts))
	})
	return hosts, err
}

// initWith writes the settings and the devices that could be logged in to.
func (p *program) initWith(ctx context.Context, hosts []muster.Host, l initLogin, keep bool) error {
	var working []muster.Host
	for _, h := range hosts {
		if h.LoggedIn && h.Failure == nil {
			h.Device = "" // what settings that are elsewhere call it
			working = append(working, h)
		}
	}
	if len(working) == 0 {
		return nothing("no login worked: nothing was written; correct user or password and try again")
	}
	var i app.InitOptions
	if l.asked {
		i.Username = l.user
		if keep {
			i.Keep = l.password
		}
	}
	made, err := app.Init(ctx, p.options(), i)
	if err != nil {
		return err
	}
	for _, path := range made {
		p.hint("made  %s", path)
	}
	if err := p.with(ctx, func(a *app.App) error { return p.addHosts(ctx, a, working, false) }); err != nil {
		return err
	}
	p.next("backup", "device ls", "settings check")
	return nil
}

// loginRow is how one login of init --scan went.
type loginRow struct {
	Address  netip.Addr `json:"address"`
	Status   string     `json:"status"` // works, failed
	Platform string     `json:"platform"`
	Hostname string     `json:"hostname"`
	failureFields
}

func loginRows(hosts []muster.Host) []loginRow {
	rows := make([]loginRow, len(hosts))
	for i, h := range hosts {
		rows[i] = loginRow{h.Addr, "works", h.Platform, h.Hostname, fieldsOfFailure(h.Failure)}
		if h.Failure != nil || !h.LoggedIn {
			rows[i].Status = "failed"
		}
		if h.Failure == nil && !h.LoggedIn { // it was there when the hosts were looked for
			rows[i].Error = cmp.Or(h.Reason, "it does not say any more that it speaks SSH")
		}
	}
	return rows
}

func loginView() view[loginRow] {
	return view[loginRow]{
		columns: []column[loginRow]{
			{head: "ADDRESS", cell: func(r loginRow) string { return r.Address.String() }},
			{head: "LOGIN", cell: func(r loginRow) string { return r.Status }, tone: func(r loginRow) tone {
				return map[string]tone{"works": good, "failed": bad}[r.Status]
			}},
			{head: "PLATFORM", cell: func(r loginRow) string { return orDash(r.Platform) }},
			{head: "CALLS ITSELF", cell: func(r loginRow) string { return orDash(r.Hostname) }},
			{head: "WHY NOT", cell: func(r loginRow) string { return strings.Join(compact(r.Stage, r.Code, r.Error), "  ") }},
		},
		word: func(r loginRow) string { return r.Address.String() },
	}
}
