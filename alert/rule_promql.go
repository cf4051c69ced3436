package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// FailingAlert is the name of the alert about a promql rule that cannot be asked; its label rule names that. It fires when
// that lasts failingFor.
const FailingAlert = "rule-failing"

const failingFor = 5 * time.Minute

// MostSeries is how many series one expression may give. One that gives more is taken for a mistake, and cannot be asked.
const MostSeries = 10_000

// The names of what is kept of a promql rule: series by their labels, which begin with a brace, and that it fails.
const failingKey = "failing"

// promqlJudge fires for each series that an expression gives, and as long as it gives it. Where a series names a device of
// the inventory the rule's Select holds for it, its labels are joined by those of the device, and while this machine has no
// way to the network it begins nothing.
//
// An expression that cannot be asked ends nothing.
type promqlJudge struct{}

func openPromQL() judge { return promqlJudge{} }

func checkPromQL(r Rule) error {
	if strings.TrimSpace(r.Expr) == "" {
		return errors.New("it has no expr: write a PromQL expression, such as muster_probe_loss_ratio > 0.2")
	}
	return nil
}

// hear hears of nothing: the history is asked.
func (promqlJudge) hear(*desk, *rule, muster.Event) {}

// look judges no series anew, which takes a question to the history, but begins nothing while nobody can be heard.
func (promqlJudge) look(d *desk, r *rule) {
	if !d.cut {
		return
	}
	for key, s := range r.subjects {
		if s.Device != "" {
			d.hold(r, key)
		}
	}
}

// answer takes what the history said.
func (promqlJudge) answer(d *desk, r *rule, all []muster.Series, err error) {
	if err == nil && len(all) > MostSeries {
		err = fmt.Errorf("the expression gives %d series, more than %d", len(all), MostSeries)
	}
	if err != nil {
		d.on(r, failing(r, err))
		return
	}
	seen := map[string]bool{}
	for _, s := range all {
		if f, ok := findSeries(d, r, s); ok && !seen[f.key] {
			seen[f.key] = true
			judgeSeries(d, r, f)
		}
	}
	for key := range r.subjects {
		if !seen[key] {
			d.off(r, key)
		}
	}
}

func judgeSeries(d *desk, r *rule, f finding) {
	if d.cut && f.device.Name != "" {
		d.hold(r, f.key)
		return
	}
	d.on(r, f)
}

// findSeries makes a finding of a series, unless it is about a device that the rule does not select.
func findSeries(d *desk, r *rule, s muster.Series) (finding, bool) {
	labels := maps.Clone(s.Labels)
	delete(labels, "__name__")
	delete(labels, muster.LabelAlert)
	dev := d.devices[labels[muster.LabelDevice]]
	if dev.Name != "" && !r.selects(dev) {
		return finding{}, false
	}
	value := ""
	if n := len(s.Points); n > 0 {
		value = strconv.FormatFloat(s.Points[n-1].Value, 'g', 6, 64)
	}
	return finding{
		key: seriesKey(labels), device: dev, labels: labels, news: true, sample: value, wait: r.For,
		text: Subject{Value: value, Reason: r.Expr, Device: labels[muster.LabelDevice]},
	}, true
}

// seriesKey is a set of labels as a text.
func seriesKey(labels map[string]string) string {
	if len(labels) == 0 {
		return "{}"
	}
	data, err := json.Marshal(labels) // sorted by their names
	if err != nil {
		panic(fmt.Sprintf("alert: %v", err)) // texts always marshal
	}
	return string(data)
}

// failing is that a rule cannot be asked.
func failing(r *rule, err error) finding {
	return finding{
		key: failingKey, news: true, sample: err.Error(), wait: failingFor,
		labels:  map[string]string{muster.LabelAlert: FailingAlert, "rule": r.Name},
		summary: fmt.Sprintf("the rule %s cannot be asked", r.Name), description: fmt.Sprintf("%v\n%s", err, r.Expr),
	}
}
