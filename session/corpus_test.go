package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

// corpusDir holds recorded sessions of the Oxidized project, as data beside the repository.
const corpusDir = "../../shared/corpus/oxidized"

// simulation is one recording: what came at login, then commands with the bytes they were answered with.
type simulation struct {
	prompt string
	steps  [][2]string
}

var corpusKey = regexp.MustCompile(`^( *)(- )?"?(.*?)"?:? *(\|-|"")?$`)

// readSimulation reads the form the corpus has: "init_prompt" and "commands", each value a stripped block or "".
func readSimulation(t *testing.T, file string) simulation {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sim simulation
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	commands := false
	for i := 0; i < len(lines); {
		m := corpusKey.FindStringSubmatch(lines[i])
		i++
		switch {
		case m == nil || m[3] == "" || m[3] == "---" || strings.HasPrefix(m[3], "#"):
			continue
		case m[2] == "" && m[3] == "commands":
			commands = true
			continue
		}
		block, used := readBlock(lines[i:], len(m[1])+len(m[2]))
		i += used
		if !commands {
			sim.prompt = unescape(block)
			continue
		}
		sim.steps = append(sim.steps, [2]string{unescape(m[3]), unescape(block)})
	}
	return sim
}

// readBlock reads the lines that are indented deeper than their key.
func readBlock(lines []string, key int) (text string, used int) {
	var block []string
	depth := -1
	for _, l := range lines {
		trimmed := strings.TrimLeft(l, " ")
		indent := len(l) - len(trimmed)
		if trimmed != "" && indent <= key {
			break
		}
		if depth < 0 && trimmed != "" {
			depth = indent
		}
		block = append(block, l)
	}
	for i, l := range block {
		block[i] = l[min(len(l), max(depth, 0)):]
	}
	return strings.TrimRight(strings.Join(block, "\n"), "\n"), len(block)
}

var rubyEscape = regexp.MustCompile(`\\(x[0-9a-fA-F]{2}|.)`)

// unescape undoes the Ruby escapes of the corpus.
func unescape(s string) string {
	return rubyEscape.ReplaceAllStringFunc(s, func(e string) string {
		switch e[1] {
		case 'r':
			return "\r"
		case 'n':
			return "\n"
		case 't':
			return "\t"
		case 'e':
			return "\x1b"
		case 'b':
			return "\b"
		case 'x':
			v, _ := strconv.ParseUint(e[2:], 16, 8)
			return string([]byte{byte(v)})
		}
		return e[1:]
	})
}

var corpusPrompt = regexp.MustCompile(`^\r?[\w.@:\[\]-]+[#>] ?$`)

// lastLine splits the last line off.
func lastLine(s string) (before, last string) {
	i := strings.LastIndexByte(s, '\n') + 1
	return s[:i], s[i:]
}

// plain is what a person reads of recorded lines: written apart from the engine under test.
func plain(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimLeft(strings.TrimRight(l, "\r"), "\r")
	}
	return strings.Join(lines, "\n")
}

func TestCorpusArrivesWhole(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpusDir, "*simulation.yaml"))
	if err != nil || len(files) == 0 {
		t.Skipf("no corpus at %s: nothing to replay", corpusDir)
	}
	for _, file := range files {
		for _, chunk := range []int{0, 1, 7, 1000} {
			t.Run(fmt.Sprintf("%s by %d", filepath.Base(file), chunk), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { replay(t, readSimulation(t, file), chunk) })
			})
		}
	}
}

// replay serves a recording and runs its commands with the zero Shell. Recordings of exec sessions have neither echo
// nor prompt; they get both.
func replay(t *testing.T, sim simulation, chunk int) {
	_, prompt := lastLine(sim.prompt)
	if !corpusPrompt.MatchString(prompt) {
		prompt = "admin@device> "
		sim.prompt += "\r\n" + prompt
	}
	type step struct{ cmd, raw, want string }
	var steps []step
	for _, s := range sim.steps {
		cmd := strings.TrimSuffix(s[0], "\n")
		if cmd == "exit" || cmd == "quit" || cmd == "logout" {
			continue
		}
		raw := s[1]
		if first, _, _ := strings.Cut(raw, "\n"); strings.TrimRight(first, "\r") != cmd {
			raw = cmd + "\r\n" + raw
		}
		body, last := lastLine(raw)
		if !corpusPrompt.MatchString(last) {
			if body = raw; !strings.HasSuffix(body, "\n") {
				body += "\n"
			}
			raw = body + prompt
		}
		_, text, _ := strings.Cut(body, "\n")
		steps = append(steps, step{cmd, raw, plain(text)})
	}
	if len(steps) == 0 {
		t.Fatal("the recording has no commands")
	}
	d := sessiontest.Device{Chunk: chunk, Shell: func(t *sessiontest.Terminal) {
		t.Print(sim.prompt)
		for _, s := range steps {
			if _, err := t.Line(false); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
			t.Print(s.raw)
		}
		t.Line(false)
	}}
	t.Logf("%d responses", len(steps))
	s := dialShell(t, d, session.Shell{})
	for _, step := range steps {
		if got := mustRun(t, s, step.cmd); got != step.want {
			t.Fatalf("%s:\ngot  %q\nwant %q", step.cmd, got, step.want)
		}
	}
}
