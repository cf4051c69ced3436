package alert_test

import (
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

var down = []alert.Rule{{Name: "down", Kind: "state"}}

func slow(wait time.Duration) []alert.Rule {
	return []alert.Rule{{Name: "down", Kind: "state", For: wait}}
}

func TestADeviceThatIsDownFiresAtOnceAndEndsWhenItIsUp(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.want("down:r1")
		if got := b.post.said("down:r1"); got != "firing" {
			b.Fatalf("the Sender was told %q", got)
		}
		b.wait(time.Hour)
		b.want("down:r1")
		b.health("r1", muster.HealthUp)
		b.want("")
		if got := b.post.said("down:r1"); got != "ended" {
			b.Fatalf("the Sender was told %q", got)
		}
	})
}

func TestAStateFiresWhenItHasLastedLongEnoughAndNotBefore(t *testing.T) {
	t.Parallel()
	inBubble(t, slow(5*time.Minute), func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.wait(5*time.Minute - time.Second)
		b.want("")
		if got := b.in(alert.Pending); got != "down:r1" {
			b.Fatalf("pending is %q", got)
		}
		b.wait(2 * time.Second)
		b.want("down:r1")
	})
}

func TestAStateThatPassesFiresNever(t *testing.T) {
	t.Parallel()
	inBubble(t, slow(5*time.Minute), func(b *bench) {
		for range 10 {
			b.health("r1", muster.HealthDown)
			b.wait(4 * time.Minute)
			b.health("r1", muster.HealthUp)
			b.wait(time.Minute)
		}
		if got := b.post.all(); got != "" || len(b.engine.Alerts()) != 0 {
			b.Fatalf("it was told of %q and knows %v", got, b.engine.Alerts())
		}
	})
}

func TestAQuietTransitionBeginsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthUp)
		b.health("r1", muster.HealthDown, "quiet")
		b.wait(time.Hour)
		b.want("")
		b.health("r1", muster.HealthUp, "quiet")
		b.health("r1", muster.HealthDown, "quiet")
		b.want("")
		b.health("r1", muster.HealthDown) // the maintenance is over, and it is still down
		b.want("down:r1")
	})
}

func TestADeviceThatFlapsFiresOnceUntilItIsWell(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown) // flapping, told once
		for range 100 {
			b.wait(10 * time.Second)
			b.health("r1", muster.HealthUp, "quiet")
			b.wait(10 * time.Second)
			b.health("r1", muster.HealthDown, "quiet")
			b.want("down:r1")
		}
		b.health("r1", muster.HealthUp)
		b.want("")
		if got := b.post.began("down:r1"); got != 1 {
			b.Errorf("it began %d times", got)
		}
	})
}

func TestADeviceThatIsQuietlyWellForLongIsWell(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.wait(time.Hour)
		b.health("r1", muster.HealthUp, "quiet") // repaired in a maintenance window
		b.wait(10 * time.Minute)
		b.restart(0)
		b.wait(4 * time.Minute)
		b.want("down:r1")
		b.wait(2 * time.Minute)
		b.want("")
		b.health("r1", muster.HealthDown, "quiet") // as was told last, and will not be told again
		b.want("down:r1")
	})
}

func TestAVerdictThatIsTheSameAgainGoesOn(t *testing.T) {
	t.Parallel()
	inBubble(t, slow(5*time.Minute), func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.wait(4 * time.Minute)
		b.health("r1", muster.HealthUnknown, "quiet") // its parent is down
		b.wait(4 * time.Minute)
		b.want("")
		b.health("r1", muster.HealthDown, "quiet") // as was told before
		b.wait(5*time.Minute + time.Second)
		b.want("down:r1")
	})
}

func TestAQuietStateStaysQuietAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, down, func(b *bench) {
		b.health("r1", muster.HealthUp)
		b.health("r1", muster.HealthDown, "quiet")
		b.restart(time.Minute)
		b.wait(time.Minute)
		b.want("")
	})
}

func TestUnknownNeitherBeginsNorEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, slow(time.Minute), func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthUnknown)
		b.wait(30 * time.Second)
		b.health("r3", muster.HealthDown)
		b.wait(31 * time.Second)
		b.health("r1", muster.HealthUnknown) // behind a router that is down now
		b.health("r3", muster.HealthUnknown)
		b.wait(time.Hour)
		b.want("down:r1")
		b.health("r1", muster.HealthUp)
		b.want("")
	})
}

func TestAnotherStateEndsIt(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{
		{Name: "bad", Kind: "state", States: []muster.Health{muster.HealthDegraded}},
		{Name: "any", Kind: "state", States: []muster.Health{muster.HealthDegraded, muster.HealthDown}},
	}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDegraded)
		b.want("any:r1 bad:r1")
		b.health("r1", muster.HealthDown)
		b.want("any:r1")
		if got := b.post.began("any:r1"); got != 1 {
			b.Errorf("it began %d times", got)
		}
	})
}

func TestOnlySelectedDevicesFire(t *testing.T) {
	t.Parallel()
	core := func(d muster.Device) bool { return d.Group == "core" }
	inBubble(t, []alert.Rule{{Name: "down", Kind: "state", Select: core}}, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthDown)
		b.want("down:r1")
	})
}

func TestADeviceThatWasDownBeforeTheFirstStartFires(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.rules = down
		if err := b.engine.Replace(b.Context(), down); err != nil {
			b.Fatal(err)
		}
		b.want("down:r1")
	})
}
