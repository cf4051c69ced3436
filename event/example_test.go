package event_test

import (
	"context"
	"fmt"

	"github.com/musternet/muster"
	"github.com/musternet/muster/event"
	"github.com/musternet/muster/event/eventtest"
)

func Example() {
	ctx := context.Background()
	bus := event.NewBus(new(eventtest.Journal)) // in the product: the SQLite file
	alerts, err := bus.Subscribe(ctx, "alerts", event.Kinds(muster.EventBackupFailed))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer alerts.Close()
	for _, e := range []muster.Event{
		{Kind: muster.EventBackupGood, Device: muster.Device{Name: "r1"}, Text: "r1 is unchanged"},
		{Kind: muster.EventBackupFailed, Device: muster.Device{Name: "r2"}, Text: "r2 refused the login"},
	} {
		if err := bus.Publish(ctx, e); err != nil {
			fmt.Println(err)
		}
	}
	for e, err := range alerts.Events(ctx) {
		fmt.Println(e.Text, err)
		break
	}
	// Output: r2 refused the login <nil>
}
