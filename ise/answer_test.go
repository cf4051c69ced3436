package ise_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

func TestARetryAfterIsHeededWithinBounds(t *testing.T) {
	t.Parallel()
	const most, backOff = 30 * time.Second, 200 * time.Millisecond
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, "31": most, "99999999999": most, "9223372036854775807": most, "99999999999999999999999999": most,
		"": 0, "0": 0, "-5": 0, "soon": 0, "1.5": 0,
		"Sun, 29 Nov 2026 12:00:09 GMT":  9 * time.Second, // told by a clock that is years away from ours
		"Sun, 29 Nov 2026 11:59:00 GMT":  0,
		"Wed, 01 Jan 9999 00:00:00 GMT":  most,
		"Sunday, 29-Nov-26 12:00:03 GMT": 3 * time.Second,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				client := open(t, inMemory(t, func(w http.ResponseWriter, r *http.Request) {
					if asked++; asked > 1 {
						fmt.Fprint(w, `{"SearchResult":{"total":0,"resources":[]}}`)
						return
					}
					w.Header().Set("Date", "Sun, 29 Nov 2026 12:00:00 GMT")
					w.Header().Set("Retry-After", value)
					w.WriteHeader(http.StatusServiceUnavailable)
				}))
				from := time.Now()
				if _, err := client.Endpoint.Total(t.Context(), ise.Filter{}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(from); took < want || took > want+backOff {
					t.Errorf("it waited %v, want %v", took, want)
				}
			})
		})
	}
}

func TestAPageOfHTMLIsNoSuccessOfAChange(t *testing.T) {
	t.Parallel()
	s := start(t, sim.ISEConfig{Endpoints: 3, Seed: 1, Faults: []sim.ISEShare{{Kind: "html", Share: 1}}})
	client := open(t, config(t, s))
	for name, change := range map[string]func() error{
		"update":    func() error { return client.Endpoint.Update(t.Context(), "1", ise.Endpoint{Description: "x"}) },
		"delete":    func() error { return client.Endpoint.Delete(t.Context(), "1") },
		"apply ANC": func() error { return client.ApplyANC(t.Context(), s.Endpoints()[0], "Quarantine") },
		"create": func() error {
			_, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"})
			return err
		},
	} {
		if err := change(); !errors.Is(err, ise.ErrUnexpected) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := s.Counts(); got.Requests != 4 {
		t.Errorf("%d requests: something was sent again", got.Requests)
	}
}

// listener answers every connection with the same bytes, HTTP or not, once it has read a request.
func listener(t *testing.T, answer func(request *http.Request, w io.Writer)) *ise.Client {
	t.Helper()
	at := accepts(t, func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			answer(r, conn)
		}
	})
	c := ise.Config{URL: "http://" + at, Username: "ers", Password: password("Secr3t-pass"), Rate: 10000, Timeout: 5 * time.Second, Retries: -1}
	return open(t, c)
}

// accepts takes TCP connections until the test ends, and closes each when serve is done with it. It returns where.
func accepts(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String()
}

func TestWhatIsNoHTTPMakesOnePrintableLineWithoutCredentials(t *testing.T) {
	t.Parallel()
	basic := base64.StdEncoding.EncodeToString([]byte("ers:Secr3t-pass"))
	for name, answer := range map[string]func(r *http.Request, w io.Writer){
		"it repeats the request": func(r *http.Request, w io.Writer) { fmt.Fprintf(w, "%s\r\n", r.Header.Get("Authorization")) },
		"a header without a colon": func(r *http.Request, w io.Writer) {
			fmt.Fprintf(w, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", r.Header.Get("Authorization"))
		},
		"a long line":         func(_ *http.Request, w io.Writer) { fmt.Fprint(w, strings.Repeat("\x1b[31mx", 20000)+"\r\n") },
		"headers without end": func(_ *http.Request, w io.Writer) { endless(w, "HTTP/1.1 200 OK\r\n", "X-A: \x1b]0;x\a\r\n") },
		"a header of a megabyte": func(_ *http.Request, w io.Writer) {
			fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nX: %s\r\nContent-Length: 18\r\n\r\n", strings.Repeat("a", 1<<20))
			fmt.Fprint(w, `{"ERSEndPoint":{}}`)
		},
		"one header of no end": func(_ *http.Request, w io.Writer) { endless(w, "HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaaaaaaaa") },
		"an odd trailer": func(r *http.Request, w io.Writer) {
			fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\n%s\r\n\r\n", r.Header.Get("Authorization"))
		},
		"nothing": func(*http.Request, io.Writer) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := listener(t, answer).Endpoint.Get(t.Context(), "7")
			if err == nil {
				t.Fatal("no error")
			}
			for text := err; text != nil; text = errors.Unwrap(text) {
				if _, ok := text.(*ise.Error); !ok {
					break
				}
				s := text.Error()
				if len(s) > 500 || strings.ContainsAny(s, "\x1b\a\n\r") || !utf8.ValidString(s) || strings.Contains(s, basic) || strings.Contains(s, "Secr3t") {
					t.Errorf("got %d bytes: %.600q", len(s), s)
				}
			}
		})
	}
}

func TestTheCredentialsOfAProxyAreNotInAnError(t *testing.T) {
	t.Parallel()
	proxy := func(*http.Request) (*url.URL, error) {
		return nil, errors.New(`invalid proxy address "http://ann:hunter2@proxy%zz:3128"`)
	}
	client := open(t, ise.Config{
		URL: "https://ise.example.net", Username: "ers", Password: password("x"), Retries: -1,
		HTTPClient: &http.Client{Transport: &http.Transport{Proxy: proxy}},
	})
	_, err := client.Endpoint.Get(t.Context(), "7")
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "invalid proxy address") {
		t.Errorf("got %v", err)
	}
}

// endless writes until the client has had enough.
func endless(w io.Writer, begin, again string) {
	if _, err := io.WriteString(w, begin); err != nil {
		return
	}
	for block := strings.Repeat(again, 1000); ; {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
}

func TestAHostileBodyIsBounded(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	endlessZeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := z.Write(endlessZeros); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"a body without end":      {func(w http.ResponseWriter) { endless(w, `{"SearchResult":{"total":1,"resources":[`, `{"id":"1"},`) }, "longer than 16 MB"},
		"an error without end":    {func(w http.ResponseWriter) { w.WriteHeader(404); endless(w, "<html>", "x") }, "not found"},
		"a gzip bomb":             {func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); _, _ = w.Write(bomb.Bytes()) }, "longer than 16 MB"},
		"deep JSON":               {func(w http.ResponseWriter) { fmt.Fprint(w, strings.Repeat(`[`, 1<<20)+strings.Repeat(`]`, 1<<20)) }, "it is no JSON"},
		"half of a JSON":          {func(w http.ResponseWriter) { fmt.Fprint(w, `{"SearchResult":{"total":1,"res`) }, "cut off"},
		"a line of text":          {func(w http.ResponseWriter) { fmt.Fprint(w, `out of order`) }, "it is no JSON"},
		"a deep error":            {func(w http.ResponseWriter) { w.WriteHeader(400); fmt.Fprint(w, strings.Repeat(`[`, 1<<20)) }, "invalid request"},
		"a great many of nothing": {func(w http.ResponseWriter) { nothings(w) }, "more than 262144 values"},
		"an object without an id": {func(w http.ResponseWriter) { fmt.Fprint(w, `{"SearchResult":{"total":1,"resources":[{}]}}`) }, "an object without an id"},
		"an id that moves cursors": {func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"SearchResult":{"total":1,"resources":[{"id":"\u001b[2J"}]}}`)
		}, "cannot be printed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := scripted(t, func(w http.ResponseWriter, r *http.Request) { c.answer(w) })
			ise.SetRetries(client, 0)
			for _, err := range client.IdentityGroup.List(t.Context(), ise.Filter{}) {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 500 {
					t.Errorf("got %.600v, want %s", err, c.want)
				}
			}
		})
	}
}

func nothings(w io.Writer) {
	fmt.Fprint(w, `{"SearchResult":{"total":1,"resources":[{"id":"1"}`)
	fmt.Fprint(w, strings.Repeat(`,{"id":"1"}`, 1<<20))
	fmt.Fprint(w, `]}}`)
}
