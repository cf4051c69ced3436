package settings_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster/internal/settings"
)

// hidden is a secret at a wrong place; it must not come out.
const hidden = "hunter2"

// options returns Options that know nothing of the machine the test runs on; home is where everything is.
func options(home string, vars ...string) settings.Options {
	env := map[string]string{"HOME": home}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return settings.Options{
		Getenv: func(name string) string { return env[name] },
		Platform: func(name string) (string, bool) {
			c, ok := map[string]string{"ios": "cisco_ios", "cisco_ios": "cisco_ios", "frr": "frr"}[name]
			return c, ok
		},
		Platforms: func() []string { return []string{"cisco_ios", "frr"} },
		Cron: func(expr string) error {
			if len(strings.Fields(expr)) != 5 {
				return errors.New("it has not five fields")
			}
			return nil
		},
		Probes: func() []string { return []string{"dns", "http", "https", "icmp", "ssh", "tcp"} },
		Probe: func(p settings.Probe) (string, error) {
			if p.Type == "AXFR" {
				return "type", errors.New("there is no type AXFR")
			}
			return "", nil
		},
		Rules: func() []string { return []string{"event", "group", "log", "promql", "state", "uplink"} },
		Rule: func(r settings.Rule) (string, error) {
			if strings.HasSuffix(r.Expr, "(") {
				return "expr", errors.New("the expression does not parse")
			}
			if strings.Contains(r.Summary, "{{.Devcie}}") {
				return "", errors.New("summary: there is no Devcie")
			}
			if slices.Contains(r.App, "[") {
				return "app", errors.New("app: a [ without its ]")
			}
			return "", nil
		},
		Severity: among("emergency", "critical", "error", "notice"),
		Facility: among("auth", "authpriv", "local7"),
		Noises:   func() []string { return []string{"ios-exec-timeout", "sshd-before-auth"} },
		Noise: func(r settings.NoiseRule) (string, error) {
			if r.Mnemonic != nil && r.Mnemonic[0] == "[" {
				return "mnemonic", errors.New("mnemonic: a [ without its ]")
			}
			return "", nil
		},
	}
}

// among stands for a check of words.
func among(words ...string) func(string) error {
	return func(word string) error {
		if !slices.Contains(words, word) {
			return errors.New("unknown word")
		}
		return nil
	}
}

// put writes a file below dir and returns its path.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
