// Package settings reads muster.yaml and the devices.yaml beside it: strictly, with every mistake reported at once by
// line and column, the environment over the file. Secrets stand in it by reference only.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// Settings is what muster.yaml says. The zero Settings is a machine without one.
type Settings struct {
	DataDir     string                `yaml:"data_dir" doc:"where configurations, their history and the state are kept; absent: $XDG_STATE_HOME/muster"`
	Inventory   []Source              `yaml:"inventory" doc:"files that list devices, and servers that are asked for them"`
	Devices     []strict.Node         `yaml:"devices" doc:"devices that are listed right here"`
	Groups      map[string]Group      `yaml:"groups" doc:"what holds for the devices of a group"`
	Credentials map[string]Credential `yaml:"credentials" doc:"ways to log in, by name"`
	Secrets     Secrets               `yaml:"secrets" doc:"how references to secrets are opened that need a key, a login or a password themselves"`
	Defaults    Defaults              `yaml:"defaults" doc:"what holds for all devices"`
	Limits      Limits                `yaml:"limits" doc:"what one device may send at most"`
	Serve       Serve                 `yaml:"serve" doc:"how muster serve is reached"`
	Backup      Backup                `yaml:"backup" doc:"when muster serve backs up the devices of each group that does not say it itself; or off"`
	Monitor     Monitor               `yaml:"monitor" doc:"how muster serve watches all devices; or off"`
	History     History               `yaml:"history" doc:"how long muster serve keeps what it has measured"`
	Alerts      Alerts                `yaml:"alerts" doc:"what muster serve tells people, and by whom"`
	Syslog      Syslog                `yaml:"syslog" doc:"where muster serve receives what devices log, and what comes of it"`
	ISE         ISE                   `yaml:"ise" doc:"how Cisco ISE is asked"`

	File        string // the settings file; empty: there is none
	DevicesFile string // devices.yaml, which need not exist

	root    strict.Node
	added   []strict.Node // rows of DevicesFile
	options Options
	opener  *secret.Opener
}

// Defaults are what holds for all devices.
type Defaults struct {
	inventory.Group
	HostKeys string `yaml:"host_keys" doc:"a device's host key is kept at the first contact, or must be known before" enum:"accept-new,strict"`
}

// Limits bound what one device may send.
type Limits struct {
	CommandBytes Bytes `yaml:"command_bytes" doc:"for one command, such as 64MiB"`
	SessionBytes Bytes `yaml:"session_bytes" doc:"for one device in all, such as 256MiB"`
}

// Options say where to look for settings. The zero Options look where a user's command does.
type Options struct {
	File   string              // --config; it must exist
	Getenv func(string) string // nil: os.Getenv

	Platform  func(name string) (canonical string, ok bool) // as in inventory.Env
	Platforms func() []string

	Log *slog.Logger // hears of a reference to a secret that failed where another gave the secret; nil: nobody

	// What else muster knows; nil: it is not looked at here, and fails where it is used. None of it may look at a file: each
	// command reads the settings.
	Cron     func(expr string) error                   // what is wrong with a cron expression
	Probes   func() []string                           // the kinds of probes
	Probe    func(Probe) (field string, err error)     // what else is wrong with a probe, and at which key
	Rules    func() []string                           // the kinds of rules
	Rule     func(Rule) (field string, err error)      // what else is wrong with a rule, and at which key
	Severity func(word string) error                   // what is wrong with a word for how bad a message is
	Facility func(word string) error                   // what is wrong with a word for where a message is from
	Noises   func() []string                           // the names of shipped noise
	Noise    func(NoiseRule) (field string, err error) // what else is wrong with noise, and at which key
}

func (o Options) getenv(name string) string {
	if o.Getenv != nil {
		return o.Getenv(name)
	}
	return os.Getenv(name)
}

func (o Options) home() string {
	if o.Getenv != nil {
		return o.Getenv("HOME")
	}
	home, _ := os.UserHomeDir()
	return home
}

// Load finds the settings file, reads it and devices.yaml beside it, and puts the environment over them. Without any file
// the Settings are the defaults. What is wrong is a Problems.
func Load(o Options) (*Settings, error) {
	file, err := find(o)
	if err != nil {
		return nil, err
	}
	s, problems := read(file, o)
	problems = append(problems, s.environ(o)...)
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// Check returns everything that is wrong with one settings file and the devices.yaml beside it; none: it is right.
func Check(path string, o Options) Problems {
	o.File = path
	_, problems := read(path, o)
	return problems
}

// Problems are everything that is wrong with some settings, in the order of the file.
type Problems []*strict.Problem

// Error returns one line a problem.
func (p Problems) Error() string {
	var lines []string
	for _, one := range p {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// find returns the first settings file there is: --config, MUSTER_CONFIG, the user's, the machine's.
func find(o Options) (string, error) {
	for _, named := range []struct{ path, by string }{{o.File, "--config"}, {o.getenv("MUSTER_CONFIG"), "MUSTER_CONFIG"}} {
		if named.path == "" {
			continue
		}
		if _, err := os.Stat(named.path); err != nil {
			return "", fmt.Errorf("settings file of %s: %w", named.by, err)
		}
		return named.path, nil
	}
	for _, path := range []string{UserFile(o), SystemFile} {
		if path == "" {
			continue
		}
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("settings file: %w", err)
		}
	}
	return "", nil
}

// SystemFile is where the settings of a machine are.
const SystemFile = "/etc/muster/muster.yaml"

// UserFile returns where the settings of a user are: $XDG_CONFIG_HOME/muster/muster.yaml, or below ~/.config. It is
// empty where there is no home.
func UserFile(o Options) string {
	return xdg(o, "XDG_CONFIG_HOME", ".config", "muster", "muster.yaml")
}

func xdg(o Options, variable, fallback string, rest ...string) string {
	base := o.getenv(variable)
	if !filepath.IsAbs(base) {
		home := o.home()
		if home == "" {
			return ""
		}
		base = filepath.Join(home, fallback)
	}
	return filepath.Join(append([]string{base}, rest...)...)
}

// read reads a settings file ("": none) and devices.yaml.
func read(file string, o Options) (*Settings, Problems) {
	s := &Settings{File: file, options: o}
	beside := file
	if beside == "" {
		beside = UserFile(o)
	}
	if beside != "" {
		s.DevicesFile = filepath.Join(filepath.Dir(beside), "devices.yaml")
	}
	problems := s.readFile()
	problems = append(problems, s.readDevices()...)
	if len(problems) == 0 {
		problems = s.check()
	}
	s.paths()
	if s.Serve.Listen == "" {
		s.Serve.Listen = DefaultListen
	}
	if s.DataDir == "" {
		s.DataDir = xdg(o, "XDG_STATE_HOME", filepath.Join(".local", "state"), "muster")
	}
	return s, problems
}

func (s *Settings) readFile() Problems {
	if s.File == "" {
		return nil
	}
	data, err := os.ReadFile(s.File)
	if err != nil {
		return Problems{{File: s.File, Text: fmt.Sprintf("cannot be read: %v", errors.Unwrap(err))}}
	}
	root, problem := strict.Parse(s.File, data)
	if problem != nil {
		return Problems{problem}
	}
	s.root = root
	return root.Decode(s)
}

// paths makes the paths of the settings absolute that are used as they stand in them.
func (s *Settings) paths() {
	s.secretPaths()
	y := &s.Syslog
	for _, path := range []*string{&s.DataDir, &s.Alerts.Alertmanager, &y.TLSCert, &y.TLSKey, &y.TLSClientCA, &s.ISE.CAFile} {
		*path = s.path(*path)
	}
	for i := range y.Unix {
		y.Unix[i] = s.path(y.Unix[i])
	}
	lists := [][]Probe{s.Monitor.Probes}
	for _, g := range s.Groups {
		if g.Monitor != nil {
			lists = append(lists, g.Monitor.Probes)
		}
	}
	for _, list := range lists {
		for i := range list {
			list[i].CAFile = s.path(list[i].CAFile)
		}
	}
}

// path makes a path of the settings absolute: ~/ is the home, a relative one begins beside muster.yaml.
func (s *Settings) path(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(s.options.home(), rest)
	}
	if path == "" || path == "-" || filepath.IsAbs(path) || s.File == "" {
		return path
	}
	return filepath.Join(filepath.Dir(s.File), path)
}
