package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
)

// ErrNoDevice says that devices.yaml does not have a device.
var ErrNoDevice = errors.New("no such device in devices.yaml")

// devicesHead is how a new devices.yaml begins.
const devicesHead = "# Devices that \"muster device add\" has added. Comments stay when muster edits this file.\n"

// readDevices reads devices.yaml, where there is one.
func (s *Settings) readDevices() Problems {
	if s.DevicesFile == "" {
		return nil
	}
	_, items, err := readList(s.DevicesFile)
	var problem *strict.Problem
	switch {
	case errors.As(err, &problem):
		return Problems{problem}
	case err != nil:
		return Problems{{File: s.DevicesFile, Text: err.Error()}}
	}
	s.added = items
	return nil
}

// readList returns the text and the items of a devices.yaml; a file that is not there is empty.
func readList(path string) ([]byte, []strict.Node, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	root, problem := strict.Parse(path, data)
	if problem != nil {
		return nil, nil, problem
	}
	if root.Present() && !root.IsList() {
		return nil, nil, root.Problem("it must be a list of devices, each beginning with a dash")
	}
	return data, root.Items(), nil
}

// itemName returns the name of a row.
func itemName(n strict.Node) string {
	if text, ok := n.Text(); ok {
		return text
	}
	if text, ok := n.Get("name").Text(); ok {
		return text
	}
	text, _ := n.Get("address").Text()
	return text
}

// AddDevices appends devices to a devices.yaml, which is made where there is none: all of them or none. Everything that
// stands there stays as it is. The devices' Credentials are names; a secret never gets there.
func AddDevices(path string, devices ...muster.Device) error {
	return edit(path, func(data []byte, items []strict.Node) ([]byte, error) {
		rows := make([]rowOut, len(devices))
		for i, dev := range devices {
			for _, n := range items {
				if strings.EqualFold(itemName(n), dev.Name) {
					return nil, n.Problem("%s is there already", dev.Name)
				}
			}
			rows[i] = outRow(dev)
		}
		row, err := yaml.Marshal(rows)
		if err != nil {
			return nil, fmt.Errorf("add devices: %w", err)
		}
		if len(items) == 0 {
			return append(append(comments(data), '\n'), row...), nil
		}
		return appendItem(data, items, row)
	})
}

// rowOut is a device as devices.yaml holds it.
type rowOut struct {
	Name         string             `yaml:"name"`
	Address      string             `yaml:"address,omitempty"`
	Port         int                `yaml:"port,omitempty"`
	Transport    string             `yaml:"transport,omitempty"`
	Platform     string             `yaml:"platform,omitempty"`
	Group        string             `yaml:"group,omitempty"`
	Username     string             `yaml:"username,omitempty"`
	Credentials  []string           `yaml:"credentials,omitempty"`
	Jump         []string           `yaml:"jump,omitempty"`
	Parents      []string           `yaml:"parents,omitempty"`
	Tags         map[string]string  `yaml:"tags,omitempty"`
	LegacyCrypto bool               `yaml:"legacy_crypto,omitempty"`
	Secrets      muster.SecretsMode `yaml:"secrets,omitempty"`
}

func outRow(d muster.Device) rowOut {
	r := rowOut{d.Name, d.Address, d.Port, d.Transport, d.Platform, d.Group, d.Username, nil, d.Jump, d.Parents, d.Tags, d.LegacyCrypto, d.Secrets}
	for _, c := range d.Credentials {
		if c != "env" && !strings.HasPrefix(c, "device/") { // these are made anew when the inventory is read
			r.Credentials = append(r.Credentials, c)
		}
	}
	if r.Address == r.Name {
		r.Address = ""
	}
	return r
}

// comments returns the comments of a text without items.
func comments(data []byte) []byte {
	var out []byte
	for line := range bytes.Lines(data) {
		if s := bytes.TrimSpace(line); len(s) > 0 && s[0] == '#' {
			out = append(out, append(s, '\n')...)
		}
	}
	if out == nil {
		return []byte(devicesHead)
	}
	return out
}

// appendItem puts a row behind the last one, indented as the rows there are.
func appendItem(data []byte, items []strict.Node, row []byte) ([]byte, error) {
	dash, err := dashes(data, items)
	if err != nil {
		return nil, err
	}
	data = append(bytes.TrimRight(data, " \t\r\n"), '\n')
	for line := range bytes.Lines(row) {
		data = append(append(data, bytes.Repeat([]byte(" "), dash[0].indent)...), line...)
	}
	return data, nil
}

// dash is where an item begins.
type dash struct{ line, indent int }

// dashes finds the lines that the items begin in; a list in brackets has none.
func dashes(data []byte, items []strict.Node) ([]dash, error) {
	text := bytes.SplitAfter(data, []byte("\n"))
	var out []dash
	for _, n := range items {
		first, _ := n.Place()
		line := first
		for line > 0 && !isDash(text[line-1]) && (line == first || blankOrComment(text[line-1])) {
			line-- // the dash may stand alone above its item
		}
		if line == 0 || !isDash(text[line-1]) || len(out) > 0 && out[len(out)-1].line == line {
			return nil, n.Problem("muster edits only lists whose items begin with a dash in a line of their own")
		}
		out = append(out, dash{line, bytes.IndexByte(text[line-1], '-')})
	}
	return out, nil
}

// isDash says that an item begins in a line.
func isDash(line []byte) bool {
	s := bytes.TrimLeft(line, " ")
	return len(s) > 0 && s[0] == '-'
}

// RemoveDevice takes a device out of a devices.yaml. Everything else that stands there stays as it is. The error is
// ErrNoDevice where it is not there.
func RemoveDevice(path, name string) error {
	return edit(path, func(data []byte, items []strict.Node) ([]byte, error) {
		i := slices.IndexFunc(items, func(n strict.Node) bool { return itemName(n) == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: %w", name, ErrNoDevice)
		}
		at, err := dashes(data, items)
		if err != nil {
			return nil, err
		}
		text := bytes.SplitAfter(data, []byte("\n"))
		end := len(text)
		if i+1 < len(items) {
			end = at[i+1].line - 1
		}
		for end > at[i].line && blankOrComment(text[end-1]) {
			end-- // what stands right before the next item belongs to that
		}
		return bytes.Join(slices.Delete(text, at[i].line-1, end), nil), nil
	})
}

func blankOrComment(line []byte) bool {
	s := bytes.TrimSpace(line)
	return len(s) == 0 || s[0] == '#'
}

// edit replaces a file by what change makes of it, by rename, while no other process edits it.
func edit(path string, change func(data []byte, items []strict.Node) ([]byte, error)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("edit %s: %w", path, err)
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("edit %s: %w", path, err)
	}
	defer unlock()
	data, items, err := readList(path)
	if err != nil {
		return fmt.Errorf("edit %s: %w", path, err)
	}
	changed, err := change(data, items)
	if err != nil {
		return err
	}
	if root, problem := strict.Parse(path, changed); problem != nil || root.Present() && !root.IsList() {
		return fmt.Errorf("edit %s: its form is too special to be edited by muster; edit it by hand", path)
	}
	if err := replace(path, changed); err != nil {
		return fmt.Errorf("edit %s: %w", path, err)
	}
	return nil
}

// replace writes a file by rename: a reader sees the old text or the new one.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".devices-*.yaml") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
