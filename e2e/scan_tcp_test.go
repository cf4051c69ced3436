//go:build e2e && linux

package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The connections of `muster scan`.

// identification is what the servers of these tests say.
const identification = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7"

// serve listens in the space until the test ends, at every address that is the space's own.
func (w space) serve(t *testing.T, port int, speak func(net.Conn)) {
	t.Helper()
	var l net.Listener
	w.inside(t, func() (err error) {
		l, err = net.Listen("tcp4", fmt.Sprintf(":%d", port))
		return err
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, conn)
			speak(conn)
		}
		for _, conn := range open {
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
}

// named says what an SSH server says first and hangs up.
func named(c net.Conn) {
	fmt.Fprintf(c, "%s\r\n", identification)
	c.Close()
}

// only lets connections to port 22 through to these addresses; the others are refused or meet silence.
func only(addresses []netip.Addr, otherwise string) string {
	var set []string
	for _, addr := range addresses {
		set = append(set, addr.String())
	}
	return fmt.Sprintf(`nft -f - <<END
table ip wall {
	set open { type ipv4_addr; elements = { %s } }
	chain in {
		type filter hook input priority 0
		tcp dport 22 ip daddr != @open %s
	}
}
END
`, strings.Join(set, ", "), otherwise)
}

func TestScanFindsExactlyThePortsThatAreOpenInASlash20(t *testing.T) {
	open := addresses("198.18.16.9", 256, 16)
	for name, c := range map[string]struct {
		others string   // what the rest does
		args   []string // beside the prefix and the port
		state  string   // of the port of the rest, where that is up
		up     int
	}{
		"the rest refuses, by TCP alone":      {"reject with tcp reset", []string{"--no-ping"}, "closed", 4096},
		"the rest is silent, by TCP alone":    {"drop", []string{"--no-ping", "--timeout", "300ms", "--retries", "0"}, "", 256},
		"the rest refuses, beside ping":       {"reject with tcp reset", nil, "closed", 4096},
		"the rest answers pings, TCP silent":  {"drop", []string{"--timeout", "300ms", "--retries", "0"}, "filtered", 4096},
		"the rest is prohibited, by TCP only": {"reject with icmp type admin-prohibited", []string{"--no-ping", "--timeout", "300ms", "--retries", "0"}, "", 256},
	} {
		t.Run(name, func(t *testing.T) {
			w, there := twoSpaces(t, "ip route add local 198.18.16.0/20 dev lo\n"+only(open, c.others)+
				"echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 100000 >/proc/sys/net/ipv4/icmp_msgs_per_sec 2>/dev/null || :\n")
			there.serve(t, 22, named)
			args := append([]string{"198.18.16.0/20", "--tcp", "22", "--rate", "0"}, c.args...)
			r := w.scan(t, newSite(t), args...)
			if r.sum.Targets != 4096 || r.sum.Up != c.up || r.code != 0 {
				t.Errorf("exit %d, %+v, want %d up", r.code, r.sum, c.up)
			}
			var found []netip.Addr
			for _, addr := range r.up() {
				switch p := r.hosts[addr].port(22); p.State {
				case "open":
					found = append(found, addr)
					if p.Banner != identification {
						t.Errorf("%s says %q", addr, p.Banner)
					}
				case c.state:
				default:
					t.Errorf("%+v", r.hosts[addr])
				}
			}
			if !slices.Equal(found, open) {
				t.Errorf("port 22 is open on %d, want 256; missed %v, invented %v", len(found), without(open, found), without(found, open))
			}
			w.peer(t, nmapHosts("22/open"), "nmap", "-n", "-Pn", "-sT", "-p22", "-T5", "--max-rtt-timeout", "300ms",
				"--max-retries", "0", "--min-rate", "5000", "--open", "-oG", "-", "198.18.16.0/20")
		})
	}
}

func TestScanReadsTheBannersOfRealServers(t *testing.T) {
	w := frontSpace(t, "198.19.173.50")
	r := w.scan(t, newSite(t), "198.19.173.0/26", "--exclude", "198.19.173.1", "--tcp", "22,2022", "--timeout", "500ms")
	var want []netip.Addr
	for name, n := range the.nodes {
		if n.ports[0].network != front {
			continue
		}
		addr := netip.MustParseAddr(n.address())
		want = append(want, addr)
		server := map[string]string{"bird": "SSH-2.0-dropbear", "tiny": "SSH-2.0-tinyssh"}[n.kind]
		if server == "" {
			server = "SSH-2.0-OpenSSH_"
		}
		if p := r.hosts[addr].port(22); p.State != "open" || !strings.HasPrefix(p.Banner, server) {
			t.Errorf("%s at %s: %+v, want %s", name, addr, r.hosts[addr], server)
		}
		second := "closed"
		if n.kind == "bird" {
			second = "open"
		}
		if p := r.hosts[addr].port(2022); p.State != second {
			t.Errorf("%s: port 2022 is %q, want %q", name, p.State, second)
		}
		link, err := n.output("ip", "-o", "link", "show", "dev", "eth0")
		if err != nil {
			t.Fatal(err)
		}
		if mac := r.hosts[addr].MAC; mac == "" || !strings.Contains(link, "link/ether "+mac+" ") {
			t.Errorf("%s has MAC %q, want that of %s", name, mac, link)
		}
	}
	want = append(want, netip.MustParseAddr("198.19.173.50"))
	slices.SortFunc(want, netip.Addr.Compare)
	r.exactly(t, want)
	w.peer(t, nmapHosts("22/open"), "nmap", "-n", "-sT", "-p22", "-T5", "--open", "--exclude", "198.19.173.1", "-oG", "-", "198.19.173.0/26")
}

// frontSpace is a space with an address in the front network of the lab.
func frontSpace(t *testing.T, address string) space {
	t.Helper()
	w := newSpace(t, "")
	wires := func(lines string) error {
		return ipBatch(lines, "nsenter", "-t", the.wires.pid(), "-n", "--", "ip", "-batch", "-")
	}
	err := wires(fmt.Sprintf("link add scan0 type veth peer name eth0 netns %s\nlink set scan0 up\nlink set scan0 master %s\n", w.pid(), front))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wires("link del scan0\n") }) // the kernel would do it, a moment too late for the next one
	w.shell(t, "ip addr add "+address+nodePrefix+" dev eth0\nip link set eth0 up\n")
	return w
}

func TestScanTellsAPortThatIsMuteFromOneThatSpeaks(t *testing.T) {
	w := newSpace(t, "")
	w.serve(t, 22, mute)
	w.serve(t, 2222, named)
	w.serve(t, 2323, web)
	w.serve(t, 8080, mute) // waits for the client, as web servers do
	r := w.scan(t, newSite(t), "127.1.0.1", "--tcp", "22,2222-2223,2323,8080")
	h := r.hosts[netip.MustParseAddr("127.1.0.1")]
	want := map[int]hostPort{
		22:   {22, "mute", ""},
		2222: {2222, "open", identification},
		2223: {2223, "closed", ""},
		2323: {2323, "open", "HTTP/1.1 400 Bad Request"},
		8080: {8080, "open", ""},
	}
	for number, p := range want {
		if h.port(number) != p {
			t.Errorf("got %+v, want %+v", h.port(number), p)
		}
	}
	if h.State != "up" || len(h.Ports) != len(want) || h.Filtered || r.code != 0 {
		t.Errorf("exit %d, %+v", r.code, h)
	}
}

func TestScanCallsAHostThatAnswersConnectionsAloneUpAndFiltered(t *testing.T) {
	w, there := twoSpaces(t, `ip route add local 198.18.0.0/29 dev lo
nft add table ip wall
nft add chain ip wall in '{ type filter hook input priority 0; }'
nft add rule ip wall in icmp type echo-request ip daddr 198.18.0.0/30 drop
nft add rule ip wall in tcp dport 22 ip daddr 198.18.0.3 drop
`)
	there.serve(t, 22, named)
	r := w.scan(t, newSite(t), "198.18.0.0/29", "--tcp", "22,23", "--timeout", "300ms")
	r.exactly(t, addresses("198.18.0.0", 8, 1))
	for addr, h := range r.hosts {
		if h.Filtered != (addr.As4()[3] < 4) {
			t.Errorf("%+v", h)
		}
	}
	if h := r.hosts[netip.MustParseAddr("198.18.0.3")]; h.port(22).State != "filtered" || h.port(23).State != "closed" {
		t.Errorf("a refusal alone: %+v", h)
	}
	a, c := w.run(t, exec.Command("fping", "-a", "-q", "-r", "1", "-t", "500", "-g", "198.18.0.0", "198.18.0.7"))
	t.Logf("fping  found %d, %v: it knows pings alone", len(eachLine(a.stdout)), c)
}

// What a server says may be anything. It stays one line of JSON, and of the table no byte reaches a terminal raw.
func TestScanPrintsNothingRawThatAServerSays(t *testing.T) {
	w := newSpace(t, "")
	w.serve(t, 22, func(c net.Conn) {
		c.Write([]byte("SSH-2.0-\x1b[2Jevil\x07\xff\x00" + strings.Repeat("x", 4096) + "\r\n"))
		c.Close()
	})
	s := newSite(t)
	r := w.scan(t, s, "127.1.0.1", "--tcp", "22")
	if p := r.hosts[netip.MustParseAddr("127.1.0.1")].port(22); p.State != "open" || len(p.Banner) < 8 || len(p.Banner) > 1024 {
		t.Errorf("%s, banner of %d bytes", p.State, len(p.Banner))
	}
	for _, format := range []string{"table", "csv", "list"} {
		a, _ := w.run(t, s.command(t.Context(), "scan", "127.1.0.1", "--tcp", "22", "-o", format))
		if a.code != 0 || strings.ContainsAny(a.stdout+a.stderr, "\x1b\x07\x00\xff") {
			t.Errorf("-o %s, exit %d: %q", format, a.code, a.stdout+a.stderr)
		}
	}
}

func TestScanOfManySilentPortsStaysWithinItsTimeouts(t *testing.T) {
	w, _ := twoSpaces(t, "ip route add blackhole 198.18.0.0/16\n")
	r := w.scan(t, newSite(t), "198.18.0.0/20", "--tcp", "22", "--no-ping", "--rate", "0", "--timeout", "500ms", "--retries", "1", "--in-flight", "4096")
	if r.sum.Up != 0 || r.code != 0 || r.wall > 8*time.Second {
		t.Errorf("exit %d after %v, %+v", r.code, r.wall, r.sum)
	}
}
