package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

func TestSpecsThatCannotBe(t *testing.T) {
	t.Parallel()
	ref := []secret.Ref{"env:X"}
	for name, c := range map[string]struct {
		spec inventory.Spec
		want string // key: sentence, one a line
	}{
		"nothing":                  {inventory.Spec{}, ": the source has no file: add file: PATH"},
		"a file":                   {inventory.Spec{File: "x", Columns: map[string]int{"name": 0}}, ""},
		"a kind nobody knows":      {inventory.Spec{Type: "netbx"}, `type: unknown kind of inventory "netbx": did you mean "netbox"?`},
		"a CSV without a file":     {inventory.Spec{Type: "csv"}, ": the source has no file: add file: PATH"},
		"a CSV with a token":       {inventory.Spec{Type: "csv", File: "x", Token: ref, Delimiter: "ab"}, "token: token is not for a source of the type csv, which has file, delimiter\ndelimiter: the delimiter of a CSV file is one character"},
		"columns twice":            {inventory.Spec{Type: "oxidized", File: "x", Columns: map[string]int{"name": 0, "model": 0}}, `columns: the column "name" has the number 0, which is negative or that of "platform"`},
		"a NetBox":                 {inventory.Spec{Type: "netbox", URL: "https://nb", Token: ref, Filter: map[string][]string{"site": {"ams"}}}, ""},
		"a NetBox that is a file":  {inventory.Spec{Type: "netbox", File: "x"}, "file: file is not for a source of the type netbox, which has url, token, headers, ca_file, insecure, max_age, filter, map\n: the source has no url: add url: https://HOST"},
		"a NetBox by its URL":      {inventory.Spec{URL: "https://nb/api/dcim/devices/", Columns: map[string]int{"name": 0}}, "columns: columns is not for a source of the type netbox, which has url, token, headers, ca_file, insecure, max_age, filter, map"},
		"a URL that tells nothing": {inventory.Spec{URL: "https://nb/"}, "url: the URL does not tell what is there: add type: json, netbox or ise"},
		"a URL with a password":    {inventory.Spec{URL: "https://a:" + hidden + "@nb/"}, "url: a user and a password do not stand in a URL: say token or headers, by reference"},
		"JSON, both":               {inventory.Spec{Type: "json", URL: "https://nb", File: "x"}, "url: a source has a file or a url, not both"},
		"JSON, neither":            {inventory.Spec{Type: "json"}, ": the source has no file: add file: PATH"},
		"JSON by a bad map":        {inventory.Spec{Type: "json", File: "x", Map: inventory.Mapping{Name: "{a"}}, "map: name: a { without its }"},
		"JSON by another bad map":  {inventory.Spec{Type: "json", File: "x", Map: inventory.Mapping{Port: "a"}}, "map: it says neither where the name nor where the address of a device is"},
		"JSON with a bad tag":      {inventory.Spec{Type: "json", File: "x", Map: inventory.Mapping{Name: "n", Tags: map[string]string{"a=b": "c"}}}, `map: tags: "a=b" cannot be the name of a tag`},
		"a list alone":             {inventory.Spec{Type: "json", File: "x", Map: inventory.Mapping{List: "devices"}}, ""},
		"a header that is none":    {inventory.Spec{Type: "json", URL: "https://nb", Headers: map[string][]secret.Ref{"a b": ref}}, `headers: "a b" cannot be the name of a header`},
		"not verified, twice":      {inventory.Spec{Type: "json", URL: "https://nb", Insecure: true, CAFile: "x"}, "insecure: insecure does not go with ca_file or pin: nothing is verified then"},
		"an ISE without a user":    {inventory.Spec{Type: "ise", URL: "https://ise", Password: ref}, ": the source needs a username and a password"},
		"an ISE":                   {inventory.Spec{Type: "ise", URL: "https://ise", Username: "u", Password: ref, Pin: "sha256/x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range c.spec.Problems() {
				got = append(got, p.Key+": "+p.Err.Error())
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
			e := env(t)
			if _, err := inventory.Open(c.spec, &e); err == nil && strings.Contains(c.want, "map: ") {
				t.Error("it is opened all the same")
			}
		})
	}
}
