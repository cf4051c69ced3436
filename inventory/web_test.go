package inventory_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Auth-Token") != hidden {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, devices(1, ""))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of clients that do not trust it
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	header := map[string][]secret.Ref{"X-Auth-Token": {"env:TOKEN"}}
	for name, c := range map[string]struct {
		spec      inventory.Spec
		want, not string
	}{
		"an authority that nobody knows":   {inventory.Spec{Headers: header}, "certificate signed by unknown authority", ""},
		"the authority that signed it":     {inventory.Spec{Headers: header, CAFile: ca}, "", "its certificate is not verified"},
		"a file without a certificate":     {inventory.Spec{CAFile: other}, "holds no certificate", ""},
		"a file that is not there":         {inventory.Spec{CAFile: other + "x"}, "no such file", ""},
		"not verified, and said so":        {inventory.Spec{Headers: header, Insecure: true}, "", ""},
		"a header that is not what it was": {inventory.Spec{Headers: map[string][]secret.Ref{"X-Auth-Token": {"env:OTHER"}}, CAFile: ca}, "HTTP 401 Unauthorized", ""},
		"a header of two lines":            {inventory.Spec{Headers: map[string][]secret.Ref{"X-Auth-Token": {"env:LINES"}}, CAFile: ca}, "header X-Auth-Token: literal: it holds a line break", ""},
		"a header that nobody knows":       {inventory.Spec{Headers: map[string][]secret.Ref{"X-Auth-Token": {"env:NONE"}}, CAFile: ca}, "header X-Auth-Token: not a reference", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := env(t)
			e.Open = secrets(map[string]string{"env:TOKEN": hidden, "env:OTHER": "other" + hidden, "env:LINES": "a\r\nX: " + hidden})
			spec := c.spec
			spec.Type, spec.URL = "json", s.URL+"/list?key="+hidden
			inv, err := inventory.Load(t.Context(), e, spec)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			notes := strings.Join(errorTexts(inv.Notes), "\n")
			if spec.Insecure != strings.Contains(notes, "its certificate is not verified (insecure: true)") {
				t.Errorf("got the notes %q", notes)
			}
			if all := fmt.Sprint(err, notes, inv.Counts, inv.Devices); strings.Contains(all, hidden) {
				t.Errorf("the secret came out: %s", all)
			}
		})
	}
}

// A header that names who asks must reach nobody else.
func TestRedirectsStayOnTheServer(t *testing.T) {
	t.Parallel()
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked, with %v", r.Header)
	}))
	t.Cleanup(foreign.Close)
	l := newList(t)
	l.answer.Store(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/there", http.StatusMovedPermanently)
		case "/there":
			fmt.Fprint(w, devices(2, ""))
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			http.Redirect(w, r, foreign.URL+"/x?token="+hidden, http.StatusFound)
		}
	})
	for path, want := range map[string]string{"/moved": "", "/loop": "it sends on and on", "/away": "it sends on to " + foreign.URL + "/x: if that is right, make it the url"} {
		e := env(t)
		e.Open = secrets(map[string]string{"env:TOKEN": hidden})
		inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "json", URL: l.URL + path, Headers: map[string][]secret.Ref{"X-Auth-Token": {"env:TOKEN"}}})
		if want == "" && (err != nil || len(inv.Devices) != 2) || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), hidden)) {
			t.Errorf("%s: got %v, want %q in it", path, err, want)
		}
	}
}

// What is no web server says anything, and may say what it was sent.
func TestWhatAServerSaysIsNotQuoted(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no status":                     "%s\r\n\r\n",
		"a status that is none":         "HTTP/1.1 %s\r\n\r\n",
		"a header that is none":         "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"a place that is none":          "HTTP/1.1 302 Found\r\nLocation: http://%%%%zz/%s\r\nContent-Length: 0\r\n\r\n",
		"a length that is none":         "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
		"a part that is none":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n%s\r\n",
		"what follows the last part":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n0\r\n%s\r\n\r\n",
		"an encoding that nobody knows": "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintf(conn, answer, r.Header.Get("X-Auth-Token"))
				conn.Close()
			}))
			t.Cleanup(s.Close)
			e := env(t)
			e.Open = secrets(map[string]string{"env:TOKEN": hidden})
			_, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "json", URL: s.URL, Headers: map[string][]secret.Ref{"X-Auth-Token": {"env:TOKEN"}}})
			if err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), hidden) || !strings.HasPrefix(err.Error(), s.URL+": ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestJSONPages(t *testing.T) {
	t.Parallel()
	l := newList(t)
	l.answer.Store(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("page") {
		case "":
			fmt.Fprint(w, `{"links": {"next": "?page=2"}, "data": {"devices": [{"n": "r1"}, {"n": "r 2"}]}}`)
		case "2":
			fmt.Fprint(w, `{"data": {"devices": [{"n": "r3", "id": 7}]}, "links": {"next": null}}`)
		}
	})
	spec := inventory.Spec{Type: "json", URL: l.URL, Map: inventory.Mapping{List: "data.devices", Next: "links.next", ID: "id", Name: "n"}}
	inv, err := inventory.Load(t.Context(), env(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{l.URL + "#1", l.URL + "#7"}, []string{inv.Devices[0].Origin, inv.Devices[1].Origin}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{l.URL + `#2: the name "r 2" holds ' ': a name is letters, digits and . _ - : +`}, errorTexts(inv.Bad)); diff != "" {
		t.Error(diff)
	}
	spec.Map.Next = "data"
	if _, err = inventory.Load(t.Context(), env(t), spec); err == nil || !strings.Contains(err.Error(), "it is no text") {
		t.Errorf("a next that is an object: got %v", err)
	}
}

func TestASourceIsLeftWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	l := newList(t)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var since time.Time
	l.answer.Store(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "[")
		w.(http.Flusher).Flush()
		since = time.Now()
		cancel(why)
		<-r.Context().Done()
	})
	e := env(t)
	e.Keep = t.TempDir()
	src, err := inventory.Open(inventory.Spec{Type: "json", URL: l.URL}, &e)
	if err != nil {
		t.Fatal(err)
	}
	var got []error
	for _, err := range src.Devices(ctx) {
		got = append(got, err)
	}
	if len(got) != 1 || !errors.Is(got[0], why) {
		t.Errorf("got %v, want the cause of the context alone", got)
	}
	if took := time.Since(since); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAnswersHaveABound(t *testing.T) {
	t.Parallel()
	l := newList(t)
	l.answer.Store(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "[")
		blank := []byte(strings.Repeat(" ", 1<<20))
		for range 40 {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
		fmt.Fprint(w, "]")
	})
	if _, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "json", URL: l.URL}); err == nil || !strings.Contains(err.Error(), "larger than 32 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestURLsThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://admin:" + hidden + "@nb.example.net": "a user and a password do not stand in a URL",
		"https://":             "must begin with https:// or http:// and a host",
		"ftp://nb.example.net": "must begin with https:// or http:// and a host",
		"https://[" + hidden:   "the URL cannot be read",
	} {
		for _, kind := range []string{"json", "netbox"} {
			e := env(t)
			_, err := inventory.Open(inventory.Spec{Type: kind, URL: text}, &e)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), hidden) {
				t.Errorf("%s %s: got %v, want %q in it", kind, text, err, want)
			}
		}
	}
	if got := (inventory.Spec{Type: "json", URL: "https://nb.example.net/list?key=" + hidden}).String(); got != "json:https://nb.example.net/list" {
		t.Errorf("got %s", got)
	}
	if _, err := inventory.ParseSpec("netbox:https://a:" + hidden + "@nb"); err == nil || strings.Contains(err.Error(), hidden) {
		t.Errorf("got %v", err)
	}
}
