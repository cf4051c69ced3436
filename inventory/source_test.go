package inventory_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixture returns the file that testdata has for a kind of source.
func fixture(t *testing.T, kind string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, ".golden") {
			return f
		}
	}
	t.Fatalf("testdata/%s has no fixture: each source needs one", kind)
	return ""
}

// Each source gives the devices of its fixture in their order, each time; reports bad rows with their place and goes on;
// stops when its context ends; and lets no secret out.
func TestSources(t *testing.T) {
	t.Parallel()
	for _, kind := range inventory.Sources() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			spec, gone := subject(t, kind)
			got := readAll(t, spec)
			if again := readAll(t, spec); again != got {
				t.Errorf("a second reading gave something else:\n%s", cmp.Diff(got, again))
			}
			if strings.Contains(got, hidden) {
				t.Errorf("a secret came out:\n%s", got)
			}
			if !strings.Contains(got, "bad  ") {
				t.Error("no bad row was reported")
			}
			golden(t, filepath.Join("testdata", kind, "want.golden"), got)
			cancelled(t, spec)
			missing(t, gone)
			if spec.URL != "" {
				return
			}
			if !strings.Contains(got, "bad  "+filepath.ToSlash(spec.File)+":") {
				t.Error("no bad row was reported with its place")
			}
			spec.Type = ""
			if detected := readAll(t, spec); detected != got {
				t.Errorf("without a type it is read differently:\n%s", cmp.Diff(got, detected))
			}
		})
	}
}

// subjects are the kinds whose fixture is not the one file in testdata.
var subjects = map[string]func(t *testing.T) (spec, gone inventory.Spec){
	"ansible":  ansibleSubject,
	"cloginrc": cloginrcSubject,
	"ise":      iseSubject,
	"netbox":   netboxSubject,
	"nornir":   nornirSubject,
}

// subject returns what the suite reads for a kind, and one that is not there.
func subject(t *testing.T, kind string) (spec, gone inventory.Spec) {
	t.Helper()
	if make := subjects[kind]; make != nil {
		return make(t)
	}
	return inventory.Spec{Type: kind, File: fixture(t, kind)}, inventory.Spec{Type: kind, File: filepath.Join("testdata", kind, "no-such-file")}
}

// readAll loads a source and writes down everything that comes out of it.
func readAll(t *testing.T, spec inventory.Spec) string {
	t.Helper()
	e := env(t)
	e.Vault = unvault
	inv, err := inventory.Load(t.Context(), e, spec)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, dev := range inv.Devices {
		js, err := json.Marshal(dev)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", js)
		for _, name := range dev.Credentials {
			c, ok := e.Keyring.Get(name)
			if !ok {
				t.Errorf("%s: the keyring has no %s", dev.Name, name)
			}
			fmt.Fprintf(&b, "     %s password=%t enable=%t keys=%q agent=%t\n", name, c.Password != nil, c.Enable != nil, c.Keys, c.Agent)
		}
	}
	for _, bad := range inv.Bad {
		fmt.Fprintf(&b, "bad  %v\n", bad)
	}
	for _, note := range inv.Notes {
		if !strings.Contains(note.Error(), "chmod 600") { // depends on how the fixture was checked out
			fmt.Fprintf(&b, "note %v\n", note)
		}
	}
	text := strings.ReplaceAll(b.String(), `\\`, "/")
	if u, err := url.Parse(spec.URL); err == nil && u.Host != "" { // another one each time
		text = strings.ReplaceAll(text, u.Scheme+"://"+u.Host, "https://inventory.example.net")
	}
	return text
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// cancelled ends the context before the reading and after the first row.
func cancelled(t *testing.T, spec inventory.Spec) {
	t.Helper()
	for _, after := range []int{0, 1} {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		e := env(t)
		src, err := inventory.Open(spec, &e)
		if err != nil {
			t.Fatal(err)
		}
		if after == 0 {
			cancel(why)
		}
		n, last := 0, error(nil)
		for _, last = range src.Devices(ctx) {
			if n++; n == after {
				cancel(why)
			}
		}
		if !errors.Is(last, why) || n != after+1 {
			t.Errorf("cancelled after %d rows: %d more things came, the last %v, want the cause of the context at once", after, n-after, last)
		}
		cancel(nil)
	}
	e := env(t)
	src, _ := inventory.Open(spec, &e)
	n := 0
	for range src.Devices(t.Context()) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("who left after two rows got %d", n)
	}
}

func missing(t *testing.T, spec inventory.Spec) {
	t.Helper()
	_, err := inventory.Load(t.Context(), env(t), spec)
	if err == nil || !strings.Contains(err.Error(), spec.File+spec.URL) || spec.URL == "" && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a source that is not there: got %v, want an error that names it", err)
	}
}

// load reads a text as a kind of source.
func load(t *testing.T, e inventory.Env, kind, text string) (*inventory.Inventory, error) {
	t.Helper()
	e.Stdin = strings.NewReader(text)
	return inventory.Load(t.Context(), e, inventory.Spec{Type: kind, File: "-"})
}

// names returns the names of devices.
func names(devs []muster.Device) []string {
	var out []string
	for _, d := range devs {
		out = append(out, d.Name)
	}
	return out
}

func TestDetection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a CSV with commas":           {"name,address\nr1,192.0.2.1\n", []string{"r1"}},
		"a CSV from Excel":            {"\ufeffsep=;\r\nName;Address\r\nr1;192.0.2.1\r\n", []string{"r1"}},
		"a CSV with tabs":             {"address\tplatform\n192.0.2.1\tios\n", []string{"192.0.2.1"}},
		"a CSV with one column":       {"name\nr1\nr2\n", []string{"r1", "r2"}},
		"a YAML list":                 {"# mine\n- r1\n- {name: r2}\n", []string{"r1", "r2"}},
		"a YAML mapping":              {"---\ndevices: [r1, r2]\n", []string{"r1", "r2"}},
		"a YAML mapping, groups only": {"groups:\n  core: {port: 22}\ndevices:\n- r1\n", []string{"r1"}},
		"Oxidized":                    {"r1:ios\nr2:junos:admin:pw\n", []string{"r1", "r2"}},
		"RANCID":                      {"r1;cisco;up\nr2;juniper;down\n", []string{"r1"}},
		"RANCID, all of it down":      {"r1;cisco;down\n", nil},
		"ssh_config":                  {"Host r1\n  User admin\n", []string{"r1"}},
		"ssh_config after a default":  {"User admin\n\nHost r1\n", []string{"r1"}},
		"a plain list":                {"r1\nr2.example.net\n", []string{"r1", "r2.example.net"}},
		"a list with ports":           {"127.0.0.1:2201\n127.0.0.1:2202\n", []string{"127.0.0.1:2201", "127.0.0.1:2202"}},
		"a list of IPv6 addresses":    {"2001:db8::1\n2001:db8::2\n", []string{"2001:db8::1", "2001:db8::2"}},
		"a prefix":                    {"192.0.2.0/30\n", []string{"192.0.2.1", "192.0.2.2"}},
		"nothing":                     {"\n", nil},
		"Ansible INI":                 {"; old\n[core]\nr1\n[core:vars]\nx=y\n", []string{"r1"}},
		"Ansible INI without groups":  {"r1 ansible_host=192.0.2.1\n", []string{"r1"}},
		"Ansible YAML":                {"---\nall:\n  hosts:\n    r1:\n", []string{"r1"}},
		"Ansible YAML, a group":       {"core:\n  children:\n    edge: {hosts: {r1: }}\n", []string{"r1"}},
		"Ansible JSON":                {`{"core": {"hosts": {"r1": null}}}`, []string{"r1"}},
		"Nornir":                      {"---\nr1:\n  hostname: 192.0.2.1\n", []string{"r1"}},
		"JSON":                        {"\n[\n {\"hostname\": \"r1\"}]", []string{"r1"}},
		"a list with a bracket":       {"[2001:db8::2]:830\n[2001:db8::3]\n", []string{"2001:db8::2_830", "2001:db8::3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inv, err := load(t, env(t), "", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, names(inv.Devices)); diff != "" || len(inv.Bad) > 0 {
				t.Errorf("%s, bad %v", diff, inv.Bad)
			}
		})
	}
}

func TestSpecs(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]inventory.Spec{
		"list.csv":                 {File: "list.csv"},
		"csv:list.txt":             {Type: "csv", File: "list.txt"},
		"-":                        {File: "-"},
		"rancid:-":                 {Type: "rancid", File: "-"},
		`C:\net\list.csv`:          {File: `C:\net\list.csv`},
		"ssh_config:x:y":           {Type: "ssh_config", File: "x:y"},
		"https://nb/api":           {URL: "https://nb/api"},
		"json:http://[::1]:8080/x": {Type: "json", URL: "http://[::1]:8080/x"},
		"httpd.txt":                {File: "httpd.txt"},
	} {
		got, err := inventory.ParseSpec(arg)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", arg, got, err, want)
		} else if got.String() != arg {
			t.Errorf("%s: its String is %s", arg, got)
		}
	}
	for _, arg := range []string{"", "csv:"} {
		if _, err := inventory.ParseSpec(arg); err == nil {
			t.Errorf("%q: got no error", arg)
		}
	}
	if _, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "cvs", File: "x"}); err == nil || !strings.Contains(err.Error(), `did you mean "csv"?`) {
		t.Errorf("a type nobody knows: got %v", err)
	}
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string { return put(t, dir, name, text) }
	put(t, dir, "ansible/group_vars/all.yml", "x: y\n")
	put(t, dir, "inv/hosts", "[core]\nr1\n")
	put(t, dir, "rancid/.cloginrc", "")
	put(t, dir, "rancid/core/router.db", "")
	put(t, dir, "other/notes.txt", "hello there\n")
	put(t, dir, "plain/host_vars/r1", "x: y\n")
	put(t, dir, "ox/router.db", "r1:ios\n")
	for i := range 64 {
		put(t, dir, fmt.Sprintf("configs/r%02d", i), "hostname x\n!\n")
		put(t, dir, fmt.Sprintf("one/%02d", i%3), "hostname x\n!\n")
	}
	put(t, dir, "configs/x", "[core]\nr1\n")
	put(t, dir, "one/x", "[core]\nr1\n")
	put(t, dir, "most/x", "[core]\nr1\n")
	put(t, dir, "most/y", "[edge]\nr2\n")
	put(t, dir, "most/README", "These are no devices.\n")
	put(t, dir, "group/router.db", "r1;cisco;up\n")
	for path, want := range map[string]string{
		file("a.csv", "name\n"):                                     "csv",
		file("devices.yaml", "- r1\n"):                              "yaml",
		file("devices.txt", "r1\n192.0.2.0/24 # x\n::1\n"):          "list",
		file("notes.txt", "these are no devices\n"):                 "",
		file("prose.txt", "these, too, are no devices\n"):           "",
		file("table.txt", "hostname, address\nr1, 192.0.2.1\n"):     "csv",
		file("plain/hosts", "r1\nr2\n"):                             "ansible",
		file("empty.txt", "\n"):                                     "",
		file("blob.txt", "r1\x00\n"):                                "",
		file("big.txt", strings.Repeat("r1.example.net\n", 30_000)): "list",
		file("router.db", "r1:ios\n"):                               "oxidized",
		filepath.Join(dir, "no-such-file"):                          "",
		filepath.Join(dir, "ansible"):                               "ansible",
		filepath.Join(dir, "inv"):                                   "ansible",
		filepath.Join(dir, "rancid"):                                "cloginrc",
		filepath.Join(dir, "other"):                                 "",
		filepath.Join(dir, "ox"):                                    "oxidized",
		filepath.Join(dir, "configs"):                               "",
		filepath.Join(dir, "one"):                                   "", // among others it may only look like one
		filepath.Join(dir, "most"):                                  "ansible",
		file("mke2fs.conf", "[defaults]\n\tbase_features = sparse_super,large_file\n\tblocksize = 4096\n"): "",
		file("system.conf", "[Manager]\n#LogLevel=info\n"):                                                 "",
		file("unit.conf", "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n"):                                   "",
		file("inventory.ini", "[core]\n"):                                                                  "ansible",
		file("broken.ini", "[core]\nr1\nr2 speed=fast\nr3 no good\n"):                                      "ansible",
		filepath.Join(dir, "group"):                                                                        "rancid",
		"testdata/nornir":                                                                                  "nornir",
		"testdata/netbox/devices.json":                                                                     "json",
		"https://netbox.example.net":                                                                       "netbox",
		"https://nb.example.net/api/dcim/devices/?site=a":                                                  "netbox",
		"https://ise.example.net:9060":                                                                     "ise",
		"http://librenms.example.net/api/v0/oxidized/":                                                     "json",
		"https://cmdb.example.net/nodes.json":                                                              "json",
		"https://cmdb.example.net/nodes":                                                                   "",
		"https://a:b@netbox.example.net":                                                                   "",
	} {
		if got, ok := inventory.Recognise(path); got != want && ok || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", strings.TrimPrefix(path, dir), got, ok, want)
		}
	}
	for _, of := range []string{"ox", "group"} {
		inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{File: filepath.Join(dir, of)})
		if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Origin != filepath.Join(dir, of, "router.db")+":1" || inv.Devices[0].Platform != "cisco_ios" {
			t.Errorf("%s: got %v, %v", of, inv.Devices, err)
		}
	}
	for path, want := range map[string]string{filepath.Join(dir, "other"): "is a directory in which there is no inventory", filepath.Join(dir, "a.csv", "x"): "a.csv"} {
		if _, err := inventory.Load(t.Context(), env(t), inventory.Spec{File: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", path, err, want)
		}
	}
	if _, err := inventory.Load(t.Context(), env(t), inventory.Spec{URL: "https://cmdb.example.net/nodes"}); err == nil || !strings.Contains(err.Error(), "the URL does not tell what is there") {
		t.Errorf("got %v", err)
	}
}

// What a source calls a platform can be anything.
func TestPlatformsOfOnesOwn(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"csv": "name,platform\nr1,C9K\nr2,ios\n", "ansible": "r1 ansible_network_os=C9K\nr2 ansible_network_os=ios\n",
		"json": `[{"name":"r1","os":"C9K"},{"name":"r2","os":"ios"}]`, "nornir": "r1: {platform: C9K}\nr2: {platform: ios}\n",
	} {
		e := env(t)
		e.Stdin = strings.NewReader(text)
		inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: kind, File: "-", Platforms: map[string]string{"C9K": "iosxr"}})
		if err != nil || len(inv.Devices) != 2 || inv.Devices[0].Platform != "cisco_iosxr" || inv.Devices[1].Platform != "cisco_ios" {
			t.Errorf("%s: got %v, %v, %v", kind, inv.Devices, inv.Bad, err)
		}
	}
}

func TestFilesThatAreNoInventory(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\xff\xfen\x00a\x00m\x00e\x00":               "is UTF-16",
		"name\x00":                                   "not a text file",
		"name,passwrod\nr1," + hidden + "\n":         `stdin:1:6: unknown column "passwrod": did you mean "password"?`,
		"name,platform,name\n":                       `the column "name" stands there twice`,
		"port,platform\n22,ios\n":                    "neither a column name nor a column address",
		"- name: r1\n  password: \"" + hidden + "\n": "stdin:2:13: this is no YAML",
		"devices: 12\n---\ndevices: []\n":            "a second YAML document",
		"devcies:\n- r1\n":                           `stdin:1:1: unknown key "devcies": did you mean "devices"?`,
	} {
		kind := "csv"
		if strings.Contains(text, ":") {
			kind = "yaml"
		}
		_, err := load(t, env(t), kind, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		} else if strings.Contains(err.Error(), hidden) {
			t.Errorf("%q: the error holds the secret: %v", text, err)
		}
	}
}

func TestAWarningWhereOthersCanReadPasswords(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode here")
	}
	for _, c := range []struct {
		text string
		mode os.FileMode
		want bool
	}{
		{"name,password\nr1," + hidden + "\n", 0o644, true},
		{"name,password\nr1," + hidden + "\n", 0o600, false},
		{"name,password\nr1,env:R1\n", 0o644, false},
		{"name\nr1\n", 0o644, false},
	} {
		file := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{File: file})
		if err != nil || len(inv.Devices) != 1 {
			t.Fatalf("got %v, %v", inv.Devices, err)
		}
		if got := len(inv.Notes) == 1 && strings.Contains(inv.Notes[0].Error(), "mode 0644): chmod 600 "+file); got != c.want {
			t.Errorf("%q, mode %o: got the notes %v, want a warning: %v", c.text, c.mode, inv.Notes, c.want)
		}
	}
}

func TestEveryKindOfSourceSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, name := range inventory.Sources() {
		if inventory.Describe(name) == "" {
			t.Errorf("%s: its line in sources.go does not say what it is", name)
		}
	}
}
