package sim_test

import (
	"strings"
	"testing"
)

func TestADeviceServesItsConfiguration(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	d := f.Devices()[0]
	text, err := fetch(f, d)
	if err != nil {
		t.Fatal(err)
	}
	want := string(f.Want(d.Name))
	if !strings.Contains(want, "hostname sim-0001\n") || strings.Contains(want, "198.51.100.21") {
		t.Errorf("the configuration is not the device's own:\n%s", want)
	}
	if got := clean(text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
