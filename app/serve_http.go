package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/musternet/muster/task"
)

// Bounds of one HTTP conversation.
const (
	headerTime = 10 * time.Second
	answerTime = 3 * time.Minute // of a query over years
	idleTime   = 2 * time.Minute
	endTime    = 3 * time.Second // for what is under way when muster stops
	headerMost = 64 << 10
	bodyMost   = 4 << 20
)

// listen takes the address for programs and browsers and the socket for muster's own commands.
func (s *server) listen(ctx context.Context) (err error) {
	var lc net.ListenConfig
	addr := string(s.address)
	if s.listener, err = lc.Listen(ctx, "tcp", addr); err != nil {
		return fmt.Errorf("%w: listen on %s: %w; another address is serve.listen in the settings, or --listen", ErrUsage, addr, err)
	}
	s.closers = append(s.closers, ended(s.listener))
	return storeError(s.listenSocket(ctx, lc))
}

// listenSocket takes the socket. It lies in the directory of the lock, which nobody else may enter, so that it is nobody
// else's from its first moment on.
func (s *server) listenSocket(ctx context.Context, lc net.ListenConfig) error {
	path, release, err := socketPath(s.app.dir)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, release)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a muster that was killed: this one holds the lock
		return err
	}
	if s.socket, err = lc.Listen(ctx, "unix", path); err != nil {
		return fmt.Errorf("the socket for muster's own commands: %w", err)
	}
	s.closers = append(s.closers, ended(s.socket))
	return os.Chmod(path, 0o600)
}

// ended closes a listener that its server may have closed already.
func ended(l net.Listener) func() error {
	return func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// serve answers on a listener until ctx ends; then what is under way has a moment to end.
func (s *server) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: http.MaxBytesHandler(h, bodyMost), ReadHeaderTimeout: headerTime, ReadTimeout: answerTime, WriteTimeout: answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerMost, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return task.Scope(ctx, "server", func(ctx context.Context, g *task.Group) error {
		g.Go("accept", func(context.Context) error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		<-ctx.Done()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		if err := srv.Shutdown(bounded); err != nil {
			return srv.Close()
		}
		return nil
	})
}

// handler is what programs and browsers of this machine see. There is no log-in yet, so it gives nothing away to pages of
// other sites: requests from elsewhere, and for names that are not this machine's, are refused.
func (s *server) handler() http.Handler {
	mux := s.common()
	return onlyHere(http.NewCrossOriginProtection().Handler(mux))
}

// common is what both listeners serve.
func (s *server) common() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.health)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.Registry, promhttp.HandlerOpts{}))
	mux.Handle("/prometheus/", http.StripPrefix("/prometheus", s.samples.Handler()))
	mux.Handle("/alertmanager/", http.StripPrefix("/alertmanager", s.router.Handler()))
	return mux
}

// socketHandler is what muster's own commands see beside that.
func (s *server) socketHandler() http.Handler {
	mux := s.common()
	mux.HandleFunc("GET "+liveTasks, answer(func(*http.Request) (any, error) { return Tasks(), nil }))
	mux.HandleFunc("GET "+liveStates, answer(func(*http.Request) (any, error) { return s.states(), nil }))
	mux.HandleFunc("GET "+liveRules, answer(func(*http.Request) (any, error) { return s.ruleStates(), nil }))
	mux.HandleFunc("GET "+liveAlerts, answer(func(r *http.Request) (any, error) { return s.router.alerts(r.Context(), r.URL.Query()["matcher"]) }))
	mux.HandleFunc("GET "+liveSilences, answer(func(r *http.Request) (any, error) { return s.router.silences(r.Context()) }))
	mux.HandleFunc("POST "+liveSilences, answer(s.silence))
	mux.HandleFunc("DELETE "+liveSilences, answer(func(r *http.Request) (any, error) { return nil, s.router.expire(r.Context(), r.URL.Query().Get("id")) }))
	return mux
}

// onlyHere refuses requests for names that are not this machine's: a page elsewhere whose name was made to resolve to
// 127.0.0.1 could read what it should not.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if !strings.EqualFold(host, "localhost") && (err != nil || !addr.IsLoopback()) {
			http.Error(w, "muster answers to this machine alone: ask for 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// health answers whether muster runs, and since when.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "ok", "version": s.options.Version, "since": s.since.UTC().Truncate(time.Second)})
}

// answer answers in JSON: a value, or an error as a sentence with the kind that makes the exit code.
func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := f(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(statusOf(err))
			value = liveError{err.Error()}
		}
		_ = json.NewEncoder(w).Encode(value)
	}
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, ErrUsage):
		return http.StatusBadRequest
	case errors.Is(err, ErrNothing):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// silence makes a silence.
func (s *server) silence(r *http.Request) (any, error) {
	var wish SilenceWish
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil {
		return nil, usage(err)
	}
	return s.router.silence(r.Context(), wish)
}
