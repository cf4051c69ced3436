package secret

import (
	"context"
	"fmt"
	"sync"
)

// openPrompt reads prompt:text.
func openPrompt(text string, prompt Prompt) (func(context.Context) (Secret, error), error) {
	if text == "" {
		text = "Password"
	}
	return func(ctx context.Context) (Secret, error) {
		if prompt == nil {
			return Secret{}, fmt.Errorf("prompt:%s: nobody can be asked here: run it on a terminal, or use env:, file: or exec:", text)
		}
		s, err := prompt(ctx, text)
		if err != nil {
			return Secret{}, fmt.Errorf("prompt:%s: %w", text, err)
		}
		if s.IsZero() {
			return Secret{}, fmt.Errorf("prompt:%s: nothing was typed", text)
		}
		return s, nil
	}, nil
}

// AskOnce wraps a Prompt so that each text is asked once, however many references hold it and however many callers need
// it at the same time, and so that two texts never stand on the terminal together. nil stays nil.
func AskOnce(prompt Prompt) Prompt {
	if prompt == nil {
		return nil
	}
	var mu sync.Mutex
	asked := map[string]*kept{}
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, text string) (Secret, error) {
		mu.Lock()
		k := asked[text]
		if k == nil {
			k = &kept{read: func(ctx context.Context) (Secret, error) { return inTurn(ctx, turn, prompt, text) }}
			asked[text] = k
		}
		mu.Unlock()
		return k.Secret(ctx)
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
