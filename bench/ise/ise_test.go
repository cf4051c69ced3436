package ise_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

const (
	endpoints   = 20000
	latency     = 50 * time.Millisecond
	connections = 8
	rate        = 200
)

// BenchmarkEndpoints reads 20,000 endpoints, at 50 ms a page, with 8 connections and 200 requests a second, and then page after
// page as a script does. It fails when a set is not exact or the server counted more than either limit.
func BenchmarkEndpoints(b *testing.B) {
	err := task.Scope(b.Context(), "lab", func(ctx context.Context, g *task.Group) error {
		for b.Loop() {
			at, err := once(ctx, g, b)
			if err != nil {
				return err
			}
			b.ReportMetric(at.together.Seconds(), "s")
			b.ReportMetric(at.sequential.Seconds(), "s-sequential")
			b.ReportMetric(at.together.Seconds()/at.sequential.Seconds(), "ratio")
			b.ReportMetric(at.cpu.Seconds(), "cpu-s-both-ends")
			b.ReportMetric(float64(at.busiest), "requests-in-a-second")
			b.ReportMetric(float64(at.conns), "connections")
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

type measured struct {
	together, sequential, cpu time.Duration
	busiest, conns            int64
}

func once(ctx context.Context, g *task.Group, b *testing.B) (m measured, err error) {
	there, err := sim.StartISE(ctx, g, sim.ISEConfig{Endpoints: endpoints, Seed: 1, Latency: latency})
	if err != nil {
		return m, err
	}
	defer there.Close()
	user, password := there.Login()
	client, err := ise.New(ise.Config{
		URL: there.URL(), Username: user, Password: func(context.Context) (string, error) { return password, nil },
		Pin: there.Pin(), Connections: connections, Rate: rate,
	})
	if err != nil {
		return m, err
	}
	defer client.Close()
	want := there.Endpoints()
	runtime.GC()

	from, before := time.Now(), cpu()
	got := make([]string, 0, len(want))
	for e, err := range client.Endpoints(ctx, ise.Filter{}) {
		if err != nil {
			return m, err
		}
		got = append(got, e.MAC)
	}
	m.together, m.cpu = time.Since(from), cpu()-before
	m.busiest, m.conns = int64(there.Busiest(time.Second)), there.Counts().PeakConns
	if !slices.Equal(got, want) || m.busiest > rate || m.conns > connections {
		return m, fmt.Errorf("%d of %d endpoints, %d requests in a second, %d connections", len(got), len(want), m.busiest, m.conns)
	}
	from = time.Now()
	if got, err = walk(ctx, there, user, password); err != nil || !slices.Equal(got, want) {
		return m, fmt.Errorf("page by page: %d endpoints, %w", len(got), err)
	}
	m.sequential = time.Since(from)
	return m, nil
}

// walk is the loop of a script: the next page after the last one.
func walk(ctx context.Context, there *sim.ISE, user, password string) (names []string, err error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(there.CA())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	for page, more := 1, true; more; page++ {
		var answer struct {
			SearchResult struct {
				Resources []struct{ Name string }
				NextPage  *struct{}
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/ers/config/endpoint?size=100&page=%d", there.URL(), page), nil)
		if err != nil {
			return nil, err
		}
		req.SetBasicAuth(user, password)
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		for _, r := range answer.SearchResult.Resources {
			names = append(names, r.Name)
		}
		more = answer.SearchResult.NextPage != nil
	}
	return names, nil
}

// cpu is the CPU time of this process, in which both ends run.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
