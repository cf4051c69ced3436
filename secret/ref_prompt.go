package secret

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// openPrompt reads prompt:text.
func openPrompt(o *Opener, text string) (reader, error) {
	if text == "" {
		text = "Password"
	}
	return func(ctx context.Context) (Secret, time.Time, error) {
		s, err := o.asked(ctx, text)
		if err != nil {
			return Secret{}, time.Time{}, fmt.Errorf("prompt:%s: %w", text, err)
		}
		return s, time.Time{}, nil
	}, nil
}

// asked asks for a text, once.
func (o *Opener) asked(ctx context.Context, text string) (Secret, error) {
	prompt := o.prompt()
	if prompt == nil {
		return Secret{}, errNobody
	}
	s, err := prompt(ctx, text)
	if err != nil {
		return Secret{}, err
	}
	if s.IsZero() {
		return Secret{}, errors.New("nothing was typed")
	}
	return s, nil
}

// errNobody says that there is no terminal.
var errNobody = errors.New("nobody can be asked here: run it on a terminal, or use env:, file: or exec:")

// AskOnce wraps a Prompt so that each text is asked once, however many references hold it and however many callers need
// it at the same time, and so that two texts never stand on the terminal together. nil stays nil.
func AskOnce(prompt Prompt) Prompt {
	if prompt == nil {
		return nil
	}
	var mu sync.Mutex
	asked := map[string]*kept[Secret]{}
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, text string) (Secret, error) {
		mu.Lock()
		k := asked[text]
		if k == nil {
			k = &kept[Secret]{read: func(ctx context.Context) (Secret, time.Time, error) {
				s, err := inTurn(ctx, turn, prompt, text)
				return s, time.Time{}, err
			}}
			asked[text] = k
		}
		mu.Unlock()
		s, _, err := k.get(ctx)
		return s, err
	}
}

func inTurn(ctx context.Context, turn chan struct{}, prompt Prompt, text string) (Secret, error) {
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return Secret{}, context.Cause(ctx)
	}
	defer func() { <-turn }()
	return prompt(ctx, text)
}
