package inventory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func ansibleSubject(*testing.T) (spec, gone inventory.Spec) {
	return inventory.Spec{Type: "ansible", File: "testdata/ansible/hosts.ini"}, inventory.Spec{Type: "ansible", File: "testdata/ansible/no-such-file"}
}

func TestAnsibleYAML(t *testing.T) {
	t.Parallel()
	spec := inventory.Spec{File: "testdata/ansible_yaml/hosts.yml"}
	got := readAll(t, spec)
	if strings.Contains(got, hidden) {
		t.Errorf("a secret came out:\n%s", got)
	}
	golden(t, "testdata/ansible_yaml/want.golden", got)
}

func TestAnsibleVariables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ vars, want string }{
		"an empty one takes back what a group says": {`ansible_user: ""`, "user= port=2022"},
		"null is as if nobody had said it":          {"ansible_user:", "user= port=2022"},
		"the older name counts where both are set":  {"{ansible_ssh_user: b, ansible_user: a}", "user=b port=2022"},
		"a null older name does not":                {"{ansible_ssh_user: ~, ansible_user: a}", "user=a port=2022"},
		"a template in a template":                  {`{ansible_user: "x-{{ a }}", a: "{{b}}-{{ inventory_hostname }}", b: y}`, "user=x-y-r1 port=2022"},
		"templates that name each other":            {`{ansible_user: "{{ a }}", a: "{{ b }}", b: "{{ a }}"}`, "bad: ansible_user: its templates name each other"},
		"a template that is a program":              {`ansible_user: "{{ a | upper }}"`, "bad: ansible_user: muster replaces only templates that are the name of a variable, or lookup('env', 'NAME')"},
		"a statement":                               {`ansible_user: "{% if a %}b{% endif %}"`, "bad: ansible_user: muster replaces only templates that are the name of a variable, or lookup('env', 'NAME')"},
		"a template without an end":                 {`ansible_user: "{{ a"`, "bad: ansible_user: muster replaces only templates that are the name of a variable, or lookup('env', 'NAME')"},
		"one that is empty":                         {`{ansible_user: "x{{ a }}", a: ""}`, "user=x port=2022"},
		"the environment":                           {`ansible_user: "{{ lookup('ansible.builtin.env', 'WHO') }}"`, "user=me port=2022"},
		"a secret of the environment":               {`{ansible_host: "{{ a }}.example.net", a: "{{ lookup('env', 'NET_PASSWORD') }}"}`, "bad: ansible_host: the environment variable NET_PASSWORD is a secret by its name: here it would be shown"},
		"one where it belongs":                      {`ansible_password: "{{ lookup('env', 'NET_PASSWORD') }}"`, "user=group port=2022"},
		"a port that is a template":                 {`{ansible_port: "{{ p }}", p: 23}`, "user=group port=23"},
		"NETCONF has a port of its own":             {"{ansible_connection: netconf, ansible_port: 830}", "user=group port=0"},
		"network_cli":                               {"{ansible_connection: ansible.netcommon.network_cli}", "user=group port=2022"},
		"local, as it was once":                     {"{ansible_connection: local, ansible_network_os: ios}", "user=group port=2022"},
		"local alone":                               {"{ansible_connection: local}", "note: r1 is left out: its connection is local, which is the machine that Ansible runs on"},
		"Windows":                                   {"{ansible_connection: winrm}", `note: r1 is left out: its connection "winrm" is not over SSH`},
		"a jump host":                               {`ansible_ssh_common_args: "-C -J u@j1,j2 -v"`, "user=group port=2022 jump=u@j1,j2"},
		"a jump host as an option":                  {`ansible_ssh_common_args: -o ProxyJump=j1`, "user=group port=2022 jump=j1"},
		"a proxy command":                           {`ansible_ssh_common_args: -o ProxyCommand="ssh j"`, "note: ansible_ssh_common_args is a ProxyCommand, which muster does not run: say jump for the group"},
		"a jump host that is none":                  {`ansible_ssh_common_args: "-J -oX"`, `bad: jump: the address "-oX" begins with "-"`},
		"an address that is none":                   {"ansible_host: a b", `bad: the address "a b" is neither`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, "host_vars/r1.yml", c.vars+"\n")
			e := env(t)
			e.Getenv = func(name string) string { return map[string]string{"WHO": "me", "NET_PASSWORD": hidden}[name] }
			inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "ansible", File: put(t, dir, "hosts", "[g]\nr1\n[g:vars]\nansible_user=group\nansible_port=2022\n")})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range inv.Devices {
				text := fmt.Sprintf("user=%s port=%d", d.Username, d.Port)
				if d.Jump != nil {
					text += " jump=" + strings.Join(d.Jump, ",")
				}
				got = append(got, text)
			}
			for _, bad := range inv.Bad {
				got = append(got, "bad: "+strings.TrimPrefix(bad.Err.Error(), "r1: "))
			}
			for _, note := range inv.Notes {
				got = append(got, "note: "+note.Err.Error())
			}
			if !slices.ContainsFunc(got, func(s string) bool {
				return s == c.want || !strings.HasPrefix(c.want, "user") && strings.HasPrefix(s, c.want)
			}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnsibleVaultsNeedAPassword(t *testing.T) {
	t.Parallel()
	vaulted, err := os.ReadFile("testdata/ansible/host_vars/leaf-a.example.net.yml")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile("testdata/ansible/group_vars/all/vault.yml")
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(context.Context, string, []byte) ([]byte, error) { return nil, secret.ErrVaultPassword }
	const need = "it needs a vault password: name it under secrets: ansible_vault in muster.yaml"
	for name, c := range map[string]struct {
		vault func(context.Context, string, []byte) ([]byte, error)
		want  string
	}{
		"no password": {nil, `
r3
bad group_vars/all.yml:1:1: ` + need + `
bad host_vars/r1.yml:1:19: r1: ansible_password: ` + need + `
bad hosts:2:1: r2: ansible_become_password: nothing says what sealed_enable is; group_vars/all.yml, which may, could not be opened`},
		"a wrong one": {wrong, `
r3
bad group_vars/all.yml:1:1: the ansible-vault password does not fit, or the text was changed since it was encrypted
bad host_vars/r1.yml:1:19: r1: ansible_password: the ansible-vault password does not fit, or the text was changed since it was encrypted
bad hosts:2:1: r2: ansible_become_password: nothing says what sealed_enable is; group_vars/all.yml, which may, could not be opened`},
		"the right one": {unvault, "\nr1\nr2\nr3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			hosts := put(t, dir, "hosts", "r1\nr2 ansible_become_password='{{ sealed_enable }}'\nr3\n")
			put(t, dir, "host_vars/r1.yml", string(vaulted))
			put(t, dir, "group_vars/all.yml", string(sealed))
			e := env(t)
			e.Vault = c.vault
			inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "ansible", File: hosts})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, n := range names(inv.Devices) {
				got += "\n" + n
			}
			for _, b := range errorTexts(inv.Bad) {
				got += "\nbad " + strings.ReplaceAll(b, dir+string(filepath.Separator), "")
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(got, hidden) {
				t.Errorf("a secret came out: %s", got)
			}
			if c.vault != nil && name == "the right one" {
				cred, _ := e.Keyring.Get("device/r1")
				if s, err := cred.Password.Secret(t.Context()); err != nil || s.Reveal() != hidden+"-vaulted" {
					t.Errorf("got another password than the vault holds: %v", err)
				}
			}
		})
	}
}

func TestAnsibleVaultedInventory(t *testing.T) {
	t.Parallel()
	sealed, err := os.ReadFile("testdata/ansible/group_vars/all/vault.yml")
	if err != nil {
		t.Fatal(err)
	}
	e := env(t)
	e.Vault = func(context.Context, string, []byte) ([]byte, error) { return []byte("[core]\nr1\n"), nil }
	inv, err := load(t, e, "", string(sealed))
	if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Group != "core" {
		t.Errorf("got %v, %v", inv.Devices, err)
	}
	if _, err = load(t, env(t), "", string(sealed)); err == nil || !strings.Contains(err.Error(), "it needs a vault password") {
		t.Errorf("got %v", err)
	}
}

func TestAnsibleDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "10-core", "[core]\nr1\n")
	put(t, dir, "20-edge.yml", "edge: {hosts: {r2: , r1: }}\n")
	put(t, dir, "30-more.ini", "[more]\nr3\n[core:vars]\nansible_user=u\n")
	put(t, dir, "ansible.cfg", "[defaults]\nx=y\n")
	put(t, dir, "site.yml", "- hosts: all\n  tasks: []\n")
	put(t, dir, "netbox.yml", "plugin: netbox.netbox.nb_inventory\n")
	put(t, dir, "README.md", "[core]\n")
	put(t, dir, ".hidden", "[core]\nr9\n")
	put(t, dir, "group_vars/core.yml", "ansible_port: 2022\n")
	put(t, dir, "40-plain", "r4\n")
	put(t, dir, "notes", "what is here\n")
	put(t, dir, "deeper/hosts", "[core]\nr7\n")
	put(t, dir, "roles/x/tests/inventory", "localhost\n")
	away := put(t, t.TempDir(), "away", "[away]\nr5\n")
	for name, to := range map[string]string{"50-link": away, "60-lost": away + "-not"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "said.json", `{"_meta": {"hostvars": {}}, "core": {"hosts": ["r6"]}}`)
	put(t, dir, "script.py", "#!/bin/sh\n[core]\nr8\n")
	if err := os.Chmod(filepath.Join(dir, "10-core"), 0o755); err != nil { // as all are on some disks
		t.Fatal(err)
	}
	if kind, ok := inventory.Recognise(dir); kind != "ansible" || !ok {
		t.Errorf("got %q, %t", kind, ok)
	}
	for _, kind := range []string{"", "ansible"} {
		inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: kind, File: dir})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range inv.Devices {
			got = append(got, fmt.Sprint(strings.TrimPrefix(d.Origin, dir), " ", d.Name, " ", d.Group, " ", d.Port, " ", d.Username, " ", len(d.Tags)))
		}
		for _, b := range append(errorTexts(inv.Bad), errorTexts(inv.Notes)...) {
			got = append(got, strings.ReplaceAll(b, dir, ""))
		}
		want := []string{
			"/10-core:2 r1 core 2022 u 2", "/20-edge.yml:1 r2 edge 0  1", "/30-more.ini:2 r3 more 0  1", "/40-plain:1 r4  0  0", "/50-link:2 r5 away 0  1",
			"/60-lost: no such file or directory",
			"/netbox.yml: inventory: /netbox.yml sets up a plug-in of Ansible: add what that asks as a source of its own, such as netbox; or ansible-inventory --list -y -i IT > FILE makes a file of what it gives",
			"/said.json: inventory: /said.json is what a program says to Ansible: ansible-inventory --list -y -i IT > FILE makes a file of what it gives",
			"/deeper: there are inventories in this directory, which are left out: name it as one of its own",
			"/notes: it does not look like an inventory and is left out",
			"/script.py: it is a program, which muster does not run: ansible-inventory --list -y -i IT > FILE makes a file of what it gives", "/site.yml: it does not look like an inventory and is left out",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := load(t, env(t), "ansible", "#!/usr/bin/python3\n[core]\n"); err == nil || !strings.Contains(err.Error(), "is a program, which muster does not run") {
		t.Errorf("a program: got %v", err)
	}
	if _, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "ansible", File: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "has no Ansible inventory in it") {
		t.Errorf("got %v", err)
	}
}

// A name in an inventory must not lead out of the folders of variables.
func TestAnsibleVariablesStayInTheirFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "secret.yml", "ansible_user: "+hidden+"\n")
	hosts := put(t, dir, "inv/hosts", "[../../secret]\nr1\n[../secret:vars]\nx=y\n[core]\n../../secret\n../secret\n..\n")
	put(t, dir, "inv/group_vars/x", "")
	put(t, dir, "inv/host_vars/x", "")
	inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "ansible", File: hosts})
	if err != nil || len(inv.Devices) != 1 || inv.Devices[0].Username != "" || inv.Devices[0].Group != "" || len(inv.Bad) != 4 {
		t.Errorf("got %+v, %v, %v", inv.Devices, errorTexts(inv.Bad), err)
	}
}

// What is bounded is what ranges make, not how often a large fleet is named.
func TestAnsibleNamesManyHostsOften(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, group := range []string{"a", "b", "c"} {
		fmt.Fprintf(&text, "[%s]\n", group)
		for i := range 25_000 {
			fmt.Fprintf(&text, "r%d\n", i)
		}
	}
	inv, err := load(t, env(t), "ansible", text.String())
	if err != nil || len(inv.Devices) != 25_000 || len(inv.Bad) > 0 {
		t.Errorf("got %d devices, %d bad, %v", len(inv.Devices), len(inv.Bad), err)
	}
}

func TestAnsibleFilesThatOthersMayRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode here")
	}
	dir := t.TempDir()
	hosts := put(t, dir, "hosts", "[a]\nr1\n[b]\nr2 ansible_password='{{ pw }}'\nr3 ansible_password="+hidden+"\n")
	files := []string{hosts, put(t, dir, "group_vars/a.yml", "ansible_password: "+hidden+"\n"), put(t, dir, "group_vars/b.yml", "pw: "+hidden+"\n"), put(t, dir, "group_vars/all.yml", "x: y\n")}
	for _, f := range files {
		if err := os.Chmod(f, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	inv, err := inventory.Load(t.Context(), env(t), inventory.Spec{Type: "ansible", File: hosts})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range inv.Notes {
		got = append(got, n.File)
	}
	if diff := cmp.Diff([]string{files[1], files[2], hosts}, got); diff != "" {
		t.Errorf("%s\n%v", diff, inv.Notes)
	}
}

// Where Ansible is installed, it says of the same inventories the same as muster.
func TestAnsibleAgrees(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("ansible-inventory")
	if err != nil {
		t.Skip("ansible-inventory is not installed")
	}
	for name, files := range map[string]map[string]string{
		"ranges": {"hosts": "a[01:03]\nb[1:9:4]-[x:z]\nc[:3]\nd[y:C:2]\n192.0.2.[10:12]:2222\n[web]\nw[08:10]x.[a:b]\n2001:db8::1\n[2001:db8::2]:830\n[h.example.net]:22\n"},
		"words and quotes": {"hosts": `
h1 ansible_user=a ansible_password='p w' # c
h2 ansible_user="a \"b\" \\ \x" ansible_password=p\ w
h3 ansible_user='a\b' ansible_password=pa#ss
h4 ansible_user=a"b c"d'e f' ansible_password="it's"
h5 ansible_user='"quoted"' ansible_password="'x'"
h6	ansible_user=007 ansible_port=22
h7 ansible_password=a=b
h8 ansible_password=пароль
[g:vars]
ansible_user = "x y"  # gone
ansible_password = it's # stays
[g]
h9
[k:vars]
ansible_user='a\\b\'c'
ansible_password="a" b
[k]
h10
; nothing
 # nothing
`},
		"precedence": {
			"hosts":                 "[b]\nh1\nh2 ansible_user=own\n[a]\nh1\nh3\n[c]\nh4\n[p:children]\na\nb\n[q:children]\np\n[a:vars]\nansible_user=a\n[b:vars]\nansible_user=b\n[p:vars]\nansible_user=p\nansible_port=1\n[q:vars]\nansible_port=2\nansible_password=q\n[all:vars]\nansible_password=all\nansible_user=all\n[c:vars]\nansible_user=c\n",
			"group_vars/all.yml":    "ansible_password: file-all\n",
			"group_vars/c/x.yml":    "ansible_user: c-x\n",
			"group_vars/c/y.json":   `{"ansible_user": "c-y"}`,
			"group_vars/c/z.txt":    "ansible_user: never\n",
			"group_vars/c/d/w.yaml": "ansible_port: 44\n",
			"host_vars/h1":          "ansible_user: h1-file\n",
			"host_vars/h1.yml":      "ansible_user: never\n",
			"host_vars/h2.yaml":     "ansible_port: 22\n",
			"group_vars/ungrouped":  "ansible_user: u\n",
		},
		"the first mention of a port counts": {"hosts": "[a]\nh1\nh2:23\n[b]\nh1:22\nh2\nh2:24\nh3:25\n", "group_vars/x": ""},
		"hosts of no group": {
			"hosts":                "h1\nh2\n[all]\nh3\nh4\n[g]\nh2\nh4\nh5\n[ungrouped]\nh5\nh6\n[ungrouped:vars]\nansible_user=u\n",
			"group_vars/ungrouped": "ansible_port: 23\n",
		},
		"nothing in Python":               {"hosts": "[g]\nh1 ansible_user=None\nh2 ansible_user='None'\nh3\nh4 ansible_user='\"None\"'\n[g:vars]\nansible_user=u\nansible_port=None\n"},
		"priority":                        {"hosts": "[a]\nh1\n[b]\nh1\n[a:vars]\nansible_user=a\nansible_group_priority=10\n[b:vars]\nansible_user=b\n"},
		"groups before they are declared": {"hosts": "[x:children]\ny\n[z:vars]\nansible_user=z\n[y]\nh1\n[z]\nh1\nh2\n"},
		"YAML":                            {"hosts.yml": "all:\n  hosts:\n    h0:\n  children:\n    a:\n      hosts:\n        h[1:2]: {ansible_port: 22, ansible_user: x}\n        h3:23:\n      vars: {ansible_password: '{x}'}\nb:\n  children:\n    a: {vars: {ansible_password: later}}\n  hosts:\n    h1: {ansible_user: 'y'}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, hosts := t.TempDir(), ""
			for path, text := range files {
				put(t, dir, path, text)
				if strings.HasPrefix(path, "hosts") {
					hosts = filepath.Join(dir, path)
				}
			}
			cmd := exec.CommandContext(t.Context(), tool, "-i", hosts, "--list")
			cmd.Env = append(os.Environ(), "ANSIBLE_CONFIG="+put(t, dir, "ansible.cfg", ""), "LC_ALL=C.UTF-8", "ANSIBLE_HOME="+dir, "ANSIBLE_LOCAL_TEMP="+filepath.Join(dir, "tmp"))
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || strings.Contains(stderr.String(), "Failed to parse") {
				t.Fatal(err, stderr.String())
			}
			e := env(t)
			inv, err := inventory.Load(t.Context(), e, inventory.Spec{Type: "ansible", File: hosts})
			if err != nil || len(inv.Bad) > 0 {
				t.Fatal(err, inv.Bad)
			}
			if diff := cmp.Diff(ansibleSays(t, out), musterSays(t, e, inv)); diff != "" {
				t.Errorf("ansible-inventory (-) and muster (+) do not agree:\n%s", diff)
			}
		})
	}
}

// put writes a file below a directory.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ansibleSays takes from what ansible-inventory prints what muster reads too.
func ansibleSays(t *testing.T, out []byte) map[string]string {
	t.Helper()
	var all map[string]struct {
		Hosts, Children []string
		Hostvars        map[string]map[string]any
	}
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	var walk func(name string, above []string)
	walk = func(name string, above []string) {
		if name != "all" && name != "ungrouped" {
			above = append(slices.Clone(above), name)
		}
		for _, h := range all[name].Hosts {
			groups[h] = append(groups[h], above...)
		}
		for _, c := range all[name].Children {
			walk(c, above)
		}
	}
	walk("all", nil)
	for name := range all { // groups that are below none
		if name != "_meta" {
			walk(name, nil)
		}
	}
	for _, h := range all["ungrouped"].Hosts {
		groups[h] = append(groups[h], nil...)
	}
	says := map[string]string{}
	hosts := map[string]bool{}
	for h := range groups {
		hosts[h] = true
	}
	for h := range all["_meta"].Hostvars {
		hosts[h] = true
	}
	for _, g := range all {
		for _, h := range g.Hosts {
			hosts[h] = true
		}
	}
	for h := range hosts {
		v := all["_meta"].Hostvars[h]
		text := func(name string) string {
			if v[name] == nil {
				return ""
			}
			return fmt.Sprint(v[name])
		}
		in := slices.Compact(slices.Sorted(slices.Values(groups[h])))
		says[h] = fmt.Sprintf("user=%q port=%q password=%q groups=%v", text("ansible_user"), text("ansible_port"), text("ansible_password"), in)
	}
	return says
}

func musterSays(t *testing.T, e inventory.Env, inv *inventory.Inventory) map[string]string {
	t.Helper()
	says := map[string]string{}
	for _, d := range inv.Devices {
		password, port := "", ""
		for _, name := range d.Credentials {
			c, _ := e.Keyring.Get(name)
			s, err := c.Password.Secret(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			password = s.Reveal()
		}
		if d.Port != 0 {
			port = fmt.Sprint(d.Port)
		}
		says[d.Name] = fmt.Sprintf("user=%q port=%q password=%q groups=%v", d.Username, port, password, slices.Sorted(maps.Keys(d.Tags)))
	}
	return says
}
