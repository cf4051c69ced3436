package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Mapping says where in a JSON answer the devices are and what the fields are called there. A field is a dotted path
// ("primary_ip4.address", "addresses.0"), several paths with | between, of which the first that is not empty counts, or a
// text with such in braces ("{hostname}.{domain}"), which is empty where one of them is. A list becomes its items with
// commas between; an address loses its prefix length.
type Mapping struct {
	List string `yaml:"list" doc:"path to the list of devices; absent: the answer itself is the list"`
	Next string `yaml:"next" doc:"path to the URL of the next page, which must be on the same host"`
	ID   string `yaml:"id" doc:"path to what names a device in messages; absent: its number, from 1"`

	Name         string            `yaml:"name" doc:"unique; the name of the device's history; absent: the address"`
	Address      string            `yaml:"address" doc:"host name or IP address; absent: the name"`
	Port         string            `yaml:"port" doc:"where the device listens"`
	Platform     string            `yaml:"platform" doc:"what the device runs, by any of its usual names"`
	Group        string            `yaml:"group" doc:"its group"`
	Username     string            `yaml:"username" doc:"login name"`
	Password     string            `yaml:"password" doc:"the password itself"`
	Enable       string            `yaml:"enable" doc:"the secret of the privileged mode itself"`
	Jump         string            `yaml:"jump" doc:"its jump hosts"`
	Parents      string            `yaml:"parents" doc:"names of the devices that it lies behind"`
	LegacyCrypto string            `yaml:"legacy_crypto" doc:"true where it needs weak SSH algorithms"`
	Tags         map[string]string `yaml:"tags" doc:"what selectors such as site=ams look at: the name of each tag and where its value is"`
}

// usualMap is where lists of devices usually have what a device has, LibreNMS and Oxidized among them: it holds where a
// map names no field.
var usualMap = Mapping{
	Name: "name|hostname", Address: "address|ip|hostname", Port: "port|ssh_port", Platform: "platform|os|model", Group: "group", Username: "username",
}

// orUsual returns m, with the usual fields where it names none.
func (m Mapping) orUsual() Mapping {
	for _, c := range m.columns() {
		if c.path != "" {
			return m
		}
	}
	return m.over(usualMap)
}

// columns are the fields of a row, each with where it is.
func (m Mapping) columns() []struct{ name, path string } {
	return []struct{ name, path string }{
		{"name", m.Name}, {"address", m.Address}, {"port", m.Port}, {"platform", m.Platform}, {"group", m.Group},
		{"username", m.Username}, {"password", m.Password}, {"enable", m.Enable}, {"jump", m.Jump}, {"parents", m.Parents},
		{"legacy_crypto", m.LegacyCrypto},
	}
}

// check says what is wrong with a mapping.
func (m Mapping) check() error {
	if m.Name == "" && m.Address == "" {
		return errors.New("it says neither where the name nor where the address of a device is")
	}
	for _, c := range m.columns() {
		if _, err := expandPaths(c.path, func(string) (string, error) { return "x", nil }); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(m.Tags)) {
		path := m.Tags[tag]
		if tag == "" || strings.ContainsAny(tag, "=!,") {
			return fmt.Errorf("tags: %q cannot be the name of a tag", tag)
		}
		if _, err := expandPaths(path, func(string) (string, error) { return "x", nil }); err != nil {
			return fmt.Errorf("tags.%s: %w", tag, err)
		}
	}
	return nil
}

// over returns m completed by what below says.
func (m Mapping) over(below Mapping) Mapping {
	for _, f := range []struct{ to, from *string }{
		{&m.List, &below.List}, {&m.Next, &below.Next}, {&m.ID, &below.ID}, {&m.Name, &below.Name}, {&m.Address, &below.Address},
		{&m.Port, &below.Port}, {&m.Platform, &below.Platform}, {&m.Group, &below.Group}, {&m.Username, &below.Username},
		{&m.Password, &below.Password}, {&m.Enable, &below.Enable}, {&m.Jump, &below.Jump}, {&m.Parents, &below.Parents},
		{&m.LegacyCrypto, &below.LegacyCrypto},
	} {
		*f.to = first(*f.to, *f.from)
	}
	tags := map[string]string{}
	for _, from := range []map[string]string{below.Tags, m.Tags} {
		for tag, path := range from {
			tags[tag] = path
		}
	}
	m.Tags = tags
	return m
}

// row makes a row of one item of the list. Errors are *fieldError.
func (m Mapping) row(item any) (Row, error) {
	row := Row{foreign: true}
	if _, ok := item.(map[string]any); !ok {
		return row, &fieldError{"", errors.New("the row is not an object: { ... }")}
	}
	for _, c := range m.columns() {
		if c.path == "" {
			continue
		}
		text, err := m.text(item, c.path)
		if err == nil && c.name == "address" {
			text = withoutMask(text)
		}
		if err == nil {
			err = row.set(c.name, text)
		}
		if err != nil {
			return row, &fieldError{c.name, err}
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(m.Tags)) { // the same error each time
		text, err := m.text(item, m.Tags[tag])
		if err != nil {
			return row, &fieldError{"tags", err}
		}
		row.tag(tag, text)
	}
	return row, nil
}

// tag adds a tag that has a value and does not stand there yet.
func (row *Row) tag(key, value string) {
	if row.Tags == nil {
		row.Tags = map[string]string{}
	}
	if _, ok := row.Tags[key]; !ok && value != "" {
		row.Tags[key] = value
	}
}

// text returns what the paths of a field give.
func (m Mapping) text(item any, field string) (string, error) {
	return expandPaths(field, func(paths string) (string, error) {
		for path := range strings.SplitSeq(paths, "|") {
			text, err := jsonText(lookup(item, strings.TrimSpace(path)))
			if err != nil {
				return "", fmt.Errorf("%s: %w", printable(strings.TrimSpace(path)), err)
			}
			if text != "" {
				return text, nil
			}
		}
		return "", nil
	})
}

// expandPaths replaces {paths} by what get gives for them; a field without braces is paths as a whole.
func expandPaths(field string, get func(paths string) (string, error)) (string, error) {
	if !strings.ContainsAny(field, "{}") {
		return get(field)
	}
	var out strings.Builder
	for rest := field; rest != ""; {
		text, after, open := strings.Cut(rest, "{")
		if strings.Contains(text, "}") {
			return "", errors.New("a } without its {")
		}
		out.WriteString(text)
		if !open {
			break
		}
		paths, after, closed := strings.Cut(after, "}")
		if !closed || strings.Contains(paths, "{") {
			return "", errors.New("a { without its }")
		}
		value, err := get(paths)
		if err != nil || value == "" {
			return "", err
		}
		out.WriteString(value)
		rest = after
	}
	return out.String(), nil
}

// lookup follows a dotted path; nil: there is nothing.
func lookup(v any, path string) any {
	if path == "" {
		return nil
	}
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// jsonText returns a value as text: null is empty, a list is its items with commas between.
func jsonText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	case []any:
		var items []string
		for _, item := range v {
			if _, nested := item.([]any); nested {
				return "", errNested
			}
			text, err := jsonText(item)
			if err != nil {
				return "", err
			}
			items = append(items, text)
		}
		return strings.Join(items, ","), nil
	}
	return "", errNested
}

var errNested = errors.New("what is there is an object or a nested list: go on with a dot and the name of a field")

// withoutMask returns the address of an address with a prefix length.
func withoutMask(text string) string {
	if p, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil {
		return p.Addr().String()
	}
	return text
}
