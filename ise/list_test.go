package ise_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// macs reads a list to its end.
func macs(t testing.TB, list iter.Seq2[ise.Endpoint, error]) []string {
	t.Helper()
	var found []string
	for e, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, e.MAC)
	}
	return found
}

func TestEveryEndpointIsYieldedOnceInTheOrderOfThePages(t *testing.T) {
	t.Parallel()
	for name, endpoints := range map[string]int{"none": 0, "one": 1, "a page": 100, "a page and one": 101, "many": 3417} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := both(t, sim.ISEConfig{Endpoints: endpoints, Seed: 1})
			if diff := cmp.Diff(s.Endpoints(), macs(t, client.Endpoints(t.Context(), ise.Filter{}))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got, want := s.Counts().Requests, max(1, (endpoints+99)/100); got != int64(want) {
				t.Errorf("%d requests, want one for each 100 endpoints", got)
			}
			if diff := cmp.Diff(s.Endpoints(), macs(t, client.FullEndpoints(t.Context(), ise.Filter{}))); diff != "" {
				t.Errorf("full: -want +got:\n%s", diff)
			}
		})
	}
}

func TestEveryEndpointIsFoundAmongFaults(t *testing.T) {
	t.Parallel()
	faults := []sim.ISEShare{{Kind: "500", Share: 0.01}, {Kind: "503", Share: 0.01}, {Kind: "reset", Share: 0.01}, {Kind: "truncated", Share: 0.01}}
	s, client := both(t, sim.ISEConfig{Endpoints: 20000, Seed: 2, Faults: faults})
	if diff := cmp.Diff(s.Endpoints(), macs(t, client.Endpoints(t.Context(), ise.Filter{}))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := s.Counts().Faults; n < 3 {
		t.Errorf("only %d answers were spoilt", n)
	}
}

func TestWhatTheServerCountsStaysBelowBothLimits(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]sim.ISEShare{
		"when all is well":          nil,
		"when connections are lost": {{Kind: "reset", Share: 0.05}, {Kind: "truncated", Share: 0.05}}, // net/http repeats some of these by itself
		"when answers are errors":   {{Kind: "500", Share: 0.1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sim.ISEConfig{Endpoints: 15000, Seed: 3, Latency: 3 * time.Millisecond, Faults: faults})
			c := config(t, s)
			c.Rate, c.Connections, c.Retries = 60, 5, 20
			if got, want := len(macs(t, open(t, c).Endpoints(t.Context(), ise.Filter{}))), 15000; got != want {
				t.Errorf("%d endpoints, want %d", got, want)
			}
			t.Logf("%d requests in the busiest second, of a machine that may be busy itself", s.Busiest(time.Second))
			if n := s.Busiest(time.Second); n > 60 {
				t.Errorf("%d requests arrived in one second, want at most 60", n)
			}
			if n := s.Counts().PeakConns; n > 5 || n < 2 {
				t.Errorf("%d connections at once, want at most 5", n)
			}
		})
	}
}

// TestSeveralLoopsShareOneLimit runs lists, reads and creates at once, among answers that ask for patience.
func TestSeveralLoopsShareOneLimit(t *testing.T) {
	t.Parallel()
	const rate, connections, creates = 60, 4, 8
	faults := []sim.ISEShare{{Kind: "429", Share: 0.02}, {Kind: "lost", Share: 0.02}, {Kind: "503", Share: 0.02}}
	s := start(t, sim.ISEConfig{Endpoints: 2500, Seed: 11, Latency: 10 * time.Millisecond, Faults: faults})
	c := config(t, s)
	c.Rate, c.Connections, c.Retries = rate, connections, 20
	client := open(t, c)
	want := s.Endpoints()
	list := func(ctx context.Context, _ int) error {
		n := 0
		for e, err := range client.Endpoints(ctx, ise.Filter{}) {
			if err != nil {
				return err
			}
			if n < len(want) && e.MAC != want[n] {
				return fmt.Errorf("endpoint %d is %s, want %s", n, e.MAC, want[n])
			}
			n++
		}
		if n < len(want) {
			return fmt.Errorf("%d endpoints, want %d", n, len(want))
		}
		return nil
	}
	create := func(ctx context.Context, i int) error {
		_, err := client.Endpoint.Create(ctx, ise.Endpoint{MAC: fmt.Sprintf("FE:00:00:00:00:%02X", i)})
		return err
	}
	loops := append(slices.Repeat([]func(context.Context, int) error{list}, 3), slices.Repeat([]func(context.Context, int) error{create}, creates)...)
	run := func(ctx context.Context, i int) (int, error) { return i, loops[i](ctx, i) }
	if _, err := task.Gather(t.Context(), numbers(len(loops)), run, task.Limit(0)); err != nil {
		t.Error(err)
	}
	if n := s.Busiest(time.Second); n > rate {
		t.Errorf("%d requests arrived in one second, want at most %d", n, rate)
	}
	if got := s.Counts(); got.PeakConns > connections || got.Created != creates || got.Faults == 0 {
		t.Errorf("got %+v, want at most %d connections", got, connections)
	}
}

func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// TestListsEndInEveryVersionsWay: beyond the end, and where nothing is, some versions answer 404.
func TestListsEndInEveryVersionsWay(t *testing.T) {
	t.Parallel()
	const missing = `{"ERSResponse":{"messages":[{"title":"%s","code":"Application resource validation exception"}]}}`
	for name, c := range map[string]struct {
		pages  int // of 100 objects, each with a link to the next one
		status int
		html   bool
		body   string
		is     error
	}{
		"by 400":                        {3, 400, false, fmt.Sprintf(missing, "Page not exists exception: page 4"), nil},
		"by 404":                        {3, 404, false, "", nil},
		"by 404 in HTML":                {3, 404, true, "<html>", nil},
		"by an empty page":              {3, 200, false, `{"SearchResult":{"total":300,"resources":[]}}`, nil},
		"by no list at all":             {3, 200, false, `{"SearchResult":{"total":300}}`, nil},
		"not by another 400":            {3, 400, false, fmt.Sprintf(missing, "Illegal filter"), ise.ErrInvalid},
		"with nothing, by 404":          {0, 404, false, fmt.Sprintf(missing, "no resource"), nil},
		"with nothing, by null":         {0, 200, false, `{"SearchResult":{"total":0,"resources":null}}`, nil},
		"not where the URL leads wrong": {0, 404, true, "<html>", ise.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				page, err := strconv.Atoi(r.URL.Query().Get("page"))
				if err != nil || page > c.pages {
					w.Header().Set("Content-Type", map[bool]string{false: "application/json", true: "text/html"}[c.html])
					w.WriteHeader(c.status)
					fmt.Fprint(w, c.body)
					return
				}
				entries := make([]string, 100)
				for i := range entries {
					entries[i] = fmt.Sprintf(`{"id":"%d-%d","name":"x"}`, page, i)
				}
				fmt.Fprintf(w, `{"SearchResult":{"total":300,"resources":[%s],"nextPage":{"href":"https://ise-1.invalid:9060/?page=%d"}}}`, strings.Join(entries, ","), page+1)
			})
			found := 0
			var err error
			for _, err = range client.IdentityGroup.List(t.Context(), ise.Filter{}) {
				if err == nil {
					found++
				}
			}
			if !errors.Is(err, c.is) || c.is == nil && found != 100*c.pages {
				t.Errorf("%d found, %v", found, err)
			}
		})
	}
}

func TestFiltersNarrowDownOnTheSideOfTheServer(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 700, Seed: 4})
	all := s.Endpoints()
	group, err := client.EndpointGroup.Find(t.Context(), "Group-03")
	if err != nil {
		t.Fatal(err)
	}
	var third, sorted []string
	for i, mac := range all {
		if i%8 == 3 {
			third = append(third, mac)
		}
	}
	sorted = slices.Sorted(slices.Values(all))
	slices.Reverse(sorted)
	for name, c := range map[string]struct {
		filter ise.Filter
		want   []string
	}{
		"by the id of the group":     {ise.Filter{Match: []string{"groupId.EQ." + group.ID}}, third},
		"by MAC in another spelling": {ise.Filter{Match: []string{"mac.EQ." + macDots(all[5])}}, all[5:6]},
		"by either of two":           {ise.Filter{Match: []string{"name.EQ." + all[7], "name.EQ." + all[9]}, Any: true}, []string{all[7], all[9]}},
		"by both of two":             {ise.Filter{Match: []string{"name.EQ." + all[7], "name.EQ." + all[9]}}, nil},
		"sorted downwards":           {ise.Filter{Sort: "-name"}, sorted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, macs(t, client.Endpoints(t.Context(), c.filter))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			n, err := client.Endpoint.Total(t.Context(), c.filter)
			if err != nil || n != len(c.want) {
				t.Errorf("total %d, %v, want %d", n, err, len(c.want))
			}
		})
	}
}

func macDots(mac string) string {
	return mac[0:2] + mac[3:5] + "." + mac[6:8] + mac[9:11] + "." + mac[12:14] + mac[15:17]
}

func TestFiltersThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{Endpoints: 1})
	for _, f := range []ise.Filter{{Match: []string{"name"}}, {Match: []string{"name.IS.x"}}, {Match: []string{"name.EQ."}}, {Match: []string{"na me.EQ.x"}}, {Sort: "name&x"}} {
		for _, err := range client.Endpoints(t.Context(), f) {
			if err == nil {
				t.Errorf("%v: no error", f)
			}
		}
	}
	if n := s.Counts().Requests; n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// at calls f once, when the n-th page of a list is asked for.
func at(page string, f func()) func(*http.Request) {
	var done atomic.Bool
	return func(r *http.Request) {
		if r.URL.Query().Get("page") == page && done.CompareAndSwap(false, true) {
			f()
		}
	}
}

func TestDriftIsMendedByReadingAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *sim.ISE){
		"one is deleted":     func(s *sim.ISE) { s.RemoveEndpoint(3) },
		"one is added":       func(s *sim.ISE) { s.AddEndpoint() },
		"one of each":        func(s *sim.ISE) { s.RemoveEndpoint(3); s.AddEndpoint() },
		"many are deleted":   func(s *sim.ISE) { remove(s, 450) },
		"all of the last go": func(s *sim.ISE) { removeLast(s, 150) },
	} {
		for from, list := range map[string]func(*ise.Client) iter.Seq2[ise.Endpoint, error]{
			"ERS": func(client *ise.Client) iter.Seq2[ise.Endpoint, error] {
				return client.Endpoints(t.Context(), ise.Filter{})
			},
			"OpenAPI": func(client *ise.Client) iter.Seq2[ise.Endpoint, error] {
				return client.FullEndpoints(t.Context(), ise.Filter{})
			},
		} {
			t.Run(name+" in "+from, func(t *testing.T) {
				t.Parallel()
				var s *sim.ISE
				s = start(t, sim.ISEConfig{Endpoints: 1500, Seed: 5, Hook: at("9", func() { change(s) })})
				c := config(t, s)
				c.Connections = 1
				before := s.Endpoints()
				found := macs(t, list(open(t, c)))
				slices.Sort(found)
				if len(slices.Compact(slices.Clone(found))) != len(found) {
					t.Error("an endpoint was yielded twice")
				}
				for _, mac := range s.Endpoints() {
					if _, ok := slices.BinarySearch(found, mac); !ok && slices.Contains(before, mac) {
						t.Errorf("%s was missed", mac)
					}
				}
			})
		}
	}
}

func remove(s *sim.ISE, n int) {
	for range n {
		s.RemoveEndpoint(0)
	}
}

func removeLast(s *sim.ISE, n int) {
	for range n {
		s.RemoveEndpoint(len(s.Endpoints()) - 1)
	}
}

// TestDriftThatIsMadeUpForLaterIsSeen: one is deleted, which hides another one, and the total is the old one in the end because
// one was made behind all the others.
func TestDriftThatIsMadeUpForLaterIsSeen(t *testing.T) {
	t.Parallel()
	var s *sim.ISE
	var other *ise.Client
	ctx := t.Context()
	deleted := at("9", func() { s.RemoveEndpoint(3) })
	made := at("12", func() {
		if _, err := other.Endpoint.Create(ctx, ise.Endpoint{MAC: "FE:00:00:00:00:01"}); err != nil {
			t.Error(err)
		}
	})
	s = start(t, sim.ISEConfig{Endpoints: 1500, Seed: 5, Hook: func(r *http.Request) { deleted(r); made(r) }})
	c := config(t, s)
	c.Connections = 1
	other = open(t, config(t, s))
	found := macs(t, open(t, c).Endpoints(ctx, ise.Filter{}))
	for _, mac := range s.Endpoints() {
		if !slices.Contains(found, mac) {
			t.Errorf("%s was missed", mac)
		}
	}
	if len(found) != 1501 { // with the one that was deleted
		t.Errorf("%d endpoints", len(found))
	}
}

func TestAListShorterThanItsTotalIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") != "1" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, `{"SearchResult":{"total":3,"resources":[{"id":"1"},{"id":"2"}]}}`)
	})
	var drift *ise.DriftError
	var err error
	for _, err = range client.SGT.List(t.Context(), ise.Filter{}) {
	}
	if !errors.As(err, &drift) || drift.Found != 2 || drift.Total != 3 {
		t.Errorf("got %v", err)
	}
}

func TestDriftWithoutEndIsTold(t *testing.T) {
	t.Parallel()
	var s *sim.ISE
	s = start(t, sim.ISEConfig{Endpoints: 2000, Seed: 6, Hook: func(r *http.Request) { s.RemoveEndpoint(0) }})
	found := 0
	var drift *ise.DriftError
	for _, err := range open(t, config(t, s)).Endpoints(t.Context(), ise.Filter{}) {
		if err != nil && !errors.As(err, &drift) {
			t.Fatal(err)
		}
		if err == nil {
			found++
		}
	}
	if drift == nil || drift.Walks != 3 || drift.Found != found {
		t.Errorf("%d found, %+v", found, drift)
	}
}

func TestAListThatOnlyGrowsIsNoError(t *testing.T) {
	t.Parallel()
	var s *sim.ISE
	s = start(t, sim.ISEConfig{Endpoints: 1000, Seed: 7, Hook: func(r *http.Request) { s.AddEndpoint() }})
	before := s.Endpoints()
	var log journal
	c := config(t, s)
	c.Log = log.log()
	found := macs(t, open(t, c).Endpoints(t.Context(), ise.Filter{}))
	slices.Sort(found)
	for _, mac := range before {
		if _, ok := slices.BinarySearch(found, mac); !ok {
			t.Errorf("%s was missed", mac)
		}
	}
	if len(log.String()) == 0 {
		t.Error("nobody was told of it")
	}
}

// TestMemoryIsFlatWhileIterating: what is kept of 200,000 endpoints is a set of their ids, 16 bytes each and its spare room,
// most of which is set aside at the beginning. A client that kept the endpoints would take 500 bytes for each.
func TestMemoryIsFlatWhileIterating(t *testing.T) {
	const total, early, late = 200000, 20000, 199000
	client := open(t, inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		page, err := strconv.Atoi(r.URL.Query().Get("page"))
		if err != nil || page > total/100 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"SearchResult":{"total":%d,"resources":[`, total)
		for i := (page - 1) * 100; i < page*100; i++ {
			fmt.Fprintf(w, `%s{"id":"%08x-8bff-11e6-996c-525400b48521","name":"00:11:22:%02X:%02X:%02X","link":{"rel":"self","href":"https://ise-1.invalid/%d"}}`,
				map[bool]string{true: ","}[i%100 > 0], i*2654435761&0xffffffff, i>>16, i>>8&255, i&255, i)
		}
		fmt.Fprint(w, `]}}`)
	}, func(c *ise.Config) { c.Rate = 1e6 }))
	live := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	// A moment's heap also holds the pages that are under way, more or less of them: the least of ten moments counts.
	n, before, then, now := 0, live(), math.Inf(1), math.Inf(1)
	for _, err := range client.Endpoints(t.Context(), ise.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		switch n++; {
		case n%100 != 0:
		case n >= early && n < early+1000:
			then = min(then, live())
		case n >= late && n < late+1000:
			now = min(now, live())
		}
	}
	if n != total {
		t.Errorf("%d endpoints", n)
	}
	all, grown := (now-before)/late, (now-then)/(late-early)
	t.Logf("%.1f bytes for each endpoint in all, %.1f for each since there were %d", all, grown, early)
	if all > 40 || grown > 20 {
		t.Errorf("each took %.1f bytes in all, and %.1f since there were %d", all, grown, early)
	}
}

func TestAListWithoutEndIsLeft(t *testing.T) {
	t.Parallel()
	client := open(t, inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		page, err := strconv.Atoi(r.URL.Query().Get("page"))
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, `{"SearchResult":{"total":2,"resources":[{"id":"1"},{"id":"2"}],"nextPage":{"href":"https://x/?page=%d"}}}`, page+1)
	}, func(c *ise.Config) { c.Rate = 1e6 }))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n := 0
	var last error
	for _, last = range client.SGT.List(ctx, ise.Filter{}) {
		n++
	}
	if n != 3 || !errors.Is(last, ise.ErrUnexpected) || !strings.Contains(last.Error(), "list sgt: unexpected answer: it has no end") {
		t.Errorf("%d were yielded, then %v", n, last)
	}
}

func TestLeavingTheLoopEndsEverything(t *testing.T) {
	t.Parallel()
	_, client := both(t, sim.ISEConfig{Endpoints: 5000, Seed: 9, Latency: 5 * time.Millisecond})
	n := 0
	for _, err := range client.Endpoints(t.Context(), ise.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 250 {
			break
		}
	}
	n = 0
	for _, err := range client.Endpoint.Full(t.Context(), ise.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 25 {
			break
		}
	}
}

func TestCancelReturnsAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]sim.ISEConfig{
		"while answers are awaited": {Endpoints: 5000, Latency: time.Minute},
		"while it hangs":            {Endpoints: 5000, Faults: []sim.ISEShare{{Kind: "hang", Share: 1}}},
		"between attempts":          {Endpoints: 5000, Faults: []sim.ISEShare{{Kind: "503", Share: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			least := time.Hour
			for range 3 { // a machine may be busy, but not each time
				least = min(least, cancelled(t, c))
			}
			if least > 100*time.Millisecond {
				t.Errorf("it took %v", least)
			}
		})
	}
}

// cancelled returns how long a list goes on after it was cancelled at its first request.
func cancelled(t *testing.T, c sim.ISEConfig) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	at := make(chan time.Time, 1)
	var once sync.Once
	c.Hook = func(*http.Request) {
		once.Do(func() {
			at <- time.Now()
			cancel(reason)
		})
	}
	s := start(t, c)
	var last error
	for _, last = range open(t, config(t, s)).Endpoints(ctx, ise.Filter{}) {
	}
	took := time.Since(<-at)
	if !errors.Is(last, context.Canceled) || !errors.Is(last, reason) {
		t.Errorf("got %v", last)
	}
	return took
}
