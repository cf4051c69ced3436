package settings_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

const good = `
data_dir: state
inventory:
  - file: list.csv
  - {type: oxidized, file: /etc/oxidized/router.db, delimiter: ";", columns: {name: 0, model: 1}}
devices:
  - r1
  - {name: r2, group: core, enable: env:R2_ENABLE}
groups:
  core: {platform: ios, credentials: backup, limit: 5, timeout: 90s}
credentials:
  backup: {username: backup, password: env:BACKUP, enable: exec:pass show x, keys: [~/.ssh/id, key], passphrase: "prompt:Key", agent: true}
defaults:
  retries: 0
  secrets: mask
  host_keys: strict
  legacy_crypto: true
limits: {command_bytes: 1MiB, session_bytes: 2000}
`

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(dir)
	o.File = put(t, dir, "etc/muster.yaml", good)
	put(t, dir, "etc/devices.yaml", "- name: r3\n  group: core\n")
	put(t, dir, "etc/list.csv", "name\nr0\n")
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "etc", "state"); s.DataDir != want {
		t.Errorf("got the data directory %s, want %s", s.DataDir, want)
	}
	if s.Limits.CommandBytes != 1<<20 || s.Limits.SessionBytes != 2000 || s.Defaults.HostKeys != "strict" || *s.Defaults.Retries != 0 || !*s.Defaults.LegacyCrypto {
		t.Errorf("got %+v %+v", s.Limits, s.Defaults)
	}
	if time.Duration(s.Groups["core"].Timeout) != 90*time.Second {
		t.Errorf("got the timeout %v", s.Groups["core"].Timeout)
	}
	ring, err := s.Keyring(nil)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := ring.Get("backup")
	if diff := cmp.Diff([]string{filepath.Join(dir, ".ssh", "id"), filepath.Join(dir, "etc", "key")}, c.Keys); diff != "" || c.Username != "backup" || !c.Agent || c.Password.String() != "env:BACKUP" || c.Passphrase == nil || c.Enable == nil {
		t.Errorf("got the credential %+v, keys %s", c.Username, diff)
	}
	specs := s.Specs()
	if len(specs) != 4 || specs[0].File != filepath.Join(dir, "etc", "list.csv") || specs[1].Columns["model"] != 1 {
		t.Fatalf("got %+v", specs)
	}
	inv, err := inventory.Load(t.Context(), s.Env(ring, nil), specs[0], specs[2], specs[3])
	if err != nil || len(inv.Bad) > 0 {
		t.Fatalf("%v %v", err, inv.Bad)
	}
	var got []string
	for _, d := range inv.Devices {
		got = append(got, d.Name+" "+d.Platform+" "+string(d.Secrets)+" "+strings.Join(d.Credentials, ","))
	}
	if diff := cmp.Diff([]string{"r0  mask ", "r1  mask ", "r2 cisco_ios mask device/r2", "r3 cisco_ios mask backup"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSearchOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flag := put(t, dir, "flag.yaml", "defaults: {limit: 1}")
	env := put(t, dir, "env.yaml", "defaults: {limit: 2}")
	put(t, dir, "xdg/muster/muster.yaml", "defaults: {limit: 3}")
	put(t, dir, "home/.config/muster/muster.yaml", "defaults: {limit: 4}")
	home := filepath.Join(dir, "home")
	o := options(home, "MUSTER_CONFIG="+env, "XDG_CONFIG_HOME="+filepath.Join(dir, "xdg"))
	o.File = flag
	for want, o := range map[int]settings.Options{
		1: o,
		2: options(home, "MUSTER_CONFIG="+env, "XDG_CONFIG_HOME="+filepath.Join(dir, "xdg")),
		3: options(home, "XDG_CONFIG_HOME="+filepath.Join(dir, "xdg")),
		4: options(home, "XDG_CONFIG_HOME=relative/is/ignored"),
	} {
		if s, err := settings.Load(o); err != nil || s.Defaults.Limit != want {
			t.Errorf("got %v, %v, want the file with %d", s, err, want)
		}
	}
	for _, o := range []settings.Options{options(home, "MUSTER_CONFIG="+filepath.Join(dir, "gone.yaml")), {File: filepath.Join(dir, "gone.yaml")}} {
		if _, err := settings.Load(o); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "gone.yaml") {
			t.Errorf("a file that was named and is not there: got %v", err)
		}
	}
	if _, err := os.Stat(settings.SystemFile); err == nil {
		t.Skip("this machine has settings")
	}
	s, err := settings.Load(options(t.TempDir(), "XDG_STATE_HOME=/state"))
	if err != nil || s.File != "" || s.DataDir != filepath.Join("/state", "muster") || len(s.Specs()) != 0 {
		t.Errorf("without any file: got %+v, %v", s, err)
	}
}

func TestTheEnvironmentComesBeforeTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vars := []string{"MUSTER_DATA_DIR=/elsewhere", "MUSTER_LIMIT=9", "MUSTER_TIMEOUT=1m", "MUSTER_RETRIES=4", "MUSTER_SECRETS=hash", "MUSTER_HOST_KEYS=accept-new", "MUSTER_LEGACY_CRYPTO=false"}
	o := options(dir, vars...)
	o.File = put(t, dir, "muster.yaml", good)
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	d := s.Defaults
	if s.DataDir != "/elsewhere" || d.Limit != 9 || time.Duration(d.Timeout) != time.Minute || *d.Retries != 4 || d.Secrets != muster.SecretsHash || d.HostKeys != "accept-new" || *d.LegacyCrypto {
		t.Errorf("got %s %+v", s.DataDir, d)
	}
	bad := options(dir, "MUSTER_LIMIT=x", "MUSTER_TIMEOUT=5", "MUSTER_RETRIES=-1", "MUSTER_SECRETS=maks", "MUSTER_HOST_KEYS=no", "MUSTER_LEGACY_CRYPTO=perhaps")
	_, err = settings.Load(bad)
	want := `environment: MUSTER_HOST_KEYS: unknown word "no"; there are accept-new, strict
environment: MUSTER_LEGACY_CRYPTO: must be true or false
environment: MUSTER_LIMIT: must be a whole number that is not negative
environment: MUSTER_RETRIES: must be a whole number that is not negative
environment: MUSTER_SECRETS: unknown word "maks": did you mean "mask"?
environment: MUSTER_TIMEOUT: must be a time with its unit, such as 10s or 5m`
	if err == nil || cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")) != "" {
		t.Errorf("got %v", err)
	}
}

// Each mistake is one sentence that says where, what and, where that can be said, what to do.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":               {"data_dri: /x", `1:1: unknown key "data_dri": did you mean "data_dir"?`},
		"unknown key, none near":    {"limits: {zzz: 1}", `1:10: unknown key "zzz" in limits; there are command_bytes, session_bytes`},
		"unknown key, nested":       {"groups:\n  core:\n    plaform: ios", `3:5: unknown key "plaform" in groups.core: did you mean "platform"?`},
		"key twice":                 {"defaults: {}\ndefaults: {}", `2:1: this is no YAML: the key stands there twice`},
		"no YAML":                   {"a: [", `1:4: this is no YAML: look at indentation and quotes here`},
		"no mapping":                {"- a", `1:1: the file must be a set of keys with their values`},
		"two documents":             {"{}\n---\n{}", `3:1: a second YAML document begins here; one is all that is read`},
		"text for a number":         {"defaults: {limit: many}", `1:19: defaults.limit must be a whole number`},
		"a list for a text":         {"data_dir: [a]", `1:11: data_dir must be one value`},
		"a text for a mapping":      {"groups: core", `1:9: groups must be a set of keys with their values`},
		"a mapping for a list":      {"inventory: {file: x}", `1:12: inventory must be a list`},
		"text for a truth":          {"defaults: {legacy_crypto: perhaps}", `1:27: defaults.legacy_crypto must be true or false`},
		"time without unit":         {"defaults: {timeout: 10}", `1:21: defaults.timeout: must be a time with its unit, such as 10s or 5m`},
		"time of nothing":           {"defaults: {timeout: 0s}", `1:21: defaults.timeout: must be a time with its unit, such as 10s or 5m`},
		"bytes":                     {"limits: {command_bytes: lots}", `1:25: limits.command_bytes: must be a number of bytes, such as 64MiB`},
		"bytes beyond all":          {"limits: {command_bytes: 9999999999GiB}", `1:25: limits.command_bytes: must be a number of bytes, such as 64MiB`},
		"host keys":                 {"defaults: {host_keys: off}", `1:23: defaults.host_keys: unknown word "off"; there are accept-new, strict`},
		"secrets mode":              {"defaults: {secrets: hahs}", `1:21: defaults.secrets: unknown word "hahs": did you mean "hash"?`},
		"transport":                 {"groups: {a: {transport: tlenet}}", `1:25: groups.a.transport: unknown word "tlenet": did you mean "telnet"?`},
		"negative limit":            {"groups: {a: {limit: -1}}", `1:21: limit must not be negative`},
		"negative retries":          {"defaults: {retries: -1}", `1:21: retries must not be negative`},
		"port":                      {"defaults: {port: 70000}", `1:18: the port must be a number from 1 to 65535`},
		"platform":                  {"groups: {a: {platform: cisco_iso}}", `1:24: unknown platform "cisco_iso": did you mean "cisco_ios"? (all: muster list platforms)`},
		"jump":                      {"defaults: {jump: [a b]}", `1:18: jump: the address "a b" is neither an IP address nor a host name`},
		"credential of a group":     {"groups: {a: {credentials: [bakcup]}}\ncredentials: {backup: {}}", `1:27: no credential is named "bakcup": did you mean "backup"?`},
		"credential of the default": {"defaults: {credentials: x}", `1:25: no credential is named "x"`},
		"credential of a device":    {"devices: [{name: r1, credentials: x}]", `1:35: no credential is named "x"`},
		"name of a group":           {"groups: {a/b: {limit: 1}}", `1:15: group: the name "a/b" holds '/': a name is letters, digits and . _ - : +`},
		"reserved group":            {"groups:\n  all:\n    limit: 1", `3:5: a group cannot be named "all": @all has its own meaning`},
		"device without a name":     {"devices: [{group: core}]", `1:11: the row has neither a name nor an address`},
		"device with a bad key":     {"devices: [{name: r1, prot: 22}]", `1:22: unknown key "prot" in devices[0]: did you mean "port"?`},
		"device there twice":        {"devices:\n  - r1\n  - r1", `3:1: r1 is already in FILE:2`},
		"password":                  {"credentials:\n  a:\n    password: " + hidden, `3:15: credentials.a.password[0]: ` + literal},
		"enable":                    {"credentials: {a: {enable: " + hidden + "}}", `1:27: credentials.a.enable[0]: ` + literal},
		"passphrase":                {"credentials: {a: {passphrase: \"" + hidden + "\"}}", `1:31: credentials.a.passphrase[0]: ` + literal},
		"password as a number":      {"credentials: {a: {password: 12345678}}", `1:29: credentials.a.password[0]: ` + literal},
		"password as a block":       {"credentials:\n  a:\n    password: |\n      " + hidden, `3:15: credentials.a.password[0]: ` + literal},
		"password of a device":      {"devices:\n  - name: r1\n    password: " + hidden, `3:15: ` + literal},
		"password at no place":      {"credentials: {a: [" + hidden + "]}", `1:18: credentials.a must be a set of keys with their values`},
		"password for a credential": {"credentials: {a: " + hidden + "}", `1:18: credentials.a must be a set of keys with their values`},
		"password in a broken file": {"credentials:\n  a:\n    password: \"" + hidden, `3:15: this is no YAML: could not find end character of double-quoted text`},
		"reference of later":        {"credentials: {a: {password: \"keyring:x\"}}", `1:29: credentials.a.password[0]: keyring: references are not there yet: use env:, file:, exec:, prompt:, age:, vault: or ansible-vault:`},
		"reference to a relative":   {"credentials: {a: {password: \"file:pw\"}}", `1:29: credentials.a.password[0]: file: wants a path that begins with / or ~/`},
		"alias of nothing":          {"defaults: *x", `1:11: defaults: no anchor has the name of this alias`},
		"alias of itself":           {"groups: &a {x: *a}", `1:13: unknown key "x" in groups.x`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := put(t, t.TempDir(), "muster.yaml", c.text+"\n")
			problems := settings.Check(file, options(t.TempDir()))
			if len(problems) == 0 {
				t.Fatal("no problem was found")
			}
			got := problems[0].Error()
			if want := file + ":" + strings.ReplaceAll(c.want, "FILE", file); !strings.HasPrefix(got, want) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if strings.Contains(problems.Error(), hidden) {
				t.Errorf("the secret came out: %s", problems)
			}
			if strings.Contains(got, "\n") {
				t.Errorf("more than one sentence: %s", got)
			}
		})
	}
}

const literal = "a password does not stand in the settings: write env:NAME, file:/path, exec:command or prompt:text in its place"

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	file := put(t, t.TempDir(), "muster.yaml", "data_dri: x\ndefaults:\n  limit: x\n  timeout: 1\ncredentials:\n  a: {password: hunter2, pasword: y}\n")
	put(t, filepath.Dir(file), "devices.yaml", "r1: {}\n")
	var places []string
	for _, p := range settings.Check(file, options(t.TempDir())) {
		places = append(places, strings.Join(strings.SplitN(strings.TrimPrefix(p.Error(), filepath.Dir(file)), ":", 4)[:3], ":"))
	}
	want := []string{"/muster.yaml:1:1", "/muster.yaml:3:10", "/muster.yaml:4:12", "/muster.yaml:6:17", "/muster.yaml:6:26", "/devices.yaml:1:1"}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Error(diff)
	}
	if p := settings.Check(filepath.Join(t.TempDir(), "gone.yaml"), options(t.TempDir())); len(p) != 1 || !strings.HasSuffix(p.Error(), "cannot be read: no such file or directory") {
		t.Errorf("a file that is not there: got %v", p)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(dir)
	o.File = put(t, dir, "muster.yaml", "groups:\n  a: &a {platform: ios, limit: 3}\n  b: {<<: *a, limit: 4}\n  c: *a\n")
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	if b, c := s.Groups["b"], s.Groups["c"]; b.Platform != "ios" || b.Limit != 4 || c.Limit != 3 {
		t.Errorf("got %+v and %+v", b, c)
	}
	bomb := "devices:\n- &a0 {name: r}\n- &a1 [*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0]\n"
	for i := range 9 {
		n, m := string('1'+rune(i)), string('2'+rune(i))
		bomb += "- &a" + m + " [*a" + n + strings.Repeat(",*a"+n, 8) + "]\n"
	}
	if len(settings.Check(put(t, dir, "bomb.yaml", bomb), options(dir))) == 0 {
		t.Error("aliases of aliases: no problem was found")
	}
}

func TestAPromptIsAskedOnceForSettingsAndFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(dir)
	o.File = put(t, dir, "muster.yaml", "inventory: [file: list.csv]\ncredentials: {a: {password: prompt:Password}}\n")
	put(t, dir, "list.csv", "name,password\nr1,prompt:Password\nr2,prompt:Password\n")
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	prompt := func(context.Context, string) (secret.Secret, error) {
		asked++
		return secret.New("pw"), nil
	}
	ring, err := s.Keyring(prompt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inventory.Load(t.Context(), s.Env(ring, prompt), s.Specs()...); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "device/r1", "device/r2"} {
		c, ok := ring.Get(name)
		if !ok {
			t.Fatalf("no credential %s", name)
		}
		if got, err := c.Password.Secret(t.Context()); err != nil || got.Reveal() != "pw" {
			t.Errorf("%s: got %q, %v", name, got.Reveal(), err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
}
