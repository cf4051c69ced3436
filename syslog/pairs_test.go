package syslog_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/syslog"
)

func TestPairsAreReadOutOfData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		want []string
	}{
		"no data":                                         {"", nil},
		"an element without parameters":                   {`[id]`, nil},
		"elements in their order":                         {`[a x="1" y="2"][b][c x="3"]`, []string{"a x=1", "a y=2", "c x=3"}},
		"a value may be empty":                            {`[a x=""]`, []string{"a x="}},
		"escapes are taken out":                           {`[a x="\"\\\]"]`, []string{`a x="\]`}},
		"other backslashes are meant":                     {`[a x="C:\dir\n"]`, []string{`a x=C:\dir\n`}},
		"a bracket that was not escaped":                  {`[a x="[1]" y="2"]`, []string{"a x=[1]", "a y=2"}},
		"elements that are cut short":                     {`[a x="1" y="`, []string{"a x=1"}},
		"key=value":                                       {`a=1 b=two`, []string{" a=1", " b=two"}},
		"quoted values hold spaces":                       {`a="1, 2" b="x=y" c=3`, []string{" a=1, 2", " b=x=y", " c=3"}},
		"quoted values hold quotation marks":              {`a="x[\"y\"->\"z\"]" b=1`, []string{` a=x["y"->"z"]`, " b=1"}},
		"commas between pairs":                            {`a=1,b="2",c=3`, []string{" a=1", " b=2", " c=3"}},
		"words that are no pairs":                         {`begin a=1 middle b=2 end`, []string{" a=1", " b=2"}},
		"empty values":                                    {`a= b="" c=1`, []string{" a=", " b=", " c=1"}},
		"a quotation mark that never ends":                {`a="1 b=2`, []string{` a="1`, " b=2"}},
		"a backslash outside of quotation marks is meant": {`a=C:\\x b="C:\\x"`, []string{` a=C:\\x`, ` b=C:\x`}},
		"an equals sign without a name":                   {`=1 a=2`, []string{" a=2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := syslog.Message{Data: []byte(c.data)}
			var got []string
			for p := range m.Pairs() {
				got = append(got, fmt.Sprintf("%s %s=%s", p.ID, p.Name, p.Value))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestPairsCanBeLeftEarly(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`[a x="1" y="2"][b z="3"]`, `x=1 y=2 z=3`} {
		m, n := syslog.Message{Data: []byte(data)}, 0
		for p := range m.Pairs() {
			if n++; string(p.Name) == "y" {
				break
			}
		}
		if n != 2 {
			t.Errorf("%s: %d pairs", data, n)
		}
	}
}

func TestPairsWithoutEscapesDoNotAllocate(t *testing.T) {
	for _, data := range []string{`[a x="1" y="2"][b z="C:\dir"]`, `a=1 b="two words" c=3`} {
		m, bytes := syslog.Message{Data: []byte(data)}, 0
		if n := testing.AllocsPerRun(100, func() {
			for p := range m.Pairs() {
				bytes += len(p.Value)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", data, n)
		}
	}
}

// FuzzPairs: pairs come in their order, each of them is in the data, and nothing but backslashes is taken out of a value.
func FuzzPairs(f *testing.F) {
	for _, blocks := range goldens(f) {
		for _, g := range blocks {
			if m := syslog.Parse(g.message); len(m.Data) > 0 {
				f.Add(m.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := syslog.Message{Data: data}
		behind := 0
		for p := range m.Pairs() {
			within(t, "id", p.ID, data)
			within(t, "name", p.Name, data)
			at := cap(data) - cap(p.Name) // both end where the memory ends
			if len(p.Name) == 0 || at < behind || data[at+len(p.Name)] != '=' {
				t.Fatalf("%q at %d is no name", p.Name, at)
			}
			behind = at + len(p.Name) + 1
			if quoted, ok := bytes.CutPrefix(data[behind:], []byte(`"`)); !bytes.HasPrefix(data[behind:], p.Value) && !(ok && unescapes(quoted, p.Value)) {
				t.Fatalf("%q has %q, the data %q", p.Name, p.Value, data[behind:])
			}
		}
	})
}

// unescapes says that value is what quoted begins with, but for backslashes in front of what they escape.
func unescapes(quoted, value []byte) bool {
	for _, c := range value {
		if len(quoted) > 1 && quoted[0] == '\\' && quoted[1] == c && bytes.IndexByte([]byte(`\"]`), c) >= 0 {
			quoted = quoted[1:]
		}
		if len(quoted) == 0 || quoted[0] != c {
			return false
		}
		quoted = quoted[1:]
	}
	return true
}
