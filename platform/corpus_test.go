package platform_test

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

// corpusDir holds recorded sessions of the Oxidized project, as data beside the repository.
const corpusDir = "../../shared/corpus/oxidized"

// corpus calls f for each file of a kind, with the platform it belongs to.
func corpus(t *testing.T, kind string, f func(t *testing.T, def *platform.Def, file string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpusDir, "*#"+kind+".yaml"))
	if err != nil || len(files) == 0 {
		t.Skipf("no corpus at %s: nothing to compare with", corpusDir)
	}
	for _, file := range files {
		model, _, _ := strings.Cut(filepath.Base(file), "#")
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			def, ok := platform.Lookup(model)
			if !ok {
				t.Fatalf("no platform has the name %q, which Oxidized gives it", model)
			}
			f(t, def, file)
		})
	}
}

// lists reads a file of lists of strings.
func lists(t *testing.T, file string) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var l map[string][]string
	if err := yaml.Unmarshal(data, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// exchange is a command and what came back, as bytes of the terminal.
type exchange struct{ cmd, raw string }

// simulation reads a recorded session: what came at login, and the exchanges.
func simulation(t *testing.T, file string) (login string, list []exchange) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Login    string `yaml:"init_prompt"`
		Commands any    `yaml:"commands"`
	}
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.UseOrderedMap()); err != nil {
		t.Fatal(err)
	}
	add := func(v any) {
		m, _ := v.(yaml.MapSlice)
		for _, item := range m {
			cmd, _ := item.Key.(string)
			raw, _ := item.Value.(string)
			cmd = unescape(strings.Trim(cmd, `"`)) // the reader takes a key behind an empty block for a plain one
			list = append(list, exchange{strings.TrimSuffix(cmd, "\n"), unescape(raw)})
		}
	}
	add(s.Commands)
	if several, ok := s.Commands.([]any); ok {
		for _, v := range several {
			add(v)
		}
	}
	if len(list) == 0 {
		t.Fatal("no commands")
	}
	return unescape(s.Login), list
}

var rubyEscape = regexp.MustCompile(`\\(x[0-9a-fA-F]{2}|.)`)

// unescape undoes the Ruby escapes of the corpus.
func unescape(s string) string {
	return rubyEscape.ReplaceAllStringFunc(s, func(e string) string {
		switch e[1] {
		case 'x':
			v, _ := strconv.ParseUint(e[2:], 16, 8)
			return string([]byte{byte(v)})
		case 'r', 'n', 't', 'e', 'b':
			return map[byte]string{'r': "\r", 'n': "\n", 't': "\t", 'e': "\x1b", 'b': "\b"}[e[1]]
		}
		return e[1:]
	})
}

func TestCorpusPrompts(t *testing.T) {
	t.Parallel()
	corpus(t, "prompt", func(t *testing.T, def *platform.Def, file string) {
		l := lists(t, file)
		for _, p := range l["pass"] {
			if p = strings.TrimLeft(p, "\r"); !def.MatchPrompt(p) {
				t.Errorf("%q is a prompt", p)
			}
		}
		for _, p := range l["fail"] {
			if def.MatchPrompt(p) {
				t.Errorf("%q is no prompt", p)
			}
		}
		for _, p := range l["pass_with_expect"] {
			s := sessiontest.Start(t, sessiontest.Device{Prompt: p})
			c := s.Config(t)
			c.Shell = def.Shell()
			conn, err := session.Dial(t.Context(), s.Addr, c)
			if err != nil {
				t.Errorf("%q: %v", p, err)
				continue
			}
			conn.Close()
		}
	})
}

func TestCorpusSecretsAreMasked(t *testing.T) {
	t.Parallel()
	corpus(t, "secret", func(t *testing.T, def *platform.Def, file string) {
		_, list := simulation(t, strings.Replace(file, "#secret.", "#simulation.", 1))
		found := 0
		for _, x := range list {
			text := strings.ReplaceAll(x.raw, "\r", "")
			masked := string(def.Mask([]byte(text)))
			anyhow := string(platform.MaskAny([]byte(text)))
			for _, secret := range lists(t, file)["fail"] {
				found += strings.Count(text, secret)
				for line := range strings.Lines(masked) {
					if strings.Contains(line, secret) {
						t.Errorf("Mask leaves %q in %q", secret, line)
					}
				}
				if strings.Contains(anyhow, secret) {
					t.Errorf("MaskAny leaves %q", secret)
				}
			}
		}
		if found == 0 {
			t.Error("none of the secrets is in the recorded answers")
		}
	})
}

// elsewhere are lines of answers to commands that are no part of our configuration.
var elsewhere = regexp.MustCompile(`^(?:bridge port changed|detect-internet settings changed|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|! Processor ID: .*|installed-version: .*)$`)

func TestCorpusSignificantChanges(t *testing.T) {
	t.Parallel()
	corpus(t, "significant_changes", func(t *testing.T, def *platform.Def, file string) {
		l := lists(t, file)
		for _, line := range l["pass"] {
			if got := def.Clean([]byte(line)); !elsewhere.MatchString(line) && strings.TrimSpace(string(got)) != line {
				t.Errorf("%q is a change, but %q is what remains", line, got)
			}
		}
		for _, line := range l["fail"] {
			if got := def.Clean([]byte(line)); !elsewhere.MatchString(line) && len(got) > 0 {
				t.Errorf("%q is no change", line)
			}
		}
	})
}

// terminalOf makes what a terminal shows of an exchange: recordings of exec requests have neither echo nor prompt.
func (x exchange) terminal(prompt string, isPrompt func(string) bool) (raw, want string) {
	raw = x.raw
	if first, _, _ := strings.Cut(raw, "\n"); strings.TrimRight(first, "\r") != x.cmd {
		raw = x.cmd + "\r\n" + raw
	}
	i := strings.LastIndexByte(raw, '\n') + 1
	body := raw[:i]
	if !isPrompt(strings.TrimLeft(raw[i:], "\r")) {
		body = raw + "\n"
		raw = body + prompt
	}
	_, text, _ := strings.Cut(body, "\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.Trim(line, "\r")
	}
	return raw, strings.Join(lines, "\n")
}

func TestCorpusArrivesWhole(t *testing.T) {
	t.Parallel()
	corpus(t, "simulation", func(t *testing.T, def *platform.Def, file string) {
		login, list := simulation(t, file)
		for _, d := range []*platform.Def{def, lookup(t, "generic")} {
			if d.IsExec() {
				replayExec(t, list)
				continue
			}
			prompt := strings.TrimLeft(login[strings.LastIndexByte(login, '\n')+1:], "\r")
			isPrompt := func(s string) bool { return s != "" && def.MatchPrompt(s) }
			if !isPrompt(prompt) {
				prompt = map[bool]string{true: "[admin@MikroTik] > ", false: "admin@device> "}[def.IsExec()]
				login += "\r\n" + prompt
			}
			replayShell(t, d, login, prompt, list, isPrompt)
		}
	})
}

func replayShell(t *testing.T, d *platform.Def, login, prompt string, list []exchange, isPrompt func(string) bool) {
	var steps [][3]string
	for _, x := range list {
		if x.cmd != "exit" && x.cmd != "quit" && x.cmd != "enable" {
			raw, want := x.terminal(prompt, isPrompt)
			steps = append(steps, [3]string{x.cmd, raw, want})
		}
	}
	s := sessiontest.Start(t, sessiontest.Device{Shell: func(term *sessiontest.Terminal) {
		_ = term.Print(login)
		for _, s := range steps {
			if _, err := term.Line(false); err != nil {
				return
			}
			_ = term.Print(s[1])
		}
		_, _ = term.Line(false)
	}})
	c := s.Config(t)
	c.Shell = d.Shell()
	conn, err := session.Dial(t.Context(), s.Addr, c)
	if err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	defer conn.Close()
	for _, s := range steps {
		out, err := conn.Run(t.Context(), s[0])
		if err != nil || out.Text != s[2] {
			t.Fatalf("%s: %s: %v\ngot  %q\nwant %q", d.Name, s[0], err, out.Text, s[2])
		}
	}
}

func replayExec(t *testing.T, list []exchange) {
	answers := map[string]string{}
	for _, x := range list {
		answers[x.cmd] = x.raw
	}
	s := sessiontest.Start(t, sessiontest.Device{Exec: func(cmd string, ch ssh.Channel) int {
		_, _ = io.WriteString(ch, answers[cmd])
		return 0
	}})
	conn, err := session.Dial(t.Context(), s.Addr, s.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for cmd, want := range answers {
		out, err := conn.Run(t.Context(), cmd)
		if err != nil || out.Text != want {
			t.Fatalf("%s: %v\ngot  %q\nwant %q", cmd, err, out.Text, want)
		}
	}
}

func TestCorpusConfigurationsAreWhole(t *testing.T) {
	t.Parallel()
	corpus(t, "simulation", func(t *testing.T, def *platform.Def, file string) {
		_, list := simulation(t, file)
		for _, x := range list {
			if !strings.HasPrefix(x.cmd, "show running-config") && !strings.HasPrefix(x.cmd, "more system") && !strings.HasPrefix(x.cmd, "show configuration") {
				continue
			}
			if strings.Contains(x.raw, "----- output stripped -----") {
				continue
			}
			_, text := x.terminal("", func(s string) bool { return s != "" && def.MatchPrompt(s) })
			lines := strings.SplitAfter(text, "\n")
			if lacks := def.Lacks(text, 0); lacks != "" {
				t.Errorf("%s: %s: first line %q, last lines %q", x.cmd, lacks, lines[0], lines[max(0, len(lines)-3):])
			}
			if len(def.Clean([]byte(text))) == 0 {
				t.Errorf("%s: nothing remains", x.cmd)
			}
		}
	})
}
