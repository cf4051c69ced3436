package strict

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Decode fills the struct, map, slice or scalar that v points to and returns all problems, in the order of the file.
// Keys are named by `yaml` tags; embedded structs count as part of their parent. What stands at no key keeps its value.
// The tag `enum` lists the words that are allowed. A type that is an encoding.TextUnmarshaler gets the scalar as text; its
// error is the problem's text and must not quote what may be secret. A struct with keys may be one too: then a mapping or one
// word can stand for it.
func (n Node) Decode(v any) []*Problem {
	d := &decoder{doc: n.doc}
	if n.node != nil {
		d.value(n.node, reflect.ValueOf(v).Elem(), n.path)
	}
	return d.problems
}

// decoder collects problems on its way.
type decoder struct {
	doc      *document
	problems []*Problem
	depth    int
}

// maxDepth is deeper than any struct here goes.
const maxDepth = 64

var (
	nodeType = reflect.TypeFor[Node]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (d *decoder) fail(at ast.Node, format string, args ...any) {
	line, col := place(at)
	d.problems = append(d.problems, &Problem{d.doc.file, line, col, fmt.Sprintf(format, args...)})
}

func (d *decoder) value(at ast.Node, v reflect.Value, path string) {
	if d.depth++; d.depth > maxDepth {
		d.fail(at, "%s is nested too deep", named(path))
		return
	}
	defer func() { d.depth-- }()
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(Node{doc: d.doc, node: at, path: path}))
		return
	}
	n, err := d.doc.resolve(at)
	if err != nil {
		d.fail(at, "%s: %v", named(path), err)
		return
	}
	if n == nil {
		return // null: as if it were not there
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch {
	case isText(v.Type()) && !(isMapping(n) && isKeyed(v.Type())):
		d.text(n, v, path)
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, path)
	case v.Kind() == reflect.Slice:
		d.sequence(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// Alone tells whether one scalar can stand for a list of a type.
func Alone(t reflect.Type) bool { return t.Kind() != reflect.Struct || isText(t) }

// isKeyed tells whether a type is a struct that has keys in a file.
func isKeyed(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	names, _ := Fields(t)
	return len(names) > 0
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

// entries returns the pairs of a mapping, those of merged mappings last.
func (d *decoder) entries(n ast.Node, path string) ([]*ast.MappingValueNode, bool) {
	var all []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		all = m.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{m}
	default:
		d.fail(n, "%s must be a set of keys with their values", named(path))
		return nil, false
	}
	var own, merged []*ast.MappingValueNode
	for _, kv := range all {
		if _, ok := kv.Key.(*ast.MergeKeyNode); !ok {
			own = append(own, kv)
			continue
		}
		target, err := d.doc.resolve(kv.Value)
		if err != nil || target == nil {
			d.fail(kv.Key, "what << refers to is not there")
			continue
		}
		if d.depth++; d.depth > maxDepth {
			d.fail(kv.Key, "<< refers to itself")
		} else if more, ok := d.entries(target, path); ok {
			merged = append(merged, more...)
		}
		d.depth--
	}
	return append(own, merged...), true
}

func keyText(k ast.MapKeyNode) string {
	if t := k.GetToken(); t != nil {
		return t.Value
	}
	return k.String()
}

func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.entries(n, path)
	if !ok {
		return
	}
	names, fields := Fields(v.Type())
	seen := map[string]bool{}
	for _, kv := range entries {
		key := keyText(kv.Key)
		field, known := fields[key]
		if !known {
			d.fail(kv.Key, "unknown key %s%s%s", quoted(key), in(path), Hint(key, names))
			continue
		}
		if !seen[key] { // of two, the mapping's own comes before the merged one
			d.value(kv.Value, v.FieldByIndex(field.Index), join(path, key))
			d.enum(kv.Value, v.FieldByIndex(field.Index), field.Tag.Get("enum"), join(path, key))
		}
		seen[key] = true
	}
}

// enum checks a text of which only some words are allowed.
func (d *decoder) enum(at ast.Node, v reflect.Value, words, path string) {
	if words == "" || v.String() == "" {
		return
	}
	if all := strings.Split(words, ","); !slices.Contains(all, v.String()) {
		d.fail(at, "%s: unknown word %s%s", path, quoted(v.String()), Hint(v.String(), all))
	}
}

func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.entries(n, path)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, kv := range entries {
		key := reflect.ValueOf(keyText(kv.Key)).Convert(v.Type().Key())
		if v.MapIndex(key).IsValid() {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(kv.Value, item, join(path, key.String()))
		v.SetMapIndex(key, item)
	}
}

// sequence takes a list, and one scalar as a list of one.
func (d *decoder) sequence(n ast.Node, v reflect.Value, path string) {
	items := []ast.Node{n}
	switch s := n.(type) {
	case *ast.SequenceNode:
		items = s.Values
	case *ast.MappingNode, *ast.MappingValueNode:
		d.fail(n, "%s must be a list", named(path))
		return
	default:
		if !Alone(v.Type().Elem()) {
			d.fail(n, "%s must be a list", named(path))
			return
		}
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, v.Index(i), path+"["+strconv.Itoa(i)+"]")
	}
}

// scalarText returns a scalar as it stands in the file: 0123 and 1.10 stay what they are.
func scalarText(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case ast.ScalarNode:
		return s.GetToken().Value, true
	}
	return "", false
}

func (d *decoder) text(n ast.Node, v reflect.Value, path string) {
	s, ok := scalarText(n)
	if !ok {
		d.fail(n, "%s must be one value", named(path))
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
		d.fail(n, "%s: %v", named(path), err)
	}
}

func (d *decoder) scalar(n ast.Node, v reflect.Value, path string) {
	s, ok := scalarText(n)
	if !ok {
		d.fail(n, "%s must be one value", named(path))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(s))
		if err != nil {
			d.fail(n, "%s must be true or false", named(path))
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil || v.OverflowInt(i) {
			d.fail(n, "%s must be a whole number", named(path))
			return
		}
		v.SetInt(i)
	default:
		panic("strict: no way to decode a " + v.Type().String())
	}
}

// Fields returns the keys of a struct in its order, and the field of each.
func Fields(t reflect.Type) (names []string, fields map[string]reflect.StructField) {
	fields = map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("yaml"); name != "" && name != "-" {
			names = append(names, name)
			fields[name] = f
		}
	}
	return names, fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func named(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func quoted(key string) string {
	if len(key) > 60 {
		key = key[:60]
	}
	return strconv.Quote(key)
}
