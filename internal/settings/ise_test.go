package settings_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/internal/settings"
)

func TestEachMistakeOfISEIsOneSentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no url":                  {"ise: {username: a}", "it does not say where ISE is"},
		"no URL at all":           {"ise: {url: ise.example.net}", "it must be a URL such as"},
		"a password in the URL":   {"ise: {url: 'https://a:geheim@ise.example.net'}", "user name and password stand at keys of their own"},
		"http":                    {"ise: {url: 'http://ise.example.net'}", "by http the password could be read"},
		"the second of the PANs":  {"ise:\n  url:\n    - https://one.example.net\n    - two\n", "muster.yaml:4:7: it must be a URL"},
		"a password":              {"ise: {url: 'https://ise.example.net', password: geheim}", "a password does not stand in the settings"},
		"no connection":           {"ise: {url: 'https://ise.example.net', connections: 0}", "connections must be 1 at least"},
		"a negative rate":         {"ise: {url: 'https://ise.example.net', rate: -1}", "rate must be 1 at least"},
		"a key that is not there": {"ise: {url: 'https://ise.example.net', user: a}", `unknown key "user"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := put(t, t.TempDir(), "muster.yaml", c.text+"\n")
			p := settings.Check(file, options(t.TempDir()))
			if len(p) != 1 || !strings.Contains(p.Error(), c.want) || strings.Contains(p.Error(), "geheim") {
				t.Errorf("got %v, want %q", p, c.want)
			}
		})
	}
}

func TestTheEnvironmentComesBeforeTheISEOfTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := put(t, dir, "muster.yaml", "ise: {url: 'https://file.example.net', username: file, password: 'file:/nowhere', ca_file: ca.pem, rate: 5}\n")
	o := options(dir)
	o.File = file
	old := o.Getenv
	o.Getenv = func(name string) string {
		switch name {
		case "MUSTER_ISE_URL":
			return "https://one.example.net, https://two.example.net:8443"
		case "MUSTER_ISE_PASSWORD":
			return "geheim"
		}
		if old == nil {
			return ""
		}
		return old(name)
	}
	s, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	i := s.ISE
	if got := strings.Join(i.URL, " "); got != "https://one.example.net https://two.example.net:8443" || i.Username != "file" || i.Rate != 5 {
		t.Errorf("got %+v", i)
	}
	if len(i.Password) != 1 || i.Password[0] != "env:MUSTER_ISE_PASSWORD" || i.CAFile != dir+"/ca.pem" {
		t.Errorf("password %v, ca_file %s", i.Password, i.CAFile)
	}
}
