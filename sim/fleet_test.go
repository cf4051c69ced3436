package sim_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
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
	if diff := cmp.Diff(want, clean(text)); diff != "" {
		t.Error(diff)
	}
}

func TestWantIsWhatTheRecordingWants(t *testing.T) {
	t.Parallel()
	r := router()
	f := start(t, simConfig(1))
	want := strings.NewReplacer("lab-r1", "sim-0001", "198.51.100.21 ", "10.0.0.1 ").Replace(r.Want.Config)
	if diff := cmp.Diff(want, string(f.Want("sim-0001"))); diff != "" {
		t.Error(diff)
	}
	if got := f.Want("nobody"); got != nil {
		t.Errorf("nobody wants %q", got)
	}
}

func TestLinesThatAreNoConfigurationVaryAtEachFetch(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	d := f.Devices()[0]
	first, err := fetch(f, d)
	if err != nil {
		t.Fatal(err)
	}
	second, err := fetch(f, d)
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
	var differ []string
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			differ = append(differ, a[i])
		}
	}
	if len(a) != len(b) || len(differ) != 3 {
		t.Errorf("these differ: %q", differ)
	}
	if clean(first) != clean(second) {
		t.Error("the configuration differs")
	}
	if !regexp.MustCompile(`(?m)^Current configuration : \d{4} bytes$`).MatchString(second) {
		t.Errorf("a counter has changed its form: %q", differ)
	}
}

func TestConfigurationsGrowToTheSizeThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, r := range []*platform.Recording{router(), server()} {
		c := sim.Config{Devices: 3, ConfigBytes: 30_000, Recordings: []*platform.Recording{r}}
		f := start(t, c)
		for _, d := range f.Devices() {
			if n := len(f.Want(d.Name)); n < 30_000 || n > 30_500 {
				t.Errorf("%s: %d bytes", d.Platform, n)
			}
		}
		if bytes.Equal(f.Want("sim-0002"), f.Want("sim-0003")) {
			t.Error("two devices are the same")
		}
	}
	f := start(t, sim.Config{ConfigBytes: 30_000, Recordings: []*platform.Recording{router()}})
	text, err := fetch(f, f.Devices()[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(f.Want("sim-0001")), clean(text)); diff != "" {
		t.Error(diff)
	}
}

func TestChangesAreServedAndWanted(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{Devices: 10, Seed: 5, Recordings: []*platform.Recording{router()}})
	before := make(map[string]string)
	for _, d := range f.Devices() {
		before[d.Name] = string(f.Want(d.Name))
	}
	kinds := map[string]bool{}
	for range 20 {
		changed := f.Change(3)
		if len(changed) != 3 || !slices.IsSorted(changed) {
			t.Fatalf("changed %q", changed)
		}
		for _, d := range f.Devices() {
			now := string(f.Want(d.Name))
			if (now != before[d.Name]) != slices.Contains(changed, d.Name) {
				t.Fatalf("%s: changed, or not, against what Change said", d.Name)
			}
			switch {
			case now == before[d.Name]:
			case strings.Count(now, "\n") > strings.Count(before[d.Name], "\n"):
				kinds["added"] = true
			case strings.Count(now, "\n") < strings.Count(before[d.Name], "\n"):
				kinds["removed"] = true
			default:
				kinds["described"] = true
			}
			before[d.Name] = now
		}
	}
	if len(kinds) != 3 {
		t.Errorf("changes are only %v", kinds)
	}
	for _, d := range f.Devices() {
		text, err := fetch(f, d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before[d.Name], clean(text)); diff != "" {
			t.Errorf("%s: %s", d.Name, diff)
		}
	}
}

func TestChangeLeavesOutWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{Devices: 10, Recordings: []*platform.Recording{router()}, Faults: []sim.Share{{Kind: "auth", Share: 0.4}, {Kind: "slow", Share: 0.1}}})
	changed := f.Change(100)
	if len(changed) != 6 {
		t.Fatalf("changed %q", changed)
	}
	for _, d := range f.Devices() {
		if slices.Contains(changed, d.Name) != (d.Fault != "auth") {
			t.Errorf("%s with fault %q: changed, or not", d.Name, d.Fault)
		}
	}
	if got := f.Change(-1); len(got) != 0 {
		t.Errorf("changed %q", got)
	}
}

func TestTheSameConfigIsTheSameFleet(t *testing.T) {
	t.Parallel()
	c := sim.Config{Devices: 30, Seed: 9, ConfigBytes: 5000, Recordings: []*platform.Recording{router(), server()}, Faults: []sim.Share{{Kind: "auth", Share: 0.2}}}
	first, second := start(t, c), start(t, c)
	c.Seed++
	other := start(t, c)
	for range 5 {
		if diff := cmp.Diff(first.Change(4), second.Change(4)); diff != "" {
			t.Error(diff)
		}
		other.Change(4)
	}
	same := 0
	for i, d := range first.Devices() {
		e, o := second.Devices()[i], other.Devices()[i]
		if d.Name != e.Name || d.HostKey != e.HostKey || d.Fault != e.Fault || d.Group != e.Group || !bytes.Equal(first.Want(d.Name), second.Want(d.Name)) {
			t.Errorf("%+v is not %+v", d, e)
		}
		if d.HostKey == o.HostKey {
			t.Error("another seed has the same host keys")
		}
		if bytes.Equal(first.Want(d.Name), other.Want(d.Name)) {
			same++
		}
	}
	if same == c.Devices {
		t.Error("another seed has the same changes")
	}
	u1, p1, e1 := first.Login()
	u2, p2, e2 := second.Login()
	_, p3, e3 := other.Login()
	if u1 != "admin" || u1 != u2 || p1 != p2 || e1 != e2 || p1 == p3 || e1 == e3 || p1 == e1 || len(p1) < 12 {
		t.Errorf("logins %q %q %q, %q %q %q, %q %q", u1, p1, e1, u2, p2, e2, p3, e3)
	}
}

func TestEachDeviceOfAPrefixHasItsOwnAddress(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{Devices: 20, Listen: "127.200.0.0/24", Port: 2322, Recordings: []*platform.Recording{router()}, Faults: []sim.Share{{Kind: "refuse", Share: 0.1}}})
	for i, d := range f.Devices() {
		if want := "127.200.0." + strconv.Itoa(i+1); d.Address != want || d.Port != 2322 {
			t.Errorf("%s is at %s, want %s", d.Name, address(d), want)
		}
		text, err := fetch(f, d)
		if (err != nil) != (d.Fault == "refuse") {
			t.Errorf("%s: %v", d.Name, err)
		}
		if err == nil && clean(text) != string(f.Want(d.Name)) {
			t.Errorf("%s: not its configuration", d.Name)
		}
	}
}

func TestWhatCannotBeServedIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	lost := router()
	lost.Want.Config = "not in the output\n"
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, c := range []struct {
		config sim.Config
		want   string
	}{
		{sim.Config{Listen: "127.0.0.0/30", Devices: 3}, "room for 2 devices"},
		{sim.Config{Listen: "198.18.0.0/24"}, "no part of 127.0.0.0/8"},
		{sim.Config{Listen: "127.8.0.0/26", Devices: 63}, "room for 62 devices"},
		{sim.Config{Listen: "198.18.0.1"}, "198.18.0.1 is no address of this system"},
		{sim.Config{Listen: "127.0.0.0/x"}, "listen"},
		{sim.Config{Listen: "everywhere"}, "listen"},
		{sim.Config{Port: 65000, Devices: 1000}, "do not fit"},
		{sim.Config{Port: 70000}, "port 70000"},
		{sim.Config{Port: busy.Addr().(*net.TCPAddr).Port, Devices: 1}, "sim-0001"},
		{sim.Config{Faults: []sim.Share{{Kind: "nope", Share: 1}}}, `unknown fault "nope"`},
		{sim.Config{Faults: []sim.Share{{Kind: "auth", Share: 2}}}, "from 0 to 1"},
		{sim.Config{Faults: []sim.Share{{Kind: "auth", Share: 1}, {Kind: "slow", Share: 1}}}, "too few"},
		{sim.Config{Platforms: []string{"amiga"}}, `"amiga"`},
		{sim.Config{Recordings: []*platform.Recording{lost}}, "recording of cisco_ios lab"},
		{sim.Config{Recordings: []*platform.Recording{}}, "no recording"},
	} {
		if c.config.Recordings == nil {
			c.config.Recordings = []*platform.Recording{router()}
		}
		err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
			_, err := sim.Start(ctx, g, c.config)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want it to say %q", c.config, err, c.want)
		}
	}
}

func TestPlatformsAreTakenInTurn(t *testing.T) {
	t.Parallel()
	c := sim.Config{Devices: 4, Platforms: []string{"linux", "cisco_ios"}, Recordings: []*platform.Recording{router(), server()}}
	var got []string
	for _, d := range start(t, c).Devices() {
		got = append(got, d.Platform)
	}
	if want := []string{"linux", "cisco_ios", "linux", "cisco_ios"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLatencyIsBeforeEachAnswer(t *testing.T) {
	t.Parallel()
	const latency = 30 * time.Millisecond
	f := start(t, sim.Config{Latency: latency, LoginLatency: latency, Recordings: []*platform.Recording{router()}})
	began := time.Now()
	if _, err := fetch(f, f.Devices()[0]); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 5*latency { // login, enable, terminal length, configuration, exit
		t.Errorf("it took %v", took)
	}
}

func TestTotalIsTheTimeOfTheWholeConversation(t *testing.T) {
	t.Parallel()
	const total = 400 * time.Millisecond
	f := start(t, sim.Config{Total: total, Latency: time.Hour, LoginLatency: time.Hour, Recordings: []*platform.Recording{router()}})
	began := time.Now()
	if _, err := fetch(f, f.Devices()[0]); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < total || took > 10*total {
		t.Errorf("it took %v", took)
	}
}

func TestADeviceLetsOnlySoManyIn(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{MaxSessions: 2, Recordings: []*platform.Recording{router()}})
	d := f.Devices()[0]
	var terms []*terminal
	for i := range 3 {
		term, err := openTerminal(f, d, 24)
		if err != nil {
			t.Fatal(err)
		}
		defer term.close()
		terms = append(terms, term)
		if _, err := term.until("sim-0001>"); (err != nil) != (i == 2) {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	if got := f.Counts(); got.Sessions < 2 || got.Peak != 3 || got.Logins != 3 {
		t.Errorf("counts %+v", got)
	}
	if _, err := terms[0].ask("show clock", "sim-0001>"); err != nil {
		t.Errorf("the third one broke the first: %v", err)
	}
}

func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	text, err := fetch(f, f.Devices()[0])
	if err != nil {
		t.Fatal(err)
	}
	c := f.Counts()
	if c.Connections != 1 || c.Logins != 1 || c.Rejected != 0 || c.Peak != 1 || c.Commands != 4 || c.Bytes < int64(len(text)) {
		t.Errorf("counts %+v", c)
	}
}

func TestCloseEndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{Devices: 2, Recordings: []*platform.Recording{router()}, Faults: []sim.Share{{Kind: "hang-banner", Share: 0.5}}, Latency: time.Hour})
	var mute net.Conn
	var waits *terminal
	for _, d := range f.Devices() {
		var err error
		if d.Fault != "" {
			mute, err = net.DialTimeout("tcp", address(d), patience)
		} else if waits, err = openTerminal(f, d, 24); err == nil {
			_, err = waits.until(">")
			io.WriteString(waits.in, "show clock\n")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	defer mute.Close()
	defer waits.close()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	mute.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(mute); isTimeout(err) {
		t.Error("a mute connection is still open")
	}
	if text, err := waits.until("no device says this"); err == nil {
		t.Errorf("a shell is still open: %q", text)
	}
	for _, d := range f.Devices() {
		if c, err := net.DialTimeout("tcp", address(d), patience); err == nil {
			c.Close()
			t.Errorf("%s still listens", d.Name)
		}
	}
	if err := f.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestTheGroupEndsTheFleet(t *testing.T) {
	t.Parallel()
	cause := errors.New("that is all")
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		f, err := sim.Start(ctx, g, sim.Config{Devices: 3, Recordings: []*platform.Recording{router()}})
		if err != nil {
			return err
		}
		if _, err := fetch(f, f.Devices()[2]); err != nil {
			return err
		}
		g.Cancel(cause)
		return nil
	})
	if err != nil {
		t.Errorf("got %v", err)
	}
}

func TestInventoryNamesEachDevice(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{Devices: 4, Username: "ops", Password: `p"1`, Enable: "e,2", Recordings: []*platform.Recording{router(), server()}})
	var text bytes.Buffer
	if err := f.WriteInventory(&text, "csv"); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	d := f.Devices()
	want := [][]string{{"name", "address", "port", "platform", "group", "username", "password", "enable"}}
	for i, enable := range []string{"e,2", "", "e,2", ""} {
		want = append(want, []string{d[i].Name, d[i].Address, strconv.Itoa(d[i].Port), d[i].Platform, d[i].Group, "ops", `p"1`, enable})
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	text.Reset()
	if err := f.WriteInventory(&text, "yaml"); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); strings.Count(got, "  - name: sim-") != 4 || strings.Count(got, `enable: "e,2"`) != 2 || !strings.Contains(got, `password: "p\"1"`) {
		t.Errorf("got\n%s", got)
	}
	if err := f.WriteInventory(&text, "toml"); err == nil {
		t.Error("toml was written")
	}
}

// TestAThousandAtOnce also shows, by TestMain, that nothing is left of them.
func TestAThousandAtOnce(t *testing.T) {
	const devices = 1000
	f := start(t, sim.Config{Devices: devices, Seed: 1, ConfigBytes: 8000, Recordings: []*platform.Recording{router()}, Faults: []sim.Share{
		{Kind: "auth", Share: 0.05}, {Kind: "reset", Share: 0.05}, {Kind: "refuse", Share: 0.05},
	}})
	var wg sync.WaitGroup
	failed := make([]error, devices)
	all := f.Devices()
	for i, d := range all {
		wg.Go(func() {
			text, err := fetch(f, d)
			if err == nil && clean(text) != string(f.Want(d.Name)) {
				err = errors.New("not its configuration")
			}
			failed[i] = err
		})
	}
	wg.Wait()
	for i, d := range all {
		if (failed[i] != nil) != (d.Fault != "") {
			t.Errorf("%s with fault %q: %v", d.Name, d.Fault, failed[i])
		}
	}
	if c := f.Counts(); c.Rejected != 50 || c.Logins != 900 || c.Peak > 900 {
		t.Errorf("counts %+v", c)
	}
}
