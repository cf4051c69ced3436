package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCSVRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text      string
		want, bad []string
	}{
		"any subset of columns in any order":        {"platform,address\nios,192.0.2.1\n", []string{"192.0.2.1"}, nil},
		"missing fields at the end are empty":       {"name,address,port\nr1\nr2,192.0.2.2\n", []string{"r1", "r2"}, nil},
		"devices behind one address":                {"address,port\n127.0.0.1,2201\n127.0.0.1,2202\n127.0.0.1,22\n::1,2201\n", []string{"127.0.0.1:2201", "127.0.0.1:2202", "127.0.0.1", "::1_2201"}, nil},
		"more fields than columns":                  {"name\nr1,x\nr2\n", []string{"r2"}, []string{"stdin:2:4: the row has 2 fields, the header 1"}},
		"an empty row is none":                      {"name,address\n,\n\n  \nr1,\n", []string{"r1"}, nil},
		"comments":                                  {"# a\nname\n# b\nr1\n", []string{"r1"}, nil},
		"quotes keep the delimiter":                 {"name,tags\nr1,\"a=1,b=2\"\n", []string{"r1"}, nil},
		"an open quote spoils its row alone":        {"name,address\n\"r1,192.0.2.1\nr2,192.0.2.2\n", []string{"r2"}, []string{"stdin:2:14: a quote is wrong: a field in quotes ends with one, and a quote inside is doubled"}},
		"old line ends":                             {"name\r\nr1\r\nr2", []string{"r1", "r2"}, nil},
		"only a header":                             {"name,address\n", nil, nil},
		"a port that is none":                       {"name,port\nr1,ssh\n", nil, []string{"stdin:2:4: the port must be a number from 1 to 65535"}},
		"a truth that is none":                      {"name,legacy_crypto\nr1,perhaps\n", nil, []string{"stdin:2:4: legacy_crypto must be true or false"}},
		"a tag without a name":                      {"name,tags\nr1,=x\n", nil, []string{"stdin:2:4: a tag has no name: write site=ams"}},
		"a group that cannot be a folder":           {"name,group\nr1,../x\n", nil, []string{`stdin:2:4: group: the name "../x" begins with ".": a name begins with a letter or a digit`}},
		"an address that could be an option of ssh": {"name,address\nr1,-oProxyCommand=x\n", nil, []string{`stdin:2:4: the address "-oProxyCommand=x" begins with "-"`}},
		"an address of nowhere":                     {"address\n192.0.2.256\n10\n", nil, []string{`stdin:2:1: the address "192.0.2.256" is no IPv4 address`, `stdin:3:1: the address "10" is no IPv4 address`}},
		"a reference that is not whole":             {"name,password\nr1,vault:net/r1\n", nil, []string{"stdin:2:4: vault: wants #field at its end, as in vault:secret/data/routers#password"}},
		"a hop that is none":                        {"name,jump\nr1,a b\n", nil, []string{`stdin:2:4: jump: the address "a b" is neither an IP address nor a host name`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inv, err := load(t, env(t), "csv", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, names(inv.Devices)); diff != "" {
				t.Errorf("devices: %s", diff)
			}
			if diff := cmp.Diff(c.bad, errorTexts(inv.Bad)); diff != "" {
				t.Errorf("bad rows: %s", diff)
			}
		})
	}
}

// A password is taken as it stands, blanks and all.
func TestCSVPasswordsAreNotTouched(t *testing.T) {
	t.Parallel()
	e := env(t)
	rows := map[string]string{"r1": "p;w", "r2": ` pw `, "r3": `p"w`, "r4": "пароль", "r5": "#pw", "r6": "a:b", "r7": "envy:x"}
	inv, err := load(t, e, "csv", "name,password\nr1,p;w\nr2,\" pw \"\nr3,\"p\"\"w\"\nr4,пароль\nr5,#pw\nr6,a:b\nr7,envy:x\n")
	if err != nil || len(inv.Bad) > 0 || len(inv.Devices) != len(rows) {
		t.Fatalf("%v %v", err, inv.Bad)
	}
	for _, d := range inv.Devices {
		if got := describe(t, e.Keyring, d); !strings.Contains(got, "pw="+rows[d.Name]+" en=") {
			t.Errorf("got %q, want the password %q", got, rows[d.Name])
		}
	}
}
