package inventory_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/musternet/muster/inventory"
)

// fuzzSource feeds one kind of source with anything: every device is fit to be used, every bad row has its place.
func fuzzSource(f *testing.F, kind string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	dir, err := os.ReadDir("testdata/" + kind)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range dir {
		if e.IsDir() {
			continue
		}
		data, err := os.ReadFile("testdata/" + kind + "/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 || strings.Contains(text, "/") && kind == "list" && strings.Count(text, "/") > 4 {
			t.Skip("large for no gain")
		}
		e := env(t)
		e.Stdin = strings.NewReader(text)
		src, err := inventory.Open(inventory.Spec{Type: kind, File: "-"}, &e)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for dev, err := range src.Devices(t.Context()) {
			var row *inventory.RowError
			if n++; n > 1000 { // a range has as many as one likes
				break
			}
			switch {
			case err == nil:
				if err := inventory.CheckName(dev.Name); err != nil || dev.Address == "" || dev.Port < 0 || dev.Port > 65535 {
					t.Errorf("got the device %+v: %v", dev, err)
				}
			case errors.As(err, &row):
				if row.Line < 1 || row.Line > 1+strings.Count(text, "\n")+strings.Count(text, "\r") || row.File != "stdin" {
					t.Errorf("a bad row has no place: %v", err)
				}
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\x07") {
				t.Errorf("an error holds what a terminal would obey: %q", err)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	fuzzSource(f, "csv", "name\n\"", "sep=;\nname;tags\nr;=", "address\n[::1]:22\n")
}

func FuzzYAML(f *testing.F) {
	fuzzSource(f, "yaml", "- &a [*a]", "a: &a {<<: *a}", "devices:\n- <<: *x\n", "- ? x\n", "- !!str r1\n", "- |\n r1\n", "{}", "\n- \r -")
}

func FuzzOxidized(f *testing.F) { fuzzSource(f, "oxidized", ":::::", "r1:ios") }
func FuzzRancid(f *testing.F)   { fuzzSource(f, "rancid", ";;up", "r1;cisco;down") }
func FuzzList(f *testing.F) {
	fuzzSource(f, "list", "0.0.0.0/0", "::/112", "a@b:1", "::ffff:1.2.3.4/120")
}
func FuzzSSHConfig(f *testing.F) {
	fuzzSource(f, "ssh_config", "Match\n", "Host\n", "Include /dev/null\nHost a")
}

func FuzzAnsible(f *testing.F) {
	fuzzSource(f, "ansible", "a[1:3]:22 x='y z' # c\n[g:children]\nh\n[h:vars]\nansible_user=\"{{ a }}\"\na={{ansible_user}}\n",
		"all:\n  hosts:\n    a[a:c]: {ansible_port: '22', ansible_host: !vault x}\n  children: &c {b: {children: *c}}\n", "[::1]:2\n[1:2:0]\n[9:1]\n", "$ANSIBLE_VAULT;1.2;AES256;x\n00\n",
		"r1 ansible_ssh_common_args='-J -oProxyCommand=x'\nr2 ansible_host=-x\n")
}

func FuzzNornir(f *testing.F) {
	fuzzSource(f, "nornir", "r1: {hostname: x, port: 22, data: {a: b}, groups: [a]}\n", "r1: &a {connection_options: {netmiko: *a}}\n", "? [a]\n: b\n", "r1: {<<: *x}\n")
}

func FuzzJSON(f *testing.F) {
	fuzzSource(f, "json", `[{"name":"r1","ip":["192.0.2.1"],"port":1e3}]`, "[\n{\"name\":null}\n,\r\n{}]", `[[[]]]`, `[{"hostname":"\u001b[31m"}`, "[1,]")
}

// A file of passwords is read with a list of routers beside it.
func FuzzCloginrc(f *testing.F) {
	for _, word := range []string{"add user * {a b}", "add password r? \"x\\\"y\" {z};add method r1 ssh:22", "add identity * $env(HOME)/x", "add user {[r-} \\x41\\", "include more", "include \a", "add password * \xa0{{a}", "add password * {{a} b}"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 || strings.Contains(text, "\x00") || strings.Contains(text, "/") {
			t.Skip("no text, or another file")
		}
		dir := t.TempDir()
		put(t, dir, "router.db", "r1;cisco;up\nr2.example.net;cisco;up\n")
		e := env(t)
		src, err := inventory.Open(inventory.Spec{Type: "cloginrc", File: put(t, dir, ".cloginrc", text)}, &e)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range src.Devices(t.Context()) {
			var row *inventory.RowError
			if n++; err != nil && (!errors.As(err, &row) || row.Line < 1) && !strings.Contains(err.Error(), "UTF-16") {
				t.Errorf("a bad row has no place: %v", err)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\x07") {
				t.Errorf("an error holds what a terminal would obey: %q", err)
			}
		}
		if n == 0 {
			t.Error("two routers gave nothing")
		}
	})
}

// Whatever a server answers, and whatever the map says, there are devices that are fit to be used, bad rows, or one error.
func FuzzMapping(f *testing.F) {
	f.Add(`{"a":[{"n":"r1","i":"192.0.2.1/24"}],"next":null}`, "a", "{n}.x", "i|j", "next")
	f.Add(`[{"n":[1,true,null,"x"]}]`, "", "n", "n.1", "")
	f.Add(`{"a":{"b":[{}]}}`, "a.b", "{a}{b}", "}", "a.b")
	f.Fuzz(func(t *testing.T, answer, list, name, address, next string) {
		if len(answer) > 4096 {
			t.Skip("large for no gain")
		}
		e := env(t)
		e.Stdin = strings.NewReader(answer)
		spec := inventory.Spec{Type: "json", File: "-", Map: inventory.Mapping{List: list, Name: name, Address: address, Next: next, Tags: map[string]string{"t": name}}}
		src, err := inventory.Open(spec, &e)
		if err != nil {
			return
		}
		for dev, err := range src.Devices(t.Context()) {
			if err == nil && (inventory.CheckName(dev.Name) != nil || dev.Address == "") {
				t.Errorf("got the device %+v", dev)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\x07") {
				t.Errorf("an error holds what a terminal would obey: %q", err)
			}
		}
	})
}
