package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
)

// maxDocument bounds a file of secrets, and what Vault answers.
const maxDocument = 1 << 20

// document is a text that is a secret, or a set of them: a JSON object, a YAML mapping, or lines NAME=value.
type document struct {
	text   Secret
	fields map[string]Secret // those inside of others as a.b; nil: the text is no set
}

// parseDocument finds out what a text is. That it is no set is no error: then it is one secret.
func parseDocument(text string) *document {
	d := &document{text: New(text)}
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") {
		d.fields = jsonFields([]byte(trimmed))
	} else if d.fields = envFields(trimmed); d.fields == nil {
		d.fields = yamlFields([]byte(text))
	}
	return d
}

// errSeveral says that a whole set would be taken for one secret, and sent to a device.
var errSeveral = errors.New("it holds several secrets: say which one by #key behind it")

// pick returns the secret at a key, or the whole text as one. Its errors tell nothing of what is in the text, not even the
// names of keys: where somebody took a password for a file of them these would be parts of it.
func (d *document) pick(key string) (Secret, error) {
	if key == "" {
		text := strings.TrimSpace(d.text.Reveal())
		if d.fields != nil && (strings.HasPrefix(text, "{") || strings.Contains(text, "\n")) {
			return Secret{}, errSeveral
		}
		return oneSecret([]byte(d.text.Reveal()))
	}
	if d.fields == nil {
		return Secret{}, errors.New("it is no set of secrets (YAML, JSON or lines NAME=value) of which a key could choose one")
	}
	s, ok := d.fields[key]
	if !ok {
		return Secret{}, fmt.Errorf("it has no key %s", show(key))
	}
	return oneSecret([]byte(s.Reveal()))
}

// show quotes what stands in a reference, so that it can be printed.
func show(text string) string {
	const longest = 100
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return strconv.Quote(text)
}

// put stores a field. A key that is written with a dot comes before one inside of another.
func put(fields map[string]Secret, path, key, text string) {
	name := key
	if path != "" {
		name = path + "." + key
	}
	if _, ok := fields[name]; !ok || path == "" {
		fields[name] = New(text)
	}
}

// Aliases of YAML multiply: a set may hold so many secrets, so far inside of each other.
const (
	deepest = 16
	most    = 10_000
)

func jsonFields(text []byte) map[string]Secret {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil || dec.More() {
		return nil
	}
	fields := map[string]Secret{}
	flattenJSON(fields, "", root, 0)
	return fields
}

func flattenJSON(fields map[string]Secret, path string, object map[string]any, depth int) {
	for key, v := range object {
		switch v := v.(type) {
		case string:
			put(fields, path, key, v)
		case json.Number:
			put(fields, path, key, v.String())
		case bool:
			put(fields, path, key, strconv.FormatBool(v))
		case map[string]any:
			if depth < deepest {
				flattenJSON(fields, below(path, key), v, depth+1)
			}
		}
	}
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func yamlFields(text []byte) map[string]Secret {
	root, problem := strict.Parse("", text)
	if problem != nil || !root.IsMap() {
		return nil
	}
	fields := map[string]Secret{}
	flattenYAML(fields, "", root, 0)
	return fields
}

func flattenYAML(fields map[string]Secret, path string, n strict.Node, depth int) {
	for k, v := range n.Pairs() {
		key, ok := k.Text()
		if !ok || len(fields) >= most {
			continue
		}
		if text, ok := v.Text(); ok {
			put(fields, path, key, text)
		} else if v.IsMap() && depth < deepest {
			flattenYAML(fields, below(path, key), v, depth+1)
		}
	}
}

// envLine is a line of a file that a shell or systemd reads as an environment.
var envLine = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(.*)$`)

// envFields reads lines NAME=value; nil: something else is among them.
func envFields(text string) map[string]Secret {
	fields := map[string]Secret{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := envLine.FindStringSubmatch(line)
		if m == nil {
			return nil
		}
		put(fields, "", m[1], unquote(m[2]))
	}
	if len(fields) == 0 {
		return nil
	}
	return fields
}

// unquote takes the quotes from around a value; a backslash means something inside of double ones alone.
func unquote(text string) string {
	if len(text) < 2 || text[0] != text[len(text)-1] || text[0] != '\'' && text[0] != '"' {
		return text
	}
	inside := text[1 : len(text)-1]
	if text[0] == '\'' {
		return inside
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\$`, `$`).Replace(inside)
}
