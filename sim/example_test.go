package sim_test

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func Example() {
	config := sim.Config{
		Devices:    50,
		Recordings: []*platform.Recording{server()}, // without it: all recordings that come with muster
		Faults:     []sim.Share{{Kind: "auth", Share: 0.1}},
	}
	err := task.Scope(context.Background(), "lab", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, config)
		if err != nil {
			return err
		}
		defer fleet.Close()
		user, password, _ := fleet.Login()
		for _, d := range fleet.Devices() {
			if d.Fault != "" {
				continue
			}
			client, err := ssh.Dial("tcp", net.JoinHostPort(d.Address, strconv.Itoa(d.Port)), &ssh.ClientConfig{
				User: user, Auth: []ssh.AuthMethod{ssh.Password(password)},
				HostKeyCallback: ssh.InsecureIgnoreHostKey(),
			})
			if err != nil {
				return err
			}
			defer client.Close()
			session, err := client.NewSession()
			if err != nil {
				return err
			}
			out, err := session.Output("cat /etc/hostname")
			fmt.Printf("%s", out)
			return err
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// sim-0001
	// <nil>
}
