package logfile_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/logfile"
)

var addrs = cmpopts.EquateComparable(netip.Addr{})

// sameAsJSON checks that a line is decoded as encoding/json decodes it.
func sameAsJSON(t *testing.T, text []byte) {
	t.Helper()
	var want muster.LogLine
	wantErr := json.Unmarshal(text, &want)
	got, err := logfile.Decode(text)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: got error %v, want %v", text, err, wantErr)
	}
	if diff := cmp.Diff(want, got, addrs); err == nil && diff != "" {
		t.Fatalf("%q:\n%s", text, diff)
	}
}

var odd = []string{
	``, `{}`, `{`, `null`, `[]`, `{"device":"a"}`, `{"device":"a",}`, `{"device":"a"}}`, `{"device":"a"} `, ` {"device":"a"}`, `{"device": "a"}`,
	`{"device":"a","device":"b"}`, `{"Device":"a"}`, `{"device":null}`, `{"device":7}`, `{"other":[{}],"device":"a"}`, `{"device":"a\"b"}`,
	`{"device":"a\\"}`, `{"device":"a\\\"}`, `{"device":"\u00e4\u003c\/\b\f\n\r\t"}`, `{"device":"\ud83d\ude00"}`, `{"device":"\ud83d"}`,
	`{"device":"\ud83d\u0041"}`, `{"device":"\ude00\ud83d"}`, `{"device":"\x"}`, `{"device":"\u12"}`, `{"device":"\u123g"}`, "{\"device\":\"\t\"}",
	"{\"device\":\"\xff\"}", `{"counter":1}`, `{"counter":01}`, `{"counter":-1}`, `{"counter":1.5}`, `{"counter":1e3}`, `{"counter":18446744073709551615}`,
	`{"counter":18446744073709551616}`, `{"missing":9223372036854775808}`, `{"missing":-3}`, `{"counter":}`, `{"counter":0}`, `{"flags":[]}`,
	`{"flags":["a","b"]}`, `{"flags":["a",]}`, `{"flags":null}`, `{"source":""}`, `{"source":"198.18.0.1"}`, `{"source":"::ffff:198.18.0.1"}`,
	`{"source":"fe80::1%eth0"}`, `{"source":"r1"}`, `{"received":"2026-01-02T03:04:05Z"}`, `{"received":"2026-01-02T03:04:05.123456789+07:30"}`,
	`{"received":""}`, `{"received":"yesterday"}`, `{"raw_bytes":"AP8="}`, `{"raw_bytes":"?"}`, `{"device":"a"`, `{"device":"a`, `{"device"}`, `{"device":}`,
}

func TestDecodeIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for n := range 20 {
		text := encode(t, line(n))
		sameAsJSON(t, text[:len(text)-1])
		for i := range len(text) - 1 {
			sameAsJSON(t, text[:i])
		}
	}
	for _, text := range odd {
		sameAsJSON(t, []byte(text))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, line(1)))
	for _, text := range odd {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameAsJSON(t, text) })
}

// FuzzDecodeTexts has encoding/json write the line.
func FuzzDecodeTexts(f *testing.F) {
	f.Add("r1", "<189>\u2028\x00\xff", uint64(1), 1, "unknown-source", []byte(nil))
	f.Fuzz(func(t *testing.T, device, raw string, counter uint64, missing int, flag string, bytes []byte) {
		l := line(1)
		l.Device, l.Raw, l.Message, l.Counter, l.Missing, l.Flags, l.RawBytes = device, raw, raw, counter, missing, []string{flag, device}, bytes
		text := encode(t, l)
		sameAsJSON(t, text[:len(text)-1])
	})
}

func TestDecodeKnowsEveryMember(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[muster.LogLine]().NumField() {
		var l muster.LogLine
		name := reflect.TypeFor[muster.LogLine]().Field(i).Name
		switch v := reflect.ValueOf(&l).Elem().Field(i).Addr().Interface().(type) {
		case *string:
			*v = "text"
		case *int:
			*v = 1
		case *uint64:
			*v = 1
		case *time.Time:
			*v = at
		case *netip.Addr:
			*v = netip.MustParseAddr("198.18.0.1")
		case *[]string:
			*v = []string{"a", "b"}
		case *[]byte:
			continue // so rare that encoding/json may read it
		default:
			t.Errorf("%s is of a type that this test does not know", name)
		}
		if text := encode(t, l); !logfile.DecodesQuickly(text[:len(text)-1]) {
			t.Errorf("decode leaves every line with %s to encoding/json: add it to reader.value", name)
		}
	}
}
