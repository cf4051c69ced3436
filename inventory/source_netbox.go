package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// netboxMap is where NetBox 3 and 4 have what a device has; the role was called device_role until 3.6.
var netboxMap = Mapping{
	List: "results", Next: "next", ID: "id",
	Name:     "name",
	Address:  "primary_ip.address|primary_ip4.address|primary_ip6.address",
	Platform: "platform.slug",
	Tags: map[string]string{
		"role": "role.slug|device_role.slug", "site": "site.slug", "location": "location.slug", "rack": "rack.name",
		"tenant": "tenant.slug", "status": "status.value", "manufacturer": "device_type.manufacturer.slug", "model": "device_type.model",
	},
}

// openNetBox asks a NetBox for its devices: those that are active, where the filter does not name a status itself.
func openNetBox(spec Spec, env *Env) (Source, error) {
	spec.Map = spec.Map.over(netboxMap)
	if spec.URL == "" {
		return nil, errors.New("netbox: the source has no url: write https:// and the host of the NetBox")
	}
	if err := spec.Map.check(); err != nil {
		return nil, fmt.Errorf("%s: map: %w", spec.place(), err)
	}
	u, err := netboxURL(spec)
	if err != nil {
		return nil, err
	}
	return &remote{spec, env, func(ctx context.Context) ([]found, error) {
		w, err := env.dialWeb(ctx, spec, u)
		if err == nil && len(spec.Token) > 0 {
			err = w.netboxToken(ctx, spec, env)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(u), err)
		}
		defer w.close()
		list, err := w.netboxDevices(ctx, u, spec)
		if err != nil {
			return nil, err
		}
		return list.rows(env), nil
	}}, nil
}

// netboxReads is how often a list that changes while it is read is read.
const netboxReads = 3

// netboxDevices reads all pages. A device that is deleted meanwhile moves the others up, and one of them from a page that is still to
// come onto one that was read: where the pages do not agree on how many there are, the list is read anew.
func (w *web) netboxDevices(ctx context.Context, u *url.URL, spec Spec) (netboxList, error) {
	for range netboxReads {
		list, counts := netboxList{spec: spec, base: shown(u), seen: map[string]bool{}}, map[int]bool{}
		err := w.fetchPages(ctx, u, spec.Map, pages{item: list.add, page: func(data []byte) {
			var whole struct{ Count *int }
			if json.Unmarshal(data, &whole) == nil && whole.Count != nil {
				counts[*whole.Count] = true
			}
		}})
		if err != nil || len(counts) <= 1 {
			return list, err
		}
	}
	return netboxList{}, &serverError{fmt.Errorf("%s: it changed each of the %d times that it was read", shown(u), netboxReads)}
}

// netboxURL returns the URL of the first page.
func netboxURL(spec Spec) (*url.URL, error) {
	u, err := parseURL(spec.URL)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/api/dcim/devices") {
		u = u.JoinPath("api", "dcim", "devices")
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	q := u.Query()
	// A larger page takes NetBox longer than proxies like to wait; without an order that is always the same, rows may be
	// left out between two pages; a rendered config context makes each row many times as large.
	q.Set("limit", "500")
	q.Set("offset", "0")
	q.Set("ordering", "id")
	q.Set("exclude", "config_context")
	if len(spec.Filter["status"]) == 0 && !q.Has("status") {
		q.Set("status", "active")
	}
	for key, values := range spec.Filter {
		q[key] = values
	}
	u.RawQuery = q.Encode()
	return u, nil
}

// netboxToken adds the header of the token: version 2 of NetBox 4.5 begins with nbt_.
func (w *web) netboxToken(ctx context.Context, spec Spec, env *Env) error {
	text, err := env.reveal(ctx, spec.Token)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	scheme := "Token "
	if strings.HasPrefix(text, "nbt_") {
		scheme = "Bearer "
	}
	w.header.Set("Authorization", scheme+text)
	return nil
}

// netboxList gathers what the pages hold.
type netboxList struct {
	spec    Spec
	base    string
	seen    map[string]bool // a device that a page repeats counts once
	devices []netboxDevice
	bare    []string // without an address
	secret  map[string]bool
}

// netboxDevice is one device and what decides whether it is the same as another.
type netboxDevice struct {
	found
	id       string
	chassis  string // of a virtual chassis; empty: none
	master   bool
	position string
}

// add takes one item of a page.
func (l *netboxList) add(n int, item any) {
	id := l.spec.Map.id(item, n)
	if l.seen[id] {
		return
	}
	l.seen[id] = true
	text := func(path string) string {
		s, _ := jsonText(lookup(item, path))
		return s
	}
	row, err := l.spec.Map.row(item)
	d := netboxDevice{
		found: found{l.base + id + "/", row, err}, id: id,
		chassis: text("virtual_chassis.id"), master: text("virtual_chassis.master.id") == id, position: text("vc_position"),
	}
	if err == nil {
		l.tags(&d.Row, item)
		switch {
		case d.Row.Address == "" && d.chassis == "":
			l.bare = append(l.bare, first(d.Row.Name, id))
			return
		case d.Row.Address == "":
			return // a member that its master answers for
		case d.Row.Name == "":
			d.Err = errors.New("the device has no name: give it one in NetBox")
		}
	}
	l.devices = append(l.devices, d)
}

// secretField matches custom fields and data that should not be shown.
var secretField = regexp.MustCompile(`(?i)pass|secret|token|communit|psk|credential|api_?key|private_?key`)

// tags adds the tags of NetBox, each "true", and the custom fields that are one value.
func (l *netboxList) tags(row *Row, item any) {
	labels, _ := lookup(item, "tags").([]any)
	for _, label := range labels {
		slug, _ := jsonText(lookup(label, "slug"))
		if slug != "" && !strings.ContainsAny(slug, "=!,") {
			row.tag(slug, "true")
		}
	}
	fields, _ := lookup(item, "custom_fields").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text, err := jsonText(fields[name])
		if err != nil || strings.ContainsAny(name, "=!,") || name == "" {
			continue
		}
		if secretField.MatchString(name) {
			if l.secret == nil {
				l.secret = map[string]bool{}
			}
			l.secret[name] = true
			continue
		}
		row.tag(name, text)
	}
}

// rows returns one row a device: members of a virtual chassis that share an address are their master, or the first of
// them by position.
func (l *netboxList) rows(env *Env) []found {
	best := map[string]netboxDevice{}
	for _, d := range l.devices {
		if b, ok := best[d.key()]; !ok || d.before(b) {
			best[d.key()] = d
		}
	}
	var all []found
	for _, d := range l.devices {
		if best[d.key()].id == d.id {
			all = append(all, d.found)
		}
	}
	if n := len(l.bare); n > 0 {
		env.note(l.base, 0, "%d without a primary IP are left out: %s", n, someOf(l.bare))
	}
	if len(l.secret) > 0 {
		env.note(l.base, 0, "custom fields that look like secrets are no tags: %s", someOf(slices.Sorted(maps.Keys(l.secret))))
	}
	return all
}

func (d netboxDevice) key() string {
	if d.chassis == "" || d.Err != nil {
		return "device " + d.id
	}
	return d.chassis + " " + d.Row.Address
}

func (d netboxDevice) before(other netboxDevice) bool {
	if d.master != other.master {
		return d.master
	}
	if len(d.position) != len(other.position) { // numbers; a shorter one is smaller
		return len(d.position) < len(other.position)
	}
	return d.position < other.position
}

// someOf writes a few names of many.
func someOf(names []string) string {
	const few = 5
	var out []string
	for _, name := range names[:min(few, len(names))] {
		out = append(out, printable(name))
	}
	if len(names) > few {
		out = append(out, "...")
	}
	return strings.Join(out, ", ")
}
