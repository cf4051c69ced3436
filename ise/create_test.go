package ise_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func TestAnEndpointIsMadeReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	_, client := both(t, sim.ISEConfig{Endpoints: 10, Seed: 1})
	ctx := t.Context()
	groups := map[string]string{}
	for g, err := range client.EndpointGroup.List(ctx, ise.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		groups[g.Name] = g.ID
	}
	id, err := client.Endpoint.Create(ctx, ise.Endpoint{MAC: "0011.22aa.bbcc", GroupID: groups["Group-02"], CustomAttributes: ise.Attributes{"room": "1.07"}})
	if err != nil || id == "" {
		t.Fatalf("create: %q, %v", id, err)
	}
	e, err := client.Endpoint.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	want := ise.Endpoint{ID: id, Name: "00:11:22:AA:BB:CC", MAC: "00:11:22:AA:BB:CC", GroupID: groups["Group-02"], StaticGroup: new(true), CustomAttributes: ise.Attributes{"room": "1.07"}}
	e.Link = ise.Link{}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("get: -want +got:\n%s", diff)
	}
	if err := client.Endpoint.Update(ctx, id, ise.Endpoint{GroupID: groups["Group-05"]}); err != nil {
		t.Fatal(err)
	}
	if e, err = client.Endpoint.Find(ctx, "00-11-22-aa-bb-cc"); err != nil || e.GroupID != groups["Group-05"] || e.ID != id {
		t.Errorf("find: %+v, %v", e, err)
	}
	if err := client.Endpoint.Delete(ctx, id); err != nil {
		t.Error(err)
	}
	if _, err := client.Endpoint.Get(ctx, id); !errors.Is(err, ise.ErrNotFound) {
		t.Errorf("get what was deleted: %v", err)
	}
	if err := client.Endpoint.Delete(ctx, id); !errors.Is(err, ise.ErrNotFound) {
		t.Errorf("delete what was deleted: %v", err)
	}
	if _, err := client.Endpoint.Find(ctx, "00-11-22-aa-bb-cc"); !errors.Is(err, ise.ErrNotFound) {
		t.Errorf("find what was deleted: %v", err)
	}
}

func TestADuplicateIsToldAsOne(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 10, Seed: 1})
	_, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: s.Endpoints()[4]}) // 400 of ISE
	if !errors.Is(err, ise.ErrExists) || !strings.Contains(err.Error(), "create endpoint "+s.Endpoints()[4]+": already exists (400 Bad Request)") {
		t.Errorf("got %v", err)
	}
	_, err = client.IdentityGroup.Create(t.Context(), ise.IdentityGroup{Name: "Employee"}) // 500 of ISE
	if !errors.Is(err, ise.ErrExists) {
		t.Errorf("got %v", err)
	}
	if n := s.Counts().Requests; n != 2 {
		t.Errorf("%d requests, want 2: there is nothing to look up", n)
	}
}

func TestNothingIsMadeTwiceAmongLostAnswers(t *testing.T) {
	t.Parallel()
	faults := []sim.ISEShare{{Kind: "reset", Share: 0.1}, {Kind: "lost", Share: 0.1}, {Kind: "500", Share: 0.05}, {Kind: "503", Share: 0.05}, {Kind: "429", Share: 0.05}, {Kind: "truncated", Share: 0.05}}
	posts := make(chan string, 1<<16)
	s := start(t, sim.ISEConfig{Endpoints: 100, Seed: 2, Faults: faults, Hook: func(r *http.Request) {
		if r.Method == http.MethodPost {
			posts <- r.URL.Path
		}
	}})
	c := config(t, s)
	c.Retries = 12
	client := open(t, c)
	macs := make([]string, 150)
	for i := range macs {
		macs[i] = fmt.Sprintf("00:50:56:00:00:%02X", i)
	}
	made := task.Settle(t.Context(), macs, func(ctx context.Context, mac string) (string, error) {
		return client.Endpoint.Create(ctx, ise.Endpoint{MAC: mac, Description: "imported"})
	}, task.Limit(20))
	ids := map[string]bool{}
	for i, r := range made {
		if r.Err != nil {
			t.Errorf("%s: %v", macs[i], r.Err)
		}
		ids[r.Value] = true
	}
	if got := s.Counts(); got.Created != int64(len(macs)) || len(ids) != len(macs) || len(posts) <= len(macs) {
		t.Errorf("%d were made by %d POSTs, %d ids came back, want %d", got.Created, len(posts), len(ids), len(macs))
	}
}

// scripted is an ISE that answers as a test wants.
func scripted(t *testing.T, handler http.HandlerFunc) *ise.Client {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	return open(t, ise.Config{URL: server.URL, Username: "ers", Password: password("Secr3t-pass"), HTTPClient: server.Client(), Rate: 10000, Timeout: 5 * time.Second})
}

func TestAnyStatusOfACreateBut201IsAnError(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		200: "create endpoint 00:11:22:33:44:55: unexpected answer: want 201 Created (200 OK)",
		202: "create endpoint 00:11:22:33:44:55: unexpected answer: want 201 Created (202 Accepted)",
		204: "create endpoint 00:11:22:33:44:55: unexpected answer: want 201 Created (204 No Content)",
		302: "create endpoint 00:11:22:33:44:55: unexpected answer: a redirect, which is not followed (302 Found)",
		400: "create endpoint 00:11:22:33:44:55: invalid request (400 Bad Request)",
		418: "create endpoint 00:11:22:33:44:55: invalid request (418 I'm a teapot)",
		799: "create endpoint 00:11:22:33:44:55: ISE could not answer (799)",
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var posts atomic.Int64
			client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					posts.Add(1)
					w.WriteHeader(status)
					return
				}
				fmt.Fprint(w, `{"SearchResult":{"total":0,"resources":[]}}`)
			})
			ise.SetRetries(client, 1)
			id, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "001122334455"})
			var failed *ise.Error
			if id != "" || !errors.As(err, &failed) || failed.Status != status || status < 500 && err.Error() != want {
				t.Errorf("got %q, %v, want %s", id, err, want)
			}
			if status < 500 && posts.Load() != 1 {
				t.Errorf("%d POSTs", posts.Load())
			}
		})
	}
}

func TestA201WithoutALocationIsLookedUp(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"": "found-id", "https://other.invalid/ers/config/endpoint/told-id": "told-id", "/ers/config/endpoint/../..": "found-id", "https://x/%0a%1b[31m": "found-id",
	} {
		t.Run(location, func(t *testing.T) {
			t.Parallel()
			client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					w.Header().Set("Location", location)
					w.WriteHeader(http.StatusCreated)
				case strings.HasSuffix(r.URL.Path, "/found-id"):
					fmt.Fprint(w, `{"ERSEndPoint":{"id":"found-id","name":"00:11:22:33:44:55","mac":"00:11:22:33:44:55"}}`)
				default:
					fmt.Fprint(w, `{"SearchResult":{"total":1,"resources":[{"id":"found-id","name":"00:11:22:33:44:55"}]}}`)
				}
			})
			id, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "001122334455"})
			if err != nil || id != want {
				t.Errorf("got %q, %v, want %s", id, err, want)
			}
		})
	}
}

// lostPost resets every POST, and answers look-ups with what is there.
func lostPost(t *testing.T, there string, lookUp int) (*ise.Client, *atomic.Int64) {
	t.Helper()
	posts := new(atomic.Int64)
	return scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			posts.Add(1)
			panic(http.ErrAbortHandler)
		case lookUp != http.StatusOK:
			w.WriteHeader(lookUp)
		case there == "":
			fmt.Fprint(w, `{"SearchResult":{"total":0,"resources":[]}}`)
		case strings.HasSuffix(r.URL.Path, "/the-id"):
			fmt.Fprintf(w, `{"ERSEndPoint":%s}`, there)
		default:
			fmt.Fprintf(w, `{"SearchResult":{"total":1,"resources":[%s]}}`, there)
		}
	}), posts
}

func TestWhatALostPostMayHaveMadeIsLookedUp(t *testing.T) {
	t.Parallel()
	const group = "aa0e8b20-8bff-11e6-996c-525400b48521"
	for name, c := range map[string]struct {
		there  string
		lookUp int
		want   error
		posts  int64
	}{
		"it is there as it was sent": {`{"id":"the-id","name":"00:11:22:33:44:55","mac":"00:11:22:33:44:55","groupId":"` + group + `","staticGroupAssignment":true}`, 200, nil, 1},
		"it is there in other words": {`{"id":"the-id","name":"00:11:22:33:44:55","mac":"00:11:22:33:44:55","groupId":"` + strings.ToUpper(group) + `","profileId":"x"}`, 200, nil, 1},
		"another one is there":       {`{"id":"the-id","name":"00:11:22:33:44:55","mac":"00:11:22:33:44:55","groupId":"other"}`, 200, ise.ErrExists, 1},
		"it is not there":            {"", 200, ise.ErrUncertain, 3},
		"nobody knows":               {"", 401, ise.ErrUncertain, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, posts := lostPost(t, c.there, c.lookUp)
			ise.SetRetries(client, 2)
			id, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "001122334455", GroupID: group})
			if !errors.Is(err, c.want) || (err == nil) != (id == "the-id") || posts.Load() != c.posts {
				t.Errorf("got %q, %v after %d POSTs", id, err, posts.Load())
			}
		})
	}
}

func TestObjectsOfAnyResourceAreMade(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Seed: 3})
	acls, err := client.Resource("downloadableacl")
	if err != nil {
		t.Fatal(err)
	}
	o, err := acls.Find(t.Context(), "PERMIT_ALL_IPV4_TRAFFIC")
	if err != nil || o.Wrapper != "DownloadableAcl" {
		t.Fatalf("%+v, %v", o, err)
	}
	acl, err := ise.NewObject(o.Wrapper, []byte(`{"name":"DENY_ALL","dacl":"deny ip any any"}`))
	if err != nil {
		t.Fatal(err)
	}
	id, err := acls.Create(t.Context(), acl)
	if err != nil {
		t.Fatal(err)
	}
	if err := acls.Update(t.Context(), id, acl); err != nil {
		t.Error(err)
	}
	if got := s.Counts(); got.Created != 1 || got.Updated != 1 {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"", "../sponsor", "Endpoint", "a b"} {
		if _, err := client.Resource(name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}

func TestThousandsAreMadeInBulk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]sim.ISEConfig{
		"by bulk requests":               {Endpoints: 5, Seed: 4},
		"one by one in an old version":   {Endpoints: 5, Seed: 4, NoOpenAPI: true},
		"where answers to bulk get lost": {Endpoints: 5, Seed: 4, Faults: []sim.ISEShare{{Kind: "lost", Share: 0.3}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c)
			cfg := config(t, s)
			cfg.Retries = 12
			client := open(t, cfg)
			endpoints := []ise.Endpoint{{MAC: s.Endpoints()[0], Description: "differs"}, {MAC: "no MAC"}}
			for i := range 1100 {
				endpoints = append(endpoints, ise.Endpoint{MAC: fmt.Sprintf("00-50-56-00-%02x-%02x", i/256, i%256), CustomAttributes: ise.Attributes{"a": "b"}})
			}
			made, err := client.CreateEndpoints(t.Context(), endpoints)
			if err != nil || len(made) != len(endpoints) {
				t.Fatalf("%d results, %v", len(made), err)
			}
			if !errors.Is(made[0].Err, ise.ErrExists) || !errors.Is(made[1].Err, ise.ErrInvalid) {
				t.Errorf("got %v and %v", made[0].Err, made[1].Err)
			}
			for i, m := range made[2:] {
				if m.Err != nil || m.ID == "" {
					t.Fatalf("%d: %+v", i, m)
				}
			}
			if n := s.Counts().Created; n != 1100 {
				t.Errorf("%d were made", n)
			}
		})
	}
}

func TestANCIsAppliedAndCleared(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 3, Seed: 5})
	mac := s.Endpoints()[1]
	if err := client.ApplyANC(t.Context(), strings.ToLower(mac), "Quarantine"); err != nil {
		t.Fatal(err)
	}
	if err := client.ApplyANC(t.Context(), mac, "Quarantine"); !errors.Is(err, ise.ErrExists) {
		t.Errorf("apply twice: %v", err)
	}
	a, err := client.ANCEndpoint.Find(t.Context(), mac)
	if err != nil || a.MAC != mac || a.Policy != "Quarantine" {
		t.Errorf("%+v, %v", a, err)
	}
	if err := client.ClearANC(t.Context(), mac); err != nil {
		t.Error(err)
	}
	if n, err := client.ANCEndpoint.Total(t.Context(), ise.Filter{}); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
