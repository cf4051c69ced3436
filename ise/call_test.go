package ise_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/ise"
)

// inMemory is an ISE without a network, for tests whose clock is that of a bubble.
func inMemory(t *testing.T, handler http.HandlerFunc, change ...func(*ise.Config)) ise.Config {
	t.Helper()
	answer := transport(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		handler(w, r)
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return w.Result(), nil
	})
	c := ise.Config{URL: "https://ise.example.net:9060", Username: "ers", Password: password("Secr3t-pass"), HTTPClient: &http.Client{Transport: answer}, Rate: 1000}
	for _, f := range change {
		f(&c)
	}
	return c
}

func TestCancelReturnsAtOnceWhateverIsGoingOn(t *testing.T) {
	t.Parallel()
	as := func(*ise.Config) {}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	refuse := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
		}
	}
	list := func(ctx context.Context, client *ise.Client) (err error) {
		for _, err = range client.Endpoints(ctx, ise.Filter{}) {
		}
		return err
	}
	create := func(ctx context.Context, client *ise.Client) error {
		_, err := client.Endpoint.Create(ctx, ise.Endpoint{MAC: "00:11:22:33:44:55"})
		return err
	}
	bulk := func(ctx context.Context, client *ise.Client) error {
		_, err := client.CreateEndpoints(ctx, []ise.Endpoint{{MAC: "00:11:22:33:44:55"}})
		return err
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		change  func(*ise.Config)
		do      func(context.Context, *ise.Client) error
	}{
		"while an answer is awaited": {hang, as, list},
		"while it waits for the rate": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"SearchResult":{"total":500,"resources":[{"id":"1","name":"x"}],"nextPage":{"href":"?page=2"}}}`)
		}, func(c *ise.Config) { c.Rate = 0.01 }, list},
		"in a back-off":    {refuse(500), func(c *ise.Config) { c.Retries = 1 << 20 }, list},
		"in a Retry-After": {refuse(503, "Retry-After", "86400"), as, list},
		"while the password is asked for": {hang, func(c *ise.Config) {
			c.Password = func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }
		}, list},
		"while a create is repeated": {refuse(502), func(c *ise.Config) { c.Retries = 1 << 20 }, create},
		"while a token is fetched": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-CSRF-Token") == "fetch" {
				<-r.Context().Done()
			}
			w.WriteHeader(http.StatusForbidden)
		}, as, create},
		"while a bulk request is worked off": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"id":"1","executionStatus":"IN_PROGRESS"}`)
		}, as, bulk},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := inMemory(t, c.handler, c.change)
				ctx, cancel := context.WithCancelCause(t.Context())
				reason := errors.New("enough")
				from := time.Now()
				time.AfterFunc(3*time.Second+time.Microsecond, func() { cancel(reason) })
				err := c.do(ctx, open(t, cfg))
				if took := time.Since(from); took != 3*time.Second+time.Microsecond {
					t.Errorf("it ended after %v: %v", took, err)
				}
				if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestCancelEndsABodyAndAHandshakeAtOnce(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	reached := make(chan struct{}, 100)
	ended := make(chan struct{})
	go func() { // it accepts, and says nothing
		defer close(ended)
		var conns []net.Conn
		for {
			conn, err := silent.Accept()
			if err != nil {
				break
			}
			conns = append(conns, conn)
			reached <- struct{}{}
		}
		for _, conn := range conns {
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		silent.Close()
		<-ended
	})
	half := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"SearchResult":`)
		_ = http.NewResponseController(w).Flush()
		reached <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(half.Close)
	for name, c := range map[string]ise.Config{
		"in a handshake": {URL: "https://" + silent.Addr().String(), Insecure: true},
		"in a body":      {URL: half.URL, HTTPClient: half.Client()},
	} {
		c.Username, c.Password = "ers", password("Secr3t-pass")
		least := time.Hour
		for range 3 { // a machine may be busy, but not each time
			client := open(t, c)
			ctx, cancel := context.WithCancel(t.Context())
			at := make(chan time.Time, 1)
			go func() {
				<-reached
				at <- time.Now()
				cancel()
			}()
			_, err := client.Endpoint.Total(ctx, ise.Filter{})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", name, err)
			}
			least = min(least, time.Since(<-at))
		}
		if least > 100*time.Millisecond {
			t.Errorf("%s: it took %v", name, least)
		}
	}
}

// TestOnlyALostAnswerExcusesWhatIsGone tells an attempt that may have done it from one that ISE turned away.
func TestOnlyALostAnswerExcusesWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first int
		want  bool // an error
	}{"after a gateway's error": {502, false}, "after a limit": {429, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for op, do := range map[string]func(*ise.Client) error{
				"delete": func(client *ise.Client) error { return client.Endpoint.Delete(t.Context(), "1") },
				"clear":  func(client *ise.Client) error { return client.ClearANC(t.Context(), "00:11:22:33:44:55") },
			} {
				var asked atomic.Int64
				client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) == 1 {
						w.WriteHeader(c.first)
						return
					}
					w.WriteHeader(http.StatusNotFound)
				})
				ise.SetRetries(client, 2)
				if err := do(client); (err != nil) != c.want || err != nil && !errors.Is(err, ise.ErrNotFound) {
					t.Errorf("%s: got %v", op, err)
				}
			}
		})
	}
}
