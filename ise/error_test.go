package ise_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

func TestErrorsAreOneReadableLine(t *testing.T) {
	t.Parallel()
	const html = `<!doctype html><html><head><title>HTTP Status 401 – Unauthorized</title></head><body>long</body></html>`
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string
		is     error
		want   string
	}{
		"not found": {404, "json", `{"ERSResponse":{"operation":"GET-getById-endpoint","messages":[{"title":"The resource was not found","type":"ERROR","code":"Resource not found exception"}]}}`,
			ise.ErrNotFound, "get endpoint 7: not found (404 Not Found): The resource was not found"},
		"a wrong password":      {401, "html", html, ise.ErrUnauthorized, "get endpoint 7: " + ise.ErrUnauthorized.Error() + " (401 Unauthorized): HTTP Status 401 – Unauthorized"},
		"a gateway":             {400, "html", `<html><TITLE>Bad` + "\n\x1b[31m" + `Request &lt;&quot;x&quot;&gt;</TITLE>`, ise.ErrInvalid, `get endpoint 7: invalid request (400 Bad Request): Bad [31mRequest <"x">`},
		"OpenAPI":               {403, "json", `{"message":"Access denied","code":403}`, ise.ErrForbidden, "get endpoint 7: the account's role does not allow this (403 Forbidden): Access denied"},
		"OpenAPI in an error":   {422, "json", `{"error":{"message":"odd"},"version":"1.0.0"}`, ise.ErrInvalid, "get endpoint 7: invalid request (422 Unprocessable Entity): odd"},
		"nothing at all":        {404, "json", ``, ise.ErrNotFound, "get endpoint 7: not found (404 Not Found)"},
		"a code without words":  {400, "json", `{"ERSResponse":{"messages":[{"code":"Some exception"}]}}`, ise.ErrInvalid, "get endpoint 7: invalid request (400 Bad Request): Some exception"},
		"HTML instead of JSON":  {200, "html", html, ise.ErrUnexpected, "get endpoint 7: unexpected answer: HTML or XML where JSON is due (200 OK)"},
		"no object in it":       {200, "json", `{}`, ise.ErrUnexpected, "get endpoint 7: unexpected answer: the object is not where it is due"},
		"a list instead":        {200, "json", `[1]`, ise.ErrUnexpected, "get endpoint 7: unexpected answer: that is no JSON object"},
		"slow down":             {429, "json", `{"ERSResponse":{"messages":[{"title":"Too many requests"}]}}`, ise.ErrRateLimited, "get endpoint 7: after 2 attempts: ISE asks to slow down (429 Too Many Requests): Too many requests"},
		"a proxy between":       {502, "html", `<html><head><title>502 Bad Gateway</title>`, ise.ErrUnavailable, "get endpoint 7: after 2 attempts: ISE could not answer (502 Bad Gateway): 502 Bad Gateway"},
		"what will not improve": {501, "json", ``, ise.ErrUnavailable, "get endpoint 7: ISE could not answer (501 Not Implemented)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", map[string]string{"json": "application/json", "html": "text/html"}[c.kind])
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			ise.SetRetries(client, 1)
			_, err := client.Endpoint.Get(t.Context(), "7")
			if !errors.Is(err, c.is) || err.Error() != c.want {
				t.Errorf("got\n%v, want\n%v", err, c.want)
			}
		})
	}
}

func TestAHostileAnswerMakesNoLongLine(t *testing.T) {
	t.Parallel()
	client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"ERSResponse":{"messages":[{"title":"%s","code":"%s"}]}}`, strings.Repeat(`a\u001b]0;x\u0007\n`, 10000), strings.Repeat("b", 10000))
	})
	_, err := client.Endpoint.Get(t.Context(), strings.Repeat("long\n", 1000))
	if s := err.Error(); len(s) > 600 || strings.ContainsAny(s, "\x1b\a\n\r") || !utf8.ValidString(s) {
		t.Errorf("got %d bytes: %q", len(s), s)
	}
}

// TestNoCredentialIsFoundAnywhere has the server quote what it should not, in every kind of answer, and greps.
func TestNoCredentialIsFoundAnywhere(t *testing.T) {
	t.Parallel()
	const secret, shared, user = "Secr3t-pass", "r4dius-shared", "ers"
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))
	var log journal
	for _, status := range []int{200, 201, 302, 400, 401, 403, 404, 405, 415, 429, 500, 503} {
		client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
			_, given, _ := r.BasicAuth()
			body, _ := io.ReadAll(r.Body)
			quoted := ""
			if strings.Contains(string(body), shared) {
				quoted = shared
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"ERSResponse":{"messages":[{"title":"bad %s %s %s","code":"%s"}]},"message":"%s"}`, given, r.Header.Get("Authorization"), quoted, given, given)
		})
		ise.SetRetries(client, 1)
		ise.SetLog(client, log.log())
		device := ise.NetworkDevice{Name: "sw1", RADIUS: &ise.RADIUS{SharedSecret: ise.NewSecret(shared)}, SNMP: &ise.SNMP{ROCommunity: ise.NewSecret("c0mmunity")}}
		var texts []string
		_, err := client.NetworkDevice.Create(t.Context(), device)
		texts = append(texts, fmt.Sprintf("%v %+v %#v", err, err, err))
		err = client.NetworkDevice.Update(t.Context(), "1", device)
		texts = append(texts, fmt.Sprintf("%v %+v %#v", err, err, err))
		for _, err := range client.Endpoints(t.Context(), ise.Filter{}) {
			texts = append(texts, fmt.Sprintf("%v %+v %#v", err, err, err))
		}
		texts = append(texts, fmt.Sprintf("%+v %#v", device, device))
		for _, text := range append(texts, log.String()) {
			for _, word := range []string{secret, basic, shared, "c0mmunity"} {
				if strings.Contains(text, word) {
					t.Errorf("%d: %q is found in %s", status, word, text)
				}
			}
		}
	}
	if !strings.Contains(log.String(), "is repeated") {
		t.Errorf("nothing was logged, so that nothing was tested: %s", log.String())
	}
}

func TestTheClientItselfDoesNotPrintThePassword(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 1})
	if _, err := client.Endpoint.Total(t.Context(), ise.Filter{}); err != nil {
		t.Fatal(err)
	}
	_, secret := s.Login()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, client); strings.Contains(text, secret) {
			t.Errorf("%s prints the password", verb)
		}
		if text := fmt.Sprintf(verb, *client.Endpoint); strings.Contains(text, secret) {
			t.Errorf("%s of a resource prints the password", verb)
		}
	}
}
