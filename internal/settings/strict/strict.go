// Package strict decodes YAML into Go structs and reports everything that is wrong with it at once, each problem in one
// sentence with file, line, column and, for a key nobody knows, the nearest key there is.
package strict

import (
	"fmt"
	"iter"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Problem is one thing wrong at one place. Its text never quotes a value: that may be a secret at the wrong place.
type Problem struct {
	File      string
	Line, Col int // from 1; 0: the file as a whole
	Text      string
}

// Error returns "file:line:column: text".
func (p *Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Text)
}

// Node is a part of a YAML document. A struct field of this type is kept as it is, to be decoded later; the zero Node
// stands for a part that is absent.
type Node struct {
	doc  *document
	node ast.Node
	path string
}

// document is what the nodes of one file share.
type document struct {
	file    string
	anchors map[string]ast.Node
	budget  int // nodes that aliases may still visit, so that nested aliases cannot multiply without an end
}

// aliasBudget is far more than any settings need and far less than what hurts.
const aliasBudget = 200_000

// Parse reads one YAML document. An empty one is the absent Node.
func Parse(file string, data []byte) (Node, *Problem) {
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Node{}, syntaxProblem(file, data, err)
	}
	doc := &document{file: file, anchors: map[string]ast.Node{}, budget: aliasBudget}
	var body ast.Node
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			line, col := place(d.Body)
			return Node{}, &Problem{file, line, col, "a second YAML document begins here; one is all that is read"}
		}
		body = d.Body
	}
	if body == nil {
		return Node{doc: doc}, nil
	}
	ast.Walk(anchorFinder{doc}, body)
	return Node{doc: doc, node: body}, nil
}

// syntaxProblem takes the words of a YAML error without its excerpt of the file, which may show secrets.
func syntaxProblem(file string, data []byte, err error) *Problem {
	e, ok := err.(yaml.Error)
	if !ok {
		return &Problem{File: file, Text: "this is no YAML"}
	}
	p := &Problem{File: file, Text: "this is no YAML: " + syntaxText(err, e)}
	t := e.GetToken()
	if t == nil || t.Position == nil {
		return p
	}
	p.Line, p.Col = t.Position.Line, t.Position.Column
	if lines := strings.Split(string(data), "\n"); p.Line <= len(lines) && bareStar.MatchString(lines[p.Line-1]) {
		p.Text = "this is no YAML: " + quoteStar
	}
	return p
}

func syntaxText(err error, e yaml.Error) string {
	if _, ok := err.(*yaml.SyntaxError); ok && !strings.ContainsAny(e.GetMessage(), "\n\"'`") {
		return e.GetMessage()
	}
	if strings.Contains(e.GetMessage(), "already defined") {
		return "the key stands there twice"
	}
	return "look at indentation and quotes here"
}

// quoteStar is what to do about a cron expression that is taken for an alias.
const quoteStar = "a text that begins with * stands in quotes"

// bareStar matches a line with such an expression: a * that no name follows.
var bareStar = regexp.MustCompile(`^[^#"']*:\s+\*([^\pL_]|$)`)

type anchorFinder struct{ doc *document }

// Visit notes each anchor.
func (f anchorFinder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		f.doc.anchors[a.Name.String()] = a.Value
	}
	return f
}

// resolve follows anchors, aliases, tags and comments to the node that holds the value; nil: null, or no such anchor.
func (d *document) resolve(n ast.Node) (ast.Node, error) {
	for range 100 {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.TagNode:
			n = v.Value
		case *ast.AliasNode:
			target, ok := d.anchors[v.Value.String()]
			if !ok {
				return nil, fmt.Errorf("no anchor has the name of this alias; %s", quoteStar)
			}
			d.budget--
			n = target
		case *ast.NullNode:
			return nil, nil
		default:
			if d.budget < 0 {
				return nil, fmt.Errorf("aliases refer to aliases too often")
			}
			return n, nil
		}
	}
	return nil, fmt.Errorf("aliases refer to each other")
}

// place returns where a node begins.
func place(n ast.Node) (line, col int) {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1, 1
	}
	p := n.GetToken().Position
	return p.Line, p.Column
}

// Present says that there is something, be it null.
func (n Node) Present() bool { return n.node != nil }

// Place returns line and column of the node.
func (n Node) Place() (line, col int) {
	if n.node == nil {
		return 0, 0
	}
	return place(n.node)
}

// Problem makes a problem at the place of the node.
func (n Node) Problem(format string, args ...any) *Problem {
	line, col := n.Place()
	p := &Problem{"settings", line, col, fmt.Sprintf(format, args...)}
	if n.doc != nil {
		p.File = n.doc.file
	}
	return p
}

// IsList says that the node is a sequence.
func (n Node) IsList() bool {
	r, _ := n.resolved()
	_, ok := r.(*ast.SequenceNode)
	return ok
}

// IsMap says that the node is a mapping.
func (n Node) IsMap() bool {
	r, _ := n.resolved()
	return isMapping(r)
}

func (n Node) resolved() (ast.Node, error) {
	if n.node == nil {
		return nil, nil
	}
	return n.doc.resolve(n.node)
}

// Items returns the items of a sequence.
func (n Node) Items() []Node {
	r, _ := n.resolved()
	s, ok := r.(*ast.SequenceNode)
	if !ok {
		return nil
	}
	items := make([]Node, len(s.Values))
	for i, item := range s.Values {
		items[i] = Node{doc: n.doc, node: item, path: fmt.Sprintf("%s[%d]", n.path, i)}
	}
	return items
}

// Pairs yields the keys of a mapping and their values in the order of the file, those of merged mappings last, each key
// once. The Text of a key that is no scalar is not ok.
func (n Node) Pairs() iter.Seq2[Node, Node] {
	return func(yield func(key, value Node) bool) {
		r, _ := n.resolved()
		if !isMapping(r) {
			return
		}
		entries, _ := (&decoder{doc: n.doc}).entries(r, n.path)
		seen := map[string]bool{}
		for _, kv := range entries {
			key := keyText(kv.Key)
			if seen[key] {
				continue
			}
			seen[key] = true
			if !yield(Node{doc: n.doc, node: kv.Key, path: n.path}, Node{doc: n.doc, node: kv.Value, path: join(n.path, key)}) {
				return
			}
		}
	}
}

// Tag returns the tag before a value, such as "!vault"; empty: there is none.
func (n Node) Tag() string {
	at := n.node
	for range 100 { // aliases may refer to each other
		switch v := at.(type) {
		case *ast.AnchorNode:
			at = v.Value
		case *ast.AliasNode:
			at = n.doc.anchors[v.Value.String()]
		case *ast.TagNode:
			return v.Start.Value
		default:
			return ""
		}
	}
	return ""
}

// Text returns the text of a scalar.
func (n Node) Text() (string, bool) {
	r, err := n.resolved()
	if err != nil || r == nil {
		return "", false
	}
	return scalarText(r)
}

// Get returns the value at a key of a mapping; the absent Node where there is none.
func (n Node) Get(key string) Node {
	r, _ := n.resolved()
	d := &decoder{doc: n.doc}
	switch r.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		entries, _ := d.entries(r, n.path)
		for _, kv := range entries {
			if keyText(kv.Key) == key {
				return Node{doc: n.doc, node: kv.Value, path: join(n.path, key)}
			}
		}
	}
	return Node{doc: n.doc}
}
