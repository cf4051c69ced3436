package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
)

// override is an environment variable that comes before the file.
type override struct {
	name string
	set  func(s *Settings, value string) error
}

// overrides are the environment variables that come before the file. MUSTER_CONFIG is read by Load, MUSTER_USERNAME,
// MUSTER_PASSWORD and MUSTER_ENABLE by package inventory.
var overrides = []override{
	{"MUSTER_BACKUP_EVERY", func(s *Settings, v string) error {
		s.Backup.Cron = ""
		return s.Backup.Every.UnmarshalText([]byte(v))
	}},
	{"MUSTER_DATA_DIR", func(s *Settings, v string) error { s.DataDir = v; return nil }},
	{"MUSTER_HOST_KEYS", func(s *Settings, v string) error {
		s.Defaults.HostKeys = v
		return oneOf(v, "accept-new", "strict")
	}},
	{"MUSTER_LEGACY_CRYPTO", func(s *Settings, v string) error {
		b, err := strconv.ParseBool(v)
		s.Defaults.LegacyCrypto = &b
		if err != nil {
			return fmt.Errorf("must be true or false")
		}
		return nil
	}},
	{"MUSTER_LIMIT", func(s *Settings, v string) (err error) { s.Defaults.Limit, err = number(v); return err }},
	{"MUSTER_LISTEN", func(s *Settings, v string) error { return s.Serve.Listen.UnmarshalText([]byte(v)) }},
	{"MUSTER_MONITOR_INTERVAL", func(s *Settings, v string) error { return s.Monitor.Interval.UnmarshalText([]byte(v)) }},
	{"MUSTER_RETRIES", func(s *Settings, v string) error {
		n, err := number(v)
		s.Defaults.Retries = &n
		return err
	}},
	{"MUSTER_SECRETS", func(s *Settings, v string) error {
		s.Defaults.Secrets = muster.SecretsMode(v)
		return oneOf(v, "keep", "mask", "hash")
	}},
	{"MUSTER_SYSLOG_TCP", func(s *Settings, v string) (err error) { s.Syslog.TCP, err = socketList(v); return err }},
	{"MUSTER_SYSLOG_UDP", func(s *Settings, v string) (err error) { s.Syslog.UDP, err = socketList(v); return err }},
	{"MUSTER_TIMEOUT", func(s *Settings, v string) error {
		return (*inventory.Duration)(&s.Defaults.Timeout).UnmarshalText([]byte(v))
	}},
}

// environ puts the environment over the file.
func (s *Settings) environ(o Options) Problems {
	var p Problems
	for _, v := range slices.Concat(overrides, secretOverrides, iseOverrides) {
		value := o.getenv(v.name)
		if value == "" {
			continue
		}
		if err := v.set(s, value); err != nil {
			p = append(p, &strict.Problem{File: "environment", Text: v.name + ": " + err.Error()})
		}
	}
	return p
}

// socketList reads sockets with commas between them, or off.
func socketList(text string) ([]Socket, error) {
	if text == "off" {
		return nil, nil
	}
	var all []Socket
	for one := range strings.SplitSeq(text, ",") {
		var k Socket
		if err := k.UnmarshalText([]byte(strings.TrimSpace(one))); err != nil {
			return nil, fmt.Errorf("%w; several have commas between them", err)
		}
		all = append(all, k)
	}
	return all, nil
}

func number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("must be a whole number that is not negative")
	}
	return n, nil
}

func oneOf(text string, words ...string) error {
	for _, w := range words {
		if text == w {
			return nil
		}
	}
	return fmt.Errorf("unknown word %q%s", text, strict.Hint(text, words))
}
