package route_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

// TestNotifications says what fires and looks at what the receiver was told.
func TestNotifications(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		do   func(*testing.T, *bench)
		want []string // "later" for the time where that is random: between attempts
	}{
		{"an alert is told once while it fires", func(_ *testing.T, b *bench) {
			b.fires(30*time.Minute, down("r1", "edge"))
		}, []string{"10s firing group=edge: down r1"}},
		{"and again after the repeat interval", func(_ *testing.T, b *bench) {
			b.fires(4*time.Hour+3*time.Minute, down("r1", "edge"))
		}, []string{"10s firing group=edge: down r1", "4h1m10s firing group=edge: down r1"}},
		{"its end is told once", func(_ *testing.T, b *bench) {
			a := down("r1", "edge")
			b.fires(3*time.Minute, a)
			b.send(over(a))
			time.Sleep(time.Hour)
		}, []string{"10s firing group=edge: down r1", "3m10s resolved group=edge: down r1(resolved)"}},
		{"one that is not said again for four times the resend interval has ended", func(_ *testing.T, b *bench) {
			b.send(down("r1", "edge"))
			time.Sleep(10 * time.Minute)
		}, []string{"10s firing group=edge: down r1", "4m10s resolved group=edge: down r1(resolved)"}},
		{"alerts of a group are one notification", func(_ *testing.T, b *bench) {
			b.send(down("r1", "edge"), down("r2", "edge"), down("c1", "core"))
			time.Sleep(time.Minute)
		}, []string{"10s firing group=core: down c1", "10s firing group=edge: down r1, down r2"}},
		{"what ends before it was told is not told", func(_ *testing.T, b *bench) {
			a := down("r1", "edge")
			b.send(a)
			time.Sleep(5 * time.Second)
			b.send(over(a))
			time.Sleep(time.Hour)
		}, nil},
		{"an inhibited alert is not told", func(_ *testing.T, b *bench) {
			loss := down("r1", "edge")
			loss.Labels["alertname"], loss.Labels["severity"] = "loss", "warning"
			b.fires(10*time.Minute, loss, down("r1", "edge"))
		}, []string{"10s firing group=edge: down r1"}},
		{"a silenced alert is not told before the silence ends", func(t *testing.T, b *bench) {
			if _, err := b.Silence(t.Context(), []string{"device=r1"}, time.Now().Add(20*time.Minute), "me", "works"); err != nil {
				t.Fatal(err)
			}
			b.fires(22*time.Minute, down("r1", "edge"), down("r2", "edge"))
		}, []string{"10s firing group=edge: down r2", "20m10s firing group=edge: down r1, down r2"}},
		{"a receiver that was down is told once when it is up", func(_ *testing.T, b *bench) {
			b.hook.breakDown(true)
			b.fires(time.Hour, down("r1", "edge"))
			b.hook.breakDown(false)
			b.fires(time.Hour, down("r1", "edge"))
		}, []string{"later firing group=edge: down r1"}},
		{"an end while the receiver was down is not told when the begin was not", func(_ *testing.T, b *bench) {
			b.hook.breakDown(true)
			a := down("r1", "edge")
			b.fires(10*time.Minute, a)
			b.send(over(a))
			time.Sleep(10 * time.Minute)
			b.hook.breakDown(false)
			time.Sleep(time.Hour)
		}, nil},
		{"an end while the receiver was down is told when it is up", func(_ *testing.T, b *bench) {
			a := down("r1", "edge")
			b.fires(3*time.Minute, a)
			b.hook.breakDown(true)
			b.send(over(a))
			time.Sleep(10 * time.Minute)
			b.hook.breakDown(false)
			time.Sleep(time.Hour)
		}, []string{"10s firing group=edge: down r1", "later resolved group=edge: down r1(resolved)"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := set(t, route.Options{})
				c.do(t, b)
				synctest.Wait()
				got := sortedByTime(b.hook.taken())
				for i, want := range c.want {
					if _, what, _ := strings.Cut(want, " "); strings.HasPrefix(want, "later") && i < len(got) && strings.HasSuffix(got[i], what) {
						got[i] = want
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("the receiver was told (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// sortedByTime sorts those of one time, which come in any order.
func sortedByTime(notes []string) []string {
	for i := 1; i < len(notes); i++ {
		for j := i; j > 0; j-- {
			a, b, _ := strings.Cut(notes[j-1], " ")
			c, d, _ := strings.Cut(notes[j], " ")
			if a == c && d < b {
				notes[j-1], notes[j] = notes[j], notes[j-1]
			}
		}
	}
	return notes
}

func TestRestart(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		do   func(*testing.T, *bench)
		want []string
	}{
		{"what was told is not told again", func(_ *testing.T, b *bench) {
			a := down("r1", "edge")
			b.fires(2*time.Minute, a)
			b.end()
			b.start()
			b.fires(10*time.Minute, a)
		}, []string{"10s firing group=edge: down r1"}},
		{"what was not told yet is told", func(_ *testing.T, b *bench) {
			a := down("r1", "edge")
			b.fires(5*time.Second, a)
			b.end()
			b.start()
			b.fires(10*time.Minute, a)
		}, []string{"15s firing group=edge: down r1"}},
		{"what ended meanwhile is told to have ended", func(_ *testing.T, b *bench) {
			a := down("r1", "edge")
			b.fires(2*time.Minute, a)
			b.end()
			time.Sleep(time.Hour)
			b.start()
			b.send(over(a))
			time.Sleep(10 * time.Minute)
		}, []string{"10s firing group=edge: down r1", "1h2m0s resolved group=edge: down r1(resolved)"}},
		{"a silence goes on", func(t *testing.T, b *bench) {
			if _, err := b.Silence(t.Context(), []string{"device=r1"}, time.Now().Add(time.Hour), "me", "works"); err != nil {
				t.Fatal(err)
			}
			b.end()
			b.start()
			b.fires(30*time.Minute, down("r1", "edge"))
		}, nil},
		{"a silence that was expired is not back", func(t *testing.T, b *bench) {
			id, err := b.Silence(t.Context(), []string{"device=r1"}, time.Now().Add(time.Hour), "me", "works")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if err := b.Expire(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			b.end()
			b.start()
			b.fires(time.Minute, down("r1", "edge"))
		}, []string{"11s firing group=edge: down r1"}},
		{"a notification under way comes to its end", func(_ *testing.T, b *bench) {
			b.hook.stall = 3 * time.Second
			a := down("r1", "edge")
			b.fires(12*time.Second, a)
			b.end()
			b.start()
			b.fires(10*time.Minute, a)
		}, []string{"10s firing group=edge: down r1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := set(t, route.Options{})
				c.do(t, b)
				synctest.Wait()
				if diff := cmp.Diff(c.want, b.hook.taken()); diff != "" {
					t.Errorf("the receiver was told (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestNothingIsToldWithinTheDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{Delay: time.Minute})
		old := down("r1", "edge")
		old.Starts = time.Now().Add(-time.Hour)
		b.send(old)
		time.Sleep(30 * time.Second)
		if got := b.hook.taken(); got != nil {
			t.Fatalf("told within the delay: %q", got)
		}
		alerts, err := b.Alerts(t.Context(), nil)
		if err != nil || len(alerts) != 1 {
			t.Fatalf("within the delay there are %v, %v", alerts, err)
		}
		other := down("r2", "edge")
		other.Starts = old.Starts
		b.send(other)
		time.Sleep(31 * time.Second)
		if diff := cmp.Diff([]string{"1m0s firing group=edge: down r1, down r2"}, b.hook.taken()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStopWithinTheDelayIsImmediate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{Delay: time.Hour})
		begin := time.Now()
		b.end()
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %v", d)
		}
	})
}

func TestReload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "alertmanager.yml")
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(config)
		b := set(t, route.Options{ConfigFile: file})
		a := down("r1", "edge")
		b.fires(2*time.Minute, a)

		write(strings.Replace(config, "  receiver: hook", "  receiver: pager", 1))
		err := b.Reload(t.Context())
		if want := "alerting configuration " + file + `: line 3: undefined receiver "pager" used in route`; !errors.Is(err, route.ErrConfig) || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		b.fires(5*time.Minute, a, down("r2", "edge"))
		if diff := cmp.Diff([]string{"10s firing group=edge: down r1", "2m10s firing group=edge: down r1, down r2"}, b.hook.taken()); diff != "" {
			t.Errorf("by the old configuration (-want +got):\n%s", diff)
		}

		write(strings.Replace(config, "group_by: [group]", "group_by: [device]", 1))
		if err := b.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.fires(5*time.Minute, a)
		if diff := cmp.Diff([]string{"7m0s firing device=r1: down r1", "7m0s firing device=r2: down r2"}, sortedByTime(b.hook.taken())[:2]); diff != "" {
			t.Errorf("by the new configuration (-want +got):\n%s", diff)
		}
	})
}

func TestReloadOfTheSameTellsNothingAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{})
		a := down("r1", "edge")
		b.fires(2*time.Minute, a)
		b.hook.taken()
		for range 5 {
			if err := b.Replace(t.Context(), []byte(config)); err != nil {
				t.Fatal(err)
			}
			b.fires(3*time.Minute, a)
		}
		if got := b.hook.taken(); got != nil {
			t.Errorf("told again: %q", got)
		}
	})
}

func TestWithoutConfigurationAlertsAreSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{Config: []byte(route.DefaultConfig)})
		b.send(down("r1", "edge"))
		time.Sleep(time.Minute)
		got, err := b.Alerts(t.Context(), []string{"down", "device=~r.*"})
		if err != nil || len(got) != 1 {
			t.Fatalf("got %v, %v", got, err)
		}
		want := down("r1", "edge")
		want.Starts = got[0].Starts
		if diff := cmp.Diff(route.Alert{Alert: want, Receivers: []string{"nobody"}, Updated: got[0].Updated}, got[0], cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		if got := b.hook.taken(); got != nil {
			t.Errorf("somebody was told: %q", got)
		}
	})
}

func TestAlertsSayWhatMutesThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{})
		synctest.Wait()
		loss := down("r1", "edge")
		loss.Labels["alertname"], loss.Labels["severity"] = "loss", "warning"
		b.send(down("r1", "edge"), loss, down("r2", "edge"), over(down("r3", "edge")))
		id, err := b.Silence(t.Context(), []string{"device=r2"}, time.Now().Add(time.Hour), "me", "works")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		got := map[string]string{}
		alerts, err := b.Alerts(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range alerts {
			by := strings.Join(a.SilencedBy, "")
			if len(a.InhibitedBy) > 0 {
				by = "another"
			}
			got[a.Labels["alertname"]+" "+a.Labels["device"]] = by
		}
		if diff := cmp.Diff(map[string]string{"down r1": "", "loss r1": "another", "down r2": id}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSilences(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{})
		until := time.Now().Add(time.Hour)
		id, err := b.Silence(t.Context(), []string{`device=~"r[12]"`, "down", "site!=x"}, until, "me", "works")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		got, err := b.Silences(t.Context())
		if err != nil || len(got) != 1 {
			t.Fatalf("got %v, %v", got, err)
		}
		want := route.Silence{ID: id, State: "active", Matchers: []string{`device=~"r[12]"`, `alertname="down"`, `site!="x"`},
			Starts: got[0].Starts, Ends: until.UTC(), Author: "me", Comment: "works"}
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Error(diff)
		}
		for range 2 {
			if err := b.Expire(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		if got, _ := b.Silences(t.Context()); got[0].State != "expired" {
			t.Errorf("expired, it is %s", got[0].State)
		}
		if err := b.Expire(t.Context(), "none"); !errors.Is(err, route.ErrNotFound) {
			t.Errorf("expire one that is not there: %v", err)
		}
		for name, matchers := range map[string][]string{
			"none": nil, "not one": {"device=~["}, "no name": {"=x"}, "of everything": {"device=~.*"},
		} {
			if id, err := b.Silence(t.Context(), matchers, until, "me", ""); err == nil {
				t.Errorf("a silence with matchers %s became %s", name, id)
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("not one sentence: %v", err)
			}
		}
		if _, err := b.Silence(t.Context(), []string{"down"}, time.Now().Add(-time.Second), "me", ""); err == nil {
			t.Error("a silence that has ended was taken")
		}
	})
}

func TestAfterItsEndARouterSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{})
		b.end()
		if err := b.Send(t.Context(), []muster.Alert{down("r1", "edge")}); !errors.Is(err, route.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		if err := b.Replace(t.Context(), nil); !errors.Is(err, route.ErrClosed) {
			t.Errorf("Replace: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("Close after Run: %v", err)
		}
	})
}
