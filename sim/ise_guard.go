package sim

import (
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// iseCookie is the session that a CSRF token belongs to.
const iseCookie = "JSESSIONIDSSO"

// iseTokens are the CSRF tokens, by session.
type iseTokens struct {
	mu       sync.Mutex
	made     int
	sessions map[string]iseSession
}

type iseSession struct {
	token string
	used  time.Time
}

// admitted checks the rate, the password and the CSRF token of a request, and answers one that fails.
func (n *iseNode) admitted(w http.ResponseWriter, r *http.Request) (admin, ok bool) {
	c := &n.ise.config
	if !n.ise.counts.within(c.Rate, time.Now()) {
		if c.Busy {
			writeHTML(w, http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
		} else {
			writeError(w, http.StatusTooManyRequests, r.Method, "Too many requests", "Rate limit exception")
		}
		return false, false
	}
	user, password, _ := r.BasicAuth()
	admin = equal(user, c.Username) && equal(password, c.Password)
	if !admin && !(equal(user, c.Operator) && equal(password, c.OperatorPassword)) {
		n.ise.counts.rejected.Add(1)
		w.Header().Set("WWW-Authenticate", `Basic realm="Cisco ISE"`)
		writeHTML(w, http.StatusUnauthorized, "HTTP Status 401 – Unauthorized")
		return false, false
	}
	if c.CSRF && !n.ise.tokens.pass(w, r, n.ise.data, c.CSRFIdle) {
		w.Header().Set("X-CSRF-Token", "Required")
		writeError(w, http.StatusForbidden, r.Method, "CSRF nonce validation failed", "Forbidden")
		return false, false
	}
	return admin, true
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// pass gives a token to who asks for one, and says whether a change carries the token of its session.
func (t *iseTokens) pass(w http.ResponseWriter, r *http.Request, d *iseData, idle time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := ""
	if cookie, err := r.Cookie(iseCookie); err == nil {
		id = cookie.Value
	}
	session, known := t.sessions[id]
	fresh := known && time.Since(session.used) < idle
	if r.Method == http.MethodGet {
		if r.Header.Get("X-CSRF-Token") == "fetch" {
			t.made++
			id, session = d.uuid(-1000-2*t.made), iseSession{d.uuid(-1001 - 2*t.made), time.Now()}
			t.sessions[id] = session
			http.SetCookie(w, &http.Cookie{Name: iseCookie, Value: id, Path: "/", Secure: true, HttpOnly: true})
			w.Header().Set("X-CSRF-Token", session.token)
		}
		return true
	}
	if !fresh || !equal(r.Header.Get("X-CSRF-Token"), session.token) {
		return false
	}
	t.sessions[id] = iseSession{session.token, time.Now()}
	return true
}
