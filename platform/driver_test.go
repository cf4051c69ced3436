package platform_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
)

// fetch opens a device and reads its configuration.
func fetch(t *testing.T, r recorded, p player) (platform.Config, error) {
	t.Helper()
	addr, c := p.serve(t)
	conn, err := r.def.Open(t.Context(), addr, c, options())
	if err != nil {
		return platform.Config{}, err
	}
	defer conn.Close()
	return conn.Config(t.Context())
}

func TestEveryPlatformGivesItsConfigurationOverSSH(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() {
			t.Skip("this platform has no configuration command")
		}
		for name, p := range map[string]player{"paging off": {Recording: r.Recording}, "paged": {Recording: r.Recording, paged: true}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got, err := fetch(t, r, p)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(r.Want.Config, string(got.Text)); diff != "" {
					t.Errorf("configuration (-want +got):\n%s", diff)
				}
				want := platform.Config{Text: got.Text, Hostname: r.Want.Hostname, Model: r.Want.Model, Version: r.Want.Version, Serial: r.Want.Serial}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("facts (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// cuts returns some numbers of lines to cut a text after: the first, the last and some between.
func cuts(lines int) []int {
	list := []int{0, 1, 2, lines - 2, lines - 1}
	for i := 1; i <= 6; i++ {
		list = append(list, i*lines/7)
	}
	return list
}

func TestOutputThatIsCutOffIsNeverAConfig(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() {
			t.Skip("this platform has no configuration command")
		}
		lines := strings.SplitAfter(strings.TrimRight(r.raw, "\n"), "\n")
		for how, then := range map[string]after{"hangup": hangup, "prompt": prompt, "halfway": halfway} {
			for _, n := range cuts(len(lines)) {
				text := strings.Join(lines[:n], "")
				if then == prompt && !r.def.HasEndMark() && (r.def.Lacks(text, 0) == "" && strings.TrimSpace(text) != "") {
					continue // cut where a whole configuration could end: only more output would tell
				}
				if then == halfway && (r.def.IsExec() || r.def.Lacks(r.raw, 0) != "") {
					continue // nothing looks like a prompt without a terminal
				}
				p := player{Recording: r.Recording, output: func(s platform.Step) (string, after) {
					if s.Output == r.raw {
						return text, then
					}
					return s.Output, prompt
				}}
				if got, err := fetch(t, r, p); err == nil {
					t.Errorf("%s after %d of %d lines: %d bytes taken for a configuration", how, n, len(lines), len(got.Text))
				}
			}
		}
	})
}

func TestAnExportThatLeftAPartOutIsNoConfig(t *testing.T) {
	t.Parallel()
	for _, said := range []string{`#error exporting "/ip/ipsec/identity" (timeout)`, "#error exporting /interface bridge calea", "#interrupted"} {
		everyRecording(t, func(t *testing.T, r recorded) {
			if r.def.Name != "mikrotik_routeros" {
				t.Skip("another platform")
			}
			p := player{Recording: r.Recording, output: func(s platform.Step) (string, after) {
				return strings.Replace(s.Output, "\n/ip address\n", "\n/ip address\n"+said+"\n", 1), prompt
			}}
			_, err := fetch(t, r, p)
			var e *session.Error
			if !errors.As(err, &e) || e.Code != "truncated" || !strings.Contains(err.Error(), said[:12]) {
				t.Errorf("%s: got %v, want truncated and what the device says", said, err)
			}
		})
	}
}

func TestACommandThatTheDeviceRejectsIsNoConfig(t *testing.T) {
	t.Parallel()
	says := map[string]string{
		"cisco_ios": "              ^\n% Invalid input detected at '^' marker.\n\n", "cisco_nxos": "% Permission denied for the role\n",
		"cisco_iosxr": "% This command is not authorized\n", "cisco_asa": "ERROR: % Invalid input detected at '^' marker.\n",
		"arista_eos": "% Authorization denied for command 'show running-config'\n", "juniper_junos": "             ^\nsyntax error, expecting <command>.\n",
		"mikrotik_routeros": "expected end of command (line 1 column 9)\n", "aruba_aoscx": "Invalid input: running-config\n",
		"fortinet_fortios": "Unknown action 0\nCommand fail. Return code -1\n", "frr": "% Unknown command: show running-config\n",
		"bird": "tail: cannot open '/etc/bird/bird.conf' for reading: Permission denied\n", "linux": "sh: 1: cat: not found\n",
	}
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() {
			t.Skip("this platform has no configuration command")
		}
		said, ok := says[r.def.Name]
		if !ok {
			t.Fatalf("what does %s say to a command that it rejects?", r.def.Name)
		}
		_, err := fetch(t, r, player{Recording: r.Recording, unknown: said, output: func(s platform.Step) (string, after) {
			if s.Output == r.raw {
				return said, prompt
			}
			return s.Output, prompt
		}})
		fails(t, err, "command", "command-rejected")
	})
}

func TestAnEmptyAnswerIsNoConfig(t *testing.T) {
	t.Parallel()
	everyRecording(t, func(t *testing.T, r recorded) {
		if !r.def.HasConfig() {
			t.Skip("this platform has no configuration command")
		}
		_, err := fetch(t, r, player{Recording: r.Recording, output: func(s platform.Step) (string, after) {
			if s.Output == r.raw {
				return "\n", prompt
			}
			return s.Output, prompt
		}})
		fails(t, err, "incomplete", "empty")
	})
}

// recordingOf returns the first recording of a platform.
func recordingOf(t *testing.T, name string) recorded {
	t.Helper()
	for _, r := range platform.Recordings() {
		if r.Platform == name {
			def, _ := platform.Lookup(name)
			return recorded{Recording: r, def: def}
		}
	}
	t.Fatalf("no recording of %s", name)
	return recorded{}
}

// needsEnable returns a recording that begins unprivileged and asks for a secret.
func needsEnable(t *testing.T) recorded {
	t.Helper()
	for _, r := range platform.Recordings() {
		if r.Platform == "cisco_ios" && strings.HasSuffix(r.Prompt, ">") {
			def, _ := platform.Lookup(r.Platform)
			return recorded{Recording: r, def: def}
		}
	}
	t.Fatal("no recording that needs enable")
	return recorded{}
}

func TestTheEnableSecretIsGivenOnce(t *testing.T) {
	t.Parallel()
	r := needsEnable(t)
	asked := 0
	wrong := platform.Options{Enable: func(context.Context) (string, error) {
		asked++
		return "not it", nil
	}}
	addr, c := player{Recording: r.Recording}.serve(t)
	_, err := r.def.Open(t.Context(), addr, c, wrong)
	e := fails(t, err, "prompt", "enable-rejected")
	if asked != 1 {
		t.Errorf("the secret was asked for %d times", asked)
	}
	if strings.Contains(string(e.Transcript), "not it") {
		t.Errorf("the secret is in the transcript:\n%s", e.Transcript)
	}
	addr, c = player{Recording: r.Recording}.serve(t)
	_, err = r.def.Open(t.Context(), addr, c, platform.Options{})
	fails(t, err, "prompt", "enable-rejected")
}

func TestEnableIsNotAskedForWhereTheLoginIsPrivileged(t *testing.T) {
	t.Parallel()
	r := *needsEnable(t).Recording
	r.Prompt = "acc-sw1#"
	def, _ := platform.Lookup(r.Platform)
	addr, c := player{Recording: &r}.serve(t)
	conn, err := def.Open(t.Context(), addr, c, platform.Options{Enable: func(context.Context) (string, error) {
		t.Error("asked for the enable secret")
		return "", nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestAnotherCommandIsTriedWhereTheFirstIsRejected(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]string{"cisco_asa": "show running-config", "frr": `vtysh -c "show running-config"`} {
		r := *recordingOf(t, name).Recording
		def, _ := platform.Lookup(name)
		raw, _, _ := def.RecordedConfig(&r)
		steps := append([]platform.Step(nil), r.Steps...)
		for i := range steps {
			if steps[i].Output == raw {
				steps[i].Send = other
			}
		}
		r.Steps = steps
		got, err := fetch(t, recorded{Recording: &r, def: def, raw: raw}, player{Recording: &r})
		if err != nil || string(got.Text) != r.Want.Config {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunGivesTheOutputOfARejectedCommandToo(t *testing.T) {
	t.Parallel()
	r := recordingOf(t, "generic")
	addr, c := player{Recording: r.Recording}.serve(t)
	conn, err := r.def.Open(t.Context(), addr, c, platform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out, err := conn.Run(t.Context(), "show users")
	if err != nil || !strings.Contains(out.Text, "netops    192.0.2.10") {
		t.Errorf("got %q, %v", out.Text, err)
	}
	out, err = conn.Run(t.Context(), "no such command")
	fails(t, err, "command", "command-rejected")
	if !strings.HasPrefix(out.Text, "% Invalid input") {
		t.Errorf("got %q", out.Text)
	}
	_, err = conn.Config(t.Context())
	fails(t, err, "incomplete", "empty")
}

func TestAnExitStatusIsARejection(t *testing.T) {
	t.Parallel()
	r := *recordingOf(t, "linux").Recording
	r.Steps = append([]platform.Step{{Send: "false", Stderr: "nothing to do\x07\nat all\n", Exit: 3}}, r.Steps...)
	def, _ := platform.Lookup("linux")
	addr, c := player{Recording: &r}.serve(t)
	conn, err := def.Open(t.Context(), addr, c, platform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out, err := conn.Run(t.Context(), "false")
	e := fails(t, err, "command", "command-rejected")
	if out.ExitStatus != 3 || !strings.Contains(e.Error(), `"false": the device says: exit status 3 nothing to do`) || strings.Contains(e.Error(), "\x07") {
		t.Errorf("got %v and %q", out, e)
	}
}

func TestTheLoginSuffixIsForShellsOnly(t *testing.T) {
	t.Parallel()
	def, _ := platform.Lookup("mikrotik_routeros")
	given := []session.Credential{{User: "admin"}, {}}
	if got := def.SuffixedUsers(given); got[0] != "admin+cet511w" || got[1] != "" || given[0].User != "admin" {
		t.Errorf("got %q of %v", got, given)
	}
}
