package route_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/alert/route"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		config string
		want   string // empty: nothing is wrong
	}{
		{"the default is right", route.DefaultConfig, ""},
		{"that of the tests is right", config, ""},
		{"an empty one has no route", "", "alerting configuration: no route provided in config"},
		{"a receiver that is not there", "route:\n  receiver: ops\nreceivers:\n  - name: op\n",
			`alerting configuration: line 2: undefined receiver "ops" used in route`},
		{"a receiver of a route below that is not there", "route:\n  receiver: ops # the pager\n  routes:\n    - receiver: pager\nreceivers:\n  - name: ops\n",
			`alerting configuration: line 4: undefined receiver "pager" used in route`},
		{"a receiver that is there twice", "route:\n  receiver: ops\nreceivers:\n  - name: ops\n  - name: ops\n",
			`alerting configuration: line 5: notification config name "ops" is not unique`},
		{"a key that is not known", "route:\n  receiver: ops\n  group_bye: [device]\nreceivers:\n  - name: ops\n",
			`alerting configuration: line 3: unknown key "group_bye"`},
		{"a duration that is none", "route:\n  receiver: ops\n  group_wait: soon\nreceivers:\n  - name: ops\n",
			`alerting configuration: line 3: not a valid duration string: "soon"`},
		{"a matcher that is none", "route:\n  receiver: ops\n  routes:\n    - matchers: [\"device=~[\"]\nreceivers:\n  - name: ops\n",
			"alerting configuration: "},
		{"no YAML", "route: [", "alerting configuration: line 1: did not find expected node content"},
		{"a time that is not there", "route:\n  receiver: ops\n  routes:\n    - mute_time_intervals: [night]\nreceivers:\n  - name: ops\n",
			`alerting configuration: line 4: undefined time interval "night" used in route`},
		{"a file of certificates that is not there", "route:\n  receiver: ops\nreceivers:\n  - name: ops\n    webhook_configs:\n      - url: http://127.0.0.1/\n        http_config:\n          tls_config:\n            ca_file: /nonexistent/ca.pem\n",
			`alerting configuration: receiver "ops": unable to read CA cert: unable to read file /nonexistent/ca.pem`},
		{"a template that is wrong", "templates: [TEMPLATE]\nroute:\n  receiver: ops\nreceivers:\n  - name: ops\n",
			"alerting configuration: templates: template: wrong.tmpl:1: "},
	}
	template := filepath.Join(t.TempDir(), "wrong.tmpl")
	if err := os.WriteFile(template, []byte("{{ nothing }}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := route.Check([]byte(strings.Replace(c.config, "TEMPLATE", template, 1)))
			switch {
			case c.want == "" && err != nil:
				t.Fatalf("got %v", err)
			case c.want == "":
			case err == nil || !strings.HasPrefix(err.Error(), c.want) || !errors.Is(err, route.ErrConfig):
				t.Fatalf("got  %v\nwant %s", err, c.want)
			case strings.Contains(err.Error(), "\n"):
				t.Fatalf("more than a sentence: %v", err)
			}
		})
	}
}

func TestCheckFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := route.CheckFile(file); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("one that is not there: %v", err)
	}
	secret := config + "templates: [own.tmpl]\n"
	secret = strings.Replace(secret, "url: http://127.0.0.1:80/", "url_file: hook.url", 1)
	for name, text := range map[string]string{"alertmanager.yml": secret, "own.tmpl": `{{ define "own" }}{{ end }}`, "hook.url": "http://127.0.0.1/"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := route.CheckFile(file); err != nil {
		t.Errorf("one with files beside it: %v", err)
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]route.Options{
		"a URL that is none":              {Dir: t.TempDir(), ExternalURL: "muster.example.net"},
		"a directory that is a file":      {Dir: file},
		"a configuration that is missing": {Dir: t.TempDir(), ConfigFile: file + ".yml"},
	}
	for name, o := range cases {
		if r, err := route.Open(o); err == nil {
			r.Close()
			t.Errorf("%s was taken", name)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: not one sentence: %v", name, err)
		}
	}
}
