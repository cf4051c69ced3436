package sim

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
)

// iseAnswer is what a request comes to.
type iseAnswer struct {
	status   int
	location string
	title    string // of an error, with its code
	code     string
	body     any
}

func problem(status int, title, code string) iseAnswer {
	return iseAnswer{status: status, title: title, code: code}
}

// What several requests come to.
const (
	codeValidation = "Application resource validation exception"
	codeMissing    = "Resource not found exception"
)

func missing(id string) iseAnswer {
	return problem(http.StatusNotFound, "Resource "+id+" could not be found", codeMissing)
}

// answer does what a request that was let in asks for.
func (n *iseNode) answer(r *http.Request, admin bool) iseAnswer {
	if a, ok := n.allowed(r, admin); !ok {
		return a
	}
	path := strings.Trim(r.URL.Path, "/")
	if rest, ok := strings.CutPrefix(path, "ers/config/"); ok {
		return n.ise.data.ers(r, strings.Split(rest, "/"), n.ise.config.LinkHost, &n.ise.counts)
	}
	if rest, ok := strings.CutPrefix(path, "api/v1/"); ok && !n.ise.config.NoOpenAPI {
		return n.ise.data.open(r, strings.Split(rest, "/"), &n.ise.counts)
	}
	return iseAnswer{status: http.StatusNotFound}
}

// allowed says whether the role, the node and the headers allow the request, or the answer to one that they do not.
func (n *iseNode) allowed(r *http.Request, admin bool) (iseAnswer, bool) {
	write := r.Method != http.MethodGet
	switch {
	case !strings.Contains(r.Header.Get("Accept"), "application/json"):
		return problem(http.StatusNotAcceptable, "The requested media type is not supported", "Unsupported media type"), false
	case write && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return problem(http.StatusUnsupportedMediaType, "Content-Type is not supported", "Unsupported media type"), false
	case write && !n.primary:
		return problem(http.StatusMethodNotAllowed, "Only GET requests are supported on a secondary PAN", "Method not allowed"), false
	case write && !admin:
		return problem(http.StatusForbidden, "The user has no permission for this operation", "Unauthorized access"), false
	}
	return iseAnswer{}, true
}

// send writes an answer, or spoils it.
func (n *iseNode) send(w http.ResponseWriter, r *http.Request, a iseAnswer, fault string) {
	if fault == iseFaultLost {
		reset(w)
		return
	}
	switch {
	case a.title != "":
		writeError(w, a.status, r.Method, a.title, a.code)
		return
	case a.status == http.StatusNotFound:
		writeHTML(w, a.status, "HTTP Status 404 – Not Found")
		return
	}
	body := []byte(nil)
	if a.body != nil {
		var err error
		if body, err = json.Marshal(a.body); err != nil {
			writeError(w, http.StatusInternalServerError, r.Method, err.Error(), "")
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if a.location != "" {
		w.Header().Set("Location", "https://"+n.ise.config.LinkHost+a.location)
	}
	w.WriteHeader(a.status)
	if fault == iseFaultTruncated {
		w.Write(body[:len(body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // net/http's way to close a connection in the middle
	}
	w.Write(body)
}

// writeError answers as ERS does.
func writeError(w http.ResponseWriter, status int, method, title, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"ERSResponse": map[string]any{
		"operation": method,
		"messages":  []any{map[string]any{"title": title, "type": "ERROR", "code": code}},
		"link":      map[string]any{"rel": "related", "type": "application/xml"},
	}})
}

// writeHTML answers as Tomcat or a gateway does.
func writeHTML(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	title = html.EscapeString(title)
	fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><head><title>%s</title></head><body><h1>%s</h1></body></html>\n", title, title)
}
