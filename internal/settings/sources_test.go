package settings_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func TestSourcesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"without a file":             {"inventory: [{type: csv}]", `1:13: the source has no file: add file: PATH`},
		"without anything":           {"inventory: [{}]", `1:13: the source has no file: add file: PATH`},
		"of no kind":                 {"inventory: [{type: cvs, file: x}]", `1:20: unknown kind of inventory "cvs": did you mean "csv"?`},
		"without a URL":              {"inventory: [{type: netbox}]", `1:13: the source has no url: add url: https://HOST`},
		"a URL that is none":         {"inventory: [{type: netbox, url: netbox.example.net}]", `1:33: the URL must begin with https:// or http:// and a host`},
		"a URL with a password":      {"inventory: [{type: netbox, url: \"https://a:" + hidden + "@nb\"}]", `1:33: a user and a password do not stand in a URL: say token or headers, by reference`},
		"a URL that tells nothing":   {"inventory: [{url: \"https://cmdb.example.net\"}]", `1:19: the URL does not tell what is there: add type: json, netbox or ise`},
		"a token that is one":        {"inventory: [{type: netbox, url: \"https://nb\", token: " + hidden + "}]", `1:54: inventory[0].token[0]: a password does not stand in the settings`},
		"a token of another kind":    {"inventory: [{type: csv, file: x, token: env:X}]", `1:41: token is not for a source of the type csv, which has file, delimiter`},
		"a header that is a secret":  {"inventory: [{type: json, url: \"https://x\", headers: {X-Auth-Token: " + hidden + "}}]", `1:68: inventory[0].headers.X-Auth-Token[0]: a password does not stand in the settings`},
		"a header that is none":      {"inventory: [{type: json, url: \"https://x\", headers: {a b: env:X}}]", `1:53: "a b" cannot be the name of a header`},
		"insecure with an authority": {"inventory: [{type: json, url: \"https://x\", ca_file: x, insecure: true}]", `1:66: insecure does not go with ca_file or pin: nothing is verified then`},
		"ISE without a password":     {"inventory: [{type: ise, url: \"https://x\", username: u}]", `1:13: the source needs a username and a password`},
		"ISE of no section":          {"inventory: [{type: ise}]", `1:13: the source has no url: add url: https://HOST, or a section ise that says how to ask it`},
		"ISE of nobody":              {"inventory: [{type: ise}]\nise: {url: \"https://x\"}", `1:13: the source needs a username and a password`},
		"a map without a name":       {"inventory: [{type: json, file: x, map: {port: p}}]", `1:40: it says neither where the name nor where the address of a device is`},
		"a map with a bad text":      {"inventory: [{type: json, file: x, map: {name: \"{host\"}}]", `1:40: name: a { without its }`},
		"a map with a misspelt key":  {"inventory: [{type: json, file: x, map: {nmae: x}}]", `1:41: unknown key "nmae" in inventory[0].map: did you mean "name"?`},
		"a filter that is a text":    {"inventory: [{type: netbox, url: \"https://x\", filter: site}]", `1:54: inventory[0].filter must be a set of keys with their values`},
		"columns that are none":      {"inventory: [{type: oxidized, file: x, columns: {nmae: 0}}]", `1:48: unknown column "nmae": did you mean "name"?`},
		"a platform nobody knows":    {"inventory: [{type: ansible, file: x, platforms: {c9k: cisco_iso}}]", `1:55: unknown platform "cisco_iso"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := put(t, t.TempDir(), "muster.yaml", c.text+"\n")
			problems := settings.Check(file, options(t.TempDir()))
			if len(problems) == 0 || !strings.HasPrefix(problems[0].Error(), file+":"+c.want) {
				t.Errorf("\n got %v\nwant %s", problems, c.want)
			}
			if strings.Contains(problems.Error(), hidden) {
				t.Errorf("the secret came out: %s", problems)
			}
		})
	}
}

func TestSourcesAsInventoryReadsThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(dir)
	o.File = put(t, dir, "etc/muster.yaml", `
data_dir: ../data
inventory:
  - {file: hosts, platforms: {c9k: ios}}
  - type: netbox
    url: https://netbox.example.net
    token: [env:A, env:B]
    headers: {X-One: env:C}
    ca_file: ca.pem
    max_age: 10m
    filter: {site: ams, role: [core, 5]}
    map: {group: site.slug, tags: {a: b.c}}
  - {type: ise, url: "https://ise.example.net", username: u, password: env:D, pin: sha256/x, insecure: false}
`)
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	etc := filepath.Join(dir, "etc")
	want := []inventory.Spec{
		{File: filepath.Join(etc, "hosts"), Platforms: map[string]string{"c9k": "ios"}, Headers: map[string][]secret.Ref{}},
		{
			Type: "netbox", URL: "https://netbox.example.net", Token: []secret.Ref{"env:A", "env:B"}, Headers: map[string][]secret.Ref{"X-One": {"env:C"}},
			CAFile: filepath.Join(etc, "ca.pem"), MaxAge: 10 * time.Minute, Filter: map[string][]string{"site": {"ams"}, "role": {"core", "5"}},
			Map: inventory.Mapping{Group: "site.slug", Tags: map[string]string{"a": "b.c"}},
		},
		{Type: "ise", URL: "https://ise.example.net", Username: "u", Password: []secret.Ref{"env:D"}, Pin: "sha256/x", Headers: map[string][]secret.Ref{}},
	}
	if diff := cmp.Diff(want, s.Specs()); diff != "" {
		t.Error(diff)
	}
	if env := s.Env(&secret.Keyring{}, nil); env.Keep != filepath.Join(dir, "data", "inventory") || env.Open == nil || env.Vault == nil {
		t.Errorf("got the directory %q to keep answers in", env.Keep)
	}
	if got := settings.KeepDir(""); got != "" {
		t.Errorf("without a data directory: got %q", got)
	}
}

// A source of the type ise without a server is the ISE of the section, and one with a server of its own gets none of its secrets.
func TestASourceMayBeTheISEOfTheSection(t *testing.T) {
	t.Parallel()
	const section = "ise: {url: [\"https://a\", \"https://b\"], username: u, password: env:P, ca_file: ca.pem}\n"
	for name, c := range map[string]struct {
		text string
		env  []string
		want inventory.Spec
	}{
		"the section": {"inventory: [{type: ise, max_age: 1h}]\n" + section, nil, inventory.Spec{
			Type: "ise", URL: "https://a", Standby: []string{"https://b"}, Username: "u", Password: []secret.Ref{"env:P"}, CAFile: "ca.pem", MaxAge: time.Hour,
		}},
		"a pin of its own": {"inventory: [{type: ise, pin: sha256/x}]\n" + section, nil, inventory.Spec{
			Type: "ise", URL: "https://a", Standby: []string{"https://b"}, Username: "u", Password: []secret.Ref{"env:P"}, Pin: "sha256/x",
		}},
		"a server of its own": {"inventory: [{type: ise, url: \"https://c\", username: v, password: env:Q}]\n" + section, nil, inventory.Spec{
			Type: "ise", URL: "https://c", Username: "v", Password: []secret.Ref{"env:Q"},
		}},
		"the environment": {"inventory: [{type: ise}]\n", []string{"MUSTER_ISE_URL=https://d", "MUSTER_ISE_USERNAME=w"}, inventory.Spec{
			Type: "ise", URL: "https://d", Standby: []string{}, Username: "w", Password: []secret.Ref{"prompt:password of w at ISE"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := options(dir, c.env...)
			o.File = put(t, dir, "muster.yaml", c.text)
			s, err := settings.Load(o)
			if err != nil {
				t.Fatal(err)
			}
			if c.want.CAFile != "" {
				c.want.CAFile = filepath.Join(dir, c.want.CAFile)
			}
			got := s.Specs()[0]
			got.Headers = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	spec := inventory.Spec{Type: "ise", URL: "https://elsewhere"}
	if got := (&settings.Settings{ISE: settings.ISE{URL: []string{"https://a"}, Username: "u", Password: []settings.Ref{"env:P"}}}).WithISE(spec); cmp.Diff(spec, got) != "" {
		t.Errorf("another server gets what is for the section's: %v", got)
	}
}

// Each kind of source is named where a person looks for it.
func TestTheSchemaNamesEveryKindOfSource(t *testing.T) {
	t.Parallel()
	var root struct {
		Properties struct {
			Inventory struct {
				Items struct {
					Properties map[string]struct{ Description string }
				}
			}
		}
	}
	if err := json.Unmarshal(settings.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	doc := root.Properties.Inventory.Items.Properties["type"].Description
	for _, kind := range inventory.Sources() {
		if !strings.Contains(doc, kind) {
			t.Errorf("the key type does not tell of %s: %s", kind, doc)
		}
	}
}

// The settings files in docs/inventory are right, and there is one for each kind that has to be set up.
func TestTheExamplesOfSourcesAreRight(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "docs", "inventory")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		o := options(t.TempDir())
		o.File = put(t, t.TempDir(), "muster.yaml", string(data))
		s, err := settings.Load(o)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, spec := range s.Specs() {
			shown[spec.Type] = true
		}
	}
	for _, kind := range inventory.Sources() {
		if !shown[kind] {
			t.Errorf("docs/inventory has no settings file that shows the type %s", kind)
		}
	}
}

// What LibreNMS and a source of Oxidized's kind http answer is read by the settings files that are shown for them.
func TestTheExamplesReadWhatServersAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, answer, want string }{
		"librenms": {"X-Auth-Token", `[{"hostname": "r1.example.net", "os": "ios", "ip": "192.0.2.1", "group": "core"}, {"hostname": "r2.example.net", "os": "iosxe-lab"}]`,
			"r1.example.net 192.0.2.1 cisco_ios core, r2.example.net r2.example.net cisco_ios "},
		"oxidized": {"Authorization", `{"data": {"next": null, "nodes": [{"hostname": "r1", "mgmt": "2001:db8::1", "os": "ios", "location": "ams"}]}}`,
			"r1 2001:db8::1 cisco_ios ams"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(c.header) != "token" {
					w.WriteHeader(http.StatusUnauthorized)
				}
				_, _ = io.WriteString(w, c.answer)
			}))
			t.Cleanup(server.Close)
			data, err := os.ReadFile(filepath.Join("..", "..", "docs", "inventory", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			o := options(t.TempDir())
			o.File = put(t, t.TempDir(), "muster.yaml", string(data))
			s, err := settings.Load(o)
			if err != nil {
				t.Fatal(err)
			}
			env := s.Env(&secret.Keyring{}, nil)
			env.Keep = ""
			env.Open = func(...secret.Ref) (secret.Source, error) { return secret.Literal(secret.New("token")), nil }
			for _, spec := range s.Specs() {
				if spec.Type != "json" {
					continue
				}
				spec.URL = server.URL
				inv, err := inventory.Load(t.Context(), env, spec)
				var got []string
				for _, d := range inv.Devices {
					got = append(got, d.Name+" "+d.Address+" "+d.Platform+" "+d.Group)
				}
				if err != nil || strings.Join(got, ", ") != c.want {
					t.Errorf("got %q, %v, %v, want %q", got, inv.Bad, err, c.want)
				}
			}
		})
	}
}
