package route_test

import (
	"context"
	"fmt"
	"os"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

// Without a configuration nobody is notified; what fires can be asked for all the same. With one, Run notifies.
func Example() {
	dir, err := os.MkdirTemp("", "alerts")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	r, err := route.Open(route.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	ctx := context.Background()
	err = r.Send(ctx, []muster.Alert{{
		Labels:      map[string]string{muster.LabelAlert: "down", muster.LabelDevice: "r1"},
		Annotations: map[string]string{"summary": "r1 does not answer"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	alerts, err := r.Alerts(ctx, []string{"down"})
	for _, a := range alerts {
		fmt.Println(a.Labels["device"], a.Annotations["summary"], a.Receivers, a.Muted())
	}
	fmt.Println(err)
	// Output:
	// r1 r1 does not answer [nobody] false
	// <nil>
}
