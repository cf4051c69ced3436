//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/sim"
)

// tool returns a program that a test wants beside those of the lab.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: apt-get install $(cat e2e/packages.txt)", name)
	}
	return path
}

// tree writes files below a directory of the site and returns that.
func (s *site) tree(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		s.write(t, filepath.Join(dir, name), text)
	}
	return filepath.Join(s.dir, dir)
}

// ansible runs a program of Ansible in a home of its own and returns what it printed; said is what it had to complain of.
func (s *site) ansible(t *testing.T, name string, args ...string) (out, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"HOME=" + s.home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "ANSIBLE_CONFIG=" + s.write(t, "ansible.cfg", ""),
		"ANSIBLE_HOME=" + filepath.Join(s.dir, ".ansible"), "ANSIBLE_LOCAL_TEMP=" + filepath.Join(s.dir, ".ansible/tmp"), "ANSIBLE_NOCOLOR=1"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), stderr.String()
}

// listed is a device as both sides tell it.
type listed struct {
	Address, Port, Platform, User, Groups string
}

// platformNames are what those names of ansible_network_os that the tests use are called here.
var platformNames = map[string]string{
	"": "", "cisco.ios.ios": "cisco_ios", "ios": "cisco_ios", "cisco.nxos.nxos": "cisco_nxos", "nxos": "cisco_nxos", "cisco.iosxr.iosxr": "cisco_iosxr",
	"arista.eos.eos": "arista_eos", "eos": "arista_eos", "junipernetworks.junos.junos": "juniper_junos", "cisco.asa.asa": "cisco_asa",
	"community.routeros.routeros": "mikrotik_routeros", "frr.frr.frr": "frr",
}

// ansibleLists asks Ansible.
func (s *site) ansibleLists(t *testing.T, inventory string) map[string]listed {
	t.Helper()
	out, said := s.ansible(t, "ansible-inventory", "-i", inventory, "--list")
	if strings.Contains(said, "Failed to parse") {
		t.Fatalf("ansible-inventory does not read it: %s", said)
	}
	var groups map[string]struct {
		Hosts, Children []string
		Hostvars        map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(out), &groups); err != nil {
		t.Fatal(err)
	}
	in := map[string]map[string]bool{}
	var walk func(name string, above []string)
	walk = func(name string, above []string) {
		if name != "all" && name != "ungrouped" {
			above = append(slices.Clone(above), name)
		}
		for _, host := range groups[name].Hosts {
			if in[host] == nil {
				in[host] = map[string]bool{}
			}
			for _, g := range above {
				in[host][g] = true
			}
		}
		for _, child := range groups[name].Children {
			walk(child, above)
		}
	}
	walk("all", nil)
	all := map[string]listed{}
	for host, of := range in {
		said := func(names ...string) string {
			for _, name := range names {
				v := groups["_meta"].Hostvars[host][name]
				if unsafe, ok := v.(map[string]any); ok {
					v = unsafe["__ansible_unsafe"]
				}
				if v != nil {
					return fmt.Sprint(v)
				}
			}
			return ""
		}
		os := said("ansible_network_os")
		platform, known := platformNames[os]
		if !known {
			t.Fatalf("the test does not know the platform %q", os)
		}
		d := listed{said("ansible_ssh_host", "ansible_host"), said("ansible_ssh_port", "ansible_port"), platform, said("ansible_ssh_user", "ansible_user"), strings.Join(slices.Sorted(maps.Keys(of)), " ")}
		if d.Address == "" {
			d.Address = host
		}
		all[host] = d
	}
	return all
}

// lsLine is a line of `device ls -o ndjson`.
type lsLine struct {
	Name, Address, Platform, Group, Username string
	Port                                     int
	Tags                                     map[string]string
}

// musterLists asks muster, which must have nothing to complain of.
func (s *site) musterLists(t *testing.T, args ...string) map[string]listed {
	t.Helper()
	a := s.muster(t, append([]string{"device", "ls", "-o", "ndjson"}, args...)...)
	if a.code != 0 || strings.Contains(a.stderr, "muster:") {
		t.Fatalf("exit %d: %s", a.code, a.stderr)
	}
	for _, d := range lines[lsLine](t, a.stdout) { // a group of Ansible is a tag
		if _, is := d.Tags[d.Group]; is != (len(d.Tags) > 0) {
			t.Errorf("%s: its group %q is none of %v", d.Name, d.Group, d.Tags)
		}
	}
	return listedOf(t, a.stdout)
}

func listedOf(t *testing.T, stdout string) map[string]listed {
	t.Helper()
	all := map[string]listed{}
	for _, d := range lines[lsLine](t, stdout) {
		l := listed{Address: d.Address, Platform: d.Platform, User: d.Username, Groups: strings.Join(slices.Sorted(maps.Keys(d.Tags)), " ")}
		if d.Port != 0 {
			l.Port = fmt.Sprint(d.Port)
		}
		all[d.Name] = l
	}
	return all
}

// inventories are as people have them, spelt in all the ways that Ansible takes. The file or directory named "hosts..." is
// what is read.
var inventories = map[string]map[string]string{
	"an INI file with ranges, children and variables of all kinds": {"hosts": `# comment
; another
mail.example.net
bare ansible_host=192.0.2.7
2001:db8::5
[2001:db8::6]:8022
v6 ansible_host=2001:db8::7 ansible_port=830

[web-servers]   # the dash is a warning and no more
www[01:20:2].example.com ansible_user=www
db-[a:f].example.com
n[001:010:3] ansible_port=2200
m[1:2]-[x:z]:2022
one ansible_host=10.0.0.1 ansible_ssh_user=old ansible_user=new
 two	ansible_host=10.0.0.2	ansible_user="two words" # trailing
three:2222 ansible_host='10.0.0.3'
four:2222 ansible_port=22
five ansible_host="10.0.0.5" ansible_ssh_host=10.0.0.55
Mixed-Case_Name ansible_host=10.0.0.6

[again]
one
five:2022
six:2023
six

[again_and_again]
six:2024
seven ansible_port="2025"
seven ansible_user=later

[parent:children]
web-servers
child # twice below

[child]
one ansible_port=44
eight

[grand:children]
parent
child

[grand:vars]
ansible_user=grand
ansible_network_os=ios
[parent:vars]
ansible_user = parent
[child:vars]
ansible_user="child"   # comment
ansible_port=2200 # comment
[again_and_again:vars]
ansible_user=None
ansible_network_os='arista.eos.eos'

[all]
nine
[all:vars]
ansible_network_os=cisco.nxos.nxos
ansible_port=2299
[ungrouped]
ten ansible_user=ten
eight
[ungrouped:vars]
ansible_user=lonely
[empty]
[all:children]
empty
`},
	"lines that end as on Windows, tabs and quotes": {"hosts": strings.ReplaceAll(`[g]
a	ansible_host="192.0.2.1" ansible_user='it''s'
b   ansible_user="say \"x\"" ansible_port='22'
c ansible_user=a\ b ansible_host=192.0.2.3#not
d ansible_user="'d'" #x
  [h]
  e ansible_user=a=b
[g:vars]
ansible_network_os = cisco.iosxr.iosxr  
[h:vars]
ansible_user = "x # y"
ansible_network_os='ios' # z
`, "\n", "\r\n")},
	"variables in files and directories, host before group, child before parent": {
		"hosts":                        "[leaf]\nl1\nl2 ansible_port=1\n[spine]\ns1\nl2\n[fabric:children]\nspine\nleaf\n[fabric:vars]\nansible_user=inline\n[leaf:vars]\nansible_port=5\n[out]\no1\no1.example.net\n",
		"group_vars/all/10-first.yml":  "ansible_user: all\nansible_network_os: nxos\nansible_port: 6\n",
		"group_vars/all/20-second":     "ansible_user: all-second\n",
		"group_vars/all/deep/er.yaml":  "ansible_network_os: cisco.asa.asa\n",
		"group_vars/all/.hidden.yml":   "ansible_user: never\n",
		"group_vars/all/old.yml~":      "ansible_user: never\n",
		"group_vars/all/notes.txt":     "ansible_user: never\n",
		"group_vars/leaf.yaml":         "---\nansible_user: leaf\n...\n",
		"group_vars/spine.json":        `{"ansible_user": "spine", "ansible_port": 22}`,
		"group_vars/fabric":            "ansible_user: fabric\nansible_network_os: arista.eos.eos\n",
		"group_vars/fabric.yml":        "ansible_user: never\n",
		"host_vars/l1/a.yml":           "ansible_host: 192.0.2.1\nansible_user:\n",
		"host_vars/l1/b.yml":           "ansible_port: 9\n",
		"host_vars/o1.yml":             "# nothing but a comment\n",
		"host_vars/o1.example.net.yml": "ansible_host: !unsafe 192.0.2.8\n",
	},
	"a YAML file": {"hosts.yml": `---
all:
  vars: {ansible_user: all, ansible_network_os: cisco.ios.ios}
  hosts:
    lonely:
    single: {ansible_host: 192.0.2.1, ansible_port: "2022"}
  children:
    leafs:
      hosts:
        leaf[01:03].example.net: {ansible_port: 2201}
        both:
        "2001:db8::9":
        h:2222:
      vars: {ansible_user: leaf, ansible_network_os: arista.eos.eos}
    spines:
      hosts: spine1
      children:
        sub:
          hosts:
            sub1: {ansible_user: 1234}
            both: {ansible_port: 5}
            h:2223:
    nothing:
    empty: {}
    novars:
      vars:
      hosts:
      children:
spines:
  vars: {ansible_port: 77}
  hosts:
    spine2:
    spine3: ~
sub:
  vars: &v
    ansible_user: subuser
other:
  vars: *v
  hosts:
    spine3:
      ansible_user:
    quoted: {ansible_host: "192.0.2.77"}
    merged:
      <<: *v
      ansible_port: 99
    folded:
      ansible_host: >-
        192.0.2.78
ungrouped:
  hosts:
    un1:
`, "group_vars/leafs": "ansible_user: leaffile\n", "host_vars/both.json": `{"ansible_host": "192.0.2.79"}`},
	"a JSON file": {"hosts.json": `{"core": {"hosts": {"r1": {"ansible_host": "192.0.2.1", "ansible_port": 22}, "r2": null}, "vars": {"ansible_network_os": "junipernetworks.junos.junos"}}}`},
	"names alone": {"hosts": "# all we have\nr1\nr2.example.net\n\n192.0.2.3\n", "host_vars/r1.yml": "ansible_user: me\nansible_network_os: frr.frr.frr\n", "group_vars/all": "ansible_port: 2022\n"},
	"a directory": {
		"hosts/10-core": "[core]\nr1\nr2\n", "hosts/20-edge": "[edge]\ne1\n[core:children]\nedge\n[core:vars]\nansible_user=core\n",
		"hosts/30-more.yaml": "more: {hosts: {y1: , r1: {ansible_port: 2022}}}\n", "hosts/40-plain": "x1\nx2\n", "hosts/old.bak": "[core]\nnever\n",
		"hosts/group_vars/edge.yml": "ansible_network_os: community.routeros.routeros\n", "hosts/group_vars/ungrouped/x.yml": "ansible_user: alone\n",
	},
}

func TestMusterListsWhatAnsibleLists(t *testing.T) {
	t.Parallel()
	for name, files := range inventories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			dir := s.tree(t, "inventory", files)
			hosts, err := filepath.Glob(filepath.Join(dir, "hosts*"))
			if err != nil || len(hosts) != 1 {
				t.Fatal(hosts, err)
			}
			want := s.ansibleLists(t, hosts[0])
			if diff := cmp.Diff(want, s.musterLists(t, "-i", hosts[0])); diff != "" || len(want) == 0 {
				t.Errorf("ansible-inventory (-) and muster (+) list %d devices and do not agree:\n%s", len(want), diff)
			}
		})
	}
}

// What muster does not run, Ansible does: its answer as a file is an inventory.
func TestWhatAProgramSaysToAnsibleBecomesAFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	program := s.write(t, "inventory.sh", `#!/bin/sh
cat <<'END'
{"_meta": {"hostvars": {"r1": {"ansible_host": "192.0.2.1", "ansible_user": "u"}, "r2": {"ansible_port": 2022}}},
 "core": {"hosts": ["r1", "r2"], "vars": {"ansible_network_os": "ios"}}, "all": {"children": ["core", "net"]}, "net": {"children": ["core"]}}
END
`)
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	s.muster(t, "device", "ls", "-i", "ansible:"+program).complaint(t, 2, program, "is a program, which muster does not run: ansible-inventory --list -y -i IT > FILE")
	said, _ := s.ansible(t, "ansible-inventory", "-i", program, "--list")
	s.muster(t, "device", "ls", "-i", s.write(t, "said.json", said)).complaint(t, 2, "said.json", "ansible-inventory --list -y")
	out, _ := s.ansible(t, "ansible-inventory", "-i", program, "--list", "-y")
	if diff := cmp.Diff(s.ansibleLists(t, program), s.musterLists(t, "-i", s.write(t, "inventory.yml", out))); diff != "" || !strings.Contains(out, "r2") {
		t.Errorf("ansible-inventory (-) and muster (+) do not agree:\n%s", diff)
	}
}

// Ansible itself says what a host's connection is, with templates replaced and vaults opened; muster must log in with that.
const connection = `{{ansible_host}}|{{ansible_port}}|{{ansible_user}}|{{ansible_password}}|{{ansible_become_password}}`

func TestMusterOpensTheVaultsAndTemplatesThatAnsibleDoes(t *testing.T) {
	t.Parallel()
	s, v := newSite(t), newVaults(t)
	fleet := startFleet(t, sim.Config{Devices: 3, Platforms: []string{"cisco_ios"}})
	sealed := map[string]string{}
	for i, d := range fleet.Devices() {
		sealed["host_vars/"+d.Name+".yml"] = fmt.Sprintf("---\nansible_port: %d\nwhere: %d\n", d.Port, i)
	}
	dir := s.tree(t, "net", sealed)
	s.tree(t, "net", map[string]string{
		"hosts":                     "[lab]\n" + fleet.Devices()[0].Name + "\n" + fleet.Devices()[1].Name + "\n[old]\n" + fleet.Devices()[2].Name + "\n",
		"group_vars/all/vault.yml":  "vault_enable: " + the.sec.level + "\nvault_user: admin\nansible_host: 127.0.0.1\n",
		"group_vars/all/main.yml":   "ansible_user: '{{ vault_user }}'\nansible_become_password: \"{{ vault_enable }}\"\nansible_network_os: cisco.ios.ios\n",
		"group_vars/lab/inline.yml": v.string(t, s, "dev", "ansible_password", the.sec.password) + "\n",
		"group_vars/old.yml":        "ansible_password: '{{ old_password }}'\n" + v.string(t, s, "", "old_password", the.sec.password) + "\n",
	})
	v.encrypt(t, s, "prod", filepath.Join(dir, "group_vars/all/vault.yml"))
	v.encrypt(t, s, "", filepath.Join(dir, "hosts"))
	config := s.write(t, "muster.yaml", "inventory: [{type: ansible, file: net/hosts}]\n"+v.settings())

	out, _ := s.ansible(t, "ansible", append(v.flags(), "all", "-i", filepath.Join(dir, "hosts"), "-c", "local", "-o", "-m", "debug", "-a", "msg="+connection)...)
	for _, d := range fleet.Devices() {
		if want := fmt.Sprintf("127.0.0.1|%d|admin|%s|%s", d.Port, the.sec.password, the.sec.level); !strings.Contains(out, want) {
			t.Fatalf("Ansible itself does not get at %s: %s", d.Name, out)
		}
	}
	a := s.muster(t, "--config", config, "backup", "-o", "ndjson", "-q", "-v")
	got := outcomes(t, a.stdout)
	for _, d := range fleet.Devices() {
		if got[d.Name].Status != "new" {
			t.Errorf("%s: %s, want new: %s", d.Name, got[d.Name].word(), got[d.Name].Error)
		}
	}
	s.nowhere(t, a, v.passwords()...)

	without := s.write(t, "without.yaml", "inventory: [{type: ansible, file: net/hosts}]\n")
	s.muster(t, "--config", without, "device", "ls").complaint(t, 2, "hosts", "secrets: ansible_vault")
}

func TestWhereMusterIsStricterThanAnsibleItSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  []string // of muster's devices
		said  string
	}{
		"variables of a group that is none": {map[string]string{"hosts": "[a]\nr1\n[b:vars]\nansible_user=x\n"}, []string{"r1"}, `hosts:3:1: there is no section of the group "b"`},
		"a line that cannot be read":        {map[string]string{"hosts": "[a]\nr1 what is this\nr2\n"}, []string{"r2"}, "hosts:2:1: after the host there are only name=value"},
		"a range from its larger end":       {map[string]string{"hosts": "[a]\nr[5:1]\nr2\n"}, []string{"r2"}, "hosts:2:1: a range begins with its smaller end"},
		"a platform that muster cannot":     {map[string]string{"hosts": "[a]\nr1 ansible_network_os=acme.os.os\nr2\n"}, []string{"r2"}, `hosts:2:1: r1: unknown platform "acme.os.os"`},
		"the machine of Ansible itself":     {map[string]string{"hosts": "[a]\nlocalhost ansible_connection=local\nr2\n"}, []string{"r2"}, "localhost is left out: its connection is local"},
		"Windows":                           {map[string]string{"hosts": "[a]\nw1 ansible_connection=winrm\nr2\n"}, []string{"r2"}, "w1 is left out: its connection \"winrm\" is not over SSH"},
		"a template that is a program":      {map[string]string{"hosts": "[a]\nr1 ansible_user=\"{{ x | upper }}\"\nr2\n"}, []string{"r2"}, "hosts:2:1: r1: ansible_user: muster replaces only templates"},
		"a directory in a directory":        {map[string]string{"hosts/a": "[a]\nr1\n", "hosts/b/c": "[c]\nr2\n"}, []string{"r1"}, "hosts/b: there are inventories in this directory, which are left out"},
		"a plug-in":                         {map[string]string{"hosts/a": "[a]\nr1\n", "hosts/nb.yml": "plugin: netbox.netbox.nb_inventory\n"}, []string{"r1"}, "sets up a plug-in of Ansible"},
		"a name that is no file name":       {map[string]string{"hosts": "[a]\nr1\n../../r2\n"}, []string{"r1"}, "hosts:3:1:"},
		"numbers as Python writes them":     {map[string]string{"hosts": "[a]\nr1 ansible_port=0x16\nr2 ansible_port=22\n"}, []string{"r2"}, "hosts:2:1: r1: the port must be a number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			a := s.muster(t, "device", "ls", "-o", "list", "-i", "ansible:"+filepath.Join(s.tree(t, "inventory", c.files), "hosts"))
			if got := strings.Fields(a.stdout); a.code != 0 || !slices.Equal(got, c.want) || strings.Count(a.stderr, "muster:") != 1 || !strings.Contains(a.stderr, c.said) {
				t.Errorf("exit %d, %v, want %v and %q:\n%s", a.code, got, c.want, c.said, a.stderr)
			}
		})
	}
}
