package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster/platform"
)

// script is a recording, compiled once for all devices that replay it.
type script struct {
	recording *platform.Recording
	syntax    *syntax
	banner    text
	motd      text
	prompts   map[string]text // by the prompt as recorded, which is also what a mode is called
	steps     []step
	commands  map[string][]int // steps by command, in order
	last      int              // the step that ends the configuration; -1: there is none
	wantBytes int
	described bool // the configuration has a description that changes
	asks      bool // some command asks for a password
	ends      bool // the configuration has an end that shows, so that one without it is not whole
}

// step is one compiled platform.Step.
type step struct {
	platform.Step
	mode   string // the prompt at which it was recorded
	output text
	stderr text
	config bool // its output is configuration, or part of it
}

// chosen returns the recordings that a fleet replays.
func chosen(all []*platform.Recording, platforms []string) ([]*platform.Recording, error) {
	if all == nil {
		all = platform.Recordings()
	}
	if platforms == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(r *platform.Recording) bool { return r.Want.Config == "" })
		if len(all) == 0 {
			return nil, fmt.Errorf("there is no recording with a configuration")
		}
		return all, nil
	}
	var recordings []*platform.Recording
	for _, name := range platforms {
		canonical := name
		if def, ok := platform.Lookup(name); ok {
			canonical = def.Name
		}
		before := len(recordings)
		for _, r := range all {
			if r.Platform == canonical {
				recordings = append(recordings, r)
			}
		}
		if len(recordings) == before {
			return nil, fmt.Errorf("there is no recording of a platform %q", name)
		}
	}
	return recordings, nil
}

// compile makes the script of a recording.
func compile(r *platform.Recording) (*script, error) {
	s := &script{
		recording: r, syntax: syntaxOf(r.Platform), prompts: make(map[string]text), commands: make(map[string][]int),
		last: -1, wantBytes: len(r.Want.Config),
	}
	aligned, err := align(r)
	if err != nil {
		return nil, fmt.Errorf("recording of %s %s: %w", r.Platform, r.Hardware, err)
	}
	c := newCutter(r)
	s.banner, s.motd = c.cut(r.Banner, true), c.cut(r.Motd, true)
	mode := r.Prompt
	s.prompts[mode] = c.cut(mode, false)
	for i, recorded := range r.Steps {
		st := step{Step: recorded, mode: mode, stderr: c.cut(recorded.Stderr, true), config: aligned[i] != nil}
		if st.config {
			st.output, s.last = s.configuration(c, aligned[i]), i
			s.ends = endMark.MatchString(recorded.Output)
		} else {
			st.output = c.cut(recorded.Output, true)
		}
		s.asks = s.asks || st.secret()
		s.steps = append(s.steps, st)
		s.commands[recorded.Send] = append(s.commands[recorded.Send], i)
		if recorded.Prompt != "" {
			mode = recorded.Prompt
			s.prompts[mode] = c.cut(mode, false)
		}
	}
	return s, nil
}

// secret reports whether the step asks for a password, which must be right.
func (s *step) secret() bool { return strings.Contains(strings.ToLower(s.Ask), "assword") }

// endMark finds the end of a configuration that has one: a line of its own, or the brace that closes the last section.
var endMark = regexp.MustCompile(`(?:^|\n)(?:[:#] )?(?:end\b[^\n]*|\})\s*(?:\{\w+:\w+\}\s*)?$`)

// description finds the text of a description in a line of configuration. What follows a text without quotes is ';' or
// nothing.
var description = regexp.MustCompile(`^\s*(?:[\w-].* )?(?:description |set alias |comment=)(?:"([^"\\{}]+)"|([^\s"';{}#]+|[^\s"';{}#][^"';{}#]* [^"';{}#]*));?\s*$`)

// configuration cuts output that holds the configuration. The first description becomes one that changes, and the place
// is found where lines are inserted.
func (s *script) configuration(c *cutter, units []unit) text {
	place := -1
	if s.last < 0 {
		place = s.place(units)
	}
	var t text
	for i, u := range units {
		if i == place {
			t = append(t, part{kind: inserted, where: both})
		}
		if u.stored == "" {
			t = append(t, c.volatile(u.served)...)
			continue
		}
		t = append(t, s.unit(c, u)...)
	}
	return join(t)
}

// place returns the unit before which lines are inserted: at the anchor, or before the last line that is stored.
func (s *script) place(units []unit) int {
	last := 0
	for i, u := range units {
		if strings.HasPrefix(u.stored, s.syntax.anchor) {
			if s.syntax.after {
				return i + 1
			}
			return i
		}
		if u.stored != "" {
			last = i
		}
	}
	return last
}

// unit cuts one line of configuration.
func (s *script) unit(c *cutter, u unit) text {
	body := strings.TrimRight(u.stored, blanks)
	switch {
	case u.served == u.stored:
		return append(both.of(s.describe(c, body)), part{where: both, text: u.stored[len(body):]})
	case strings.Contains(u.stored, salted):
		return c.salted(u)
	case strings.HasPrefix(u.served, body):
		t := both.of(s.describe(c, body))
		return append(t, part{where: served, text: u.served[len(body):]}, part{where: stored, text: u.stored[len(body):]})
	default:
		return append(served.of(c.cut(u.served, false)), stored.of(c.cut(u.stored, false))...)
	}
}

func (s *script) describe(c *cutter, line string) text {
	m := description.FindStringSubmatchIndex(line)
	if s.described || m == nil {
		return c.cut(line, false)
	}
	from, to := m[2], m[3]
	if from < 0 {
		from, to = m[4], m[5]
	}
	s.described = true
	return slices.Concat(c.cut(line[:from], false), text{{kind: phrase, text: line[from:to]}}, c.cut(line[to:], false))
}

// join makes one of literals that stand side by side.
func join(t text) text {
	var joined text
	for _, p := range t {
		if n := len(joined); n > 0 && p.kind == literal && joined[n-1].kind == literal && joined[n-1].where == p.where {
			joined[n-1].text += p.text
			continue
		}
		joined = append(joined, p)
	}
	return joined
}
