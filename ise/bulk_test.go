package ise_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/task"
)

// careless is an ISE that makes whatever it is sent, as often as it is sent, so that a request that was repeated shows. It drops
// every third POST before it is done and every other third after that.
type careless struct {
	mu    sync.Mutex
	posts int
	made  map[string]int // by MAC address
}

func (c *careless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[string]int{}
	}
	switch path := r.URL.Path; {
	case r.Method == http.MethodPost:
		c.posts++
		fate := c.posts % 3
		if fate == 0 {
			panic(http.ErrAbortHandler)
		}
		c.make(r.Body, strings.HasSuffix(path, "/bulk"))
		if fate == 1 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Location", "https://x/made")
		w.WriteHeader(http.StatusCreated)
	case strings.HasPrefix(path, "/ers/config/endpoint/"):
		mac := path[len("/ers/config/endpoint/"):]
		fmt.Fprintf(w, `{"ERSEndPoint":{"id":%q,"name":%q,"mac":%q}}`, mac, mac, mac)
	default:
		mac := strings.TrimPrefix(r.URL.Query().Get("filter"), "mac.EQ.")
		if c.made[mac] == 0 {
			fmt.Fprint(w, `{"SearchResult":{"total":0,"resources":[]}}`)
			return
		}
		fmt.Fprintf(w, `{"SearchResult":{"total":1,"resources":[{"id":%q,"name":%q}]}}`, mac, mac)
	}
}

func (c *careless) make(body io.Reader, bulk bool) {
	type endpoint struct{ MAC string }
	var one struct{ ERSEndPoint endpoint }
	var list []endpoint
	if bulk {
		_ = json.NewDecoder(body).Decode(&list)
	} else {
		_ = json.NewDecoder(body).Decode(&one)
		list = []endpoint{one.ERSEndPoint}
	}
	for _, e := range list {
		c.made[e.MAC]++
	}
}

func TestNothingIsMadeTwiceWhereISEWouldTakeIt(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(context.Context, *ise.Client, []ise.Endpoint) error{
		"one by one": func(ctx context.Context, client *ise.Client, endpoints []ise.Endpoint) error {
			_, err := task.Gather(ctx, endpoints, client.Endpoint.Create, task.Limit(5))
			return err
		},
		"in bulk": func(ctx context.Context, client *ise.Client, endpoints []ise.Endpoint) error {
			made, err := client.CreateEndpoints(ctx, endpoints)
			for _, m := range made {
				err = errors.Join(err, m.Err)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var there careless
			client := scripted(t, there.ServeHTTP)
			ise.SetRetries(client, 20)
			var endpoints []ise.Endpoint
			for i := range 60 {
				endpoints = append(endpoints, ise.Endpoint{MAC: fmt.Sprintf("00:50:56:00:00:%02X", i)})
			}
			if err := create(t.Context(), client, endpoints); err != nil {
				t.Error(err)
			}
			there.mu.Lock()
			defer there.mu.Unlock()
			for _, e := range endpoints {
				if n := there.made[e.MAC]; n != 1 {
					t.Errorf("%s was made %d times", e.MAC, n)
				}
			}
		})
	}
}

func TestABulkRequestIsWatchedToItsEnd(t *testing.T) {
	t.Parallel()
	const done = `{"executionStatus":"COMPLETED","detailStatus":[
		{"id":"1","name":"00:11:22:33:44:01","status":"SUCCESS"},
		{"name":"00:11:22:33:44:02","status":"FAIL","description":"the MAC address already exists"},
		{"name":"00:11:22:33:44:03","status":"FAIL","description":"no such group \u001b[2J"},
		{"id":"4","name":"00:11:22:33:44:04","status":"SUCCESS"},
		{"name":"00:11:22:33:44:04","status":"FAIL","description":"it already exists"}]}`
	states := []string{`{"executionStatus":"NOT_STARTED"}`, `{"executionStatus":"in_progress","detailStatus":[]}`, `{"executionStatus":"IN_PROGRESS"}`, done}
	synctest.Test(t, func(t *testing.T) {
		submitted, asked := 0, 0
		client := open(t, inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				if submitted++; submitted == 1 { // one is worked off at a time
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprint(w, `{"id":"task-1"}`)
			case r.URL.Path == "/api/v1/task/task-1":
				fmt.Fprint(w, states[asked])
				asked++
			default:
				w.WriteHeader(http.StatusInternalServerError)
			}
		}))
		from := time.Now()
		made, err := client.CreateEndpoints(t.Context(), []ise.Endpoint{
			{MAC: "001122334401"}, {MAC: "001122334402"}, {MAC: "001122334403"}, {MAC: "001122334404"}, {MAC: "00-11-22-33-44-04"}, {MAC: "001122334405"}, {MAC: "x"},
		})
		if err != nil || len(made) != 7 || submitted != 2 || asked != len(states) {
			t.Fatalf("%d results by %d requests, %d times asked: %v", len(made), submitted, asked, err)
		}
		if took := time.Since(from); took < 1500*time.Millisecond || took > 2*time.Second { // 100, 200, 400 and 800 ms, after a back-off
			t.Errorf("it took %v", took)
		}
		for i, want := range []struct {
			id string
			is error
		}{{"1", nil}, {"", ise.ErrExists}, {"", ise.ErrInvalid}, {"4", nil}, {"", ise.ErrExists}, {"", ise.ErrUncertain}, {"", ise.ErrInvalid}} {
			if got := made[i]; got.ID != want.id || !errors.Is(got.Err, want.is) || got.Err != nil && strings.Contains(got.Err.Error(), "\x1b") {
				t.Errorf("%d: got %+v, want %+v", i, got, want)
			}
		}
	})
}
