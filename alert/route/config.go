package route

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	commoncfg "github.com/prometheus/common/config"
)

// DefaultConfig is what a Router works by when it is given no configuration: nobody is notified, and alerts are seen by who
// asks for them.
const DefaultConfig = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n"

// ErrConfig is matched by every error of a configuration that is wrong.
var ErrConfig = errors.New("alerting configuration")

// readAsAlertmanager makes matchers be read as Alertmanager reads them without any flag. That is a setting of the process.
var readAsAlertmanager = sync.OnceFunc(func() {
	compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{})
})

// Check says in one sentence, with the line, what is wrong with a configuration. Paths in it are taken from the working
// directory.
func Check(config []byte) error {
	return checked(Options{Config: config})
}

// CheckFile is Check of a file; paths in it are taken from its directory, as Alertmanager takes them.
func CheckFile(path string) error {
	return checked(Options{ConfigFile: path})
}

func checked(o Options) error {
	o.Log = slog.New(slog.DiscardHandler)
	conf, err := o.load()
	if err != nil {
		return err
	}
	_, err = o.build(conf)
	return err
}

// load reads the configuration.
func (o Options) load() (*config.Config, error) {
	readAsAlertmanager()
	text := o.Config
	if o.ConfigFile != "" {
		var err error
		if text, err = os.ReadFile(o.ConfigFile); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	if text == nil {
		text = []byte(DefaultConfig)
	}
	conf, err := config.Load(string(text))
	if err == nil && o.ConfigFile != "" {
		conf, err = config.LoadFile(o.ConfigFile) // once more, for the paths in it
	}
	if err != nil {
		return nil, o.wrong(explain(string(text), err))
	}
	return conf, nil
}

// wrong is an error of the configuration: its file, if it is one, and what is wrong.
func (o Options) wrong(err error) error {
	if o.ConfigFile == "" {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return fmt.Errorf("%w %s: %w", ErrConfig, o.ConfigFile, err)
}

var (
	yamlLine     = regexp.MustCompile(`line (\d+): (.+)`)
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
	quoted       = regexp.MustCompile(`"([^"]+)"`)
)

// explain makes one sentence of the first thing that is wrong. The reader of YAML says the line; for what Alertmanager says of
// names, the line is the first on which the name is a value.
func explain(text string, err error) error {
	message := err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = unknownField.ReplaceAllString(m[2], `unknown key "$1"`)
		return fmt.Errorf("line %s: %s", m[1], message)
	}
	if m := quoted.FindStringSubmatch(message); m != nil {
		if lines := linesWith(text, m[1]); len(lines) > 0 {
			line := lines[0]
			if strings.Contains(message, "not unique") {
				line = lines[len(lines)-1]
			}
			return fmt.Errorf("line %d: %s", line, message)
		}
	}
	return errors.New(strings.ReplaceAll(strings.TrimPrefix(message, "yaml: "), "\n", " "))
}

// linesWith are the numbers of the lines with a name as a whole word.
func linesWith(text, name string) []int {
	word, err := regexp.Compile(`(^|[\s"'\[,:])` + regexp.QuoteMeta(name) + `($|[\s"'\],])`)
	if err != nil {
		return nil
	}
	var lines []int
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, " #")
		if word.MatchString(line) {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// plan is what a configuration asks for, ready to be put to work.
type plan struct {
	conf      *config.Config
	template  *template.Template
	routes    *dispatch.Route
	receivers map[string][]notify.Integration
	intervals map[string][]timeinterval.TimeInterval
}

// build does all of a configuration that can fail.
func (o Options) build(conf *config.Config) (*plan, error) {
	external, err := o.externalURL()
	if err != nil {
		return nil, err
	}
	p := &plan{conf: conf, routes: dispatch.NewRoute(conf.Route, nil), intervals: map[string][]timeinterval.TimeInterval{}}
	if p.template, err = template.FromGlobs(conf.Templates); err != nil {
		return nil, o.wrong(fmt.Errorf("templates: %w", err))
	}
	p.template.ExternalURL = external
	if p.receivers, err = o.receivers(p); err != nil {
		return nil, o.wrong(err)
	}
	for _, i := range conf.MuteTimeIntervals {
		p.intervals[i.Name] = i.TimeIntervals
	}
	for _, i := range conf.TimeIntervals {
		p.intervals[i.Name] = i.TimeIntervals
	}
	return p, nil
}

// receivers makes those receivers that a route leads to.
func (o Options) receivers(p *plan) (map[string][]notify.Integration, error) {
	used := map[string]bool{}
	p.routes.Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	receivers := map[string][]notify.Integration{}
	for _, r := range p.conf.Receivers {
		if !used[r.Name] {
			continue
		}
		made, err := receiver.BuildReceiverIntegrations(r, p.template, o.Log, o.clientOptions()...)
		if err != nil {
			return nil, fmt.Errorf("receiver %s: %w", strconv.Quote(r.Name), err)
		}
		receivers[r.Name] = made
	}
	return receivers, nil
}

// clientOptions of the receivers that are asked by HTTP. Connections are not kept: nothing closes those of a configuration that
// has been replaced, and who is notified many times a second has another problem.
func (o Options) clientOptions() []commoncfg.HTTPClientOption {
	options := []commoncfg.HTTPClientOption{commoncfg.WithKeepAlivesDisabled()}
	if o.Dial != nil {
		options = append(options, commoncfg.WithDialContextFunc(o.Dial))
	}
	return options
}
