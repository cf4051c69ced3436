package ise_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/musternet/muster/ise"
)

// printable demands what may reach a terminal.
func printable(t *testing.T, s string, limit int) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit+4 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("not fit to be printed: %q", s)
	}
}

func FuzzSaid(f *testing.F) {
	f.Add([]byte(`{"ERSResponse":{"operation":"POST-create-endpoint","messages":[{"title":"already exists","type":"ERROR","code":"Application resource validation exception"}]}}`))
	f.Add([]byte(`{"error":{"message":"x"},"message":3}`))
	f.Add([]byte("<html><title>401 \x1b[2J</title>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		title, code := ise.ReadSaid(body)
		printable(t, title, 200)
		printable(t, code, 80)
	})
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"SearchResult":{"total":101,"resources":[{"id":"1","name":"00:11:22:33:44:55","link":{"rel":"self","href":"https://x/1"}}],"nextPage":{"rel":"next","href":"https://x:9060/ers/config/endpoint?size=100&page=2"}}}`))
	f.Add([]byte(`{"SearchResult":{"total":-1,"resources":null,"nextPage":{"href":"%zz?page=9"}}}`))
	f.Add([]byte(`{"SearchResult":{"total":1e99}}`))
	f.Add([]byte(`{"SearchResult":{"total":300,"resources":[],"nextPage":{"href":"https://x/?page=2"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		items, total, next, err := ise.ReadPage(body)
		if err != nil {
			printable(t, err.Error(), 200)
			return
		}
		if total < 0 || next != 0 && (next < 2 || len(items) == 0) {
			t.Errorf("%d items of %d, next page %d", len(items), total, next)
		}
	})
}

func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"ERSEndPoint":{"id":"1","mac":"00:11:22:33:44:55","customAttributes":{"customAttributes":{"a":"b","n":1}}}}`))
	f.Add([]byte(`[{"id":"1","customAttributes":{"a":"b"}}]`))
	f.Add([]byte(`{"response":[{"id":"1"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if raw, err := ise.Unwrap(body); err == nil && !json.Valid(raw) {
			t.Errorf("%q is no JSON", raw)
		}
		_, _ = ise.ReadEndpoints(body)
	})
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"authenticationSettings":{"radiusSharedSecret":"SECRETVALUE"},"a":[{"password":"SECRETVALUE"}],"n":12345678901234567890}`))
	f.Add([]byte(`{"passwords":["SECRETVALUE",{"a":"SECRETVALUE"}],"snmpCommunity":[["SECRETVALUE"]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ise.NewObject("X", body)
		if err != nil {
			return
		}
		text, err := json.Marshal(o)
		var tree any
		if err != nil || json.Unmarshal(text, &tree) != nil {
			t.Fatalf("%q, %v", text, err)
		}
		closed(t, tree, false)
	})
}

// closed demands that nothing stands in clear below the key of a secret.
func closed(t *testing.T, tree any, secret bool) {
	t.Helper()
	switch x := tree.(type) {
	case string:
		if secret && x != "" && x != "***" {
			t.Errorf("printed: %q", x)
		}
	case []any:
		for _, v := range x {
			closed(t, v, secret)
		}
	case map[string]any:
		for key, v := range x {
			closed(t, v, secret || key == "sharedSecret" || key == "password" || key == "passwords" || key == "snmpCommunity")
		}
	}
}

func FuzzParseMAC(f *testing.F) {
	f.Add("00:1b:2c:3d:4e:5f")
	f.Add("001b.2c3d.4e5f")
	f.Fuzz(func(t *testing.T, s string) {
		mac, err := ise.ParseMAC(s)
		if err != nil {
			return
		}
		if again, err := ise.ParseMAC(mac); err != nil || again != mac || len(mac) != 17 {
			t.Errorf("%q: %q, then %q, %v", s, mac, again, err)
		}
	})
}

func FuzzLocation(f *testing.F) {
	f.Add("https://ise:9060/ers/config/endpoint/aa0e8b20-8bff-11e6-996c-525400b48521")
	f.Add("/..")
	f.Fuzz(func(t *testing.T, s string) {
		id := ise.IDIn(s)
		printable(t, id, 80)
		if strings.ContainsAny(id, "/?#% ") || id == "." || id == ".." {
			t.Errorf("%q gives %q", s, id)
		}
	})
}

func FuzzClip(f *testing.F) {
	f.Add("a\x1b[31m b", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 1 + (limit&0x7fffffff)%300
		printable(t, ise.Clip(s, limit), limit)
	})
}
