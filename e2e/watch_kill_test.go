//go:build e2e && linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	watchKills    = 8
	watchKillSeed = 5
	// verdictTime is what three misses take, with an interval beside it that a kill may cost and what a busy machine adds.
	verdictTime = 4*watchInterval + 400*time.Millisecond
	// silentStart is how long after its start serve notifies nobody.
	silentStart = 10 * time.Second
)

// Hosts die and serve is killed at random moments soon after: before the verdict, while it is kept, before it is told, and
// while it is being told.
func TestKillingAServerThatWatchesForgetsNothingAndTellsOnce(t *testing.T) {
	t.Parallel()
	w, h := watched(t)
	hook := w.newHook(t)
	s := newSite(t)
	s.write(t, "alertmanager.yml", hook.receivers())
	list := "devices:\n"
	for i := range watchKills {
		list += device(fmt.Sprintf("mortal%d", i), address(1, i), "")
	}
	for i := range 12 {
		list += device(fmt.Sprintf("well%d", i), address(2, i), "")
	}
	chance := rand.New(rand.NewPCG(watchKillSeed, 0))
	type death struct{ at, kill time.Time }
	deaths := make([]death, watchKills)
	var kills []time.Time
	v := s.watch(t, &w, list+watchSettings)
	time.Sleep(5 * watchInterval) // all are up
	again := func() {
		kills = append(kills, time.Now())
		v.kill()
		v = s.watch(t, &w, list+watchSettings)
	}
	for i := range deaths {
		deaths[i].at = time.Now()
		h.silence(forEver, address(1, i))
		time.Sleep(time.Duration(chance.Float64() * float64(2*verdictTime)))
		deaths[i].kill = time.Now()
		again()
	}
	hook.await(t, 0, "device-down mortal0 firing") // and the others are told now, or were
	again()
	// What was told and not logged before the kill is told again. Were it to end before that, its end would not be told: to
	// Alertmanager nobody knows of it.
	time.Sleep(silentStart + time.Second)
	h.silence(0, address(1, 0))
	hook.await(t, 0, "device-down mortal0 resolved")
	time.Sleep(time.Duration(chance.Float64() * float64(time.Second)))
	again()
	for i := range deaths {
		h.silence(0, address(1, i))
	}
	for i := range deaths {
		hook.await(t, 0, fmt.Sprintf("device-down mortal%d resolved", i))
	}

	first := map[string]notice{}
	for _, n := range hook.taken() {
		was, twice := first[n.word()]
		onItsWay := slices.ContainsFunc(kills, func(k time.Time) bool { return k.After(was.at.Add(-time.Second)) && k.Before(was.at.Add(time.Second)) })
		switch {
		case !strings.HasPrefix(n.word(), "device-down mortal"):
			t.Errorf("told of what was well: %s", n.word())
		case !twice:
			first[n.word()] = n
		case !n.StartsAt.Equal(was.StartsAt):
			t.Errorf("%s began anew: %v, %v", n.word(), was.StartsAt, n.StartsAt)
		case !onItsWay:
			t.Errorf("%s was told twice, and no kill was near", n.word())
		}
	}
	for i, d := range deaths {
		began := first[fmt.Sprintf("device-down mortal%d firing", i)].StartsAt
		if began.Before(d.at) || d.kill.Sub(d.at) > verdictTime && began.After(d.kill) {
			t.Errorf("mortal%d died at %v, serve was killed at %v, and it is down since %v", i, d.at, d.kill, began)
		}
	}
	if out := s.ok(t, "monitor", "report", "-o", "ndjson"); strings.Count(out, `"downs":1`) != watchKills || strings.Count(out, `"downs":0`) != 12 {
		t.Errorf("not each went down once: %s", out)
	}
}

// address is one of the hosts of a responder.
func address(net, host int) string { return fmt.Sprintf("198.18.%d.%d", net, host+1) }
