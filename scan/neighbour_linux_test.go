package scan_test

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/musternet/muster/scan"
)

// inOwnNetwork moves the test into a network of its own, which is gone with the goroutine of the test: nothing that it
// sends leaves this machine, whatever the address.
func inOwnNetwork(t *testing.T, script string) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("a network namespace needs the command ip")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("a network namespace is not allowed: %v", err)
	}
	setUp(t, "ip link set lo up\n"+script)
}

func setUp(t *testing.T, script string) {
	t.Helper()
	c := exec.Command("sh", "-e")
	c.Stdin = strings.NewReader(script)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("set up the network: %v\n%s", err, out)
	}
}

// wire is a link with nobody at its far end.
const wire = `
ip link add wire0 type veth peer name wire1
ip addr add 198.18.5.1/24 dev wire0
ip addr add 198.18.6.1/31 dev wire0
ip -6 addr add fe80::5:1/64 dev wire0 nodad
ip link set wire0 up
ip link set wire1 up
`

func TestNeighboursAreThoseWhoseAddressWasLearnt(t *testing.T) {
	inOwnNetwork(t, wire+`
ip neigh add 198.18.5.2 lladdr 02:00:5e:10:00:02 nud reachable dev wire0
ip neigh add 198.18.5.3 lladdr 02:00:5e:10:00:03 nud stale dev wire0
ip neigh add 198.18.5.4 lladdr 02:00:5e:10:00:04 nud permanent dev wire0
ip neigh add 198.18.5.5 lladdr 02:00:5e:10:00:05 nud delay dev wire0
ip neigh add 198.18.5.6 lladdr 02:00:5e:10:00:06 nud noarp dev wire0
ip neigh add 198.18.5.7 lladdr 02:00:5e:10:00:07 nud failed dev wire0
ip neigh add 198.18.5.8 nud incomplete dev wire0
ip neigh add 198.18.5.9 lladdr 00:00:00:00:00:00 nud permanent dev wire0
ip neigh add fe80::2 lladdr 02:00:5e:10:00:12 nud stale dev wire0
ip neigh add 2001:db8::2 lladdr 02:00:5e:10:00:22 nud stale dev wire0
ip neigh add proxy 198.18.5.10 dev wire0
`)
	found, err := scan.Neighbours()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for addr, mac := range found {
		got[addr.String()] = mac.String()
	}
	want := map[string]string{
		"198.18.5.2": "02:00:5e:10:00:02", "198.18.5.3": "02:00:5e:10:00:03", "198.18.5.4": "02:00:5e:10:00:04", "198.18.5.5": "02:00:5e:10:00:05",
		"fe80::2%wire0": "02:00:5e:10:00:12", "2001:db8::2": "02:00:5e:10:00:22",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTwoNetworksThatTalkAreNeighbours(t *testing.T) {
	inOwnNetwork(t, "")
	// The far end of the wire goes into a second network, which lives as long as the process that holds it.
	far := exec.Command("unshare", "-n", "sh", "-c", "echo ready; read stop")
	in, err := far.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := far.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := far.Start(); err != nil {
		t.Skipf("a second network namespace needs the command unshare: %v", err)
	}
	defer far.Wait()
	defer in.Close()
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Skipf("a second network namespace is not allowed: %v", err)
	}
	setUp(t, fmt.Sprintf(`
ip link add near type veth peer name far address 02:00:5e:10:00:99 netns %d
ip addr add 198.18.5.1/24 dev near
ip link set near up
nsenter -t %[1]d -n ip addr add 198.18.5.2/24 dev far
nsenter -t %[1]d -n ip link set far up
`, far.Process.Pid))
	// A refused connection is talk enough.
	if c, err := net.Dial("tcp", "198.18.5.2:9"); err == nil {
		c.Close()
	}
	found, err := scan.Neighbours()
	if err != nil {
		t.Fatal(err)
	}
	if got := found[netip.MustParseAddr("198.18.5.2")].String(); got != "02:00:5e:10:00:99" || len(found) != 1 {
		t.Errorf("%v", found)
	}
}

func TestABigTableIsReadWhole(t *testing.T) {
	var entries strings.Builder
	const n = 900 // the kernel collects entries above 1,024
	for i := range n {
		fmt.Fprintf(&entries, "neigh add 198.18.%d.%d lladdr 02:00:5e:10:%02x:%02x nud permanent dev wire0\n", 64+i/256, i%256, i/256, i%256)
	}
	inOwnNetwork(t, wire+"ip -batch - <<END\n"+entries.String()+"END\n")
	found, err := scan.Neighbours()
	if err != nil || len(found) != n {
		t.Fatalf("%d of %d, %v", len(found), n, err)
	}
	if got := found[netip.MustParseAddr("198.18.67.3")].String(); got != "02:00:5e:10:03:03" {
		t.Error(got)
	}
}

func TestAnEmptyTableHasNoNeighbours(t *testing.T) {
	inOwnNetwork(t, "")
	if found, err := scan.Neighbours(); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestPrefixesOfInterfacesThatAreUpAreOnLink(t *testing.T) {
	inOwnNetwork(t, wire+`
ip link add wire2 type veth peer name wire3
ip addr add 198.18.9.1/24 dev wire2
`)
	prefixes, err := scan.OnLink()
	if err != nil {
		t.Fatal(err)
	}
	prefixes = slices.DeleteFunc(prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
	var got []string
	for _, p := range prefixes {
		got = append(got, p.String())
	}
	if diff := cmp.Diff([]string{"127.0.0.0/8", "198.18.5.0/24", "198.18.6.0/31"}, got); diff != "" {
		t.Error(diff)
	}
	targets := parse(t, scan.ParseOptions{OnLink: prefixes}, "198.18.5.0", "198.18.6.0/31", "198.18.9.0/30")
	if got := targets.String(); got != "198.18.5.1-198.18.5.254, 198.18.6.0/31, 198.18.9.0/30" {
		t.Error(got)
	}
}
