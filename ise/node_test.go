package ise_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

// pair is a primary PAN, which does to a request what state says, and a secondary one, which only reads.
type pair struct {
	state string   // "up", "down", "reset" of changes, or "busy"
	asked []string // "primary GET" and so on
}

func (p *pair) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	write := r.Method != http.MethodGet
	name := map[string]string{"primary.example.net": "primary", "secondary.example.net": "secondary"}[r.URL.Hostname()]
	if p.state != "down" || name != "primary" {
		p.asked = append(p.asked, name+" "+r.Method)
	}
	switch {
	case name == "primary" && p.state == "down":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case name == "primary" && p.state == "reset" && write:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case name == "primary" && p.state == "busy":
		w.WriteHeader(http.StatusServiceUnavailable)
	case name == "secondary" && write:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case write:
		w.Header().Set("Location", "https://x/1")
		w.WriteHeader(http.StatusCreated)
	default:
		io.WriteString(w, `{"SearchResult":{"total":0,"resources":[]}}`)
	}
	return w.Result(), nil
}

// TestWhichPANIsAsked goes through the states of a primary, and tells which node saw which request.
func TestWhichPANIsAsked(t *testing.T) {
	t.Parallel()
	type step struct {
		state, do string
		want      []string // nodes and methods, one attempt after the other
		fails     error
	}
	for name, steps := range map[string][]step{
		"reads go to the secondary and come back with the first change": {
			{"down", "read", []string{"secondary GET"}, nil},
			{"up", "read", []string{"secondary GET"}, nil},
			{"up", "create", []string{"secondary POST", "primary POST"}, nil},
			{"up", "read", []string{"primary GET"}, nil},
		},
		"changes need the primary": {
			{"down", "create", []string{"secondary POST"}, syscall.ECONNREFUSED},
			{"down", "read", []string{"secondary GET"}, nil},
			{"down", "create", []string{"secondary POST"}, syscall.ECONNREFUSED},
		},
		"a change whose answer was lost stays with its node": {
			{"reset", "create", []string{"primary POST", "primary GET", "primary POST", "primary GET", "primary POST"}, ise.ErrUncertain},
			{"reset", "delete", []string{"primary DELETE", "primary DELETE", "primary DELETE"}, syscall.ECONNRESET},
		},
		"a node that is busy is not left": {
			{"busy", "read", []string{"primary GET", "primary GET", "primary GET"}, ise.ErrUnavailable},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pair{}
				client := open(t, ise.Config{
					URL: "https://primary.example.net", Standby: []string{"https://secondary.example.net"}, Username: "ers", Password: password("x"),
					HTTPClient: &http.Client{Transport: p}, Retries: 2,
				})
				for i, s := range steps {
					p.state, p.asked = s.state, nil
					var err error
					switch s.do {
					case "read":
						_, err = client.Endpoint.Total(t.Context(), ise.Filter{})
					case "create":
						_, err = client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"})
					case "delete":
						err = client.Endpoint.Delete(t.Context(), "1")
					}
					if at := fmt.Sprintf("step %d, %s while it is %s", i, s.do, s.state); !errors.Is(err, s.fails) || !slices.Equal(p.asked, s.want) {
						t.Errorf("%s: got %v by %v, want %v", at, err, p.asked, s.want)
					}
				}
			})
		})
	}
}

// TestAPANThatDoesNotGetAsFarAsTLSIsPassedOver: it takes connections and closes them, as one that is starting does.
func TestAPANThatDoesNotGetAsFarAsTLSIsPassedOver(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 3, Seed: 1})
	c := config(t, s)
	c.URL, c.Standby = "https://"+accepts(t, func(net.Conn) {}), []string{s.URL()}
	if _, err := open(t, c).Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"}); err != nil {
		t.Error(err)
	}
	if n, err := open(t, c).Endpoint.Total(t.Context(), ise.Filter{}); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got := s.Counts(); got.Requests != 2 {
		t.Errorf("%d requests: something was looked up that cannot have been made", got.Requests)
	}
	c.Standby, c.Retries = nil, 2
	var failed *ise.Error
	_, err := open(t, c).Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:56"})
	if !errors.As(err, &failed) || failed.Attempts != 3 || errors.Is(err, ise.ErrUncertain) || !strings.Contains(err.Error(), "no connection came about: ") {
		t.Errorf("without another one: %v", err)
	}
	stranger := start(t, sim.ISEConfig{Seed: 2})
	c.URL, c.Standby, c.Pin, c.CAFile = stranger.URL(), []string{s.URL()}, s.Pin(), ""
	var pin *ise.PinError
	if _, err = open(t, c).Endpoint.Total(t.Context(), ise.Filter{}); !errors.As(err, &pin) || s.Counts().Requests != 2 {
		t.Errorf("one with the certificate of another: %v", err)
	}
}
