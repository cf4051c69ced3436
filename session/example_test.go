package session_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/musternet/muster/session"
)

// The zero Config does what ssh would do. With a Shell the command is typed at the device's prompt.
func ExampleWith() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := session.Config{Shell: &session.Shell{}}
	err := session.With(ctx, "sw1.example.net", c, func(ctx context.Context, s *session.Session) error {
		out, err := s.Run(ctx, "show version")
		fmt.Print(out.Text)
		return err
	})
	if err != nil {
		log.Print(err)
	}
}

// A password, a jump host and host keys that are trusted on first use.
func ExampleDial() {
	keys, err := session.OpenKnownHosts(true, "known_hosts")
	if err != nil {
		log.Fatal(err)
	}
	admin := session.Credential{Name: "admin", User: "admin", Password: func(context.Context) (string, error) {
		return os.Getenv("ADMIN_PASSWORD"), nil
	}}
	s, err := session.Dial(context.Background(), "192.0.2.1", session.Config{
		Credentials: []session.Credential{admin},
		HostKeys:    keys,
		Jump:        []session.Hop{{Address: "bastion:22", Credentials: []session.Credential{admin}}},
	})
	if err != nil {
		log.Print(err) // 192.0.2.1: connect: refused: ...
		return
	}
	defer s.Close()
	fmt.Println(s.Info().ServerVersion)
}
