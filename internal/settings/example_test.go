package settings_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster/internal/settings"
)

// switchedOn matches the settings of the example, which stand behind a # without a blank.
var switchedOn = regexp.MustCompile(`(?m)^#(data_dir|inventory|devices|groups|credentials|secrets|defaults|limits|serve|backup|monitor|history|alerts|syslog|ise|  )`)

func TestTheExampleIsRightAsItIsAndSwitchedOn(t *testing.T) {
	t.Parallel()
	all := switchedOn.ReplaceAllString(settings.Example(), "$1")
	elsewhere := strings.NewReplacer("  alertmanager: ", "  # ", "  # url:", "  url:",
		"    # token:", "    token:", "    role_id:", "    # ", "    secret_id:", "    # ", "    approle_mount:", "    # ").Replace(all)
	for name, text := range map[string]string{"as it is": settings.Example(), "switched on": all, "with what excludes something else": elsewhere} {
		file := put(t, t.TempDir(), "muster.yaml", text)
		if p := settings.Check(file, options(t.TempDir())); len(p) > 0 {
			t.Errorf("%s: %v", name, p)
		}
	}
	for _, key := range schemaKeys(t) {
		if shown := regexp.MustCompile(`(?m)^[^#]*\b` + key + `:`); !shown.MatchString(all) && !shown.MatchString(elsewhere) {
			t.Errorf("the example does not show the key %s", key)
		}
	}
	if regexp.MustCompile(`(?m)^[^#\n]`).MatchString(settings.Example()) {
		t.Error("the example switches something on")
	}
}

func TestTheRulesOfTheGuideAreRight(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "add-a-rule.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(alerts:.*?)```").FindAllSubmatch(guide, -1)
	if len(blocks) == 0 {
		t.Fatal("the guide shows no rules")
	}
	for _, block := range blocks {
		file := put(t, t.TempDir(), "muster.yaml", string(block[1]))
		if p := settings.Check(file, options(t.TempDir())); len(p) > 0 {
			t.Errorf("%v in\n%s", p, block[1])
		}
	}
}

// schemaKeys returns all keys that the schema knows.
func schemaKeys(t *testing.T) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal(settings.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				for key, p := range properties {
					keys[key] = true
					walk(p)
				}
			}
			for _, part := range v {
				if _, ok := part.(map[string]any); ok {
					walk(part)
				} else if list, ok := part.([]any); ok {
					for _, item := range list {
						walk(item)
					}
				}
			}
		}
	}
	walk(root)
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	slices.Sort(all)
	if len(all) < 30 {
		t.Fatalf("the schema has only the keys %v", all)
	}
	return all
}

func TestTheSchemaDescribesEveryKey(t *testing.T) {
	t.Parallel()
	text := string(settings.Schema())
	if got, want := strings.Count(text, `"additionalProperties": false`), 31; got != want {
		t.Errorf("%d objects are closed, want %d: settings, source with map, device, credential, secrets with age and vault, defaults, limits, serve, backup, monitor with flap, uplink, probe and window, history, alerts, rule, syslog with source, noise, its rule and changes, ise, and group with backup, watch, probe and window", got, want)
	}
	var root struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(settings.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	for key, p := range root.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", key)
		}
	}
	if string(settings.Schema()) != text {
		t.Error("the schema is another each time")
	}
}

func TestTheExampleIsAFileToo(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(".", "example.yaml"))
	if err != nil || string(data) != settings.Example() {
		t.Errorf("the example is not example.yaml: %v", err)
	}
}
