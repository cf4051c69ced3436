//go:build e2e && linux

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
)

// `muster serve` takes new rules of the log, and the commands beside it know of them.
func TestSyslogServeTakesNewRules(t *testing.T) {
	t.Parallel()
	s, hook := newSite(t), hookBeside(t)
	s.write(t, "alertmanager.yml", hook.receivers())
	at := freeAddress(t, "udp", "127.0.0.1")
	with := func(at, rules string) string {
		return "devices:\n" + device("a", "127.88.0.1", "") + device("b", "127.88.0.2", "") +
			"monitor: {interval: 5s}\nbackup: off\nsyslog: {udp: [\"" + at + "\"]}\nalerts:\n  alertmanager: alertmanager.yml\n" + rules
	}
	const good = "  rules:\n    - {name: melts, when: log, match: 'reactor \\d melts', labels: {severity: warning}}\n" +
		"    - {name: brief, when: log, text: brief, keep: 2s}\n"
	const melts = "<134>1 - - plant 1 - - reactor 7 melts"
	began := time.Now()
	v := s.watch(t, nil, with(at, ""))
	rested(began)
	reload := func(t *testing.T, settings, says string) string {
		t.Helper()
		before := len(v.stderr.String())
		s.settings(t, settings)
		v.signal(t, syscall.SIGHUP)
		v.says(t, before, says)
		line := v.stderr.String()[before:]
		if strings.Count(line, "\n") != 1 {
			t.Errorf("more than a sentence: %s", line)
		}
		return line
	}
	t.Run("A new rule holds", func(t *testing.T) {
		says(t, "127.88.0.1", at, melts)
		within(t, 10*time.Second, "it is archived", func() bool { return len(s.searches(t, "--text", "melts")) == 1 })
		reload(t, with(at, good), "were read anew")
		if got := hook.words(0); len(got) > 0 {
			t.Errorf("told %q", got)
		}
		says(t, "127.88.0.1", at, melts)
		told := hook.await(t, 0, "melts a firing")
		if told.Labels["severity"] != "warning" {
			t.Errorf("%+v", told)
		}
	})
	t.Run("It ends when it has heard no more", func(t *testing.T) {
		says(t, "127.88.0.1", at, "<131>1 - - plant 1 - - brief outage")
		firing := hook.await(t, 0, "brief a firing")
		ended := hook.await(t, 0, "brief a resolved")
		if lasted := ended.at.Sub(firing.at); firing.Labels["severity"] != "warning" || lasted < 1500*time.Millisecond || lasted > 5*time.Second {
			t.Errorf("it lasted %v: %+v", lasted, firing)
		}
	})
	t.Run("A wrong one is refused, and the old ones go on", func(t *testing.T) {
		line := reload(t, with(at, "  rules:\n    - {name: melts, when: log, match: 'reactor ('}\n"), "do not hold")
		for _, word := range []string{"muster.yaml:", "match", "missing closing )"} {
			if !strings.Contains(line, word) {
				t.Errorf("no %q in %s", word, line)
			}
		}
		says(t, "127.88.0.2", at, melts)
		hook.await(t, 0, "melts b firing")
	})
	t.Run("Another address holds after a restart", func(t *testing.T) {
		line := reload(t, with(freeAddress(t, "udp", "127.0.0.1"), good), "do not hold")
		if !strings.Contains(line, "syslog") || !strings.Contains(line, "restart") {
			t.Error(line)
		}
		s.settings(t, with(at, good))
	})
	t.Run("Rules and alerts are listed", func(t *testing.T) {
		rules := s.ok(t, "alert", "rules", "-o", "ndjson")
		for _, want := range []string{`"name":"melts","kind":"log","severity":"warning"`, `"name":"log-critical","kind":"log","severity":"critical"`} {
			if !strings.Contains(rules, want) {
				t.Errorf("no %s in %s", want, rules)
			}
		}
		if out := s.ok(t, "alert", "ls", "melts", "-o", "ndjson"); strings.Count(out, `"name":"melts"`) != 2 || !strings.Contains(out, "reactor 7 melts") {
			t.Errorf("alert ls: %s", out)
		}
	})
	t.Run("Messages are shown as they come", func(t *testing.T) {
		cmd, stdout, stderr := s.command(t.Context(), "syslog", "tail", "b", "-n", "1", "-o", "ndjson"), &console{}, &console{}
		cmd.Stdout, cmd.Stderr = stdout, stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		within(t, 10*time.Second, "the last message is shown", func() bool { return strings.Count(stdout.String(), "\n") == 1 })
		says(t, "127.88.0.1", at, "<134>1 - - plant 1 - - of somebody else")
		says(t, "127.88.0.2", at, "<134>1 - - plant 1 - - of b")
		within(t, 5*time.Second, "the next one is", func() bool { return strings.Count(stdout.String(), "\n") == 2 })
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		all := lines[muster.LogLine](t, stdout.String())
		if cmd.ProcessState.ExitCode() != 0 || len(all) != 2 || all[0].Message != "reactor 7 melts" || all[1].Message != "of b" {
			t.Errorf("exit %d, %+v %s", cmd.ProcessState.ExitCode(), all, stderr)
		}
	})
	t.Run("A second server is told who has the port", func(t *testing.T) {
		other := newSite(t)
		other.write(t, "alertmanager.yml", hook.receivers())
		other.settings(t, with(at, good))
		a := other.muster(t, "serve", "--listen", "127.0.0.1:0")
		if a.code != 2 || !strings.Contains(a.stderr, at) || strings.Count(a.stderr, "\n") != 1 {
			t.Errorf("exit %d: %s", a.code, a.stderr)
		}
	})
}
