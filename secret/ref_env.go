package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// openEnv reads env:NAME.
func openEnv(_ *Opener, name string) (reader, error) {
	if !envName.MatchString(name) {
		return nil, errors.New("env: wants the name of one environment variable after it")
	}
	return func(context.Context) (Secret, time.Time, error) {
		text, ok := os.LookupEnv(name)
		switch {
		case !ok:
			return Secret{}, time.Time{}, fmt.Errorf("env:%s: the environment variable is not set", name)
		case text == "":
			return Secret{}, time.Time{}, fmt.Errorf("env:%s: the environment variable is empty", name)
		}
		return New(text), time.Time{}, nil // a process keeps its environment
	}, nil
}
