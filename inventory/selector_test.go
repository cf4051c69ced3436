package inventory_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/inventory"
)

const fleet = `
- {name: core-1, address: 192.0.2.1, group: core, platform: ios, tags: {site: ams, role: core}}
- {name: core-2, address: 192.0.2.2, group: core, platform: junos, tags: {site: fra, role: core}}
- {name: edge-1, address: 198.18.0.1, group: edge, platform: ios, tags: {site: ams, role: lab}}
- {name: edge-2, address: "2001:db8::2", group: edge, tags: {site: ams}}
- {name: lone, address: lone.example.net}
`

func loadFleet(t *testing.T) *inventory.Inventory {
	t.Helper()
	inv, err := load(t, env(t), "yaml", fleet)
	if err != nil || len(inv.Bad) > 0 || len(inv.Devices) != 5 {
		t.Fatalf("got %v, bad %v, %v", names(inv.Devices), inv.Bad, err)
	}
	return inv
}

func outside() inventory.Outside {
	return inventory.Outside{
		Failed: func(context.Context) ([]string, error) { return []string{"edge-2", "core-1", "gone"}, nil },
		Stale:  func(context.Context) ([]string, error) { return nil, nil },
		Unknown: func(_ context.Context, name string) (muster.Device, error) {
			if name == "wrong" {
				return muster.Device{}, errors.New("no such host")
			}
			return muster.Device{Name: strings.TrimPrefix(name, "admin@"), Origin: "argument"}, nil
		},
		Stdin: strings.NewReader("# from a scan\nedge-1\n198.18.0.1 # again\n\ncore-1,core-2\n"),
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	for terms, want := range map[string]string{
		"":                              "core-1 core-2 edge-1 edge-2 lone",
		"@all":                          "core-1 core-2 edge-1 edge-2 lone",
		"lone core-1":                   "core-1 lone",
		"core-1 core-1 @core core-*":    "core-1 core-2",
		"core-*":                        "core-1 core-2",
		"*-1":                           "core-1 edge-1",
		"*-[2-9]":                       "core-2 edge-2",
		"@edge":                         "edge-1 edge-2",
		"@default":                      "lone",
		"@c*":                           "core-1 core-2",
		"site=ams":                      "core-1 edge-1 edge-2",
		"site=ams,role!=lab":            "core-1 edge-2",
		"role!=lab":                     "core-1 core-2 edge-2 lone",
		"site=a*,group=edge":            "edge-1 edge-2",
		"platform=ios":                  "core-1 edge-1",
		"platform=cisco_ios,site=ams":   "core-1 edge-1",
		"platform=":                     "edge-2 lone",
		"192.0.2.1":                     "core-1",
		"2001:db8:0::2":                 "edge-2",
		"lone.example.net":              "lone",
		"192.0.2.0/24":                  "core-1 core-2",
		"192.0.2.77/24":                 "core-1 core-2",
		"2001:db8::/32":                 "edge-2",
		"CORE-1":                        "core-1",
		"@failed":                       "core-1 edge-2 gone", // gone was named on the command line
		"core-2,@edge":                  "core-2 edge-1 edge-2",
		"-":                             "core-1 core-2 edge-1",
		"new-1 core-2 new-2 new-1":      "core-2 new-1 new-2",
		"admin@new-1 new-1":             "new-1",
		"admin@lone":                    "lone",
		"nothing-* core-1":              "core-1 !nothing-*",
		"@nobody":                       "!@nobody",
		"@stale":                        "!@stale",
		"site=xyz 203.0.113.0/24 @core": "core-1 core-2 !site=xyz !203.0.113.0/24",
	} {
		t.Run(terms, func(t *testing.T) {
			t.Parallel()
			s, err := loadFleet(t).Select(t.Context(), strings.Fields(terms), outside())
			if err != nil {
				t.Fatal(err)
			}
			got := names(s.Devices)
			for _, u := range s.Unmatched {
				got = append(got, "!"+u)
			}
			if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSelectorsThatAreWrong(t *testing.T) {
	t.Parallel()
	for term, want := range map[string]string{
		"":             `selector "": it is empty`,
		"core-1,":      `selector "": it is empty`,
		"@":            `selector "@": after @ there must be the name of a group`,
		"@a/b":         `selector "@a/b": the name "a/b" holds '/'`,
		"site=ams,x":   `selector "site=ams,x": "x" is no condition`,
		"=ams":         `selector "=ams": "=ams" is no condition`,
		"a=b=c":        `selector "a=b=c": "a=b=c" is no condition`,
		"site=[a":      `selector "site=[a": the pattern in "site=[a" is wrong`,
		"core-[":       `selector "core-[": the pattern is wrong`,
		"192.0.2.0/33": `selector "192.0.2.0/33": it is no prefix`,
		"a/b":          `selector "a/b": it is no prefix`,
		"wrong":        `selector "wrong": no such host`,
		"\x1b[31m=":    `selector "?[31m="`,
	} {
		_, err := loadFleet(t).Select(t.Context(), []string{"core-1", term}, outside())
		var at *inventory.TermError
		if term == "\x1b[31m=" {
			_, err = loadFleet(t).Select(t.Context(), []string{"\x1b[31m==="}, outside())
			want = `selector "?[31m==="`
		}
		if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", term, err, want)
		}
	}
}

func TestSelectorsWithoutAnOutside(t *testing.T) {
	t.Parallel()
	inv := loadFleet(t)
	s, err := inv.Select(t.Context(), []string{"unknown", "core-1"}, inventory.Outside{})
	if err != nil || len(s.Devices) != 1 || len(s.Unmatched) != 1 {
		t.Errorf("got %v, %v, want core-1 and one term without a match", s, err)
	}
	if _, err := inv.Select(t.Context(), []string{"@failed"}, inventory.Outside{}); err == nil {
		t.Error("@failed without a memory: got no error")
	}
	broken := inventory.Outside{Stale: func(context.Context) ([]string, error) { return nil, errors.New("the store is closed") }}
	if _, err := inv.Select(t.Context(), []string{"@stale"}, broken); err == nil || !strings.Contains(err.Error(), "the store is closed") {
		t.Errorf("got %v", err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	unknown := inventory.Outside{Unknown: inv.Argument}
	if _, err := inv.Select(ctx, []string{"new"}, unknown); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the context", err)
	}
}

func FuzzSelector(f *testing.F) {
	for _, s := range []string{"@core", "site=ams,role!=lab", "core-*", "192.0.2.0/24", "-", "a,b", "[", "@all", "x=\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, term string) {
		inv := loadFleet(t)
		s, err := inv.Select(t.Context(), []string{term}, outside())
		if err == nil && len(s.Devices) == 0 && len(s.Unmatched) == 0 && term != "-" {
			t.Errorf("%q matched nothing and was not reported", term)
		}
		seen := map[string]bool{}
		for _, d := range s.Devices {
			if seen[d.Name] {
				t.Errorf("%q: %s is there twice", term, d.Name)
			}
			seen[d.Name] = true
		}
	})
}
