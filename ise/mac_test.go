package ise_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/ise"
)

func TestParseMAC(t *testing.T) {
	t.Parallel()
	const want = "00:1B:2C:3D:4E:5F"
	for _, s := range []string{
		"00:1B:2C:3D:4E:5F", "00:1b:2c:3d:4e:5f", "00-1B-2C-3D-4E-5F", "001b.2c3d.4e5f", "001b-2c3d-4e5f", "001B:2C3D:4E5F", "001b2c-3d4e5f", "001B2C3D4E5F", " 001b2c3d4e5f\n",
		"00.1b.2c.3d.4e.5f",
	} {
		if got, err := ise.ParseMAC(s); err != nil || got != want {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", ":", "00:1b:2c:3d:4e", "00:1b:2c:3d:4e:5f:60", "00:1b-2c:3d-4e:5f", "001b2c3d4e5", "001b2c3d4e5f6", "00:1b:2c:3d:4e:5g", "0:1b:2c:3d:4e:5f", "001b.2c3d.4e5f.",
		".001b.2c3d.4e5f", "001b2c3d4e5f.", "001b2c3d.4e5f", "00 1b 2c 3d 4e 5f", "phone", "00:1b:2c:3d:4e:5é", strings.Repeat("00:", 1000),
	} {
		if got, err := ise.ParseMAC(s); err == nil || len(err.Error()) > 120 {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
}
