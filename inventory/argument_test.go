package inventory_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
)

// sshHome writes ssh settings into a new home.
func sshHome(t *testing.T, files map[string]string) inventory.Env {
	t.Helper()
	e := env(t)
	e.Home, e.SSHConfigs = t.TempDir(), nil
	for name, text := range files {
		path := filepath.Join(e.Home, ".ssh", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.SSHConfigs = []string{filepath.Join(e.Home, ".ssh", "config"), filepath.Join(e.Home, ".ssh", "system")}
	return e
}

func TestArgumentsAreWhatSSHWouldTake(t *testing.T) {
	t.Parallel()
	e := sshHome(t, map[string]string{
		"config": `
Include conf.d/*
Host gw
  HostName 192.0.2.9
  Include only-gw
Host !old.lab.example.net *.lab.example.net
  User lab
  ProxyJump none
Match exec "exit 1"
  User nobody
Match user x
Host *.example.net
  User netops
  ProxyJump bastion.example.net
  IdentityFile ~/.ssh/net
  IdentityFile ~/.ssh/gone
  IdentityFile none
Host r1.example.net
  IdentityFile "%d/.ssh/r1.key"
Host tcp=x
  Port=2200
Host equals
  Port = 2201
  User="quoted"
Host *
  Port 2022
`,
		"conf.d/10-first": "Host first\n  Port 1111\n  HostName %h.example.org\nMatch all\n  Compression yes\n",
		"only-gw":         "Port 3333\nHost other\n  User never\n",
		"system":          "Host *\n  User system\n",
		"net":             "a key",
		"r1.key":          "a key",
	})
	for arg, want := range map[string]muster.Device{
		"first":                     {Name: "first", Address: "first.example.org", Port: 1111, Username: "system"},
		"gw":                        {Name: "gw", Address: "192.0.2.9", Port: 3333, Username: "system"},
		"other":                     {Name: "other", Address: "other", Port: 2022, Username: "system"},
		"r1.example.net":            {Name: "r1.example.net", Address: "r1.example.net", Port: 2022, Username: "netops", Jump: []string{"bastion.example.net"}, Credentials: []string{"device/r1.example.net"}},
		"2001:db8::1_22":            {Name: "2001:db8::1_22", Address: "2001:db8::1", Port: 22, Username: "system"},
		"r1.lab.example.net":        {Name: "r1.lab.example.net", Address: "r1.lab.example.net", Port: 2022, Username: "lab", Credentials: []string{"device/r1.lab.example.net"}},
		"admin@r1.example.net:2223": {Name: "r1.example.net:2223", Address: "r1.example.net", Port: 2223, Username: "admin", Jump: []string{"bastion.example.net"}, Credentials: []string{"device/r1.example.net:2223"}},
		"equals":                    {Name: "equals", Address: "equals", Port: 2201, Username: "quoted"},
		"192.0.2.1":                 {Name: "192.0.2.1", Address: "192.0.2.1", Port: 2022, Username: "system"},
		"2001:db8::1":               {Name: "2001:db8::1", Address: "2001:db8::1", Port: 2022, Username: "system"},
		"[2001:db8::1]:22":          {Name: "2001:db8::1_22", Address: "2001:db8::1", Port: 22, Username: "system"},
		"a@[2001:db8::1]":           {Name: "2001:db8::1", Address: "2001:db8::1", Port: 2022, Username: "a"},
		"ssh://a@r1:23/":            {Name: "r1:23", Address: "r1", Port: 23, Username: "a"},
		"do@main@r1":                {Name: "r1", Address: "r1", Port: 2022, Username: "do@main"},
	} {
		got, err := inventory.Argument(t.Context(), arg, &e)
		want.Origin = "argument"
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", arg, err, diff)
		}
	}
	c, ok := e.Keyring.Get("device/r1.example.net")
	if want := []string{filepath.Join(e.Home, ".ssh", "net"), filepath.Join(e.Home, ".ssh", "r1.key")}; !ok || cmp.Diff(want, c.Keys) != "" || !c.Agent {
		t.Errorf("got the credential %v, %v, want the key %v and the agent", c.Keys, ok, want)
	}
	for arg, want := range map[string]string{
		"":                 "is empty",
		"-oProxyCommand=x": "begins with",
		"a@-oX":            "begins with",
		"@r1":              "the user before @ is wrong",
		"-l@r1":            "the user before @ is wrong",
		"r1:x":             "port must be a number",
		"r1:70000":         "port must be a number",
		"[::1":             "no IPv6 address",
		"[::1]22":          "a colon and the port",
		"r1 x":             "neither an IP address nor a host name",
		"192.0.2.0/24":     "has a prefix length",
		"fe80::1%eth0":     "the name",
	} {
		if _, err := inventory.Argument(t.Context(), arg, &e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", arg, err, want)
		}
	}
}

func TestArgumentTakesWhatTheCommandLineSaysForAll(t *testing.T) {
	t.Parallel()
	yes := true
	e := sshHome(t, map[string]string{"config": "Host *\n User config\n Port 2022\n"})
	e.Argument = inventory.Settings{Username: "flag", LegacyCrypto: &yes, Platform: "ios"}
	e.Getenv = func(name string) string {
		return map[string]string{"MUSTER_USERNAME": "env", "MUSTER_PASSWORD": hidden}[name]
	}
	got, err := inventory.Argument(t.Context(), "r1", &e)
	want := muster.Device{Name: "r1", Address: "r1", Port: 2022, Username: "flag", LegacyCrypto: true, Platform: "cisco_ios", Credentials: []string{"env"}, Origin: "argument"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	e.Argument = inventory.Settings{}
	if got, _ = inventory.Argument(t.Context(), "r1", &e); got.Username != "config" {
		t.Errorf("got the user %q, want that of ssh's settings before MUSTER_USERNAME", got.Username)
	}
	if got, _ = inventory.Argument(t.Context(), "own@r1", &e); got.Username != "own" {
		t.Errorf("got the user %q, want the one before @", got.Username)
	}
}

func TestIncludesThatNeverEnd(t *testing.T) {
	t.Parallel()
	e := sshHome(t, map[string]string{"config": "Include config\nInclude config\nHost r1\n Port 23\n"})
	if got, err := inventory.Argument(t.Context(), "r1", &e); err != nil || got.Port != 23 {
		t.Errorf("got %v, %v", got, err)
	}
}
