package logfile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
	"github.com/musternet/muster/task"
)

// Lines are appended while Run writes them, and searched by anybody.
func Example() {
	dir, err := os.MkdirTemp("", "syslog")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	a, err := logfile.Open(dir, logfile.Options{Retention: 5 * 365 * 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	defer a.Close()

	err = task.Scope(context.Background(), "example", func(ctx context.Context, g *task.Group) error {
		g.Go("archive", a.Run)
		for _, text := range []string{"Interface Gi0/1, changed state to down", "Interface Gi0/1, changed state to up"} {
			l := muster.LogLine{Received: time.Now(), Device: "r1", Severity: "error", Message: text}
			line, err := json.Marshal(l)
			if err != nil {
				return err
			}
			if err := a.Append(ctx, append(line, '\n'), l.Received); err != nil {
				return err
			}
		}
		if err := a.Flush(ctx); err != nil {
			return err
		}
		for l, err := range logfile.Search(ctx, dir, store.LogQuery{Text: "state to DOWN", Severity: "warning"}) {
			if err != nil {
				return err
			}
			fmt.Println(l.Device, l.Message)
		}
		g.Cancel(nil)
		return nil
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(a.Counts().Durable, "lines are durable")
	// Output:
	// r1 Interface Gi0/1, changed state to down
	// 2 lines are durable
}
