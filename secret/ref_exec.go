package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
	"unicode"
)

// execTime bounds a command that gives a secret, whatever its caller's patience.
const execTime = 10 * time.Second

// openExec reads exec:argv. The words are split as a shell would, but no shell runs and nothing is expanded.
func openExec(o *Opener, line string) (reader, error) {
	argv, err := splitWords(line)
	if err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("exec: wants a command after it")
	}
	return held(o, func(ctx context.Context) (Secret, error) {
		s, err := run(ctx, argv)
		if err != nil {
			return Secret{}, fmt.Errorf("exec:%s: %w", argv[0], err)
		}
		return s, nil
	}), nil
}

// run runs the command and takes what it prints. What it says on stderr goes nowhere: it may hold the secret.
func run(ctx context.Context, argv []string) (Secret, error) {
	limit, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	cmd := exec.CommandContext(limit, argv[0], argv[1:]...)
	cmd.Env = cleanEnv(os.Environ())
	cmd.WaitDelay = time.Second
	var out bounded
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return Secret{}, context.Cause(ctx)
	case limit.Err() != nil:
		return Secret{}, fmt.Errorf("it did not end within %v and was killed", execTime)
	case out.over:
		return oneSecret(out.Bytes())
	case errors.As(err, &exit):
		return Secret{}, fmt.Errorf("it ended with %v; run it by hand to see why", exit.ProcessState)
	case errors.Is(err, exec.ErrWaitDelay):
		return Secret{}, errors.New("it ended but left a process that keeps its output open")
	case errors.Is(err, exec.ErrNotFound):
		return Secret{}, errors.New("the command is not found in $PATH")
	case err != nil:
		return Secret{}, fmt.Errorf("run it: %w", err)
	}
	return oneSecret(out.Bytes())
}

// cleanEnv leaves out muster's own variables: a helper that gives one secret needs none of the others.
func cleanEnv(env []string) []string {
	kept := make([]string, 0, len(env))
	for _, v := range env {
		if !strings.HasPrefix(strings.ToUpper(v), "MUSTER_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// bounded keeps a little more than maxBytes and then fails the write, which ends the command.
type bounded struct {
	bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := maxBytes + 1 - b.Len()
	if len(p) >= room {
		b.over = true
		n, _ := b.Buffer.Write(p[:room])
		return n, errors.New("too much output")
	}
	return b.Buffer.Write(p)
}

// splitWords splits a line as a POSIX shell does: blanks part words, single quotes keep all, double quotes keep all but
// \" and \\, a backslash outside of quotes keeps the next character. $, `, *, ~, | and > mean nothing.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote == '\'' && r != '\'', quote == '"' && r != '"' && r != '\\':
			word.WriteRune(r)
		case quote == '"' && r == '\\':
			if i+1 < len(runes) && (runes[i+1] == '"' || runes[i+1] == '\\') {
				i++
			}
			word.WriteRune(runes[i])
		case quote != 0:
			quote = 0
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == '\\':
			if i++; i == len(runes) {
				return nil, errors.New("the command ends in a backslash")
			}
			word.WriteRune(runes[i])
			inWord = true
		case unicode.IsSpace(r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the command has a quote %c without its second half", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
