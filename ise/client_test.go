package ise_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func TestAConfigThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	good := func() ise.Config {
		return ise.Config{URL: "https://ise.example.net", Username: "ers", Password: password("x")}
	}
	if _, err := ise.New(good()); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *ise.Config){
		"no URL says where ISE is":                       func(c *ise.Config) { c.URL = "" },
		"a user name and a password are needed":          func(c *ise.Config) { c.Password = nil },
		"the URL is none":                                func(c *ise.Config) { c.URL = "https://" },
		"the URL holds a user name":                      func(c *ise.Config) { c.URL = "https://ers:hunter2@ise.example.net" },
		"ends with its host, port or path":               func(c *ise.Config) { c.URL = "https://ise.example.net/?password=hunter2" },
		"http sends the password in clear":               func(c *ise.Config) { c.URL = "http://ise.example.net" },
		"the URL begins with https://":                   func(c *ise.Config) { c.Standby = []string{"ftp://ise.example.net"} },
		"TLS is the matter of the HTTP client":           func(c *ise.Config) { c.HTTPClient, c.Pin = http.DefaultClient, "x" },
		"insecure does not go with a CA or a pin":        func(c *ise.Config) { c.Insecure, c.Pin = true, "x" },
		"pin: want the SHA-256":                          func(c *ise.Config) { c.Pin = "sha256/abc" },
		"CA file: open /nonexistent":                     func(c *ise.Config) { c.CAFile = "/nonexistent" },
		"client_test.go: there is no certificate in it":  func(c *ise.Config) { c.CAFile = "client_test.go" },
		"connections, rate and timeout are not negative": func(c *ise.Config) { c.Rate = -1 },
		"rate and timeout are not negative":              func(c *ise.Config) { c.Rate = math.NaN() },
	} {
		c := good()
		change(&c)
		_, err := ise.New(c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPortsFollowFromTheURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][2]string{
		"https://ise.example.net":          {"ise.example.net:9060", "ise.example.net"},
		"ise.example.net":                  {"ise.example.net:9060", "ise.example.net"},
		"https://ise.example.net:9443/":    {"ise.example.net:9443", "ise.example.net:9443"},
		"https://[2001:db8::1]":            {"[2001:db8::1]:9060", "[2001:db8::1]"},
		"https://gateway.example.net/ise/": {"gateway.example.net:9060", "gateway.example.net"},
	} {
		var asked []string
		recorder := transport(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Host)
			return nil, errors.New("no network")
		})
		client := open(t, ise.Config{URL: url, Username: "ers", Password: password("x"), HTTPClient: &http.Client{Transport: recorder}, Retries: -1})
		_, _ = client.Endpoint.Get(t.Context(), "1")
		_, _ = client.PolicySets(t.Context())
		if len(asked) != 2 || asked[0] != want[0] || asked[1] != want[1] {
			t.Errorf("%s: asked %v, want %v", url, asked, want)
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestNothingGoesToAnotherHost(t *testing.T) {
	t.Parallel()
	var foreign atomic.Int64
	trap := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { foreign.Add(1) }))
	t.Cleanup(trap.Close)
	s := start(t, sim.ISEConfig{Endpoints: 1500, Seed: 1, LinkHost: trap.Listener.Addr().String(), Faults: []sim.ISEShare{{Kind: "redirect", Share: 0.05}}})
	c := config(t, s)
	c.CAFile, c.Insecure = "", true // even with every certificate taken
	client := open(t, c)
	redirected := 0
	for range 5 {
		for _, err := range client.Endpoints(t.Context(), ise.Filter{}) {
			if err == nil {
				continue
			}
			if redirected++; !errors.Is(err, ise.ErrUnexpected) || !strings.Contains(err.Error(), "a redirect, which is not followed (302 Found)") {
				t.Errorf("got %v", err)
			}
		}
	}
	id, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"})
	if err != nil && !errors.Is(err, ise.ErrUnexpected) || err == nil && id == "" {
		t.Errorf("got %q, %v", id, err)
	}
	if redirected == 0 {
		t.Error("nothing was redirected")
	}
	if n := foreign.Load(); n != 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Seed: 1})
	other := start(t, sim.ISEConfig{Seed: 2})
	for name, c := range map[string]struct {
		change func(c *ise.Config)
		want   string
	}{
		"by the authority":                 {func(c *ise.Config) {}, ""},
		"by the pin alone":                 {func(c *ise.Config) { c.CAFile, c.Pin = "", s.Pin() }, ""},
		"by the pin in hexadecimal":        {func(c *ise.Config) { c.CAFile, c.Pin = "", hexOf(t, s.Pin()) }, ""},
		"not at all, when that is said":    {func(c *ise.Config) { c.CAFile, c.Insecure = "", true }, ""},
		"by the system's authorities":      {func(c *ise.Config) { c.CAFile = "" }, "certificate signed by unknown authority: give the CA's certificate as a file, or compare its key with ISE's and pin it: " + s.Pin()},
		"by another authority":             {func(c *ise.Config) { c.CAFile = config(t, other).CAFile }, "certificate signed by unknown authority"},
		"by another pin":                   {func(c *ise.Config) { c.CAFile, c.Pin = "", other.Pin() }, "the certificate's key is " + s.Pin() + ", which is not the pinned one"},
		"by the authority and another pin": {func(c *ise.Config) { c.Pin = other.Pin() }, "which is not the pinned one"},
		"by another authority and the pin": {func(c *ise.Config) { c.CAFile, c.Pin = config(t, other).CAFile, s.Pin() }, "certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, s)
			c.change(&cfg)
			before := s.Counts().Requests
			_, err := open(t, cfg).Endpoint.Total(t.Context(), ise.Filter{})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if c.want != "" && strings.Contains(err.Error(), "attempts") {
				t.Errorf("%v, from %d requests: it was tried again", err, before)
			}
		})
	}
}

func hexOf(t *testing.T, pin string) string {
	t.Helper()
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(pin, "sha256/"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%X", sum)
}

func TestInsecureIsLoud(t *testing.T) {
	t.Parallel()
	var log journal
	open(t, ise.Config{URL: "https://ise.example.net", Username: "ers", Password: password("x"), Insecure: true, Log: log.log()})
	if !strings.Contains(log.String(), "the certificate of ISE is not checked") {
		t.Errorf("log: %s", log.String())
	}
}

func TestAWrongPasswordIsSentOnce(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 1000, Seed: 1, Latency: 5 * time.Millisecond})
	c := config(t, s)
	asked, word := atomic.Int64{}, atomic.Pointer[string]{}
	word.Store(new("wr0ng-password"))
	c.Password = func(context.Context) (string, error) { asked.Add(1); return *word.Load(), nil }
	client := open(t, c)
	total := func(ctx context.Context, _ int) (int, error) { return client.Endpoint.Total(ctx, ise.Filter{}) }
	for _, r := range task.Settle(t.Context(), make([]int, 20), total) {
		if !errors.Is(r.Err, ise.ErrUnauthorized) || strings.Contains(r.Err.Error(), "wr0ng") {
			t.Errorf("got %v", r.Err)
		}
	}
	if n := s.Counts().Rejected; n != 1 {
		t.Errorf("it was sent %d times: ISE locks accounts", n)
	}
	_, right := s.Login()
	word.Store(&right)
	for _, r := range task.Settle(t.Context(), make([]int, 20), total) {
		if r.Err != nil || r.Value != 1000 {
			t.Errorf("with the right one: %d, %v", r.Value, r.Err)
		}
	}
	before := asked.Load()
	if _, err := client.Endpoint.Total(t.Context(), ise.Filter{}); err != nil || asked.Load() != before {
		t.Errorf("a password that ISE took was asked for again: %v", err)
	}
}

func TestAPasswordThatCannotBeHadIsAnError(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{})
	for _, c := range []struct {
		give func(context.Context) (string, error)
		want string
	}{
		{func(context.Context) (string, error) { return "", errors.New("the vault is sealed") }, "count"},
		{password(""), "it is empty"},
	} {
		cfg := config(t, s)
		cfg.Password = c.give
		_, err := open(t, cfg).Endpoint.Total(t.Context(), ise.Filter{})
		if err == nil || !strings.Contains(err.Error(), "list endpoint: password: ") || strings.Contains(err.Error(), "attempts") {
			t.Errorf("got %v", err)
		}
	}
	if n := s.Counts().Requests; n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestTheRoleForbidsChanges(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 3})
	c := config(t, s)
	user, secret := s.OperatorLogin()
	c.Username, c.Password = user, password(secret)
	client := open(t, c)
	if n, err := client.Endpoint.Total(t.Context(), ise.Filter{}); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"}); !errors.Is(err, ise.ErrForbidden) {
		t.Errorf("got %v", err)
	}
}

func TestChangesCarryATokenWhereOneIsWanted(t *testing.T) {
	t.Parallel()
	var fetches atomic.Int64
	s := start(t, sim.ISEConfig{Endpoints: 3, CSRF: true, Hook: func(r *http.Request) {
		if r.Header.Get("X-CSRF-Token") == "fetch" {
			fetches.Add(1)
		}
	}})
	client := open(t, config(t, s))
	for i := range 8 {
		if _, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: fmt.Sprintf("00:11:22:33:44:%02x", i)}); err != nil {
			t.Error(err)
		}
	}
	if n := fetches.Load(); n != 1 {
		t.Errorf("%d tokens were fetched", n)
	}
}

func TestManyAtOnceShareOneToken(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{CSRF: true, Latency: 5 * time.Millisecond})
	client := open(t, config(t, s))
	macs := make([]string, 60)
	for i := range macs {
		macs[i] = fmt.Sprintf("00:11:22:33:55:%02x", i)
	}
	for _, r := range task.Settle(t.Context(), macs, func(ctx context.Context, mac string) (string, error) {
		return client.Endpoint.Create(ctx, ise.Endpoint{MAC: mac})
	}) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	if n := s.Counts().Created; n != 60 {
		t.Errorf("%d were made", n)
	}
}

func TestAnotherPANIsAskedWhereOneCannot(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 300, Seed: 1, Standby: true})
	var log journal
	c := config(t, s)
	c.URL, c.Standby, c.Log = s.StandbyURL(), []string{s.URL()}, log.log() // the wrong way round
	client := open(t, c)
	if n := len(macs(t, client.Endpoints(t.Context(), ise.Filter{}))); n != 300 {
		t.Errorf("%d endpoints", n)
	}
	if _, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"}); err != nil {
		t.Errorf("the standby refuses, the primary does not: %v", err)
	}
	if !strings.Contains(log.String(), "another PAN is asked from now on") {
		t.Errorf("log: %s", log.String())
	}
	before := s.Counts().Requests
	if err := client.Endpoint.Delete(t.Context(), must(client.Endpoint.Find(t.Context(), "00:11:22:33:44:55")).ID); err != nil {
		t.Error(err)
	}
	if n := s.Counts().Requests - before; n != 3 {
		t.Errorf("%d requests: the primary was not kept", n)
	}
	s.StopPrimary()
	if n := len(macs(t, client.Endpoints(t.Context(), ise.Filter{}))); n != 300 {
		t.Errorf("%d endpoints from the standby", n)
	}
	_, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:56"})
	if err == nil || !strings.Contains(err.Error(), "ISE cannot be reached") {
		t.Errorf("got %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestSlowDownUnderALimit(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]bool{"that is told by 429": false, "that is told by 503": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sim.ISEConfig{Endpoints: 3000, Seed: 1, Rate: 8, Busy: busy})
			c := config(t, s)
			c.Rate, c.Retries = 90, 10
			if n := len(macs(t, open(t, c).Endpoints(t.Context(), ise.Filter{}))); n != 3000 {
				t.Errorf("%d endpoints", n)
			}
			if got := s.Counts(); got.Throttled == 0 || got.Throttled > got.Requests/2 {
				t.Errorf("%d of %d requests were too many", got.Throttled, got.Requests)
			}
		})
	}
}

func TestSilenceEndsAnAttempt(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 2000, Seed: 3, Faults: []sim.ISEShare{{Kind: "hang", Share: 0.1}}})
	c := config(t, s)
	c.Timeout = 200 * time.Millisecond
	if n := len(macs(t, open(t, c).Endpoints(t.Context(), ise.Filter{}))); n != 2000 {
		t.Errorf("%d endpoints", n)
	}
}

func TestTheCallersClientIsUsedAndLeftAlone(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 2000, Seed: 1, Latency: time.Millisecond})
	theirs := config(t, s)
	trusted, err := trust(s)
	if err != nil {
		t.Fatal(err)
	}
	theirs.CAFile, theirs.HTTPClient, theirs.Connections = "", trusted, 4
	if n := len(macs(t, open(t, theirs).Endpoints(t.Context(), ise.Filter{}))); n != 2000 {
		t.Errorf("%d endpoints", n)
	}
	if n := s.Counts().PeakConns; n > 4 {
		t.Errorf("%d connections at once", n)
	}
	if its := trusted.Transport.(*http.Transport); its.MaxConnsPerHost != 0 || trusted.Jar != nil || trusted.CheckRedirect != nil {
		t.Errorf("it was changed: %+v", trusted)
	}
}

func TestPolicySetsAndOtherPathsAreRead(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 3, Seed: 1})
	sets, err := client.PolicySets(t.Context())
	if err != nil || len(sets) != 3 || sets[0].Name != "Wired MAB" || !sets[2].Default {
		t.Errorf("%+v, %v", sets, err)
	}
	o, err := client.Raw(t.Context(), "/ers/config/endpoint?size=1")
	if err != nil || !strings.Contains(o.String(), s.Endpoints()[0]) {
		t.Errorf("%v, %v", o, err)
	}
	for _, path := range []string{"", "endpoint", "//evil.invalid/ers/config", "https://evil.invalid/ers/", "/admin/", "/ers/../admin", "/ers/%2e%2e/admin", "/ers/\x00"} {
		if _, err := client.Raw(t.Context(), path); !errors.Is(err, ise.ErrInvalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if n := s.Counts().Requests; n != 2 {
		t.Errorf("%d requests", n)
	}
	old := open(t, config(t, start(t, sim.ISEConfig{NoOpenAPI: true})))
	if _, err := old.PolicySets(t.Context()); !errors.Is(err, ise.ErrNotFound) {
		t.Errorf("in an old version: %v", err)
	}
}

func TestFullEndpointsOfAnOldVersionAreReadOneByOne(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 350, Seed: 1, NoOpenAPI: true})
	n := 0
	for e, err := range client.FullEndpoints(t.Context(), ise.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.GroupID == "" || e.StaticGroup == nil || e.MAC != s.Endpoints()[n] {
			t.Fatalf("%d: %+v", n, e)
		}
		n++
	}
	if n != 350 {
		t.Errorf("%d endpoints", n)
	}
}
