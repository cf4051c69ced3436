package tsdb_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/tsdb"
)

func Example() {
	dir, err := os.MkdirTemp("", "samples")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	d, err := tsdb.Open(dir, tsdb.Options{Retention: 90 * 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	defer d.Close()

	ctx, now := context.Background(), time.Now()
	for i, up := range []float64{1, 0, 1, 1} {
		err := d.Write(ctx, []muster.Sample{{
			Name: "muster_probe_up", Labels: map[string]string{"device": "r1"},
			Time: now.Add(time.Duration(i-3) * time.Second), Value: up,
		}})
		if err != nil {
			panic(err)
		}
	}
	series, err := d.Query(ctx, "avg_over_time(muster_probe_up[1m])", now)
	if err != nil {
		panic(err)
	}
	for _, s := range series {
		fmt.Println(s.Labels["device"], s.Points[0].Value)
	}
	// Output: r1 0.75
}
