package alert_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

func TestATagBecomesALabel(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"site": "site", "rack_2": "rack_2", "on-call": "on_call", "netbox.role": "netbox_role", "2nd": "tag_2nd", "_x": "tag__x",
		"device": "tag_device", "severity": "tag_severity", "source": "tag_source", "revision": "tag_revision", "": "tag_", "größe": "gr__e",
	} {
		if got := alert.LabelName(tag); got != want {
			t.Errorf("tag %q becomes %q, want %q", tag, got, want)
		}
	}
}

func TestLabelsOfARuleWinOverTagsAndEmptyOnesGo(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "down", Kind: "state", Labels: map[string]string{"severity": "critical", "team": "core", "room": ""}}}
	inBubble(t, rules, func(b *bench) {
		b.devices = []muster.Device{{Name: "r1", Tags: map[string]string{
			"team": "lab", "room": "1", "a-b": "first", "a.b": "second", "alertname": "x", "bad": "\xff", "none": "",
		}}}
		b.restart(0)
		b.health("r1", muster.HealthDown)
		want := map[string]string{
			"alertname": "down", "severity": "critical", "device": "r1", "group": "default", "team": "core",
			"a_b": "first", "tag_alertname": "x", "bad": "\uFFFD",
		}
		if diff := cmp.Diff(want, b.post.last("down:r1").Labels); diff != "" {
			b.Error(diff)
		}
	})
}

func TestLabelsStayAsTheyWereWhileAnAlertFires(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		before := b.post.last("down:r1").Labels
		b.devices[0].Tags = map[string]string{"site": "fra"}
		b.rules = []alert.Rule{{Name: "down", Kind: "state", Labels: map[string]string{"severity": "critical"}}}
		if err := b.engine.Replace(b.Context(), b.rules); err != nil {
			b.Fatal(err)
		}
		b.health("r1", muster.HealthUp)
		if diff := cmp.Diff(before, b.post.last("down:r1").Labels); diff != "" || b.post.said("down:r1") != "ended" {
			b.Error(diff)
		}
		b.health("r1", muster.HealthDown)
		if got := b.post.last("down:r1").Labels; got["site"] != "fra" || got["severity"] != "critical" {
			b.Errorf("anew its labels are %v", got)
		}
		b.post.fail(errors.New("connection refused"))
		b.health("r1", muster.HealthUp)
		if err := b.engine.Replace(b.Context(), down); err != nil {
			b.Fatal(err)
		}
		b.health("r1", muster.HealthDown)
		if got := b.engine.Alerts()[0].Labels["severity"]; got != "critical" {
			b.Errorf("an end that was not told is forgotten: it is %s now", got)
		}
	})
}

func TestTemplatesSeeTheSubject(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{
		Name: "down", Kind: "state", Summary: "{{.Device}} ({{.Address}}, {{.Platform}}) in {{.Tags.site}}{{.Tags.nosuch}} is {{.State}}",
		Description: "{{.Rule}} {{.Labels.severity}} {{.Group}}: {{.Reason}}",
	}}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		a := b.post.last("down:r1")
		if got := a.Annotations[alert.AnnotationSummary]; got != "r1 (198.18.0.1, frr) in ams is down" {
			b.Errorf("got %q", got)
		}
		if got := a.Annotations[alert.AnnotationDescription]; got != "down warning core: because of a test" {
			b.Errorf("got %q", got)
		}
	})
}

func TestATemplateThatFailsOnASubjectTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "down", Kind: "state", Summary: "{{if .Device}}{{slice .Device 9}}{{end}}"}}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		if got := b.post.last("down:r1").Annotations[alert.AnnotationSummary]; !strings.HasPrefix(got, "down r1 down because of a test") {
			b.Errorf("got %q", got)
		}
	})
}

func TestLongAndHostileTextsAreCutAndCleaned(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{event(muster.EventBackupChanged)}, func(b *bench) {
		var diff strings.Builder
		for i := range 5000 {
			fmt.Fprintf(&diff, "+ line %d\x1b[2J\r\n", i)
		}
		b.take(muster.Event{
			Kind: muster.EventBackupChanged, Device: b.devices[0], Detail: diff.String(),
			Text: strings.Repeat("ä\n\x07", 1000) + "\xff",
		})
		a := b.post.last("ev:r1").Annotations
		summary, description := a[alert.AnnotationSummary], a[alert.AnnotationDescription]
		if len(summary) > alert.MostSummary || strings.ContainsAny(summary, "\n\x07") || !utf8.ValidString(summary) {
			b.Errorf("the summary is %q", summary)
		}
		if strings.ContainsAny(description, "\x1b\r") || len(description) > alert.MostDescription+40 {
			b.Errorf("the description has %d bytes", len(description))
		}
		kept := strings.Count(description, "+ line")
		if end := fmt.Sprintf("\n... and %d more lines", 5000-kept); !strings.HasSuffix(description, end) {
			b.Errorf("of %d lines kept it ends with %q", kept, description[len(description)-40:])
		}
	})
}
