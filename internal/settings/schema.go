package settings

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
)

// Schema returns the JSON schema of muster.yaml, for editors that complete and check it. It is made from the types that
// the file is decoded into.
func Schema() []byte {
	s := schemaOf(reflect.TypeFor[Settings]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "muster.yaml"
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("settings: schema: " + err.Error())
	}
	return append(data, '\n')
}

type schema = map[string]any

// special returns the schema of a type that stands in the file as something else than its kind; nil: it does not.
func special(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[inventory.Duration]():
		return schema{"type": "string", "examples": []string{"10s", "5m"}}
	case reflect.TypeFor[Span]():
		return schema{"type": "string", "examples": []string{"10s", "6h", "90d", "2w"}}
	case reflect.TypeFor[Delay]():
		return schema{"type": "string", "examples": []string{"0s", "5m", "1d"}}
	case reflect.TypeFor[Every]():
		return schema{"type": []string{"string", "boolean"}, "examples": []string{"6h", "1d", "off"}}
	case reflect.TypeFor[Moment]():
		return schema{"type": "string", "examples": []string{"22:00", "2026-12-24T22:00:00+01:00"}}
	case reflect.TypeFor[Weekday]():
		return schema{"type": "string", "enum": weekdays}
	case reflect.TypeFor[Of]():
		return schema{"type": []string{"string", "integer"}, "pattern": "^[0-9]+(/[0-9]+)?$", "examples": []string{"3/3", "3/5"}}
	case reflect.TypeFor[Socket]():
		return schema{"type": []string{"string", "integer"}, "examples": []string{"514", "192.0.2.1:514", "[::1]:6514"}}
	case reflect.TypeFor[Addr]():
		return schema{"type": "string", "examples": []string{"192.0.2.1", "2001:db8::1"}}
	case reflect.TypeFor[Switch]():
		return schema{"type": []string{"string", "boolean"}, "examples": []string{"on", "off"}}
	case reflect.TypeFor[State]():
		return schema{"type": "string", "enum": states}
	case reflect.TypeFor[Event]():
		return schema{"type": "string", "enum": events}
	case reflect.TypeFor[Percent]():
		return schema{"type": "string", "pattern": "^[0-9]+ *%$"}
	case reflect.TypeFor[Bytes]():
		return schema{"type": []string{"string", "integer"}, "examples": []string{"64MiB"}}
	case reflect.TypeFor[Ref]():
		return schema{"type": "string", "pattern": "^(age|ansible-vault|env|exec|file|prompt|vault):|^\\s*\\$ANSIBLE_VAULT;|^\\s*-----BEGIN AGE ENCRYPTED FILE-----"}
	case reflect.TypeFor[strict.Node](): // a device
		return schema{"anyOf": []schema{{"type": "string"}, schemaOf(reflect.TypeFor[inventory.Row]())}}
	}
	return nil
}

func schemaOf(t reflect.Type) schema {
	if s := special(t); s != nil {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Struct:
		if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) { // off, or the kind of a probe
			return schema{"anyOf": []schema{{"type": []string{"string", "boolean"}}, objectSchema(t)}}
		}
		return objectSchema(t)
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Slice:
		list := schema{"type": "array", "items": schemaOf(t.Elem())}
		if !strict.Alone(t.Elem()) {
			return list
		}
		if t.Elem().Kind() == reflect.Struct { // its keys stand in a list
			return schema{"anyOf": []schema{{"type": "string"}, list}}
		}
		return schema{"anyOf": []schema{schemaOf(t.Elem()), list}}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	}
	return schema{"type": []string{"string", "number", "boolean"}} // text need not stand in quotes
}

func objectSchema(t reflect.Type) schema {
	properties := schema{}
	names, fields := strict.Fields(t)
	for _, name := range names {
		f := fields[name]
		p := schemaOf(f.Type)
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		if words := f.Tag.Get("enum"); words != "" {
			p["type"], p["enum"] = "string", strings.Split(words, ",")
		}
		properties[name] = p
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}
