package route_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

// others are Alertmanagers by the names of their hosts, as the transport of a client.
type others struct {
	mu    sync.Mutex
	begin time.Time
	code  map[string]int      // what a host answers; 0: it cannot be reached
	took  map[string][]string // "5s r1 firing"
	asked map[string]int
}

func newOthers(hosts ...string) *others {
	o := &others{begin: time.Now(), code: map[string]int{}, took: map[string][]string{}, asked: map[string]int{}}
	for _, h := range hosts {
		o.code[h] = http.StatusOK
	}
	return o
}

func (o *others) answer(host string, code int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.code[host] = code
}

// RoundTrip implements http.RoundTripper.
func (o *others) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	host := r.URL.Host
	o.asked[host]++
	if o.code[host] == 0 {
		return nil, fmt.Errorf("dial %s: connection refused", host)
	}
	var alerts []struct {
		Labels map[string]string
		EndsAt time.Time
	}
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil || r.URL.Path != "/am/api/v2/alerts" {
		return nil, fmt.Errorf("%s: %w", r.URL, err)
	}
	var all []string
	for _, a := range alerts {
		state := "firing"
		if !a.EndsAt.After(time.Now()) {
			state = "resolved"
		}
		all = append(all, a.Labels["device"]+" "+state)
	}
	slices.Sort(all)
	w := &http.Response{StatusCode: o.code[host], Status: http.StatusText(o.code[host]), Body: http.NoBody, Request: r}
	if o.code[host]/100 == 2 {
		o.took[host] = append(o.took[host], fmt.Sprintf("%v %s", time.Since(o.begin), strings.Join(all, ", ")))
	}
	return w, nil
}

func (o *others) taken(host string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.took[host]
	o.took[host] = nil
	return taken
}

// passOn runs an External in a bubble to hosts a and b.
func passOn(t *testing.T, do func(*testing.T, *others, *route.External)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOthers("a", "b")
		e, err := route.Remote([]string{"http://a/am", "http://b/am/"}, &http.Client{Transport: o})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		do(t, o, e)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAllAlertmanagersAreTold(t *testing.T) {
	passOn(t, func(t *testing.T, o *others, e *route.External) {
		if err := e.Send(t.Context(), []muster.Alert{down("r1", "edge"), over(down("r2", "edge"))}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		for _, host := range []string{"a", "b"} {
			if diff := cmp.Diff([]string{"0s r1 firing, r2 resolved"}, o.taken(host)); diff != "" {
				t.Errorf("%s took:\n%s", host, diff)
			}
		}
	})
}

func TestOneOfThemIsEnough(t *testing.T) {
	passOn(t, func(t *testing.T, o *others, e *route.External) {
		o.answer("a", 0)
		if err := e.Send(t.Context(), []muster.Alert{down("r1", "edge")}); err != nil {
			t.Error(err)
		}
		o.answer("b", http.StatusServiceUnavailable)
		err := e.Send(t.Context(), []muster.Alert{down("r1", "edge")})
		if err == nil || !strings.Contains(err.Error(), "dial a") || !strings.Contains(err.Error(), "http://b/am") {
			t.Errorf("with both down: %v", err)
		}
	})
}

// TestAnHourDown has one Alertmanager away for an hour: then it gets what still fires and what has ended, and nothing that the
// caller no longer says.
func TestAnHourDown(t *testing.T) {
	passOn(t, func(t *testing.T, o *others, e *route.External) {
		o.answer("a", 0)
		fires, ends, forgotten := down("fires", "edge"), down("ends", "edge"), down("forgotten", "edge")
		for i := range 60 {
			some := []muster.Alert{fires}
			switch {
			case i < 10:
				some = append(some, ends, forgotten)
			case i == 10:
				some = append(some, over(ends))
			}
			if err := e.Send(t.Context(), some); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		o.answer("a", http.StatusOK)
		time.Sleep(61 * time.Second)
		got := o.taken("a")
		if len(got) != 1 || !strings.HasSuffix(got[0], " ends resolved, fires firing") {
			t.Errorf("it took %q", got)
		}
		if n := o.asked["a"]; n < 60 || n > 70 {
			t.Errorf("it was asked %d times in an hour", n)
		}
		if n := e.Lost(); n != 0 {
			t.Errorf("%d lost", n)
		}
	})
}

func TestWhatIsRefusedIsNotSentAgain(t *testing.T) {
	passOn(t, func(t *testing.T, o *others, e *route.External) {
		o.answer("a", http.StatusBadRequest)
		o.answer("b", http.StatusBadRequest)
		if err := e.Send(t.Context(), []muster.Alert{down("r1", "edge")}); err == nil {
			t.Error("no error")
		}
		time.Sleep(time.Hour)
		if n := o.asked["a"]; n != 1 {
			t.Errorf("it was asked %d times", n)
		}
	})
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	passOn(t, func(t *testing.T, o *others, e *route.External) {
		o.answer("a", 0)
		o.answer("b", 0)
		var fire, ended []muster.Alert
		for i := range 6_000 {
			fire = append(fire, down(fmt.Sprintf("f%d", i), "edge"))
		}
		e.Send(t.Context(), fire)
		for i := range 11_000 {
			a := down(fmt.Sprintf("e%d", i), "edge")
			a.Ends = a.Starts.Add(time.Duration(i-20_000) * time.Second)
			ended = append(ended, a)
		}
		e.Send(t.Context(), ended)
		if n := e.Lost(); n != 2*1_000 {
			t.Errorf("%d lost, want 1,000 for each", n)
		}
		o.answer("a", http.StatusOK)
		time.Sleep(time.Minute)
		all := strings.Join(o.taken("a"), ", ")
		if n := strings.Count(all, "resolved"); n != 10_000 || strings.Contains(all, "firing") || strings.Contains(all, "e999 ") {
			t.Errorf("%d that had ended were delivered", n)
		}
	})
}

func TestURLsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, urls := range [][]string{nil, {""}, {"alertmanager:9093"}, {"ftp://a/"}, {"http://a", "http:///x"}, {"http://a:b:c"}} {
		if _, err := route.Remote(urls, nil); err == nil {
			t.Errorf("%q was taken", urls)
		}
	}
}

func TestAPasswordIsNotInTheErrors(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 401} {
		o := newOthers()
		o.code["a"] = code
		e, err := route.Remote([]string{"http://me:hidden@a/am"}, &http.Client{Transport: o})
		if err != nil {
			t.Fatal(err)
		}
		if err = e.Send(t.Context(), []muster.Alert{down("r1", "edge")}); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("got %v", err)
		}
	}
}
