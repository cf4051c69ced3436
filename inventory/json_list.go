package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// errNoJSON says that an answer is none. It does not quote it: it may hold secrets.
var errNoJSON = errors.New("this is no JSON")

// jsonList calls each with the items of the list that is at a path, in order, and with the offset at which each begins,
// until it returns false.
func jsonList(data []byte, path string, each func(offset int, item any) bool) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if path != "" {
		walked := ""
		for key := range strings.SplitSeq(path, ".") {
			if err := enterKey(d, key); err != nil {
				return fmt.Errorf("%s: %w", printable(walked+key), err)
			}
			walked += key + "."
		}
	}
	if t, err := d.Token(); err != nil {
		return errNoJSON
	} else if t != json.Delim('[') {
		return notAList(path)
	}
	for d.More() {
		offset := skipComma(data, int(d.InputOffset()))
		var item any
		if err := d.Decode(&item); err != nil {
			return errNoJSON
		}
		if !each(offset, item) {
			return nil
		}
	}
	if _, err := d.Token(); err != nil { // an answer that was cut off must not pass for a short one
		return errNoJSON
	}
	return nil
}

func notAList(path string) error {
	if path == "" {
		return errors.New("it is no list of devices: map.list says where in it the list is")
	}
	return fmt.Errorf("%s is no list", printable(path))
}

// enterKey reads up to the value of a key of the object that begins here.
func enterKey(d *json.Decoder, key string) error {
	if t, err := d.Token(); err != nil {
		return errNoJSON
	} else if t != json.Delim('{') {
		return errors.New("there is no such field: what it would be in is no object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return errNoJSON
		}
		if t == key {
			return nil
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return errNoJSON
		}
	}
	if _, err := d.Token(); err != nil {
		return errNoJSON
	}
	return errors.New("there is no such field")
}

// skipComma returns where the next item begins.
func skipComma(data []byte, at int) int {
	for at < len(data) && bytes.IndexByte([]byte(", \t\r\n"), data[at]) >= 0 {
		at++
	}
	return at
}

// jsonField returns the text at a path of an answer without making values of the rest of it; empty: there is none.
func jsonField(data []byte, path string) (string, error) {
	for key := range strings.SplitSeq(path, ".") {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			var kind *json.UnmarshalTypeError
			if errors.As(err, &kind) {
				return "", nil
			}
			return "", errNoJSON
		}
		data = fields[key]
		if data == nil {
			return "", nil
		}
	}
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return "", errors.New("it is no text")
	}
	if text == nil {
		return "", nil
	}
	return *text, nil
}
