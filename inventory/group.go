package inventory

import (
	"fmt"
	"maps"
	"time"

	"github.com/musternet/muster"
)

// Settings are what a device can say itself, or its group for it, or the defaults for all: the first that says something
// counts. Tags are the exception: those of all three come together.
type Settings struct {
	Platform     string             `yaml:"platform" doc:"what the device runs, by any of its usual names: cisco_ios, ios, cisco.ios.ios; absent: detected once"`
	Port         int                `yaml:"port" doc:"where the device listens; absent: 22, with telnet 23"`
	Transport    string             `yaml:"transport" doc:"how to talk to it" enum:"ssh,telnet"`
	Username     string             `yaml:"username" doc:"login name where a credential brings none"`
	Credentials  []string           `yaml:"credentials" doc:"names of credentials, tried in this order"`
	Jump         []string           `yaml:"jump" doc:"jump hosts in the order they are dialled: a device's name or user@host[:port]"`
	Parents      []string           `yaml:"parents" doc:"names of the devices that it lies behind; of several, any one is a way to it"`
	Tags         map[string]string  `yaml:"tags" doc:"what selectors such as site=ams look at"`
	LegacyCrypto *bool              `yaml:"legacy_crypto" doc:"offer weak SSH algorithms too, last; recorded and shown"`
	Secrets      muster.SecretsMode `yaml:"secrets" doc:"how secrets inside a configuration are stored" enum:"keep,mask,hash"`
}

// Group is what a group says for its devices, and how they are treated together.
type Group struct {
	Settings
	Limit   int      `yaml:"limit" doc:"devices at work at once; absent: adapts to what the devices bear"`
	Timeout Duration `yaml:"timeout" doc:"for one device in all, such as 5m"`
	Retries *int     `yaml:"retries" doc:"further tries after one that failed for a passing reason"`
}

// Duration is a time.Duration written as "10s" or "5m".
type Duration time.Duration

// UnmarshalText reads "10s".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("must be a time with its unit, such as 10s or 5m")
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes "10s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// over returns s completed by what below says.
func (s Settings) over(below Settings) Settings {
	s.Platform = first(s.Platform, below.Platform)
	s.Port = first(s.Port, below.Port)
	s.Transport = first(s.Transport, below.Transport)
	s.Username = first(s.Username, below.Username)
	s.LegacyCrypto = first(s.LegacyCrypto, below.LegacyCrypto)
	s.Secrets = first(s.Secrets, below.Secrets)
	if s.Credentials == nil {
		s.Credentials = below.Credentials
	}
	if s.Jump == nil {
		s.Jump = below.Jump
	}
	if s.Parents == nil {
		s.Parents = below.Parents
	}
	if len(below.Tags) > 0 {
		tags := maps.Clone(below.Tags)
		maps.Copy(tags, s.Tags)
		s.Tags = tags
	}
	return s
}

func (g Group) over(below Group) Group {
	g.Settings = g.Settings.over(below.Settings)
	g.Limit = first(g.Limit, below.Limit)
	g.Timeout = first(g.Timeout, below.Timeout)
	g.Retries = first(g.Retries, below.Retries)
	return g
}

func first[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

// group returns a group completed from the defaults.
func (e *Env) group(name string) Group {
	if name == "" {
		name = muster.DefaultGroup
	}
	return e.Groups[name].over(e.Defaults)
}
