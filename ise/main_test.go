package ise_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a simulated ISE that ends with the test, and demands that nothing is left of it.
func start(t testing.TB, c sim.ISEConfig) *sim.ISE {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan *sim.ISE)
	ended := make(chan error, 1)
	go func() {
		defer close(started)
		ended <- task.Scope(ctx, "test", func(ctx context.Context, g *task.Group) error {
			s, err := sim.StartISE(ctx, g, c)
			if err != nil {
				return err
			}
			started <- s
			return nil
		})
	}()
	s, ok := <-started
	if !ok {
		cancel()
		t.Fatal(<-ended)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// password gives what it is, as a Config wants it.
func password(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// config is a Config for the administrator of a simulated ISE, as fast as it goes.
func config(t testing.TB, s *sim.ISE) ise.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, s.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	user, secret := s.Login()
	return ise.Config{URL: s.URL(), Username: user, Password: password(secret), CAFile: file, Rate: 10000, Timeout: 10 * time.Second}
}

// open makes a Client that is closed with the test.
func open(t testing.TB, c ise.Config) *ise.Client {
	t.Helper()
	client, err := ise.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// both starts an ISE and a client of it.
func both(t testing.TB, c sim.ISEConfig) (*sim.ISE, *ise.Client) {
	t.Helper()
	s := start(t, c)
	return s, open(t, config(t, s))
}

// journal is a log that a test reads.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// log writes everything into the journal.
func (j *journal) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
