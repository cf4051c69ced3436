package alert_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
	"github.com/musternet/muster/store/storetest"
)

// BenchmarkTake tells the default rules of devices that go down and come up again, in parts of so many.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{1, 256} {
		b.Run(fmt.Sprintf("memory/%d", n), func(b *testing.B) { benchTake(b, &storetest.Watch{}, n) })
		b.Run(fmt.Sprintf("sqlite/%d", n), func(b *testing.B) {
			db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			benchTake(b, db, n)
		})
	}
}

func benchTake(b *testing.B, watch store.Watch, n int) {
	devices := fleet(50_000)
	e, err := alert.New(b.Context(), alert.Config{
		Rules: alert.Defaults(), States: watch, Devices: func() []muster.Device { return devices },
	})
	if err != nil {
		b.Fatal(err)
	}
	some := make([]muster.Event, 0, n)
	i := 0
	for b.Loop() {
		to := []muster.Health{muster.HealthDown, muster.HealthUp}[i/len(devices)%2]
		some = append(some, muster.Event{
			ID: fmt.Sprint(i), Kind: muster.EventHealth, Time: time.Now(),
			Transition: &muster.Transition{Device: devices[i%len(devices)].Name, To: to, Reason: "3 of the last 3 pings had no reply"},
		})
		if i++; len(some) < n {
			continue
		}
		if err := e.Take(b.Context(), some...); err != nil {
			b.Fatal(err)
		}
		some = some[:0]
	}
}
