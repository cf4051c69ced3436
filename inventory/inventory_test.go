package inventory_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func TestDeviceBeforeGroupBeforeDefaults(t *testing.T) {
	t.Parallel()
	yes, no, three := true, false, 3
	e := env(t)
	for _, name := range []string{"all", "core"} {
		e.Keyring.Add(secret.Credential{Name: name, Username: "of-" + name, Password: secret.Literal(secret.New("pw-" + name))})
	}
	e.Keyring.Add(secret.Credential{Name: "own"})
	e.Defaults = inventory.Group{
		Settings: inventory.Settings{Platform: "junos", Port: 2022, Username: "netops", Credentials: []string{"all"}, Tags: map[string]string{"a": "default", "b": "default", "c": "default"}, LegacyCrypto: &yes, Secrets: muster.SecretsHash},
		Retries:  &three,
	}
	e.Groups = map[string]inventory.Group{"core": {
		Settings: inventory.Settings{Platform: "ios", Port: 2222, Credentials: []string{"core", "all"}, Jump: []string{"bastion,hop"}, Tags: map[string]string{"b": "group", "c": "group"}, LegacyCrypto: &no},
		Limit:    7,
	}}
	inv, err := load(t, e, "yaml", `
- {name: lone}
- {name: in-group, group: core}
- {name: own, group: core, platform: iosxr, port: 22, username: me, credentials: [own], jump: [], tags: {c: own}, legacy_crypto: true, secrets: keep, transport: telnet}
- {name: own-password, group: core, password: x}
- {name: both, group: core, password: x, credentials: own}
- {name: nobody, credentials: [owm]}
- {name: own-enable, group: core, enable: own-en}
- {name: all-own, group: core, password: x, enable: own-en}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []muster.Device{
		{Name: "lone", Address: "lone", Port: 2022, Platform: "juniper_junos", Username: "netops", Credentials: []string{"all"}, Tags: map[string]string{"a": "default", "b": "default", "c": "default"}, LegacyCrypto: true, Secrets: "hash", Origin: "stdin:2"},
		{Name: "in-group", Address: "in-group", Group: "core", Port: 2222, Platform: "cisco_ios", Username: "netops", Credentials: []string{"core", "all"}, Jump: []string{"bastion", "hop"}, Tags: map[string]string{"a": "default", "b": "group", "c": "group"}, Secrets: "hash", Origin: "stdin:3"},
		{Name: "own", Address: "own", Group: "core", Port: 22, Transport: "telnet", Platform: "cisco_iosxr", Username: "me", Credentials: []string{"own"}, Tags: map[string]string{"a": "default", "b": "group", "c": "own"}, LegacyCrypto: true, Secrets: "keep", Origin: "stdin:4"},
	}
	if diff := cmp.Diff(want, inv.Devices[:3]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"device/own-password"}, inv.Devices[3].Credentials); diff != "" {
		t.Errorf("a device with a password of its own: %s", diff)
	}
	if diff := cmp.Diff([]string{"device/both", "own"}, inv.Devices[4].Credentials); diff != "" {
		t.Errorf("a device with a password and a credential of its own: %s", diff)
	}
	if diff := cmp.Diff([]string{"device/own-enable", "device/own-enable/all"}, inv.Devices[5].Credentials); diff != "" {
		t.Errorf("a device with an enable secret of its own: %s", diff)
	}
	for of, name := range map[string]string{"core": "device/own-enable", "all": "device/own-enable/all"} {
		c, _ := e.Keyring.Get(name)
		if got := describe(t, e.Keyring, muster.Device{Credentials: []string{name}}); c.Username != "of-"+of || !strings.Contains(got, "pw=pw-"+of+" en=own-en") {
			t.Errorf("%s logs in as %q, %s", name, c.Username, got)
		}
		if c, _ := e.Keyring.Get(of); c.Enable != nil {
			t.Errorf("%s itself got the enable secret of a device", of)
		}
	}
	if diff := cmp.Diff([]string{"device/all-own"}, inv.Devices[6].Credentials); diff != "" {
		t.Errorf("a device with both: %s", diff)
	}
	if len(inv.Bad) != 1 || inv.Bad[0].Error() != `stdin:7:31: no credential is named "owm": did you mean "own"?` {
		t.Errorf("got %v", inv.Bad)
	}
	if g := inv.Group("core"); g.Limit != 7 || *g.Retries != 3 || g.Platform != "ios" {
		t.Errorf("got the group %+v, want its own limit and the defaults' retries", g)
	}
	if g := inv.Group("unheard-of"); g.Limit != 0 || *g.Retries != 3 {
		t.Errorf("got %+v, want the defaults", g)
	}
	if dev, ok := inv.Lookup("own"); !ok || dev.Port != 22 {
		t.Errorf("got %v, %v", dev, ok)
	}
	if inv.Keyring() != e.Keyring {
		t.Error("the keyring is another than the one that was given")
	}
}

// The variables fill what a device does not have, field by field.
func TestTheEnvironmentIsTheLastCredential(t *testing.T) {
	t.Parallel()
	const rows = "name,username,password,enable\nbare,,,\nuser,own,,\npassword,,own-pw,\nenable,,,own-en\nall,own,own-pw,own-en\n"
	all := map[string]string{"MUSTER_USERNAME": "env-user", "MUSTER_PASSWORD": "env-pw", "MUSTER_ENABLE": "env-en"}
	for _, c := range []struct {
		what string
		vars map[string]string
		want string
	}{
		{"all", all, `
bare     env-user env             pw=env-pw en=env-en keys=0 agent=false
user     own      env             pw=env-pw en=env-en keys=0 agent=false
password env-user device/password pw=own-pw en=env-en keys=0 agent=false
enable   env-user device/enable   pw=env-pw en=own-en keys=0 agent=false
all      own      device/all      pw=own-pw en=own-en keys=0 agent=false`},
		{"nothing", nil, `
bare     -        -               -
user     own      -               -
password -        device/password pw=own-pw en=- keys=0 agent=false
enable   -        device/enable   pw=- en=own-en keys=0 agent=false
all      own      device/all      pw=own-pw en=own-en keys=0 agent=false`},
		{"enable alone", map[string]string{"MUSTER_ENABLE": "env-en"}, `
bare     -        env             pw=- en=env-en keys=0 agent=false
user     own      env             pw=- en=env-en keys=0 agent=false
password -        device/password pw=own-pw en=env-en keys=0 agent=false
enable   -        device/enable   pw=- en=own-en keys=0 agent=false
all      own      device/all      pw=own-pw en=own-en keys=0 agent=false`},
	} {
		e := env(t)
		e.Getenv = func(name string) string { return c.vars[name] }
		inv, err := load(t, e, "csv", rows)
		if err != nil || len(inv.Bad) > 0 {
			t.Fatalf("%v %v", err, inv.Bad)
		}
		var got strings.Builder
		for _, d := range inv.Devices {
			got.WriteString("\n" + describe(t, e.Keyring, d))
		}
		if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(got.String(), "\n")); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
		js, _ := json.Marshal(inv.Devices)
		for _, s := range []string{"own-pw", "own-en", "env-pw", "env-en"} {
			if strings.Contains(string(js), s) {
				t.Errorf("%s: a device holds the secret %s", c.what, s)
			}
		}
	}
}

// describe writes down how a device is logged in to.
func describe(t *testing.T, ring *secret.Keyring, d muster.Device) string {
	t.Helper()
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	text := func(src secret.Source) string {
		if src == nil {
			return "-"
		}
		s, err := src.Secret(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.Reveal()
	}
	pad := func(s string, n int) string { return s + strings.Repeat(" ", max(n-len(s), 0)) }
	line := pad(d.Name, 9) + pad(dash(d.Username), 9) + pad(dash(strings.Join(d.Credentials, ",")), 16)
	if len(d.Credentials) == 0 {
		return line + "-"
	}
	c, _ := ring.Get(d.Credentials[0])
	js, _ := json.Marshal(c.Agent)
	return line + "pw=" + text(c.Password) + " en=" + text(c.Enable) + " keys=" + string('0'+rune(len(c.Keys))) + " agent=" + string(js)
}

func TestSourcesTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) inventory.Spec {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return inventory.Spec{File: path}
	}
	a, b := write("a.csv", "name,group\nr1,core\nr2,\n"), write("b.txt", "r3\nr1\nR2\n")
	c := write("c.yaml", "groups: {edge: {limit: 3}}\ndevices: [{name: r4, group: Core}, {name: r5, group: edge}]\n")
	gone := inventory.Spec{File: filepath.Join(dir, "gone.csv")}
	inv, err := inventory.Load(t.Context(), env(t), a, gone, b, c)
	if err == nil || !strings.Contains(err.Error(), "gone.csv") {
		t.Errorf("got %v, want an error that names the file that is not there", err)
	}
	if diff := cmp.Diff([]string{"r1", "r2", "r3", "r4", "r5"}, names(inv.Devices)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]inventory.Count{{Source: a.File, Devices: 2}, {Source: b.File, Devices: 3}, {Source: c.File, Devices: 2}}, inv.Counts); diff != "" {
		t.Error(diff)
	}
	wantBad := []string{b.File + ":2: r1 is already in " + a.File + ":2", b.File + ":3: R2 differs only in case from r2 in " + a.File + ":3; their files would be one"}
	if diff := cmp.Diff(wantBad, errorTexts(inv.Bad)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{c.File + ":2: the group Core differs only in case from the group core"}, errorTexts(inv.Notes)); diff != "" {
		t.Error(diff)
	}
	if inv.Group("edge").Limit != 3 {
		t.Error("the group of the YAML file is not known")
	}
}

func errorTexts(errs []*inventory.RowError) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Error())
	}
	return out
}

func TestASourceThatShrinksByMoreThanHalfIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		last, now int
		refused   bool
	}{{0, 0, false}, {0, 5, false}, {10, 10, false}, {10, 5, false}, {10, 4, true}, {1, 0, true}, {11, 5, true}, {10, 100, false}} {
		err := inventory.Shrunk("netbox.csv", c.last, c.now)
		if (err != nil) != c.refused {
			t.Errorf("%d to %d: got %v, want refused: %v", c.last, c.now, err, c.refused)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "netbox.csv gives ") {
			t.Errorf("%v does not name the source", err)
		}
	}
}

func TestCheckRefusesWhatASourceCouldNotList(t *testing.T) {
	t.Parallel()
	inv, err := load(t, env(t), "yaml", "- {name: r1}\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dev  muster.Device
		want string
	}{
		"a device that is well":   {muster.Device{Name: "r2", Platform: "ios", Port: 2222, Jump: []string{"r1"}}, ""},
		"a name that is a path":   {muster.Device{Name: "a/../b"}, "name"},
		"an unknown platform":     {muster.Device{Name: "r2", Platform: "nonsuch"}, `unknown platform "nonsuch"`},
		"an unknown transport":    {muster.Device{Name: "r2", Transport: "ftp"}, `unknown transport "ftp"`},
		"a credential of nobody":  {muster.Device{Name: "r2", Credentials: []string{"nope"}}, `no credential is named "nope"`},
		"an address that is none": {muster.Device{Name: "r2", Address: "not an address"}, "address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := inv.Check(c.dev)
			if c.want == "" && err != nil {
				t.Fatal(err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
