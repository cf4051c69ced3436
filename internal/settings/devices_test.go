package settings_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings"
)

func TestDevicesAreAddedAndRemovedInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	main := put(t, dir, "muster.yaml", "# mine\n")
	file := filepath.Join(dir, "devices.yaml")
	yes := muster.Device{Name: "r2", Address: "192.0.2.2", Port: 2222, Platform: "frr", Group: "core", Username: "me", Credentials: []string{"device/r2", "backup", "env"}, Jump: []string{"a", "b@c"}, Parents: []string{"r1"}, Tags: map[string]string{"site": "a: b # c"}, LegacyCrypto: true, Origin: "argument"}
	for _, d := range []muster.Device{{Name: "r1", Address: "r1"}, yes, {Name: "2001:db8::1", Address: "2001:db8::1"}} {
		if err := settings.AddDevices(file, d); err != nil {
			t.Fatal(err)
		}
	}
	want := `# Devices that "muster device add" has added. Comments stay when muster edits this file.

- name: r1
- name: r2
  address: 192.0.2.2
  port: 2222
  platform: frr
  group: core
  username: me
  credentials:
  - backup
  jump:
  - a
  - b@c
  parents:
  - r1
  tags:
    site: "a: b # c"
  legacy_crypto: true
- name: 2001:db8::1
`
	equal(t, file, want)
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got the mode %v, want 0600", info.Mode())
	}
	put(t, dir, "muster.yaml", "credentials: {backup: {}}\n")
	o := options(dir)
	o.File = main
	s, err := settings.Load(o)
	if err != nil || len(s.Specs()) != 1 || s.DevicesFile != file {
		t.Fatalf("got %v, %v", s, err)
	}
	if err := settings.AddDevices(file, muster.Device{Name: "R1"}); err == nil || !strings.Contains(err.Error(), "devices.yaml:3:3: R1 is there already") {
		t.Errorf("a device that is there: got %v", err)
	}
	if err := settings.RemoveDevice(file, "r9"); !errors.Is(err, settings.ErrNoDevice) {
		t.Errorf("a device that is not there: got %v", err)
	}
	for _, name := range []string{"r2", "r1", "2001:db8::1"} {
		if err := settings.RemoveDevice(file, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := settings.AddDevices(file, muster.Device{Name: "again"}); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("files are left over: %v", left)
	}
}

func equal(t *testing.T, file, want string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(data), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestAnEditKeepsWhatAPersonWrote(t *testing.T) {
	t.Parallel()
	file := put(t, t.TempDir(), "devices.yaml", `# the core
  - name: r1   # Amsterdam
    # replaced in May
    address: 192.0.2.1
  # the edge
  -   r2

  -
    name: r3
    tags: {a: b}
  # the end
`)
	if err := settings.RemoveDevice(file, "r1"); err != nil {
		t.Fatal(err)
	}
	if err := settings.AddDevices(file, muster.Device{Name: "r4", Port: 22}); err != nil {
		t.Fatal(err)
	}
	equal(t, file, `# the core
  # the edge
  -   r2

  -
    name: r3
    tags: {a: b}
  # the end
  - name: r4
    port: 22
`)
	if err := settings.RemoveDevice(file, "r3"); err != nil {
		t.Fatal(err)
	}
	equal(t, file, "# the core\n  # the edge\n  -   r2\n\n  # the end\n  - name: r4\n    port: 22\n")
}

func TestFilesThatAreNotEdited(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[r1, r2]\n", "devices:\n- r1\n", "- r1\n- \"" + hidden, "{}\n"} {
		file := put(t, t.TempDir(), "devices.yaml", text)
		for _, err := range []error{settings.AddDevices(file, muster.Device{Name: "new"}), settings.RemoveDevice(file, "r1")} {
			if err == nil || strings.Contains(err.Error(), hidden) {
				t.Errorf("%q: got %v, want a refusal", text, err)
			}
		}
		equal(t, file, text)
	}
}

func TestEditsAtTheSameTimeAllCount(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no lock on a directory here")
	}
	file := filepath.Join(t.TempDir(), "new", "devices.yaml")
	all := strings.Fields("d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11 d12 d13")
	var wg sync.WaitGroup
	for _, name := range all {
		wg.Go(func() {
			if err := settings.AddDevices(file, muster.Device{Name: name}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	data, _ := os.ReadFile(file)
	for _, name := range all {
		if !strings.Contains(string(data), "- name: "+name+"\n") {
			t.Errorf("%s got lost:\n%s", name, data)
		}
	}
}
