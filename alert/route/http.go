package route

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/prometheus/common/route"
)

// Handler is Alertmanager's API version 2, with its /-/healthy, /-/ready and /-/reload. It is mounted below a prefix with
// http.StripPrefix. It looks at nobody's rights: that is for who mounts it.
func (r *Router) Handler() http.Handler { return r.handler }

func (r *Router) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", r.durable(r.api.Register(route.New(), "/")))
	mux.HandleFunc("GET /-/healthy", ok)
	mux.HandleFunc("GET /-/ready", r.ready)
	mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, req *http.Request) {
		if err := r.Reload(req.Context()); err != nil {
			http.Error(w, fmt.Sprintf("failed to reload config: %s", err), http.StatusInternalServerError)
		}
	})
	return mux
}

func ok(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") }

// ready is no error before the delay is over: alerts are taken from the start on.
func (r *Router) ready(w http.ResponseWriter, req *http.Request) {
	if r.closed.Load() {
		http.Error(w, ErrClosed.Error(), http.StatusServiceUnavailable)
		return
	}
	ok(w, req)
}

// durable answers what changes the silences only when the change is on the disk. It is in force even so, until a restart.
func (r *Router) durable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet || req.Method == http.MethodHead {
			next.ServeHTTP(w, req)
			return
		}
		answer := answer{header: w.Header(), code: http.StatusOK}
		next.ServeHTTP(&answer, req)
		if err := r.silencesKept(); err != nil && answer.code < http.StatusMultipleChoices {
			writeError(w, err)
			return
		}
		w.WriteHeader(answer.code)
		w.Write(answer.body.Bytes())
	})
}

// silencesKept tells in a sentence when not all silences are on the disk.
func (r *Router) silencesKept() error {
	if err := r.silenceFile.kept(r.silences.Snapshot); err != nil {
		return fmt.Errorf("the silences are in force until a restart, but could not be written: %w", err)
	}
	return nil
}

func writeError(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusInternalServerError)
	json.NewEncoder(w).Encode(err.Error())
}

// answer holds an answer back.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
