package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/store"
)

func TestALostUplinkIsOneAlertAndHoldsAllOthersBack(t *testing.T) {
	t.Parallel()
	rules := append(alert.Defaults(), alert.Rule{Name: "late", Kind: "state", For: time.Minute},
		alert.Rule{Name: "loss", Kind: "promql", Expr: "loss"})
	inBubble(t, rules, func(b *bench) {
		b.health("r1", muster.HealthDown)
		b.wait(30 * time.Second)
		b.health("", muster.HealthDown)
		b.history.answers("loss", nil, "r3", "r4")
		for _, d := range b.devices[1:] {
			b.health(d.Name, muster.HealthDown)
		}
		b.wait(time.Hour)
		b.want("device-down:r1 uplink-down")
		b.health("", muster.HealthUp)
		b.health("r2", muster.HealthUp)
		if got := b.firing(); strings.Contains(got, "uplink") || !strings.Contains(got, "device-down:r3") {
			b.Fatalf("with the uplink back there fire %q", got)
		}
	})
}

func TestALostUplinkIsKnownAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, alert.Defaults(), func(b *bench) {
		b.health("", muster.HealthDown)
		b.health("r1", muster.HealthUp) // an address of this machine
		b.restart(time.Minute)
		b.health("r2", muster.HealthDown)
		b.want("uplink-down")
		b.stop()
		if err := b.watch.SaveHealth(b.Context(), []store.Health{{Device: "", State: muster.HealthUp}}); err != nil {
			b.Fatal(err)
		}
		b.start()
		b.want("device-down:r2")
	})
}

func TestAnUplinkThatIsBackInTimeIsNotTold(t *testing.T) {
	t.Parallel()
	inBubble(t, []alert.Rule{{Name: "uplink", Kind: "uplink", For: time.Minute}}, func(b *bench) {
		b.health("", muster.HealthDown)
		b.wait(59 * time.Second)
		b.health("", muster.HealthUp)
		b.wait(time.Hour)
		if got := b.post.all(); got != "" {
			b.Fatalf("told of %q", got)
		}
		b.health("", muster.HealthDown)
		b.wait(61 * time.Second)
		b.want("uplink")
	})
}

func TestAQuietUplinkBeginsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, alert.Defaults(), func(b *bench) {
		b.health("", muster.HealthDown, "quiet")
		b.wait(time.Minute)
		b.want("")
	})
}
