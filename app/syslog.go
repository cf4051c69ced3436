package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/store/logfile"
	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

// kindLog is the kind of alert rules whose messages package logwatch finds.
const kindLog = "log"

// syslogDir is where the syslog archive lies in the data directory.
const syslogDir = "syslog"

// What the settings are checked by.

func checkSeverity(word string) error {
	_, err := syslog.ParseSeverity(word)
	return err
}

func checkFacility(word string) error {
	_, err := syslog.ParseFacility(word)
	return err
}

func noiseNames() []string {
	var names []string
	for _, n := range logwatch.Noise() {
		names = append(names, n.Name)
	}
	return names
}

func checkNoise(n settings.NoiseRule) (field string, err error) {
	made, err := noiseRule(n)
	if err == nil {
		_, err = logwatch.CompileNoise([]logwatch.NoiseRule{made})
	}
	return "", ruleCause(err)
}

// ruleCause is what is wrong with a rule, without its name.
func ruleCause(err error) error {
	if wrong, ok := errors.AsType[*logwatch.RuleError](err); ok {
		return wrong.Err
	}
	return err
}

// logRule is what a rule of the settings with when: log watches for, but for the devices that it is about.
func logRule(r settings.Rule) (logwatch.Rule, error) {
	made := logwatch.Rule{
		Name: r.Name, Apps: r.App, Mnemonics: r.Mnemonic, Text: r.Text, Match: r.Match, Count: r.Count,
		Within: time.Duration(r.Within), Noisy: r.Noisy,
	}
	return made, conditions(&made, r.Severity, r.Facility)
}

func noiseRule(n settings.NoiseRule) (logwatch.NoiseRule, error) {
	made := logwatch.NoiseRule{
		Rule:   logwatch.Rule{Name: n.Name, Apps: n.App, Mnemonics: n.Mnemonic, Text: n.Text, Match: n.Match},
		Reason: n.Reason,
	}
	return made, conditions(&made.Rule, n.Severity, n.Facility)
}

// conditions reads the words of a rule.
func conditions(r *logwatch.Rule, severity string, facilities []string) error {
	if severity != "" {
		s, err := syslog.ParseSeverity(severity)
		if err != nil {
			return err
		}
		r.Severity = &s
	}
	for _, word := range facilities {
		f, err := syslog.ParseFacility(word)
		if err != nil {
			return err
		}
		r.Facilities = append(r.Facilities, f)
	}
	return nil
}

// logRules are what the rules of kind log watch for: those of the settings, and of the shipped ones those whose name no other
// rule has.
func (a *App) logRules(ctx context.Context) ([]logwatch.Rule, error) {
	var all []logwatch.Rule
	for _, r := range a.settings.Alerts.Rules {
		if r.When != kindLog {
			continue
		}
		made, err := logRule(r)
		if err == nil {
			made.Select, err = a.picker(ctx, r.Select)
		}
		if err != nil {
			return nil, usage(fmt.Errorf("alert rule %s: %w", r.Name, err))
		}
		all = append(all, made)
	}
	if a.settings.Alerts.Shipped() && !slices.ContainsFunc(a.settings.Alerts.Rules, func(r settings.Rule) bool { return r.Name == alert.LogCritical }) {
		critical := syslog.Critical
		all = append(all, logwatch.Rule{Name: alert.LogCritical, Severity: &critical})
	}
	return all, nil
}

// noise is what alarms nobody.
func (a *App) noise(ctx context.Context) ([]logwatch.NoiseRule, error) {
	set := a.settings.Syslog.Noise
	if set.Off {
		return nil, nil
	}
	all, err := logwatch.Without(logwatch.Noise(), set.Without...)
	if err != nil {
		return nil, usage(err)
	}
	for _, n := range set.Add {
		made, err := noiseRule(n)
		if err == nil {
			made.Select, err = a.picker(ctx, n.Select)
		}
		if err != nil {
			return nil, usage(fmt.Errorf("noise %s: %w", n.Name, err))
		}
		all = append(all, made)
	}
	return all, nil
}

// outlook is what the settings and the inventory say of messages. known has the platforms that were detected, by device; found
// the addresses of devices whose address is a name.
func (a *App) outlook(ctx context.Context, known map[string]string, found []logwatch.Binding) (o logwatch.Outlook, err error) {
	if o.Rules, err = a.logRules(ctx); err != nil {
		return o, err
	}
	if o.Noise, err = a.noise(ctx); err != nil {
		return o, err
	}
	devices := slices.Clone(a.inv.Devices)
	for i := range devices {
		if devices[i].Platform == "" {
			devices[i].Platform = known[devices[i].Name]
		}
	}
	bindings := append(a.boundSources(), found...)
	var relays []netip.Addr
	for _, addr := range a.settings.Syslog.Relays {
		relays = append(relays, addr.IP())
	}
	var void []logwatch.Binding
	o.Book, void = logwatch.NewBook(devices, bindings, relays)
	for _, b := range void {
		a.opts.Log.Warn("syslog messages from this address are put down to another device", "address", b.Addr.String(), "not", b.Device)
	}
	return o, nil
}

// boundSources are the addresses that the settings name.
func (a *App) boundSources() []logwatch.Binding {
	var all []logwatch.Binding
	for _, s := range a.settings.Syslog.Sources {
		for _, addr := range s.Address {
			all = append(all, logwatch.Binding{Addr: addr.IP(), Device: s.Device})
		}
	}
	return all
}

// How the addresses of devices that have only a name are found.
const (
	lookUpAtOnce = 16
	lookUpTime   = 5 * time.Second
)

// lookUp finds the addresses of devices whose address is a name. One that cannot be found is not bound: its messages are then those of
// an unknown sender.
func (a *App) lookUp(ctx context.Context) []logwatch.Binding {
	var named []muster.Device
	for _, d := range a.inv.Devices {
		if _, err := netip.ParseAddr(d.Address); err != nil && d.Address != "" {
			named = append(named, d)
		}
	}
	var all []logwatch.Binding
	for i, r := range task.Settle(ctx, named, func(ctx context.Context, d muster.Device) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", d.Address)
	}, task.Limit(lookUpAtOnce), task.Each(lookUpTime), task.Named("names of devices")) {
		if r.Err != nil {
			a.opts.Log.Info("the address of a device is not known: its syslog messages will be those of an unknown sender", "device", named[i].Name, "err", r.Err)
		}
		for _, addr := range r.Value {
			all = append(all, logwatch.Binding{Addr: addr, Device: named[i].Name})
		}
	}
	return all
}

// listenerConfig is how the settings want messages received.
func (a *App) listenerConfig() (syslog.Config, error) {
	set := a.settings.Syslog
	c := syslog.Config{
		Unix: set.Unix, Location: set.Location(), MaxMessage: int(set.MaxMessage),
		Note: func(text string) { a.opts.Log.Warn("syslog", "note", text) },
	}
	for _, list := range []struct {
		from []settings.Socket
		to   *[]string
	}{{set.UDP, &c.UDP}, {set.TCP, &c.TCP}, {set.TLS, &c.TLS}} {
		for _, s := range list.from {
			*list.to = append(*list.to, string(s))
		}
	}
	var err error
	if len(c.TLS) > 0 {
		c.TLSConfig, err = certificates(set.TLSCert, set.TLSKey, set.TLSClientCA)
	}
	return c, err
}

// certificates reads what TLS shows, and wants to be shown.
func certificates(cert, key, clientCA string) (*tls.Config, error) {
	if cert == "" || key == "" {
		return nil, usage(errors.New("syslog over TLS needs a certificate and its key: tls_cert and tls_key, or --tls-cert and --tls-key"))
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, usage(fmt.Errorf("certificate %s and key %s of syslog: %w", cert, key, err))
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return nil, usage(fmt.Errorf("authorities of syslog clients: %w", err))
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, usage(fmt.Errorf("authorities of syslog clients: %s holds no certificate", clientCA))
	}
	return c, nil
}

// archiveDir is where messages are archived: a directory that a flag names, or that of the data directory.
func (a *App) archiveDir(named string) string {
	if named != "" {
		return named
	}
	return filepath.Join(a.dir, syslogDir)
}

func (a *App) openArchive(dir string) (*logfile.Archive, error) {
	set := a.settings.Syslog
	archive, err := logfile.Open(dir, logfile.Options{Retention: time.Duration(set.Retention), MaxBytes: int64(set.MaxSize), Log: a.opts.Log})
	return archive, storeError(err)
}

// parseSeverity makes the word of a severity of any that people use for it.
func parseSeverity(word string) (string, error) {
	s, err := syslog.ParseSeverity(word)
	return s.String(), err
}
