package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/store"
)

// openIn opens an App whose home is a directory, with environment variables beside HOME.
func openIn(t *testing.T, home string, o app.Options, env ...string) *app.App {
	t.Helper()
	o.Getenv = getenv(append(env, "HOME="+home))
	a, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func getenv(env []string) func(string) string {
	return func(name string) string {
		for _, e := range env {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// scanned runs a scan and returns the hosts by address, and what was noted.
func scanned(t *testing.T, ctx context.Context, a *app.App, o app.ScanOptions) (map[string]muster.Host, *app.Scan, []string) {
	t.Helper()
	var notes []string
	o.NoPing, o.Note = true, func(text string) { notes = append(notes, text) }
	s, err := a.Scan(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]muster.Host{}
	for h, err := range s.Hosts(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		hosts[h.Addr.String()] = h
	}
	return hosts, s, notes
}

// closedPort is a port of loopback that nobody listens on: who is asked for it refuses.
const closedPort = 1

func TestADataDirectoryThatCannotBeUsedStopsNoScan(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a file where the directory is": func(t *testing.T, dir string) { write(t, dir, "") },
		"no database in its place": func(t *testing.T, dir string) {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "muster.db"), "something else that is far longer than a page's header would be, and no SQLite")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			dir := filepath.Join(home, "data")
			spoil(t, dir)
			a := openIn(t, home, app.Options{DataDir: dir})
			hosts, s, notes := scanned(t, t.Context(), a, app.ScanOptions{Targets: []string{"127.0.0.1"}, Ports: []int{closedPort}})
			if len(hosts) != 1 || s.Summary.Up != 1 {
				t.Errorf("found %v", hosts)
			}
			if len(notes) != 2 || !strings.HasPrefix(notes[0], "nothing is known of the last scan: ") || !strings.HasPrefix(notes[1], "the scan is not kept: ") {
				t.Errorf("noted %q, want a sentence about the last scan and one about the next", notes)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAScanIsComparedWithTheLastOneOfTheSameTargets(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	a := openIn(t, home, app.Options{})
	o := app.ScanOptions{Targets: []string{"127.0.0.1"}, Ports: []int{closedPort}}
	forget := o
	forget.Forget = true
	scanned(t, t.Context(), a, forget)
	if _, err := os.Stat(filepath.Join(home, ".local")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a scan that is to be forgotten left a data directory: %v", err)
	}
	for i, compared := range []bool{false, true} {
		_, s, notes := scanned(t, t.Context(), a, o)
		if (s.Summary.Compared != nil) != compared || len(notes) != 0 || s.Summary.New+s.Summary.Gone+s.Summary.Changed != 0 {
			t.Errorf("scan %d: %+v, notes %q", i+1, s.Summary, notes)
		}
	}
}

func TestAScanIsKeptBesideABackup(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := store.LockDir(t.Context(), dir, "backup")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	a := openIn(t, t.TempDir(), app.Options{DataDir: dir})
	o := app.ScanOptions{Targets: []string{"127.0.0.1"}, Ports: []int{closedPort}}
	for i, compared := range []bool{false, true} {
		if _, s, notes := scanned(t, t.Context(), a, o); (s.Summary.Compared != nil) != compared || len(notes) != 0 {
			t.Errorf("scan %d: compared with %v, notes %q", i+1, s.Summary.Compared, notes)
		}
	}
}

func TestAnInterruptedScanIsNotKept(t *testing.T) {
	t.Parallel()
	a := openIn(t, t.TempDir(), app.Options{})
	o := app.ScanOptions{Targets: []string{"127.0.0.1-127.0.0.9"}, Ports: []int{closedPort}, NoPing: true, Rate: 100}
	s, err := a.Scan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var end error
	for _, err := range s.Hosts(ctx) {
		cancel()
		end = err
	}
	if !errors.Is(end, context.Canceled) {
		t.Errorf("it ended with %v", end)
	}
	if _, s, _ := scanned(t, t.Context(), a, o); s.Summary.Compared != nil {
		t.Error("the next scan was compared with the interrupted one")
	}
}

// speaks is a host that speaks SSH.
func speaks(addr string) muster.Host {
	return muster.Host{
		Addr: netip.MustParseAddr(addr), State: muster.HostUp,
		Ports: []muster.Port{{Number: 22, State: muster.PortOpen, Banner: "SSH-2.0-x"}},
	}
}

func TestADeviceIsAddedUnderTheFirstOfItsNamesThatCanBeOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host func(h *muster.Host)
		want string
	}{
		"its own name":               {func(h *muster.Host) { h.Hostname, h.Name = "r1", "r1.example.net" }, "r1"},
		"its name by reverse DNS":    {func(h *muster.Host) { h.Name = "r1.example.net" }, "r1.example.net"},
		"its address":                {func(*muster.Host) {}, "198.18.0.1"},
		"a path is no name":          {func(h *muster.Host) { h.Hostname, h.Name = "../../etc/cron.d/x", "a/b" }, "198.18.0.1"},
		"an escape is no name":       {func(h *muster.Host) { h.Hostname = "r1\x1b[2J" }, "198.18.0.1"},
		"YAML is no name":            {func(h *muster.Host) { h.Hostname, h.Name = "r1\n- name: evil", "{a: b}" }, "198.18.0.1"},
		"a selector is no name":      {func(h *muster.Host) { h.Hostname, h.Name = "@all", "core-*" }, "198.18.0.1"},
		"an option is no name":       {func(h *muster.Host) { h.Hostname = "--config=x" }, "198.18.0.1"},
		"the address of another one": {func(h *muster.Host) { h.Hostname = "198.18.0.2" }, "198.18.0.1"},
		"a name that is taken":       {func(h *muster.Host) { h.Hostname = "CORE" }, "198.18.0.1"},
		"its address is taken":       {func(h *muster.Host) { h.Addr = netip.MustParseAddr("198.18.0.9") }, "host-198.18.0.9"},
		"IPv6":                       {func(h *muster.Host) { h.Addr = netip.MustParseAddr("2001:db8::1") }, "2001:db8::1"},
		"IPv6 with a zone":           {func(h *muster.Host) { h.Addr = netip.MustParseAddr("fe80::1%eth0") }, "fe80--1-eth0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			list := filepath.Join(home, "list.csv")
			write(t, list, "name,address\ncore,198.18.0.200\n198.18.0.9,198.18.0.201\n")
			settings := filepath.Join(home, "muster.yaml")
			write(t, settings, "inventory: [file: list.csv]\n")
			o := app.Options{Settings: settings}
			h := speaks("198.18.0.1")
			c.host(&h)
			devices, file, err := openIn(t, home, o).AddHosts(t.Context(), []muster.Host{h}, false)
			if err != nil || len(devices) != 1 || devices[0].Name != c.want {
				t.Fatalf("added %v, %v; want %q", devices, err, c.want)
			}
			sel, err := openIn(t, home, o).Select(t.Context(), nil)
			if err != nil || len(sel.Devices) != 3 || !slices.ContainsFunc(sel.Devices, func(d muster.Device) bool {
				return d.Name == c.want && d.Address == h.Addr.String()
			}) {
				t.Errorf("%s is read as %v, %v", file, sel.Devices, err)
			}
			again, _, err := openIn(t, home, o).AddHosts(t.Context(), []muster.Host{h}, false)
			if err != nil || len(again) != 0 {
				t.Errorf("the second time %v was added, %v", again, err)
			}
		})
	}
}

func TestAddingBesideAListAddsOnceToo(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	list := filepath.Join(home, "list.csv")
	write(t, list, "name,address\ncore,198.18.0.200\n")
	hosts := []muster.Host{speaks("198.18.0.1"), speaks("198.18.0.200")}
	for i, want := range []int{1, 1, 0} {
		dryRun := i == 0
		a := openIn(t, home, app.Options{Inventory: []string{list}})
		devices, file, err := a.AddHosts(t.Context(), hosts, dryRun)
		if err != nil || len(devices) != want {
			t.Fatalf("%d: added %v, %v; want %d", i, devices, err, want)
		}
		if _, err := os.Stat(file); dryRun != errors.Is(err, os.ErrNotExist) {
			t.Errorf("%d: %s: %v", i, file, err)
		}
	}
}

func TestOfDevicesAtOneAddressTheOneWhosePortIsOpenIsKnown(t *testing.T) {
	t.Parallel()
	withFleet(t, sim.Config{Devices: 3, Seed: 1}, func(ctx context.Context, fleet *sim.Fleet, a *app.App) {
		sel, err := a.Select(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range sel.Devices {
			hosts, _, _ := scanned(t, ctx, a, app.ScanOptions{Targets: []string{"127.0.0.1"}, Ports: []int{d.Port}, Forget: true})
			if h := hosts["127.0.0.1"]; h.Device != d.Name || h.Platform != d.Platform {
				t.Errorf("port %d is known as %q (%s), want %q (%s)", d.Port, h.Device, h.Platform, d.Name, d.Platform)
			}
		}
	})
}

func TestADeviceWhoseAddressIsANameIsKnownByIt(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	list := filepath.Join(home, "list.csv")
	write(t, list, "name,address,port,platform\nhere,localhost,1,cisco_ios\nnowhere,nosuch.onion,1,cisco_ios\n")
	a := openIn(t, home, app.Options{Inventory: []string{list}})
	hosts, _, notes := scanned(t, t.Context(), a, app.ScanOptions{Targets: []string{"127.0.0.1"}, Ports: []int{closedPort}, Identify: true, Forget: true})
	if got := hosts["127.0.0.1"].Device; got != "here" {
		t.Errorf("127.0.0.1 is known as %q, want here", got)
	}
	if len(notes) != 1 || !strings.HasSuffix(notes[0], ": nowhere") {
		t.Errorf("noted %q, want that nowhere has no address", notes)
	}
}

func TestAWrongPasswordIsTriedOnFewDevices(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("loopback has one address")
	}
	const devices = 30
	withFleet(t, sim.Config{Devices: devices, Seed: 1, Listen: "127.20.3.0/26"}, func(ctx context.Context, fleet *sim.Fleet, _ *app.App) {
		a := openIn(t, t.TempDir(), app.Options{}, "MUSTER_USERNAME=admin", "MUSTER_PASSWORD=wrong")
		hosts, _, _ := scanned(t, ctx, a, app.ScanOptions{
			Targets: []string{"127.20.3.0/26"}, Ports: []int{2222}, Identify: true, Login: true, Forget: true,
		})
		codes := map[string]int{}
		for _, h := range hosts {
			if h.Failure != nil {
				codes[h.Failure.Code]++
			}
			if h.LoggedIn || strings.Contains(fmt.Sprint(h.Failure), "wrong") {
				t.Errorf("%s: %+v", h.Addr, h)
			}
		}
		if codes["auth-rejected"] > secret.GuardLimit || codes["auth-rejected"]+codes["locked-out"] != devices {
			t.Errorf("failures %v, want %d devices, of which at most %d were asked", codes, devices, secret.GuardLimit)
		}
	})
}

func TestAPasswordThatIsKeptIsReadByItsOwnerAlone(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	if err := os.Mkdir("net", 0o700); err != nil {
		t.Fatal(err)
	}
	o := app.Options{Settings: "net/muster.yaml", DataDir: "data", Getenv: getenv([]string{"HOME=" + home})}
	const user, pass = `dom\jörg "x" #1: {}`, "  geheim # \"\\ "
	made, err := app.Init(t.Context(), o, app.InitOptions{Username: user, Keep: secret.New(pass)})
	if err != nil || len(made) != 3 {
		t.Fatalf("made %v, %v", made, err)
	}
	info, err := os.Stat("net/scan.password")
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the password's file has mode %o, want 600", mode)
	}
	text, err := os.ReadFile("net/muster.yaml")
	if err != nil || strings.Contains(string(text), "geheim") {
		t.Errorf("%v: the settings hold the password:\n%s", err, text)
	}
	o.DataDir = ""
	t.Chdir("net")
	o.Settings = "muster.yaml"
	if _, err := app.Open(t.Context(), o); err != nil {
		t.Errorf("the settings cannot be read: %v", err)
	}
}

func TestAnInitThatFailsLeavesNoPassword(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]string{"a line feed": "admin\nroot", "an escape": "\x1b[2J", "no UTF-8": "a\xff"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			o := app.Options{Settings: filepath.Join(home, "muster.yaml"), Getenv: getenv([]string{"HOME=" + home})}
			_, err := app.Init(t.Context(), o, app.InitOptions{Username: user, Keep: secret.New("geheim")})
			if !errors.Is(err, app.ErrUsage) {
				t.Errorf("the user %q gave %v, want a usage error", user, err)
			}
			if left, err := os.ReadDir(home); err != nil || len(left) != 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}
