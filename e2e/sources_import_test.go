//go:build e2e && linux

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tools are inventories as other tools have them; IMPORT in a name is what is imported.
var tools = map[string]struct {
	files  map[string]string
	path   string // what is imported
	kind   string
	want   []string
	secret []string // in the files, and nowhere else
}{
	"Ansible, a file": {map[string]string{"hosts": "[core]\nr[1:3]\n[core:vars]\nansible_network_os=ios\nansible_password=Imp0rted-a\n"},
		"hosts", "ansible", []string{"r1", "r2", "r3"}, []string{"Imp0rted-a"}},
	"Ansible, YAML": {map[string]string{"hosts.yml": "all: {children: {core: {hosts: {r1: {ansible_password: Imp0rted-b}, r2: }}}}\n"},
		"hosts.yml", "ansible", []string{"r1", "r2"}, []string{"Imp0rted-b"}},
	"Ansible, a directory": {map[string]string{"10-core": "[core]\nr1\n", "20-more": "r2\n", "group_vars/all": "ansible_user: u\n"},
		"", "ansible", []string{"r1", "r2"}, nil},
	"Nornir": {map[string]string{
		"hosts.yaml":    "---\nr1: {hostname: 192.0.2.1, groups: [core], password: Imp0rted-c}\nr2: {hostname: 192.0.2.2, port: 2022, username: ~, groups: [edge, core]}\n",
		"groups.yaml":   "core: {platform: cisco_ios, username: core}\nedge: {platform: nxos, username: ~}\n",
		"defaults.yaml": "{username: all, password: Imp0rted-d}\n"},
		"", "nornir", []string{"r1", "r2"}, []string{"Imp0rted-c", "Imp0rted-d"}},
	"Oxidized, a directory": {map[string]string{"config": "source: {default: csv}\nusername: u\n", "router.db": "# ours\nr1.example.net:ios:admin:Imp0rted-e:Imp0rted-f\nr2.example.net:junos\n"},
		"", "oxidized", []string{"r1.example.net", "r2.example.net"}, []string{"Imp0rted-e", "Imp0rted-f"}},
	"Oxidized, a file": {map[string]string{"router.db": "192.0.2.1:iosxr\n192.0.2.2:eos\n"}, "router.db", "oxidized", []string{"192.0.2.1", "192.0.2.2"}, nil},
	"RANCID, a list":   {map[string]string{"router.db": "r1;cisco;up\nr2;juniper;up\nr3;cisco;down\n"}, "router.db", "rancid", []string{"r1", "r2"}, nil},
	"RANCID, a group":  {map[string]string{"router.db": "r1;arista;up\nr2;cisco-nx;up;since May\n", "configs/r1": "! config\n"}, "", "rancid", []string{"r1", "r2"}, nil},
	"RANCID, its home": {map[string]string{
		".cloginrc":      "add user r1 {one}\nadd password r1 {Imp0rted-g} {Imp0rted-h}\nadd method * {ssh}\nadd user * {all}\nadd password * {Imp0rted-i}\n",
		"core/router.db": "r1;cisco;up\n", "edge/router.db": "r2;juniper;up\nr3;cisco;down\n"},
		"", "cloginrc", []string{"r1", "r2"}, []string{"Imp0rted-g", "Imp0rted-h", "Imp0rted-i"}},
	"cloginrc": {map[string]string{".cloginrc": "add user * u\nadd password * Imp0rted-j\nadd method * telnet ssh\n", "router.db": "r1:cisco:up\n"},
		".cloginrc", "cloginrc", []string{"r1"}, []string{"Imp0rted-j"}},
	"a table": {map[string]string{"all.csv": "name;address;platform;password\nr1;192.0.2.1;ios;Imp0rted-k\n"}, "all.csv", "csv", []string{"r1"}, []string{"Imp0rted-k"}},
	"a list":  {map[string]string{"all.txt": "r1\n192.0.2.0/30\n"}, "all.txt", "list", []string{"r1", "192.0.2.1", "192.0.2.2"}, nil},
}

func TestWhatInitImportsIsListedAsItsToolLists(t *testing.T) {
	t.Parallel()
	for name, c := range tools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			path := filepath.Join(s.tree(t, "theirs", c.files), c.path)
			if !strings.Contains(name, "Ansible") {
				s.imported(t, path, c.kind, c.want, c.secret)
				return
			}
			theirs := s.ansibleLists(t, path)
			if got := slices.Sorted(maps.Keys(theirs)); !slices.Equal(got, c.want) {
				t.Fatalf("Ansible lists %v, want %v", got, c.want)
			}
			s.imported(t, path, c.kind, c.want, c.secret)
		})
	}
}

// imported imports and looks at what the settings then say, and that no secret was copied.
func (s *site) imported(t *testing.T, path, kind string, want, secrets []string) {
	t.Helper()
	before := listedOf(t, s.ok(t, "device", "ls", "-o", "ndjson", "-i", path))
	config := filepath.Join(s.dir, "muster.yaml")
	s.ok(t, "--config", config, "init", "--import", path)
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), "- type: "+kind+"\n") {
		t.Errorf("%v, not of the kind %s:\n%s", err, kind, text)
	}
	if said := s.ok(t, "--config", config, "settings", "check"); strings.Contains(said, "WRONG") {
		t.Errorf("settings check: %s", said)
	}
	a := s.muster(t, "--config", config, "device", "ls", "-o", "list")
	if got := strings.Fields(a.stdout); !slices.Equal(got, want) {
		t.Errorf("it lists %v, want %v\n%s", got, want, a.stderr)
	}
	if after := listedOf(t, s.ok(t, "--config", config, "device", "ls", "-o", "ndjson")); !maps.Equal(before, after) {
		t.Errorf("with the settings it lists %v, by itself %v", after, before)
	}
	a.stdout += string(text)
	s.nowhere(t, a, secrets...)
}

func TestAnInventoryThatAnsibleVaultEncryptedIsImported(t *testing.T) {
	t.Parallel()
	s, v := newSite(t), newVaults(t)
	s.set("ANSIBLE_VAULT_PASSWORD_FILE", v.file(""))
	hosts := filepath.Join(s.tree(t, "theirs", map[string]string{"hosts": "[core]\nr1 ansible_password=Imp0rted-l\nr2\n"}), "hosts")
	v.encrypt(t, s, "", hosts)
	s.imported(t, hosts, "ansible", []string{"r1", "r2"}, []string{"Imp0rted-l", v.password[""]})
}

func TestWhatIsNoInventoryIsNotImported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text string }{
		"prose with commas": {"README", "First, read this. Then, go on.\n"},
		"nothing":           {"hosts", "\n# nothing\n"},
		"noise":             {"hosts", "r1\x00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			config := filepath.Join(s.dir, "muster.yaml")
			s.muster(t, "--config", config, "init", "--import", s.write(t, c.file, c.text)).complaint(t, 2, c.file, "nothing tells what kind of inventory it is", "muster list sources")
			if _, err := os.Stat(config); err == nil {
				t.Error("settings were written all the same")
			}
		})
	}
}
