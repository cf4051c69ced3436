package settings_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
)

const serving = `
serve: {listen: "localhost:9000"}
backup: {cron: "15 2 * * *", timezone: Europe/Amsterdam}
monitor:
  interval: 5s
  down: 3/5
  up: 2
  probes: [icmp, {kind: https, ca_file: ca.pem, status: 204}]
  flap: {changes: 7, in: 1h, quiet: 1d}
  uplink: off
  maintenance:
    - {days: sat, from: 22:00, to: 02:00, timezone: Europe/Amsterdam, select: site=ams}
groups:
  core:
    platform: ios
    backup: {every: 5m}
    monitor: {interval: 1s, timeout: 500ms, probes: ssh, maintenance: [{from: 2026-12-24T22:00:00+01:00, to: 2026-12-25T06:00:00+01:00}]}
  edge: {backup: {jitter: 0s}, monitor: {loss: 4/16}}
  lab: {backup: off, monitor: off}
  quick: {backup: {every: 1d, jitter: 2h}, monitor: on}
  slow: {backup: {every: off}}
history: {retention: 2w, max_size: 1TiB}
alerts:
  alertmanager: am.yml
  defaults: false
  rules:
    - {name: a, when: state, states: [down, degraded], for: 0s, select: [core-*, "@edge"]}
    - {name: b, when: group, state: down, share: 50%, least: 4}
    - {name: c, when: wish, labels: {severity: critical}}
`

func loadServing(t *testing.T, text string, vars ...string) (*settings.Settings, string) {
	t.Helper()
	dir := t.TempDir()
	o := options(dir, vars...)
	o.Rules = nil // a kind that came later
	o.File = put(t, dir, "muster.yaml", text)
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func TestWhatServeGoesBy(t *testing.T) {
	t.Parallel()
	s, dir := loadServing(t, serving)
	if s.Serve.Listen != "127.0.0.1:9000" {
		t.Errorf("got %s: localhost is not looked up", s.Serve.Listen)
	}
	if want := (settings.History{Retention: settings.Span(14 * 24 * time.Hour), MaxSize: 1 << 40}); s.History != want {
		t.Errorf("got %+v, want %+v", s.History, want)
	}
	if want := (settings.Flap{Changes: 7, In: settings.Span(time.Hour), Quiet: settings.Span(24 * time.Hour)}); s.Monitor.Flap != want || !s.Monitor.Uplink.Off || s.Monitor.Off {
		t.Errorf("got %+v", s.Monitor)
	}
	a := s.Alerts
	if a.Alertmanager != filepath.Join(dir, "am.yml") || a.Shipped() || len(a.Rules) != 3 || a.Rules[1].Share != 50 || a.Rules[2].Labels["severity"] != "critical" {
		t.Errorf("got %+v", a)
	}
	for i, want := range [][]muster.Health{{muster.HealthDown, muster.HealthDegraded}, {muster.HealthDown}, nil} {
		if diff := cmp.Diff(want, a.Rules[i].Healths()); diff != "" {
			t.Errorf("rule %d: %s", i, diff)
		}
	}
	if got := s.Env(nil, nil).Groups; len(got) != 1 || got["core"].Platform != "ios" {
		t.Errorf("got the groups %v: a file may say more of a group that is only watched and backed up here", got)
	}
	none, _ := loadServing(t, "{}")
	if none.Serve.Listen != settings.DefaultListen || !none.Alerts.Shipped() {
		t.Errorf("nothing said: got %+v", none)
	}
}

func TestWhenAGroupIsBackedUp(t *testing.T) {
	t.Parallel()
	s, _ := loadServing(t, serving)
	none, _ := loadServing(t, "{}")
	off, _ := loadServing(t, "backup: off\ngroups: {core: {backup: {every: 1h}}}")
	env, _ := loadServing(t, serving, "MUSTER_BACKUP_EVERY=12h")
	delay := func(d time.Duration) *settings.Delay { return (*settings.Delay)(&d) }
	for name, c := range map[string]struct {
		s     *settings.Settings
		group string
		want  settings.Backup
	}{
		"as all":                             {s, "", settings.Backup{Cron: "15 2 * * *", Jitter: delay(0), Timezone: "Europe/Amsterdam"}},
		"every in the place of cron":         {s, "core", settings.Backup{Every: settings.Every(5 * time.Minute), Jitter: delay(30 * time.Second), Timezone: "Europe/Amsterdam"}},
		"cron of all with its own jitter":    {s, "edge", settings.Backup{Cron: "15 2 * * *", Jitter: delay(0), Timezone: "Europe/Amsterdam"}},
		"off":                                {s, "lab", settings.Backup{Every: settings.Off, Jitter: delay(0), Timezone: "Europe/Amsterdam"}},
		"every: off":                         {s, "slow", settings.Backup{Every: settings.Off, Jitter: delay(0), Timezone: "Europe/Amsterdam"}},
		"a jitter of its own":                {s, "quick", settings.Backup{Every: settings.Every(24 * time.Hour), Jitter: delay(2 * time.Hour), Timezone: "Europe/Amsterdam"}},
		"nothing said":                       {none, "any", settings.Backup{Every: settings.DefaultEvery, Jitter: delay(10 * time.Minute)}},
		"off for all":                        {off, "any", settings.Backup{Every: settings.Off, Jitter: delay(0)}},
		"off for all but one":                {off, "core", settings.Backup{Every: settings.Every(time.Hour), Jitter: delay(6 * time.Minute)}},
		"the environment over cron":          {env, "", settings.Backup{Every: settings.Every(12 * time.Hour), Jitter: delay(10 * time.Minute), Timezone: "Europe/Amsterdam"}},
		"a group before the environment":     {env, "core", settings.Backup{Every: settings.Every(5 * time.Minute), Jitter: delay(30 * time.Second), Timezone: "Europe/Amsterdam"}},
		"the environment for what is unsaid": {env, "edge", settings.Backup{Every: settings.Every(12 * time.Hour), Jitter: delay(0), Timezone: "Europe/Amsterdam"}},
	} {
		if diff := cmp.Diff(c.want, c.s.BackupFor(c.group)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestHowAGroupIsWatched(t *testing.T) {
	t.Parallel()
	s, dir := loadServing(t, serving)
	all := s.MonitorFor("")
	if want := filepath.Join(dir, "ca.pem"); len(all.Probes) != 2 || all.Probes[0].Kind != "icmp" || all.Probes[1].CAFile != want || all.Probes[1].Status[0] != 204 {
		t.Errorf("got the probes %+v", all.Probes)
	}
	if all.Down != (settings.Of{N: 3, M: 5}) || all.Up != (settings.Of{N: 2, M: 2}) || all.Loss != (settings.Of{}) {
		t.Errorf("got %+v", all)
	}
	want := settings.Window{
		From: settings.Moment{Clock: 22 * time.Hour, Daily: true}, To: settings.Moment{Clock: 2 * time.Hour, Daily: true},
		Days: []settings.Weekday{settings.Weekday(time.Saturday)}, Timezone: "Europe/Amsterdam", Select: []string{"site=ams"},
	}
	if diff := cmp.Diff([]settings.Window{want}, all.Maintenance); diff != "" {
		t.Error(diff)
	}
	if got := want.Timezone.Location().String(); got != "Europe/Amsterdam" || settings.Zone("").Location() != time.Local {
		t.Errorf("got the zone %s", got)
	}
	core := s.MonitorFor("core")
	if time.Duration(core.Interval) != time.Second || time.Duration(core.Timeout) != 500*time.Millisecond || core.Down != all.Down || len(core.Probes) != 1 || core.Probes[0].Kind != "ssh" {
		t.Errorf("got %+v", core)
	}
	if len(core.Maintenance) != 2 || core.Maintenance[1].From.At.UTC().Hour() != 21 || core.Maintenance[1].From.Daily || len(s.MonitorFor("").Maintenance) != 1 {
		t.Errorf("the maintenance of a group comes beside that of all: got %+v", core.Maintenance)
	}
	if edge := s.MonitorFor("edge"); edge.Loss != (settings.Of{N: 4, M: 16}) || time.Duration(edge.Interval) != 5*time.Second {
		t.Errorf("got %+v", edge)
	}
	if !s.MonitorFor("lab").Off || s.MonitorFor("quick").Off || s.MonitorFor("unheard-of").Off {
		t.Error("lab alone is off")
	}
	off, _ := loadServing(t, "monitor: off\ngroups: {core: {monitor: on}, edge: {monitor: {interval: 1s}}}", "MUSTER_MONITOR_INTERVAL=3s", "MUSTER_LISTEN=[::1]:0")
	if !off.MonitorFor("").Off || off.MonitorFor("core").Off || off.MonitorFor("edge").Off {
		t.Error("monitor: off holds for groups that do not say otherwise")
	}
	if got := time.Duration(off.MonitorFor("core").Interval); got != 3*time.Second || off.Serve.Listen != "[::1]:0" {
		t.Errorf("the environment: got %s and %s", got, off.Serve.Listen)
	}
}

// Each mistake is one sentence that says where, what and, where that can be said, what to do.
func TestBadServing(t *testing.T) {
	t.Parallel()
	const span = "must be a time with its unit, such as 10s, 6h, 1d or 2w"
	rule := func(keys string) string { return "alerts: {rules: [{name: a, " + keys + "}]}" }
	for name, c := range map[string]struct{ text, want string }{
		"listen to all":              {"serve: {listen: \":8970\"}", `1:17: serve.listen: ":8970" can be reached from outside: until there is a log-in muster listens on 127.0.0.1 or [::1] alone`},
		"listen to others":           {"serve: {listen: 192.0.2.1:80}", `1:17: serve.listen: "192.0.2.1:80" can be reached from outside: until`},
		"listen to all of IPv6":      {"serve: {listen: \"[::]:80\"}", `1:17: serve.listen: "[::]:80" can be reached from outside: until`},
		"listen to a name":           {"serve: {listen: host:80}", `1:17: serve.listen: must be an address and a port, such as 127.0.0.1:8970 or [::1]:8970`},
		"listen without port":        {"serve: {listen: 127.0.0.1}", `1:17: serve.listen: must be an address and a port`},
		"listen to nothing":          {"serve: {listen: \"\"}", `1:17: serve.listen: must be an address and a port`},
		"unknown key of serve":       {"serve: {listne: x}", `1:9: unknown key "listne" in serve: did you mean "listen"?`},
		"every without unit":         {"backup: {every: 6}", `1:17: backup.every: ` + span + `; or off`},
		"every of nothing":           {"backup: {every: 0s}", `1:17: backup.every: ` + span + `; or off`},
		"every for ever":             {"backup: {every: 99999d}", `1:17: backup.every: ` + span + `; or off`},
		"every too short":            {"backup: {every: 10ms}", `1:17: every must be from 1s to 3660d`},
		"every too long":             {"groups: {a: {backup: {every: 600w}}}", `1:30: every must be from 1s to 3660d`},
		"an interval for cron":       {"backup: {cron: 6h}", `1:16: 6h is no cron expression: write every: 6h`},
		"every and cron":             {"backup: {every: 6h, cron: \"* * * * *\"}", `1:27: every and cron are two ways to say it: keep one of them`},
		"cron":                       {"backup: {cron: \"* * *\"}", `1:16: cron: it has not five fields`},
		"cron of a group":            {"groups: {a: {backup: {cron: \"* * *\"}}}", `1:29: cron: it has not five fields`},
		"cron without quotes":        {"backup:\n  cron: * * * * *", `2:17: this is no YAML: a text that begins with * stands in quotes`},
		"cron without quotes either": {"backup:\n  cron: */15 * * * *", `2:14: this is no YAML: a text that begins with * stands in quotes`},
		"jitter":                     {"backup: {jitter: soon}", `1:18: backup.jitter: ` + span},
		"jitter beyond the default":  {"backup: {jitter: 1d}", `1:18: a jitter of 1d is more than every 6h`},
		"jitter beyond a group's":    {"backup: {jitter: 10m}\ngroups: {a: {backup: {every: 90s}}}", `2:30: a jitter of 10m is more than every 1m30s`},
		"time zone":                  {"backup: {timezone: Europe/Amsterdm}", `1:20: backup.timezone: no time zone is named "Europe/Amsterdm" here: write one such as Europe/Amsterdam or UTC`},
		"backup on":                  {"groups: {a: {backup: on}}", `1:22: groups.a.backup: must be off, or a set of keys such as every: 6h`},
		"backup as a list":           {"backup: [6h]", `1:9: backup must be one value`},
		"monitor of":                 {"monitor: of", `1:10: monitor: must be on, off, or a set of keys with their values`},
		"uplink of":                  {"monitor: {uplink: no way}", `1:19: monitor.uplink: must be on, off, or a set of keys with their values`},
		"uplink of none":             {"monitor: {uplink: {least: 0}}", `1:27: least must be at least 1; to take no silence for this machine's own write uplink: off`},
		"flap of a group":            {"groups: {a: {monitor: {flap: {changes: 5}}}}", `1:24: unknown key "flap" in groups.a.monitor`},
		"flap of none":               {"monitor: {flap: {changes: 0}}", `1:27: changes must be at least 1`},
		"interval of nothing":        {"monitor: {interval: 0s}", `1:21: monitor.interval: ` + span},
		"interval too short":         {"groups: {a: {monitor: {interval: 1ms}}}", `1:34: an interval must be at least 20ms`},
		"timeout too long":           {"monitor: {interval: 1s, timeout: 33s}", `1:34: a timeout of 33s is more than 32 intervals of 1s: make it shorter`},
		"timeout of all too long":    {"monitor: {timeout: 33s}\ngroups: {a: {monitor: {interval: 1s}}}", `2:34: a timeout of 33s is more than 32 intervals of 1s: make it shorter`},
		"no share":                   {"monitor: {down: often}", `1:17: monitor.down: must be so many of the last so many, such as 3/5`},
		"more than all":              {"monitor: {down: 5/3}", `1:17: monitor.down: 5 of the last 3 cannot be: write the smaller number first, such as 3/5`},
		"none of some":               {"monitor: {up: 0/2}", `1:15: monitor.up: 0 of the last 2 cannot be: write the smaller number first`},
		"of too many":                {"monitor: {loss: 8/65}", `1:17: monitor.loss: the last 64 are the most that can be looked at`},
		"no probe":                   {"monitor: {probes: []}", `1:19: no probe is named: leave probes out for icmp, or write monitor: off`},
		"probe without kind":         {"monitor: {probes: [{port: 22}]}", `1:20: the probe has no kind: add kind: icmp, or another`},
		"kind of probe":              {"monitor: {probes: [imcp]}", `1:20: unknown kind of probe "imcp": did you mean "icmp"?`},
		"kind of probe alone":        {"monitor: {probes: shs}", `1:19: unknown kind of probe "shs": did you mean "ssh"?`},
		"kind of probe of a group":   {"groups: {a: {monitor: {probes: [icmp, {kind: htpp}]}}}", `1:46: unknown kind of probe "htpp": did you mean "http"?`},
		"probe as a mapping":         {"monitor: {probes: {kind: ssh}}", `1:19: monitor.probes must be a list`},
		"unknown key of a probe":     {"monitor: {probes: [{knid: ssh}]}", `1:21: unknown key "knid" in monitor.probes[0]: did you mean "kind"?`},
		"port of icmp":               {"monitor: {probes: [{kind: icmp, port: 7}]}", `1:39: port means nothing with kind: icmp; it is for dns, http, https, ssh and tcp`},
		"path of ssh":                {"monitor: {probes: [{kind: ssh, path: /}]}", `1:38: path means nothing with kind: ssh; it is for http and https`},
		"authorities of http":        {"monitor: {probes: [{kind: http, insecure: true}]}", `1:43: insecure means nothing with kind: http; it is for https`},
		"port of a probe":            {"monitor: {probes: [{kind: ssh, port: 70000}]}", `1:38: the port must be a number from 1 to 65535`},
		"status":                     {"monitor: {probes: [{kind: http, status: [200, 20]}]}", `1:41: status: there is no 20: write numbers from 100 to 599`},
		"redirects":                  {"monitor: {probes: [{kind: http, redirects: -1}]}", `1:44: redirects must not be negative`},
		"body":                       {"monitor: {probes: [{kind: http, body: \"(\"}]}", "1:39: body is no regular expression: error parsing regexp: missing closing ): `(`"},
		"probe twice":                {"monitor: {probes: [ssh, {kind: ssh}]}", `1:25: two probes are called "ssh": give one of them another name with as:`},
		"what probe knows":           {"monitor: {probes: [{kind: dns, type: AXFR}]}", `1:38: there is no type AXFR`},
		"maintenance without end":    {"monitor: {maintenance: [{from: \"22:00\"}]}", `1:25: maintenance begins and ends: add from: and to:`},
		"time of no day":             {"monitor: {maintenance: [{from: \"25:00\", to: \"02:00\"}]}", `1:32: monitor.maintenance[0].from: must be a time of the day such as 22:00, or a date with its time such as 2026-12-24T22:00:00+01:00`},
		"clock and date":             {"monitor: {maintenance: [{from: \"22:00\", to: \"2026-12-24T22:00:00Z\"}]}", `1:45: from and to must both be a time of the day, or both a date with its time`},
		"end before the beginning":   {"monitor: {maintenance: [{from: \"2026-12-24T22:00:00Z\", to: \"2026-12-24T22:00:00+01:00\"}]}", `1:60: it ends before it begins`},
		"end at the beginning":       {"monitor: {maintenance: [{from: \"22:00\", to: \"22:00\"}]}", `1:45: it ends when it begins; a whole day is from: 00:00 to: 24:00`},
		"beginning at the end":       {"monitor: {maintenance: [{from: \"24:00\", to: \"02:00\"}]}", `1:32: a day begins at 00:00`},
		"days of a date":             {"monitor: {maintenance: [{days: mon, from: \"2026-12-24T22:00:00Z\", to: \"2026-12-25T22:00:00Z\"}]}", `1:32: days are for times of the day: write from: 22:00, or leave days out`},
		"time zone of a date":        {"monitor: {maintenance: [{timezone: UTC, from: \"2026-12-24T22:00:00Z\", to: \"2026-12-25T22:00:00Z\"}]}", `1:36: a date has its time zone with it: leave timezone out`},
		"no day":                     {"monitor: {maintenance: [{days: [], from: \"22:00\", to: \"02:00\"}]}", `1:32: no day is named: leave days out for every day`},
		"unknown day":                {"monitor: {maintenance: [{days: [sta], from: \"22:00\", to: \"02:00\"}]}", `1:33: monitor.maintenance[0].days[0]: unknown day "sta": did you mean "sat"?`},
		"selector of maintenance":    {"monitor: {maintenance: [{select: [r1, \"site=[\"], from: \"22:00\", to: \"02:00\"}]}", `1:39: select: selector "site=[": the pattern in "site=[" is wrong: a [ without its ]`},
		"selector of a group":        {"groups: {a: {monitor: {maintenance: [{select: \"\", from: \"22:00\", to: \"02:00\"}]}}}", `1:47: select: selector "": it is empty`},
		"retention":                  {"history: {retention: 90}", `1:22: history.retention: ` + span},
		"size":                       {"history: {max_size: big}", `1:21: history.max_size: must be a number of bytes, such as 64MiB`},
		"two engines":                {"alerts: {alertmanager: a.yml, url: http://am:9093}", `1:36: alertmanager is the one in muster and url one elsewhere: keep one of them`},
		"URL":                        {"alerts: {url: am:9093}", `1:15: alerts.url[0]: must be a URL such as http://alertmanager.example.net:9093`},
		"URL with a password":        {"alerts: {url: \"http://me:" + hidden + "@am:9093\"}", `1:15: alerts.url[0]: a username or password does not stand in a URL here`},
		"URL with a query":           {"alerts: {url: \"http://am:9093/?" + hidden + "\"}", `1:15: alerts.url[0]: must be a URL without anything behind ? or #`},
		"rule without name":          {"alerts: {rules: [{when: state}]}", `1:18: the rule has no name: add name: NAME`},
		"rule there twice":           {"alerts: {rules: [{name: a, when: state}, {name: a, when: uplink}]}", `1:49: a rule is named "a" already`},
		"rule without when":          {"alerts: {rules: [name: a]}", `1:18: the rule does not say when: add when: state, or another kind`},
		"kind of rule":               {rule("when: promlq"), `1:34: unknown kind of rule "promlq": did you mean "promql"?`},
		"key of another kind":        {rule("when: state, expr: up"), `1:47: expr means nothing with when: state; it is for promql`},
		"for of an event":            {rule("when: event, event: backup-new, for: 5m"), `1:65: for means nothing with when: event; it is for group, promql, state and uplink`},
		"for without unit":           {rule("when: state, for: 5"), `1:46: alerts.rules[0].for: ` + span},
		"state":                      {rule("when: state, state: dwon"), `1:48: alerts.rules[0].state[0]: unknown word "dwon": did you mean "down"?`},
		"state and states":           {rule("when: state, state: down, states: [up]"), `1:62: state and states are the same: keep one of them`},
		"selector of a rule":         {rule("when: state, select: \"a=b=c\""), `1:49: select: selector "a=b=c": "a=b=c" is no condition: write key=value or key!=value`},
		"selector of a run":          {rule("when: state, select: [\"@failed\"]"), `1:50: select: @failed is for the command line: what it selects is another each time`},
		"selector of nobody":         {rule("when: state, select: []"), `1:49: no device is selected: leave select out for all`},
		"group of how many":          {rule("when: group"), `1:18: the rule does not say how many: add count: 3 or share: 50%`},
		"count of none":              {rule("when: group, count: 0, share: 5%"), `1:48: count must be at least 1`},
		"count and share":            {rule("when: group, count: 3, share: 5%"), `1:58: count and share are two ways to say it: keep one of them`},
		"share without sign":         {rule("when: group, share: 50"), `1:48: alerts.rules[0].share: must be a share from 1% to 100%`},
		"share of more than all":     {rule("when: group, share: 101%"), `1:48: alerts.rules[0].share: must be a share from 1% to 100%`},
		"at least none":              {rule("when: group, count: 3, least: -1"), `1:58: least must be at least 1`},
		"promql of what":             {rule("when: promql"), `1:18: the rule has no expression: add expr:`},
		"what promql knows":          {rule("when: promql, expr: \"rate(\""), `1:48: the expression does not parse`},
		"what a rule knows":          {rule("when: state, summary: \"{{.Devcie}}\""), `1:18: summary: there is no Devcie`},
		"event of what":              {rule("when: event"), `1:18: the rule does not say which event: add event: backup-failed, or another`},
		"event":                      {rule("when: event, event: backup-faild"), `1:48: alerts.rules[0].event: unknown event "backup-faild": did you mean "backup-failed"?`},
		"event of health":            {rule("when: event, event: health"), `1:48: alerts.rules[0].event: changes of health are for a rule with when: state`},
		"event of the log":           {rule("when: event, event: log"), `1:48: alerts.rules[0].event: what devices log is for a rule with when: log`},
		"match":                      {rule("when: event, event: backup-new, match: \"[\""), "1:67: match is no regular expression: error parsing regexp: missing closing ]: `[`"},
		"label":                      {rule("when: state, labels: {my-team: x}"), `1:59: labels: a name is letters, digits and _, and does not begin with a digit`},
		"label of the rule":          {rule("when: state, labels: {alertname: x}"), `1:61: labels: alertname is the name of the rule`},
		"defaults":                   {"alerts: {defaults: some}", `1:20: alerts.defaults must be true or false`},
		"parents of a group":         {"groups: {a: {parents: [../r1]}}", `1:23: parents: the name "../r1" begins with "."`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := put(t, t.TempDir(), "muster.yaml", c.text+"\n")
			problems := settings.Check(file, options(t.TempDir()))
			if len(problems) != 1 {
				t.Fatalf("got %d problems, want 1: %v", len(problems), problems)
			}
			got := problems[0].Error()
			if want := file + ":" + c.want; !strings.HasPrefix(got, want) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if strings.Contains(got, hidden) || strings.Contains(got, "\n") {
				t.Errorf("more than one sentence, or a secret: %s", got)
			}
		})
	}
}

func TestBadServingByEnvironment(t *testing.T) {
	t.Parallel()
	_, err := settings.Load(options(t.TempDir(), "MUSTER_LISTEN=0.0.0.0:80", "MUSTER_BACKUP_EVERY=often", "MUSTER_MONITOR_INTERVAL=10"))
	want := []string{
		"environment: MUSTER_BACKUP_EVERY: must be a time with its unit, such as 10s, 6h, 1d or 2w; or off",
		`environment: MUSTER_LISTEN: "0.0.0.0:80" can be reached from outside: until there is a log-in muster listens on 127.0.0.1 or [::1] alone`,
		"environment: MUSTER_MONITOR_INTERVAL: must be a time with its unit, such as 10s, 6h, 1d or 2w",
	}
	if err == nil || cmp.Diff(want, strings.Split(err.Error(), "\n")) != "" {
		t.Errorf("got %v", err)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"500ms": time.Second / 2, "90s": 90 * time.Second, "1d": day, "2w": 14 * day, "1w2d3h": 9*day + 3*time.Hour, "1h30m": 90 * time.Minute,
	} {
		var s settings.Span
		if err := s.UnmarshalText([]byte(text)); err != nil || time.Duration(s) != want {
			t.Errorf("%s: got %v, %v", text, time.Duration(s), err)
		}
	}
	for _, text := range []string{"", "0s", "0d", "5", "-1h", "-1d", "1d-1h", "1.5d", "d", "soon", "1h1d", "8191w8191d2000000h", "99999w"} {
		var s settings.Span
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, time.Duration(s))
		}
	}
}

// A rule can be about every kind of event that there is.
func TestEventsAreThoseOfMuster(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "event.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.ValueSpec)
		if !ok || len(lit.Names) != 1 || !strings.HasPrefix(lit.Names[0].Name, "Event") {
			return true
		}
		kind, _ := strconv.Unquote(lit.Values[0].(*ast.BasicLit).Value)
		var e settings.Event
		if err := e.UnmarshalText([]byte(kind)); err != nil && kind != string(muster.EventHealth) && kind != string(muster.EventLog) {
			t.Errorf("%s: %v", kind, err)
		}
		found++
		return true
	})
	if found < 6 {
		t.Errorf("found %d kinds", found)
	}
}

func TestAFileMaySayMoreOfAGroupThatIsWatched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(dir)
	o.File = put(t, dir, "muster.yaml", "inventory: [file: list.yaml]\ngroups: {core: {monitor: {interval: 1s}}}\n")
	put(t, dir, "list.yaml", "groups: {core: {platform: ios}}\ndevices: [{name: r1, group: core}]\n")
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.Load(t.Context(), s.Env(nil, nil), s.Specs()...)
	if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Platform != "cisco_ios" {
		t.Errorf("got %v, %v", inv.Devices, err)
	}
}
