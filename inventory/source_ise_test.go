package inventory_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// startISE starts a simulated ISE with a few devices that people have, and returns a source that asks it.
func startISE(t *testing.T) (*sim.ISE, inventory.Spec) {
	t.Helper()
	s := serveISE(t)
	user, password := s.Login()
	dir := t.TempDir()
	spec := inventory.Spec{
		Type: "ise", URL: s.URL(), Username: user, Password: []secret.Ref{secret.Ref("file:" + put(t, dir, "password", password))},
		CAFile: put(t, dir, "ca.pem", string(s.CA())),
	}
	client, err := ise.New(ise.Config{URL: s.URL(), Username: user, CAFile: spec.CAFile, Password: func(context.Context) (string, error) { return password, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, dev := range []ise.NetworkDevice{
		{Name: "building-5", Addresses: []ise.NetworkDeviceIP{{IP: "192.0.2.0", Mask: 24}}},
		{Name: "two", Addresses: []ise.NetworkDeviceIP{{IP: "192.0.2.0", Mask: 24}, {IP: "192.0.2.7", Mask: 32}, {IP: "192.0.2.8", Mask: 32}}, Groups: []string{"Location#All Locations#EU#Amsterdam", "Device Type#All Device Types", "IPSEC#Is IPSEC Device#No"}, Profile: "Cisco", Model: "C9300"},
		{Name: "a name with blanks", Addresses: []ise.NetworkDeviceIP{{IP: "192.0.2.9", Mask: 32}}, RADIUS: &ise.RADIUS{NetworkProtocol: "RADIUS", SharedSecret: ise.NewSecret(hidden)}},
		{Name: "six", Addresses: []ise.NetworkDeviceIP{{IP: "2001:db8::6", Mask: 128}}},
		{Name: "range", Addresses: []ise.NetworkDeviceIP{{IP: "192.0.2.10-20", Mask: 32}}},
	} {
		if _, err := client.NetworkDevice.Create(t.Context(), dev); err != nil {
			t.Fatal(dev.Name, err)
		}
	}
	return s, spec
}

// serveISE starts a simulated ISE that ends with the test.
func serveISE(t *testing.T) *sim.ISE {
	t.Helper()
	started, ended := make(chan *sim.ISE), make(chan error, 1)
	go func() {
		defer close(started)
		ended <- task.Scope(context.Background(), "ise", func(ctx context.Context, g *task.Group) error {
			s, err := sim.StartISE(ctx, g, sim.ISEConfig{Devices: 2})
			if err == nil {
				started <- s
			}
			return err
		})
	}()
	s, ok := <-started
	if !ok {
		t.Fatal(<-ended)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return s
}

func iseSubject(t *testing.T) (spec, gone inventory.Spec) {
	_, spec = startISE(t)
	closed := httptest.NewTLSServer(http.NotFoundHandler())
	closed.Close()
	gone = spec
	gone.URL = closed.URL
	return spec, gone
}

func TestISEIsAskedForWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	s, spec := startISE(t)
	for name, c := range map[string]struct {
		change func(*inventory.Spec)
		want   string // in the error, or else the names
	}{
		"a filter of names":   {func(s *inventory.Spec) { s.Filter = map[string][]string{"name.STARTSW": {"sim-"}} }, "sim-0001 sim-0002"},
		"a name":              {func(s *inventory.Spec) { s.Filter = map[string][]string{"name": {"two"}} }, "two"},
		"a pin":               {func(p *inventory.Spec) { p.CAFile, p.Pin, p.Filter = "", s.Pin(), map[string][]string{"name": {"six"}} }, "six"},
		"another pin":         {func(p *inventory.Spec) { p.CAFile, p.Pin = "", "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, "pin"},
		"no authority":        {func(s *inventory.Spec) { s.CAFile = "" }, "certificate"},
		"a filter of nothing": {func(s *inventory.Spec) { s.Filter = map[string][]string{"name.LIKE": {hidden[:3]}} }, "unknown operator"},
		"a wrong password": {func(s *inventory.Spec) {
			s.Password = []secret.Ref{secret.Ref("file:" + put(t, t.TempDir(), "pw", hidden))}
		}, "401"},
		"no password there": {func(s *inventory.Spec) { s.Password = []secret.Ref{"file:/no/such/file"} }, "no such file"},
		"no user":           {func(s *inventory.Spec) { s.Username = "" }, "needs a username and a password"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := spec
			c.change(&spec)
			inv, err := inventory.Load(t.Context(), env(t), spec)
			got := strings.Join(names(inv.Devices), " ")
			if err != nil {
				got = err.Error()
			}
			if got != c.want && (err == nil || !strings.Contains(got, c.want)) || strings.Contains(got, hidden) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
