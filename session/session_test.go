package session_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExecKeepsStreamsAndStatusApart(t *testing.T) {
	t.Parallel()
	srv := sessiontest.Start(t, sessiontest.Device{Password: "s3cret", Commands: map[string]string{"show version": "v1\nline two\n"}})
	s, err := session.Dial(t.Context(), srv.Addr, srv.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(t.Context(), "show version")
	if err != nil || out.Text != "v1\nline two\n" || out.ExitStatus != 0 {
		t.Fatalf("got %+v, %v", out, err)
	}
	out, err = s.Run(t.Context(), "nonsense")
	if err != nil || out.Text != "" || out.Stderr != "unknown command\n" || out.ExitStatus != 127 {
		t.Fatalf("got %+v, %v", out, err)
	}
}

func TestShellReturnsWhatStandsBetweenEchoAndPrompt(t *testing.T) {
	t.Parallel()
	want := "version 1\n" + strings.Repeat(" some line of text\n", 1500) + "end\n"
	srv := sessiontest.Start(t, sessiontest.Device{Password: "s3cret", Motd: "\r\nWelcome # to > this\r\n", Prompt: "sw1#",
		Commands: map[string]string{"show running-config": want, "nothing": ""}})
	c := srv.Config(t)
	c.Shell = &session.Shell{}
	s, err := session.Dial(t.Context(), srv.Addr, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		out, err := s.Run(t.Context(), "show running-config")
		if err != nil || out.Text != want {
			t.Fatalf("got %d bytes, want %d: %v", len(out.Text), len(want), err)
		}
		if out, err = s.Run(t.Context(), "nothing"); err != nil || out.Text != "" {
			t.Fatalf("got %q, %v", out.Text, err)
		}
	}
	if p := s.Info().Prompt; p != "sw1#" {
		t.Fatalf("prompt %q", p)
	}
}
