package route_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert/route"
)

func TestLabelsBecomeNames(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name         string
		labels, want map[string]string
	}{
		{"names that are right stay", map[string]string{"alertname": "x", "_Rack9": "1"}, map[string]string{"alertname": "x", "_Rack9": "1"}},
		{"other characters become underscores", map[string]string{"rack-no": "1", "größe": "2"}, map[string]string{"rack_no": "1", "gr__e": "2"}},
		{"a digit does not come first", map[string]string{"2nd": "1"}, map[string]string{"_2nd": "1"}},
		{"a name that is empty becomes one", map[string]string{"": "1"}, map[string]string{"_": "1"}},
		{"of two that become the same, the right one keeps its name", map[string]string{"a-b": "1", "a.b": "2", "a_b": "3"}, map[string]string{"a_b": "3", "a_b_2": "1", "a_b_3": "2"}},
		{"a number that is taken is not given", map[string]string{"a-b": "1", "a_b": "2", "a_b_2": "3"}, map[string]string{"a_b": "2", "a_b_2": "3", "a_b_3": "1"}},
		{"labels without a value do not count", map[string]string{"a": "1", "b": ""}, map[string]string{"a": "1"}},
		{"values become valid text", map[string]string{"a": "x\xffy"}, map[string]string{"a": "x\uFFFDy"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := route.Open(route.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for range 2 { // the same labels are the same alert
				if err := r.Send(t.Context(), []muster.Alert{{Labels: maps.Clone(c.labels)}}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := r.Alerts(t.Context(), nil)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			if diff := cmp.Diff(c.want, got[0].Labels); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnAlertThatIsNoneDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	r, err := route.Open(route.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	none := muster.Alert{Annotations: map[string]string{"summary": "nameless"}}
	err = r.Send(t.Context(), []muster.Alert{none, down("r1", "edge"), none})
	if err == nil || !strings.Contains(err.Error(), "nameless") {
		t.Errorf("got %v", err)
	}
	if got, _ := r.Alerts(t.Context(), nil); len(got) != 1 {
		t.Errorf("%d alerts", len(got))
	}
}

func TestAClockSetBackEndsAnAlertAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := set(t, route.Options{})
		a := down("r1", "edge")
		a.Starts = a.Starts.Add(time.Hour) // before the clock was set back
		b.fires(5*time.Minute, a)
		b.send(over(a))
		time.Sleep(time.Minute)
		want := []string{"10s firing group=edge: down r1", "5m10s resolved group=edge: down r1(resolved)"}
		if diff := cmp.Diff(want, b.hook.taken()); diff != "" {
			t.Error(diff)
		}
	})
}
