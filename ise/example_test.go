package ise_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func Example() {
	err := task.Scope(context.Background(), "lab", func(ctx context.Context, g *task.Group) error {
		lab, err := sim.StartISE(ctx, g, sim.ISEConfig{Endpoints: 2500}) // without gear at hand
		if err != nil {
			return err
		}
		defer lab.Close()
		user, secret := lab.Login()
		client, err := ise.New(ise.Config{
			URL: lab.URL(), Username: user, Pin: lab.Pin(),
			Password: func(context.Context) (string, error) { return secret, nil },
		})
		if err != nil {
			return err
		}
		defer client.Close()

		n := 0
		for _, err := range client.Endpoints(ctx, ise.Filter{}) {
			if err != nil {
				return err
			}
			n++
		}
		fmt.Println(n, "endpoints")

		phones, err := client.EndpointGroup.Find(ctx, "Group-03")
		if err != nil {
			return err
		}
		_, err = client.Endpoint.Create(ctx, ise.Endpoint{MAC: "0011.22aa.bbcc", GroupID: phones.ID})
		fmt.Println("created:", err == nil)
		_, err = client.Endpoint.Create(ctx, ise.Endpoint{MAC: "00:11:22:aa:bb:cc"})
		fmt.Println("again:", errors.Is(err, ise.ErrExists))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2500 endpoints
	// created: true
	// again: true
}
