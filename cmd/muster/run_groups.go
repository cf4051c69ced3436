package main

import (
	"fmt"
	"io"
	"strings"
)

// outputGroup is devices that answered the same.
type outputGroup struct {
	devices        []string
	output, stderr string
	status         int // 0 also where there is none
}

// groupOutputs puts the devices with the same answer together, in the order of the first of each.
func groupOutputs(rows []runRow) []*outputGroup {
	type key struct {
		output, stderr string
		status         int
	}
	var groups []*outputGroup
	known := map[key]*outputGroup{}
	for _, r := range rows {
		if r.Code != "" {
			continue
		}
		k := key{output: r.Output, stderr: r.Stderr}
		if r.ExitStatus != nil {
			k.status = *r.ExitStatus
		}
		g := known[k]
		if g == nil {
			g = &outputGroup{output: k.output, stderr: k.stderr, status: k.status}
			known[k] = g
			groups = append(groups, g)
		}
		g.devices = append(g.devices, r.Device)
	}
	return groups
}

// printGroups prints each output once, below the names of the devices that gave it.
func (p *program) printGroups(w io.Writer, groups []*outputGroup, headings bool) error {
	var b strings.Builder
	for _, g := range groups {
		if headings {
			fmt.Fprintln(&b, p.painted(faint, g.heading()))
		}
		text := p.deviceText(g.output)
		b.WriteString(text)
		if headings && text != "" && !strings.HasSuffix(text, "\n") {
			b.WriteString("\n")
		}
		if g.stderr != "" {
			p.stderr.say(g.devices[0] + ": " + strings.TrimSpace(g.stderr))
		}
		if !headings && g.status != 0 {
			p.stderr.say(fmt.Sprintf("muster: %s: exit status %d", g.devices[0], g.status))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *outputGroup) heading() string {
	heading := "== " + visible(strings.Join(g.devices, ", "))
	if len(g.devices) > 1 {
		heading += fmt.Sprintf(" (%d devices)", len(g.devices))
	}
	if g.status != 0 {
		heading += fmt.Sprintf(" (exit status %d)", g.status)
	}
	return heading
}

// deviceText is the text of a device for standard output: byte for byte, but harmless on a terminal.
func (p *program) deviceText(text string) string {
	if p.stdoutTerminal {
		return visibleText(strings.ReplaceAll(text, "\r\n", "\n"))
	}
	return text
}

func (p *program) painted(t tone, text string) string {
	if !p.colour {
		return text
	}
	return t.paint(text)
}
