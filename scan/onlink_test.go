package scan_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/musternet/muster/scan"
)

func TestLoopbackIsOnLink(t *testing.T) {
	t.Parallel()
	prefixes, err := scan.OnLink()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(prefixes, netip.MustParsePrefix("127.0.0.0/8")) {
		t.Errorf("%v", prefixes)
	}
	if !slices.IsSortedFunc(prefixes, netip.Prefix.Compare) || len(slices.Compact(slices.Clone(prefixes))) != len(prefixes) {
		t.Errorf("not ascending and each once: %v", prefixes)
	}
}
