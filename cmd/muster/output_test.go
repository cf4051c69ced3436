package main

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/store"
)

// golden runs a command's output in every format and compares standard output and standard error with
// testdata/golden/<name>.txtar.
func golden(t *testing.T, name string, run func(p *program) error) {
	t.Helper()
	old := time.Local
	time.Local = time.UTC
	defer func() { time.Local = old }()
	archive := &txtar.Archive{}
	for _, f := range []string{"table", "terminal", "json", "ndjson", "csv", "list"} {
		var stdout, stderr bytes.Buffer
		p := newProgram(strings.NewReader(""), &stdout, &stderr, nil)
		p.format = format(f)
		if f == "terminal" {
			p.format, p.colour, p.stdoutTerminal = formatTable, true, true
		}
		if err := run(p); err != nil && !told(err) {
			t.Fatalf("%s: %v", f, err)
		}
		archive.Files = append(archive.Files, txtar.File{Name: f, Data: printable(stdout.Bytes())})
		if stderr.Len() > 0 {
			archive.Files = append(archive.Files, txtar.File{Name: f + " stderr", Data: printable(stderr.Bytes())})
		}
	}
	file := filepath.Join("testdata", "golden", name+".txtar")
	got := txtar.Format(archive)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// printable shows colours as {…} and marks a last line that does not end.
func printable(out []byte) []byte {
	out = bytes.ReplaceAll(out, []byte("\x1b"), []byte("{esc}"))
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, "{no line feed}\n"...)
	}
	return out
}

const (
	rev1 = "7c2e91a0000000000000000000000000000000aa"
	rev2 = "0badcafe00000000000000000000000000000000"
)

// hostile is what a device might say to whoever reads it on a terminal.
const hostile = "\x1b]0;owned\a\x1b[2J\u202etxt\xff"

func results() []muster.Result {
	dev := func(name string) muster.Device {
		return muster.Device{Name: name, Address: "192.0.2.1", Platform: "cisco_ios", Group: "core"}
	}
	failed := func(index int, name string, f muster.Failure) muster.Result {
		return muster.Result{Index: index, Device: dev(name), Status: muster.StatusFailed, Attempts: 2, Elapsed: 10 * time.Second, Failure: &f}
	}
	return []muster.Result{ // in the order of completion
		{Index: 1, Device: dev("r2"), Status: muster.StatusUnchanged, Revision: rev2, Bytes: 900, Attempts: 1, Elapsed: 1200 * time.Millisecond},
		{Index: 0, Device: dev("r1"), Status: muster.StatusChanged, Revision: rev1, Added: 1, Removed: 1, Line: 2, Taste: "description uplink to r2", Bytes: 1000, Attempts: 1, Elapsed: 2 * time.Second},
		{Index: 3, Device: muster.Device{Name: "new", Address: "new"}, Status: muster.StatusNew, Revision: rev1, Added: 40, Bytes: 800, Attempts: 1, Elapsed: time.Second},
		{Index: 5, Device: dev("short"), Status: muster.StatusUnchanged, Revision: rev1, Attempts: 1, Elapsed: time.Second, Warning: "less than half as long as before"},
		failed(2, "old-sw3", muster.Failure{Stage: muster.StageHandshake, Code: "no-common-cipher", Err: errors.New("the device offers only 3des-cbc")}),
		failed(4, "evil", muster.Failure{Stage: muster.StageCommand, Code: "command-rejected", Err: errors.New("it said: " + hostile), Hint: "do not " + hostile}),
		failed(6, "late", muster.Failure{Stage: muster.StageCanceled, Code: "canceled", Err: context.Canceled}),
	}
}

func seq[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, i := range items {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func TestOutputOfBackup(t *testing.T) {
	sum := app.Summary{Total: 7, New: 1, Changed: 1, Unchanged: 2, Failed: 3, Duration: 84*time.Second + 123*time.Millisecond, Run: "20261122T080300Z-1"}
	golden(t, "backup", func(p *program) error {
		out := newOutput(p, p.backupView())
		notDone, err := addResults(out, seq(results()), &progress{})
		return errors.Join(err, out.end(newBackupSummary(sum), p.backupFoot(sum, notDone)))
	})
}

func TestOutputOfBackupWithNothingToTell(t *testing.T) {
	p, stdout := quietProgram()
	out := newOutput(p, p.backupView())
	sum := app.Summary{Total: 1, Unchanged: 1, Duration: 2 * time.Second}
	if _, err := addResults(out, seq(results()[:1]), &progress{}); err != nil {
		t.Fatal(err)
	}
	if err := out.end(newBackupSummary(sum), p.backupFoot(sum, 0)); err != nil {
		t.Fatal(err)
	}
	if got, want := stdout.String(), "1 ok in 2s.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func quietProgram() (*program, *bytes.Buffer) {
	var stdout bytes.Buffer
	return newProgram(strings.NewReader(""), &stdout, &bytes.Buffer{}, nil), &stdout
}

func TestTheHintToRepeatNamesTheSameInventory(t *testing.T) {
	t.Parallel()
	p, _ := quietProgram()
	p.dataDir, p.inventory = "/tmp/my data", []string{"list.csv"}
	got := p.backupFoot(app.Summary{Failed: 2, Duration: time.Second}, 0)
	if want := "0 ok, 2 failed in 1s.   Again for those: muster backup @failed --data-dir '/tmp/my data' -i list.csv"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func answers() []app.Answer {
	dev := func(name string) muster.Device { return muster.Device{Name: name} }
	return []app.Answer{
		{Index: 2, Device: dev("r3"), Command: "show clock", Output: "10:00\n", ExitStatus: -1, Elapsed: time.Second},
		{Index: 0, Device: dev("r1"), Command: "show clock", Output: "10:00\n", ExitStatus: -1, Elapsed: time.Second},
		{Index: 1, Device: dev("lx"), Command: "show clock", Output: "no such\x1b[2J command", Stderr: "lx: " + hostile, ExitStatus: 127, Elapsed: time.Second},
		{Index: 4, Device: dev("r5"), Command: "show clock", Attempts: 2, ExitStatus: -1, Elapsed: 10 * time.Second,
			Failure: &muster.Failure{Stage: muster.StageConnect, Code: "refused", Err: errors.New("connection refused")}},
		{Index: 3, Device: dev("r4"), Command: "show clock", ExitStatus: -1, Attempts: 1,
			Failure: &muster.Failure{Stage: muster.StageConnect, Code: "unreachable", Err: errors.New("no route to host")}},
	}
}

func TestOutputOfRun(t *testing.T) {
	golden(t, "run", func(p *program) error {
		out, sum := newOutput(p, runView()), runSummary{Total: 5, DurationMS: 10200}
		if err := addAnswers(out, seq(answers()), &progress{}, &sum); err != nil {
			return err
		}
		return p.endRun(out, sum, 10200*time.Millisecond, 5)
	})
}

func TestOutputOfRunOnOneDeviceIsTheTextAlone(t *testing.T) {
	t.Parallel()
	p, stdout := quietProgram()
	out, sum := newOutput(p, runView()), runSummary{Total: 1}
	raw := "a\x1b[1m\xff\r\nno line feed at the end"
	if err := addAnswers(out, seq([]app.Answer{{Output: raw, ExitStatus: -1}}), &progress{}, &sum); err != nil {
		t.Fatal(err)
	}
	if err := p.endRun(out, sum, time.Second, 1); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != raw {
		t.Errorf("got %q, want %q", stdout, raw)
	}
}

func TestOutputOfHistory(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)
	golden(t, "history", func(p *program) error {
		return all(p, historyView(), []revisionRow{
			newRevisionRow(muster.Revision{ID: rev1, Time: at, Author: "admin", Trigger: "syslog", Added: 1, Removed: 1}),
			newRevisionRow(muster.Revision{ID: rev2, Time: at.Add(-10 * time.Hour), Author: "muster", Trigger: "manual", Added: 40}),
		})
	})
}

func diffs() []app.Diff {
	at := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	unified := "--- r1\n+++ r1\n@@ -3,2 +3,2 @@ interface eth0\n interface eth0\n- description management\n+ description uplink " + hostile + "\n"
	before := muster.Revision{ID: rev2, Device: "r1", Time: at, Author: "muster", Trigger: "manual"}
	after := muster.Revision{ID: rev1, Device: "r1", Time: at.Add(10*time.Hour + 3*time.Minute), Author: "admin", Trigger: "syslog"}
	other := muster.Revision{ID: rev1, Device: "r2", Time: at, Author: "muster", Trigger: "manual"}
	return []app.Diff{
		{From: before, To: after, Unified: unified, Added: 1, Removed: 1},
		{From: before, To: other, Unified: "--- r1\n+++ r2\n@@ -1 +0,0 @@\n-hostname r1\n", Removed: 1},
	}
}

func TestOutputOfDiff(t *testing.T) {
	golden(t, "diff", func(p *program) error { return p.showDiff(diffs()[0], false, true) })
}

func TestOutputOfChanges(t *testing.T) {
	golden(t, "changes", func(p *program) error {
		var rows []diffRow
		for _, d := range diffs() {
			rows = append(rows, newDiffRow(d))
		}
		return p.diffs(rows)
	})
}

func TestDiffExitsWithOneOnDriftWhereAsked(t *testing.T) {
	t.Parallel()
	p, _ := quietProgram()
	same := app.Diff{From: muster.Revision{ID: rev1}, To: muster.Revision{ID: rev2}}
	if err := p.showDiff(diffs()[0], true, true); exitCode(err, false) != exitFailed {
		t.Errorf("drift: got %v", err)
	}
	if err := p.showDiff(diffs()[0], false, true); err != nil {
		t.Errorf("drift without --exit-code: got %v", err)
	}
	if err := p.showDiff(same, true, true); err != nil {
		t.Errorf("no drift: got %v", err)
	}
}

func TestOutputOfGrep(t *testing.T) {
	matches := []app.Match{
		{Device: "r1", Revision: rev1, Line: 9, Text: " description " + hostile, Section: []string{"interface eth0", "unit 0"}},
		{Device: "r1", Revision: rev1, Line: 112, Text: "ntp server 192.0.2.7"},
		{Device: "r2", Revision: rev2, Line: 3, Text: "=cmd|' /C calc'!A0, \"quoted\""},
	}
	golden(t, "grep", func(p *program) error { return p.grep(t.Context(), seq(matches), false, "x") })
}

func TestGrepThatFindsNothingSaysSo(t *testing.T) {
	t.Parallel()
	p, _ := quietProgram()
	if err := p.grep(t.Context(), seq[app.Match](nil), false, "telnet"); !errors.Is(err, app.ErrNothing) {
		t.Errorf("got %v", err)
	}
}

func TestOutputOfStatus(t *testing.T) {
	good := time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)
	golden(t, "status", func(p *program) error {
		return p.status([]app.State{
			{Device: muster.Device{Name: "r1", Address: "192.0.2.1", Platform: "cisco_ios"}, Age: 2*time.Hour + 5*time.Minute,
				Known: store.Device{LastGood: good, LastStatus: muster.StatusUnchanged, Revision: rev1}},
			{Device: muster.Device{Name: "r2", Address: "192.0.2.2"}, Age: 3*day + time.Hour, Stale: true,
				Known: store.Device{LastGood: good.Add(-3 * day), LastStatus: muster.StatusFailed, Revision: rev2,
					Failure: &muster.Failure{Stage: muster.StageConnect, Code: "refused", Err: errors.New("connection refused")}}},
			{Device: muster.Device{Name: "r3", Address: "192.0.2.3"}, Age: -1, Stale: true},
		}, day, 0)
	})
}

func TestOutputOfDeviceLs(t *testing.T) {
	golden(t, "device-ls", func(p *program) error {
		return all(p, deviceView(), []muster.Device{
			{Name: "r1", Address: "192.0.2.1", Platform: "cisco_ios", Group: "core", Tags: map[string]string{"site": "ams", "role": "edge"}, Origin: "list.csv:2"},
			{Name: "r2", Address: "2001:db8::2", Port: 2222, Jump: []string{"bastion"}, LegacyCrypto: true, Origin: "argument"},
		})
	})
}

func TestOutputOfDeviceShow(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)
	golden(t, "device-show", func(p *program) error {
		return p.showDevice(newDeviceRow(app.State{
			Device: muster.Device{Name: "r1", Address: "192.0.2.1", Tags: map[string]string{"site": "ams"}, Origin: "list.csv:2"},
			Known: store.Device{LastTry: at, LastGood: at, LastStatus: muster.StatusUnchanged, Revision: rev1, Facts: muster.Facts{Model: "vIOS" + hostile},
				Session: store.SessionFacts{Kex: "diffie-hellman-group14-sha1", Cipher: "aes128-ctr", Weak: []string{"diffie-hellman-group14-sha1"}}},
		}))
	})
}

func TestOutputOfDeviceTest(t *testing.T) {
	golden(t, "device-test", func(p *program) error {
		failed, err := p.testDevice(func(yield func(app.Step) bool) {
			_ = yield(app.Step{Stage: "connect", Took: 1200 * time.Microsecond, Detail: "192.0.2.1:22"}) &&
				yield(app.Step{Stage: "handshake", Took: 30 * time.Millisecond, Detail: "SSH-2.0-Cisco-1.25\nkex diffie-hellman-group14-sha1 (weak)"}) &&
				yield(app.Step{Stage: "prompt", Took: 10 * time.Second, Failure: &muster.Failure{Stage: muster.StagePrompt, Code: "no-prompt",
					Err: errors.New("nothing after the login"), Transcript: []byte("Welcome!\r\npassword: ***\r\n\x1b[2J")}})
		})
		if failed != 1 {
			t.Errorf("%d failed", failed)
		}
		return err
	})
}

func TestOutputOfFindings(t *testing.T) {
	golden(t, "doctor", func(p *program) error {
		return p.findings([]app.Finding{
			{What: "git", OK: true, Text: "2.47.1"},
			{What: "descriptors", Text: "256 are too few for 256 devices at once", Try: "ulimit -n 4096"},
		}, errSomeFailed)
	})
}

func TestTextsAreByteForByteInAPipeAndHarmlessOnATerminal(t *testing.T) {
	t.Parallel()
	for terminal, want := range map[bool]string{false: "a\t" + hostile + "\n", true: "a\t" + visible(hostile) + "\n"} {
		p, stdout := quietProgram()
		p.stdoutTerminal = terminal
		if err := p.showText(muster.Revision{}, []byte("a\t"+hostile+"\n")); err != nil {
			t.Fatal(err)
		}
		if stdout.String() != want {
			t.Errorf("terminal %v: got %q, want %q", terminal, stdout, want)
		}
	}
}

// broken is a disk that is full.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAnOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	for _, f := range []format{formatTable, formatJSON, formatNDJSON, formatCSV, formatList} {
		p := newProgram(strings.NewReader(""), broken{}, &bytes.Buffer{}, nil)
		p.format = f
		if err := all(p, historyView(), []revisionRow{{}}); exitCode(err, false) != exitFailed {
			t.Errorf("%s: got %v", f, err)
		}
	}
}
