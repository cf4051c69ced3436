package alert_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

func promql(wait time.Duration) []alert.Rule {
	return []alert.Rule{{Name: "loss", Kind: "promql", Expr: "loss > 0.2", For: wait}}
}

func TestEachSeriesOfAnExpressionFires(t *testing.T) {
	t.Parallel()
	inBubble(t, promql(0), func(b *bench) {
		b.history.answers("loss > 0.2", nil, "r1", "r2", "stranger")
		b.wait(alert.DefaultEvery + time.Second)
		b.want("loss:r1 loss:r2 loss:stranger")
		a := b.post.last("loss:r2")
		if a.Labels["probe"] != "icmp" || a.Labels["__name__"] != "" || a.Labels[muster.LabelGroup] != "edge" || a.Labels["site"] != "ams" {
			b.Errorf("its labels are %v", a.Labels)
		}
		if got := a.Annotations[alert.AnnotationSummary]; got != "loss of r2: 1.25" {
			b.Errorf("its summary is %q", got)
		}
		b.history.answers("loss > 0.2", nil, "r2")
		b.wait(alert.DefaultEvery)
		b.want("loss:r2")
		if got := b.post.said("loss:r1"); got != "ended" {
			b.Errorf("of r1 the Sender was told %q", got)
		}
	})
}

func TestASeriesFiresWhenItHasLastedLongEnoughAndNotBefore(t *testing.T) {
	t.Parallel()
	inBubble(t, promql(2*time.Minute), func(b *bench) {
		b.history.answers("loss > 0.2", nil, "r1")
		b.wait(alert.DefaultEvery)
		b.wait(2*time.Minute - 2*time.Second)
		b.want("")
		b.wait(5 * time.Second)
		b.want("loss:r1")
	})
}

func TestAnExpressionThatFailsEndsNothingAndIsAnAlertItself(t *testing.T) {
	t.Parallel()
	rules := append(promql(0), alert.Rule{Name: "other", Kind: "promql", Expr: "other"})
	inBubble(t, rules, func(b *bench) {
		b.history.answers("loss > 0.2", nil, "r1")
		b.history.answers("other", nil, "r2")
		b.wait(alert.DefaultEvery)
		b.want("loss:r1 other:r2")
		b.history.answers("loss > 0.2", errors.New("disk on fire"))
		b.wait(4 * time.Minute)
		b.want("loss:r1 other:r2")
		b.wait(2 * time.Minute)
		b.want("loss:r1 other:r2 rule-failing:loss")
		if got := b.post.last("rule-failing:loss").Annotations[alert.AnnotationDescription]; !strings.Contains(got, "disk on fire") {
			b.Errorf("it says %q", got)
		}
		b.history.answers("loss > 0.2", nil, "r1")
		b.wait(alert.DefaultEvery)
		b.want("loss:r1 other:r2")
	})
}

func TestAnExpressionThatHangsDoesNotKeepOthersFromBeingAsked(t *testing.T) {
	t.Parallel()
	rules := append(promql(0), alert.Rule{Name: "hung", Kind: "promql", Expr: "hung"})
	inBubble(t, rules, func(b *bench) {
		b.history.mu.Lock()
		b.history.hang = map[string]bool{"hung": true}
		b.history.mu.Unlock()
		b.wait(30 * time.Minute)
		if got := b.history.asked["loss > 0.2"]; got < 59 || got > 61 {
			b.Errorf("in half an hour it was asked %d times", got)
		}
		b.want("rule-failing:hung")
	})
}

func TestAnExpressionWithTooManySeriesIsAMistake(t *testing.T) {
	t.Parallel()
	inBubble(t, promql(0), func(b *bench) {
		many := make([]string, alert.MostSeries+1)
		for i := range many {
			many[i] = fmt.Sprintf("d%d", i)
		}
		b.history.answers("loss > 0.2", nil, many...)
		b.wait(6 * time.Minute)
		b.want("rule-failing:loss")
	})
}

func TestASeriesOfADeviceThatIsNotSelectedIsLeftOut(t *testing.T) {
	t.Parallel()
	rules := promql(0)
	rules[0].Select = func(d muster.Device) bool { return d.Group == "core" }
	inBubble(t, rules, func(b *bench) {
		b.history.answers("loss > 0.2", nil, "r1", "r2")
		b.wait(alert.DefaultEvery)
		b.want("loss:r1")
	})
}

func TestASeriesGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, promql(2*time.Minute), func(b *bench) {
		b.history.answers("loss > 0.2", nil, "r1")
		b.wait(time.Minute + alert.DefaultEvery)
		b.restart(time.Hour)
		b.wait(50 * time.Second)
		b.want("")
		b.wait(20 * time.Second)
		b.want("loss:r1")
		b.restart(time.Hour)
		b.want("loss:r1")
		if got := b.post.began("loss:r1"); got != 1 {
			b.Errorf("it was said to begin %d times", got)
		}
	})
}

func TestWithoutAHistoryAnExpressionFails(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(b *bench) {
		c := b.config()
		c.Rules, c.Samples = promql(0), nil
		b.stop()
		e, err := alert.New(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		b.run(e)
		b.wait(6 * time.Minute)
		b.want("rule-failing:loss")
	})
}

func TestTheAnswerToAnExpressionThatWasReplacedIsNotHeard(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(b *bench) {
		b.stop()
		b.history.answers("loss > 0.2", nil, "r1")
		b.history.during = func(expr string) {
			if expr != "loss > 0.2" {
				return
			}
			if err := b.engine.Replace(b.Context(), []alert.Rule{{Name: "loss", Kind: "promql", Expr: "loss > 0.9"}}); err != nil {
				b.Error(err)
			}
		}
		b.rules = promql(0)
		b.start()
		b.wait(5 * time.Minute)
		if got := b.post.all(); got != "" || b.history.asked["loss > 0.9"] < 9 {
			b.Errorf("told of %q", got)
		}
	})
}
