package ise_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/ise"
)

// guarded is an ISE with CSRF checks whose tokens live for a minute without use. fail answers a request for a token, where it
// returns a status.
type guarded struct {
	idle           time.Duration
	fail           func(fetch int) int
	token, session string
	used           time.Time
	fetches, made  int
	refused        int
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if r.Header.Get("X-CSRF-Token") != "fetch" {
			fmt.Fprint(w, `{"SearchResult":{"total":0,"resources":[]}}`)
			return
		}
		g.fetches++
		if status := g.fail(g.fetches); status != 0 {
			w.WriteHeader(status)
			return
		}
		g.token, g.session, g.used = fmt.Sprint("token-", g.fetches), fmt.Sprint("session-", g.fetches), time.Now()
		w.Header().Set("X-CSRF-Token", g.token)
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONIDSSO", Value: g.session, Path: "/", Secure: true, HttpOnly: true})
		fmt.Fprint(w, `{}`)
		return
	}
	cookie, err := r.Cookie("JSESSIONIDSSO")
	if err != nil || g.token == "" || r.Header.Get("X-CSRF-Token") != g.token || cookie.Value != g.session || time.Since(g.used) >= g.idle {
		g.refused++
		w.WriteHeader(http.StatusForbidden)
		return
	}
	g.used = time.Now()
	g.made++
	w.Header().Set("Location", fmt.Sprint("https://x/", g.made))
	w.WriteHeader(http.StatusCreated)
}

func TestATokenIsRenewedBeforeAndAfterISEForgetsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		idle             time.Duration
		pauses           []time.Duration // before each further change
		fetches, refused int
	}{
		"used again and again":        {time.Minute, []time.Duration{49 * time.Second, 49 * time.Second, 49 * time.Second}, 1, 1},
		"not used for almost as long": {time.Minute, []time.Duration{55 * time.Second}, 2, 1},
		"forgotten after a minute":    {time.Minute, []time.Duration{time.Hour}, 2, 1},
		"forgotten early":             {10 * time.Second, []time.Duration{15 * time.Second, 15 * time.Second}, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &guarded{idle: c.idle, fail: func(int) int { return 0 }}
				client := open(t, inMemory(t, g.ServeHTTP))
				for i := range 1 + len(c.pauses) {
					if i > 0 {
						time.Sleep(c.pauses[i-1])
					}
					if _, err := client.Endpoint.Create(t.Context(), ise.Endpoint{MAC: fmt.Sprintf("00112233440%x", i)}); err != nil {
						t.Error(err)
					}
				}
				if g.made != 1+len(c.pauses) || g.fetches != c.fetches || g.refused != c.refused {
					t.Errorf("%d were made with %d tokens, %d refused, want %+v", g.made, g.fetches, g.refused, c)
				}
			})
		})
	}
}

// TestATokenThatCannotBeHadIsNoMatterOfTheRole: a limit or a lost answer on the way to the token is what failed, and passes.
func TestATokenThatCannotBeHadIsNoMatterOfTheRole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail func(fetch int) int
		want error
		made int
	}{
		"at first":      {func(fetch int) int { return map[int]int{1: 429, 2: 503, 3: 500}[fetch] }, nil, 1},
		"for ever":      {func(int) int { return 503 }, ise.ErrUnavailable, 0},
		"by its nature": {func(int) int { return 404 }, ise.ErrForbidden, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &guarded{idle: time.Minute, fail: c.fail}
				_, err := open(t, inMemory(t, g.ServeHTTP)).Endpoint.Create(t.Context(), ise.Endpoint{MAC: "00:11:22:33:44:55"})
				if !errors.Is(err, c.want) || errors.Is(err, ise.ErrUncertain) || g.made != c.made {
					t.Errorf("got %v, %d were made", err, g.made)
				}
			})
		})
	}
}
