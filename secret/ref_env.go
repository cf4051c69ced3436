package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// openEnv reads env:NAME.
func openEnv(name string, _ Prompt) (func(context.Context) (Secret, error), error) {
	if !envName.MatchString(name) {
		return nil, errors.New("env: wants the name of one environment variable after it")
	}
	return func(context.Context) (Secret, error) {
		text, ok := os.LookupEnv(name)
		switch {
		case !ok:
			return Secret{}, fmt.Errorf("env:%s: the environment variable is not set", name)
		case text == "":
			return Secret{}, fmt.Errorf("env:%s: the environment variable is empty", name)
		}
		return New(text), nil
	}, nil
}
