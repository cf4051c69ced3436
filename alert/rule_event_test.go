package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

func event(kind muster.EventKind) alert.Rule {
	return alert.Rule{Name: "ev", Kind: "event", Event: kind}
}

func TestAnEventFiresForAWhile(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{event(muster.EventBackupNew)}, func(b *bench) {
		b.backup(muster.EventBackupNew, "r1", "first backup of r1")
		b.backup(muster.EventBackupGood, "r2", "well")
		b.want("ev:r1")
		b.wait(alert.DefaultKeep - time.Second)
		b.want("ev:r1")
		b.wait(2 * time.Second)
		b.want("")
		if got := b.post.said("ev:r1"); got != "ended" {
			b.Errorf("the Sender was told %q", got)
		}
	})
}

func TestABackupThatFailedFiresUntilOneIsGood(t *testing.T) {
	t.Parallel()
	for _, good := range []muster.EventKind{muster.EventBackupGood, muster.EventBackupChanged, muster.EventBackupNew} {
		inBubble(t, []alert.Rule{event(muster.EventBackupFailed)}, func(b *bench) {
			b.backup(muster.EventBackupFailed, "r1", "r1: connect: refused")
			b.wait(6 * time.Hour)
			b.backup(good, "r2", "")
			b.want("ev:r1")
			b.backup(good, "r1", "")
			b.want("")
		})
	}
}

func TestAFailureWithKeepEndsByItself(t *testing.T) {
	t.Parallel()
	r := event(muster.EventBackupFailed)
	r.Keep = time.Hour
	inBubble(t, []alert.Rule{r}, func(b *bench) {
		b.backup(muster.EventBackupFailed, "r1", "")
		b.wait(59 * time.Minute)
		b.want("ev:r1")
		b.wait(2 * time.Minute)
		b.want("")
	})
}

func TestAnEventFiresOnlyTheSecondTimeInARow(t *testing.T) {
	t.Parallel()
	r := event(muster.EventBackupFailed)
	r.Count = 2
	inBubble(t, []alert.Rule{r}, func(b *bench) {
		b.backup(muster.EventBackupFailed, "r1", "once")
		b.backup(muster.EventBackupFailed, "r2", "once")
		b.backup(muster.EventBackupGood, "r1", "")
		b.backup(muster.EventBackupFailed, "r1", "once again")
		b.restart(6 * time.Hour)
		b.want("")
		b.backup(muster.EventBackupFailed, "r1", "twice in a row")
		b.want("ev:r1")
		if got := b.post.last("ev:r1").Annotations; got[alert.AnnotationCount] != "2" || got[alert.AnnotationSample] != "twice in a row" {
			b.Errorf("it says %v", got)
		}
	})
}

func TestOnlyATextThatMatchesFires(t *testing.T) {
	t.Parallel()
	r := event(muster.EventBackupFailed)
	r.Match = `auth-rejected|locked-out`
	inBubble(t, []alert.Rule{r}, func(b *bench) {
		b.backup(muster.EventBackupFailed, "r1", "r1: connect: refused")
		b.backup(muster.EventBackupFailed, "r2", "r2: auth: auth-rejected")
		b.want("ev:r2")
	})
}

func TestEachChangeOfAConfigurationIsToldWithItsDiff(t *testing.T) {
	t.Parallel()
	inBubble(t, alert.Defaults(), func(b *bench) {
		for _, rev := range []string{"7c2e91a000000000000000000000000000000000", "91d00b5000000000000000000000000000000000"} {
			b.take(muster.Event{
				Kind: muster.EventBackupChanged, Device: muster.Device{Name: "r1"}, Text: "r1 has changed", Detail: "+ description " + rev[:7],
				Result: &muster.Result{Revision: rev},
			})
			b.wait(time.Second)
			a := b.post.last("config-changed:r1")
			if !strings.HasSuffix(a.Annotations[alert.AnnotationDescription], "+ description "+rev[:7]) {
				b.Errorf("it says %q", a.Annotations)
			}
			if got := a.Labels[alert.LabelRevision]; got != rev[:12] {
				b.Errorf("the revision is %q", got)
			}
		}
		b.want("config-changed:r1 config-changed:r1")
	})
}

func TestAnEventOfNoDeviceHasNoneInItsLabels(t *testing.T) {
	t.Parallel()
	mine := event(muster.EventRunDone)
	core := mine
	core.Name, core.Select = "core", func(d muster.Device) bool { return d.Group == "core" }
	inBubble(t, []alert.Rule{mine, core}, func(b *bench) {
		b.backup(muster.EventRunDone, "", "1198 ok, 2 failed")
		b.want("ev")
	})
}

func TestAnEventGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{event(muster.EventBackupNew)}, func(b *bench) {
		b.backup(muster.EventBackupNew, "r1", "")
		b.wait(4 * time.Minute)
		b.restart(time.Hour) // which does not count
		b.want("ev:r1")
		b.wait(61 * time.Second)
		b.want("")
		if got := b.post.began("ev:r1"); got != 1 {
			b.Errorf("it was said to begin %d times", got)
		}
	})
}
