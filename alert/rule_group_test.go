package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

// watched tells that all devices are up.
func (b *bench) watched() {
	b.Helper()
	for _, d := range b.devices {
		b.health(d.Name, muster.HealthUp)
	}
}

func TestManyOfAGroupAreOneAlertWithTheirNames(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "many", Kind: "group", Count: 3}}
	inBubble(t, rules, func(b *bench) {
		b.watched()
		b.health("r3", muster.HealthDown)
		b.health("r1", muster.HealthDown)
		b.want("")
		b.health("r2", muster.HealthDown)
		b.want("many")
		a := b.post.last("many")
		if got := a.Annotations[alert.AnnotationSummary]; got != "3 of 8 devices are down" {
			b.Errorf("summary is %q", got)
		}
		if got := a.Annotations[alert.AnnotationDescription]; got != "r1, r2, r3" {
			b.Errorf("description is %q", got)
		}
		b.health("r2", muster.HealthUp)
		b.want("")
	})
}

func TestTheShareOfAGroupCountsThoseThatAreWatched(t *testing.T) {
	t.Parallel()
	inBubble(t, alert.Defaults(), func(b *bench) {
		b.devices = fleet(22) // 11 core, 11 edge
		b.restart(0)
		b.watched()
		for i := 1; i < 10; i += 2 { // 5 of 11
			b.health(fmt.Sprintf("r%d", i), muster.HealthDown)
		}
		if strings.Contains(b.firing(), "many-down") {
			b.Fatal("5 of 11 are no half")
		}
		b.health("r11", muster.HealthDown)
		if !strings.Contains(b.firing(), "many-down:core") || strings.Contains(b.firing(), "many-down:edge") {
			b.Fatalf("6 of 11 are more than half: there fire %s", b.firing())
		}
	})
}

func TestAShareIsReachedExactly(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{{Name: "many", Kind: "group", Share: 0.07}}, func(b *bench) {
		b.devices = fleet(100)
		b.restart(0)
		b.watched()
		for _, d := range b.devices[:6] {
			b.health(d.Name, muster.HealthDown)
		}
		b.want("")
		b.health("r7", muster.HealthDown)
		b.want("many")
	})
}

func TestAGroupThatIsTooSmallHasNoShare(t *testing.T) {
	t.Parallel()
	inBubble(t, alert.Defaults(), func(b *bench) {
		b.devices = fleet(6) // 3 core, 3 edge
		b.restart(0)
		b.watched()
		for _, d := range b.devices {
			b.health(d.Name, muster.HealthDown)
		}
		if strings.Contains(b.firing(), "many-down") {
			b.Fatalf("there fire %s", b.firing())
		}
	})
}

func TestAGroupFiresWhenItHasLastedLongEnoughAndNotBefore(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "many", Kind: "group", Count: 2, For: time.Minute}}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthDown)
		b.wait(40 * time.Second)
		b.health("r3", muster.HealthDown)
		b.health("r1", muster.HealthUp) // others, but as many
		b.wait(18 * time.Second)
		b.want("")
		b.wait(3 * time.Second)
		b.want("many")
	})
}

func TestDevicesOfWhichNobodyKnowsKeepAGroupAlive(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "many", Kind: "group", Count: 2}}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthUnknown)
		b.health("r3", muster.HealthDown, "quiet")
		b.want("")
		b.health("r2", muster.HealthDown)
		b.want("many")
		b.health("r1", muster.HealthUnknown)
		b.health("r2", muster.HealthUnknown)
		b.want("many")
		b.health("r1", muster.HealthUp)
		b.health("r3", muster.HealthUp)
		b.want("")
	})
}

func TestATagTellsTheAlertsOfAGroupApart(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "many", Kind: "group", Count: 2, By: "site"}}
	inBubble(t, rules, func(b *bench) {
		b.devices[0].Tags = map[string]string{"site": "fra"}
		b.devices[1].Tags = nil
		b.restart(0)
		for _, d := range b.devices[:3] {
			b.health(d.Name, muster.HealthDown)
		}
		b.want("") // one of each, and one without
		b.health("r4", muster.HealthDown)
		b.want("many:ams")
	})
}

func TestAGroupGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "many", Kind: "group", Count: 2}}
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.health("r2", muster.HealthDown)
		b.restart(time.Hour)
		b.want("many")
		b.wait(time.Minute)
		if got := b.post.began("many"); got != 1 {
			b.Errorf("it was said to begin %d times", got)
		}
		b.health("r2", muster.HealthUp)
		b.want("")
	})
}

func TestTheListOfManyNamesIsBounded(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{{Name: "many", Kind: "group", Share: 1}}
	inBubble(t, rules, func(b *bench) {
		b.devices = fleet(300)
		b.restart(0)
		b.watched()
		for _, d := range b.devices {
			b.health(d.Name, muster.HealthDown)
		}
		b.wait(time.Minute)
		want := "r1, r10, r100, r101, r102, r103, r104, r105, r106, r107 and 290 more"
		if got := b.post.last("many").Annotations[alert.AnnotationDescription]; got != want {
			b.Errorf("got %q", got)
		}
	})
}
