package platform_test

import (
	"os"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

// config30K returns a configuration of about 30 KB and 1,000 lines, as a device prints it.
func config30K(b *testing.B, name string) (*platform.Def, []byte) {
	b.Helper()
	for _, r := range platform.Recordings() {
		if r.Platform == name {
			d, _ := platform.Lookup(name)
			raw, _, _ := d.RecordedConfig(r)
			return d, []byte(strings.Repeat(raw, 1+30<<10/len(raw)))
		}
	}
	b.Fatal("no recording of " + name)
	return nil, nil
}

func BenchmarkClean(b *testing.B) {
	d, raw := config30K(b, "cisco_ios")
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		d.Clean(raw)
	}
}

func BenchmarkMask(b *testing.B) {
	d, raw := config30K(b, "cisco_ios")
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		d.Mask(raw)
	}
}

func BenchmarkMaskAny(b *testing.B) {
	_, raw := config30K(b, "cisco_ios")
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		platform.MaskAny(raw)
	}
}

func BenchmarkParseDefinition(b *testing.B) {
	data, err := os.ReadFile("defs/cisco_ios.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := platform.ParseDefinition(data); err != nil {
			b.Fatal(err)
		}
	}
}
