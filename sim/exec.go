package sim

import (
	"context"
	"io"
)

// exec answers an exec request: output and errors apart, and an exit status.
func (s *session) exec(ctx context.Context, command string) {
	s.extend()
	s.fleet.counts.commands.Add(1)
	if s.refused {
		io.WriteString(s.ch.Stderr(), "Too many logins.\n")
		s.exit(254)
		return
	}
	script := s.device.script
	i, ok := s.find(command, script.recording.Prompt)
	if s.pause(ctx, i) != nil {
		return
	}
	if !ok || script.steps[i].Ask != "" {
		s.refuse(command)
		return
	}
	step := &script.steps[i]
	fetch := s.device.fetches.Add(1)
	out := s.render(step.output, fetch)
	end := whole
	if step.config {
		out, end = s.spoil(ctx, out)
	}
	switch end {
	case ended:
		return
	case refusedIt:
		s.refuse(command)
		return
	}
	s.write(out)
	if len(step.stderr) > 0 {
		s.ch.Stderr().Write(s.render(step.stderr, fetch))
	}
	s.exit(step.Exit)
}

func (s *session) refuse(command string) {
	syntax := s.device.script.syntax
	text := []byte(syntax.refuse(command))
	if syntax.status == 127 {
		s.ch.Stderr().Write(text)
	} else {
		s.write(text)
	}
	s.exit(syntax.status)
}
