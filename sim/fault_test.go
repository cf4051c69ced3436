package sim_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
)

// moment is how long these tests watch a device that is expected to stay silent.
const moment = 300 * time.Millisecond

// faulty starts one device with a fault.
func faulty(t *testing.T, kind string, r *platform.Recording) (*sim.Fleet, sim.Device) {
	t.Helper()
	f := start(t, sim.Config{Seed: 3, Recordings: []*platform.Recording{r}, Faults: []sim.Share{{Kind: kind, Share: 1}}})
	d := f.Devices()[0]
	if d.Fault != kind {
		t.Fatalf("fault %q, want %q", d.Fault, kind)
	}
	return f, d
}

// raw returns what a device says by itself to who says hello, until it stays silent or closes.
func raw(t *testing.T, d sim.Device) (string, error) {
	t.Helper()
	c, err := net.DialTimeout("tcp", address(d), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(moment))
	io.WriteString(c, "SSH-2.0-test\r\n")
	said, err := io.ReadAll(c)
	return string(said), err
}

func TestAShellShowsEachFaultAsItsKindSays(t *testing.T) {
	t.Parallel()
	shows := map[string]func(t *testing.T, f *sim.Fleet, d sim.Device){
		"auth":           showsAuth,
		"cut":            showsCut,
		"empty":          showsEmpty,
		"enable":         showsEnable,
		"endless":        showsEndless,
		"expired":        showsExpired,
		"flaky":          showsFlaky,
		"garbage":        showsGarbage,
		"hang-banner":    showsHangBanner,
		"hang-command":   showsHangCommand,
		"hang-handshake": showsHangHandshake,
		"legacy":         showsLegacy,
		"limit":          showsLimit,
		"mute":           showsMute,
		"refuse":         showsRefuse,
		"reject":         showsReject,
		"reset":          showsReset,
		"slow":           showsSlow,
		"trickle":        showsTrickle,
		"truncated":      showsTruncated,
		"wrong-key":      showsWrongKey,
	}
	for _, k := range sim.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			show, ok := shows[k.Name]
			if !ok {
				t.Fatal("no test shows this fault")
			}
			f, d := faulty(t, k.Name, router())
			show(t, f, d)
		})
	}
}

func showsAuth(t *testing.T, f *sim.Fleet, d sim.Device) {
	_, err := dial(f, d)
	if err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Fatalf("got %v", err)
	}
	if c := f.Counts(); c.Rejected != 1 || c.Logins != 0 {
		t.Errorf("counts %+v", c)
	}
}

func showsGarbage(t *testing.T, _ *sim.Fleet, d sim.Device) {
	said, err := raw(t, d)
	if said == "" || strings.Contains(said, "SSH-") || !isTimeout(err) {
		t.Errorf("it said %q, then %v", said, err)
	}
}

func showsHangBanner(t *testing.T, _ *sim.Fleet, d sim.Device) {
	if said, err := raw(t, d); said != "" || !isTimeout(err) {
		t.Errorf("it said %q, then %v", said, err)
	}
}

func showsHangHandshake(t *testing.T, _ *sim.Fleet, d sim.Device) {
	said, err := raw(t, d)
	if !strings.HasPrefix(said, "SSH-2.0-") || strings.Count(said, "\n") != 1 || !isTimeout(err) {
		t.Errorf("it said %q, then %v", said, err)
	}
}

func showsRefuse(t *testing.T, _ *sim.Fleet, d sim.Device) {
	if c, err := net.DialTimeout("tcp", address(d), patience); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, %v", c, err)
	}
	if l, err := net.Listen("tcp", address(d)); err == nil {
		l.Close()
		t.Error("somebody else may listen on the port")
	}
}

func showsLegacy(t *testing.T, f *sim.Fleet, d sim.Device) {
	var negotiation *ssh.AlgorithmNegotiationError
	if _, err := dial(f, d); !errors.As(err, &negotiation) {
		t.Errorf("got %v", err)
	}
	c := clientConfig(f, d)
	c.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1}
	client, err := dialWith(d, c, patience)
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
}

func showsWrongKey(t *testing.T, f *sim.Fleet, d sim.Device) {
	if _, err := fetch(f, d); err != nil {
		t.Fatalf("the first time: %v", err)
	}
	if _, err := fetch(f, d); err == nil || !strings.Contains(err.Error(), "host key SHA256:") {
		t.Fatalf("the second time: %v", err)
	}
}

func showsFlaky(t *testing.T, f *sim.Fleet, d sim.Device) {
	if _, err := fetch(f, d); err == nil {
		t.Fatal("the first connection was served")
	}
	text, err := fetch(f, d)
	if err != nil || clean(text) != string(f.Want(d.Name)) {
		t.Fatalf("the second connection: %v", err)
	}
}

// greeting is what a login shows until the session ends or is silent for a moment.
func greeting(t *testing.T, f *sim.Fleet, d sim.Device) string {
	t.Helper()
	client, err := dialWith(d, clientConfig(f, d), moment)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	term, err := newTerminal(client, 24)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := term.until("no device says this")
	return text
}

func showsLimit(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text := greeting(t, f, d); !strings.Contains(text, "Login limit reached") || strings.Contains(text, ">") {
		t.Errorf("it said %q", text)
	}
}

func showsMute(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text := greeting(t, f, d); text != "Please wait, the system is starting.\r\n" {
		t.Errorf("it said %q", text)
	}
}

func showsExpired(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text := greeting(t, f, d); !strings.Contains(text, "password has expired") || !strings.HasSuffix(text, "Enter new password: ") {
		t.Errorf("it said %q", text)
	}
}

func showsEnable(t *testing.T, f *sim.Fleet, d sim.Device) {
	term, err := openTerminal(f, d, 24)
	if err != nil {
		t.Fatal(err)
	}
	defer term.close()
	_, _, password := f.Login()
	term.until(d.Name + ">")
	term.ask("enable", "Password: ")
	io.WriteString(term.in, password+"\n")
	for range 2 {
		if text, err := term.until("Password: "); err != nil || text != "\r\n" {
			t.Fatalf("it said %q, %v", text, err)
		}
		io.WriteString(term.in, password+"\n")
	}
	if text, err := term.until(d.Name + ">"); err != nil || !strings.Contains(text, "% Bad secrets") {
		t.Fatalf("it said %q, %v", text, err)
	}
}

// asks logs in, asks for the configuration, and returns what comes until the prompt, the end or the limit.
func asks(t *testing.T, f *sim.Fleet, d sim.Device, limit time.Duration) (string, error) {
	t.Helper()
	tcp, err := net.DialTimeout("tcp", address(d), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	tcp.SetDeadline(time.Now().Add(patience))
	conn, chans, reqs, err := ssh.NewClientConn(tcp, address(d), clientConfig(f, d))
	if err != nil {
		t.Fatal(err)
	}
	client := ssh.NewClient(conn, chans, reqs)
	defer client.Close()
	term, err := newTerminal(client, 24)
	if err != nil {
		t.Fatal(err)
	}
	if err := term.enable(f, d.Name); err != nil {
		t.Fatal(err)
	}
	tcp.SetDeadline(time.Now().Add(limit))
	return term.ask("show running-config", d.Name+"#")
}

func showsHangCommand(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text, err := asks(t, f, d, moment); err == nil || text != "show running-config\r\n" {
		t.Errorf("it said %q, then %v", text, err)
	}
}

func showsTrickle(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text, err := asks(t, f, d, moment); err == nil || text != "show running-config\r\nB" {
		t.Errorf("it said %q, then %v", text, err)
	}
}

// half demands the beginning of a configuration without its end.
func half(t *testing.T, text string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(text, "Building configuration") || strings.Contains(text, "\nend") {
		t.Errorf("it said %q, then %v", text, err)
	}
}

func showsReset(t *testing.T, f *sim.Fleet, d sim.Device) {
	text, err := asks(t, f, d, patience)
	half(t, text, err)
}

func showsTruncated(t *testing.T, f *sim.Fleet, d sim.Device) {
	text, err := asks(t, f, d, patience)
	half(t, text, err)
	if !errors.Is(err, io.EOF) {
		t.Errorf("the end is not clean: %v", err)
	}
}

func showsCut(t *testing.T, f *sim.Fleet, d sim.Device) {
	text, err := asks(t, f, d, patience)
	if err != nil || !strings.HasPrefix(text, "Building") || strings.Contains(text, "\nend") {
		t.Errorf("it said %q, then %v", text, err)
	}
}

func showsEmpty(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text, err := asks(t, f, d, patience); err != nil || text != "" {
		t.Errorf("it said %q, then %v", text, err)
	}
}

func showsReject(t *testing.T, f *sim.Fleet, d sim.Device) {
	if text, err := asks(t, f, d, patience); err != nil || !strings.Contains(text, "% Invalid input") {
		t.Errorf("it said %q, then %v", text, err)
	}
}

func showsSlow(t *testing.T, f *sim.Fleet, d sim.Device) {
	text, err := asks(t, f, d, patience)
	if err != nil || clean(text) != string(f.Want(d.Name)) {
		t.Errorf("it said %q, then %v", text, err)
	}
}

func showsEndless(t *testing.T, f *sim.Fleet, d sim.Device) {
	client, err := dial(f, d)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	term, err := newTerminal(client, 24)
	if err != nil {
		t.Fatal(err)
	}
	if err := term.enable(f, d.Name); err != nil {
		t.Fatal(err)
	}
	io.WriteString(term.in, "show running-config\n")
	var flood bytes.Buffer
	if n, err := io.CopyN(&flood, term.out, 4<<20); err != nil {
		t.Fatalf("it ended after %d bytes: %v", n, err)
	}
	if bytes.Contains(flood.Bytes(), []byte("\r\nend\r\n")) {
		t.Error("the end mark is in it")
	}
}

func TestAnExecRequestShowsEachFault(t *testing.T) {
	t.Parallel()
	const command = "cat /etc/network/interfaces"
	for kind, right := range map[string]func(out string, err error) bool{
		"reset":     func(out string, err error) bool { return err != nil && strings.HasPrefix(out, "# written") },
		"truncated": func(out string, err error) bool { return missing(err) && strings.HasPrefix(out, "# written") },
		"empty":     func(out string, err error) bool { return err == nil && out == "" },
		"slow":      func(out string, err error) bool { return err == nil && strings.Contains(out, "iface eth0") },
		"reject":    func(out string, err error) bool { return status(err) == 127 },
		"limit": func(out string, err error) bool {
			var open *ssh.OpenChannelError
			return errors.As(err, &open) && open.Reason == ssh.ResourceShortage
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f, d := faulty(t, kind, server())
			if out, err := execute(t, f, d, command); !right(out, err) {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
}

func TestAnExecRequestMayHang(t *testing.T) {
	t.Parallel()
	f, d := faulty(t, "hang-command", server())
	client, err := dialWith(d, clientConfig(f, d), moment)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := session.Output("cat /etc/hostname"); len(out) > 0 || err == nil {
		t.Errorf("got %q, %v", out, err)
	}
}

func execute(t *testing.T, f *sim.Fleet, d sim.Device, command string) (string, error) {
	t.Helper()
	client, err := dial(f, d)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	out, err := session.Output(command)
	return string(out), err
}

func missing(err error) bool {
	var m *ssh.ExitMissingError
	return errors.As(err, &m)
}

func status(err error) int {
	var exit *ssh.ExitError
	if !errors.As(err, &exit) {
		return -1
	}
	return exit.ExitStatus()
}

func TestFaultsAreSharedOutByTheSeed(t *testing.T) {
	t.Parallel()
	shares := []sim.Share{{Kind: "auth", Share: 0.1}, {Kind: "reset", Share: 0.05}, {Kind: "enable", Share: 0.1}}
	c := sim.Config{Devices: 100, Seed: 11, Recordings: []*platform.Recording{router(), server()}, Faults: shares}
	first, second := faultsOf(start(t, c)), faultsOf(start(t, c))
	c.Seed = 12
	other := faultsOf(start(t, c))
	if !slices.Equal(first, second) || slices.Equal(first, other) {
		t.Error("the faults do not follow from the seed")
	}
	count := map[string]int{}
	for i, fault := range first {
		count[fault]++
		if fault == "enable" && i%2 == 1 {
			t.Error("a device that asks for no enable password has a wrong one")
		}
	}
	if count["auth"] != 10 || count["reset"] != 5 || count["enable"] != 10 {
		t.Errorf("got %v", count)
	}
}

func faultsOf(f *sim.Fleet) []string {
	var faults []string
	for _, d := range f.Devices() {
		faults = append(faults, d.Fault)
	}
	return faults
}

func TestParseShare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]sim.Share{
		"auth:5%":    {Kind: "auth", Share: 0.05},
		"auth:0.05":  {Kind: "auth", Share: 0.05},
		"reset:1":    {Kind: "reset", Share: 1},
		"slow:100%":  {Kind: "slow", Share: 1},
		"slow:0":     {Kind: "slow"},
		"endless:.5": {Kind: "endless", Share: 0.5},
	} {
		got, err := sim.ParseShare(text)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
		if again, err := sim.ParseShare(got.String()); err != nil || again != got {
			t.Errorf("%s: %s reads as %v, %v", text, got, again, err)
		}
	}
	for text, want := range map[string]string{
		"auth": "KIND:SHARE", "": "KIND:SHARE", "auth:": "no number", "auth:many": "no number", "auth:5%%": "no number",
		"nope:5%": "unknown fault", "auth:-1": "from 0 to 1", "auth:101%": "from 0 to 1", "auth:NaN": "from 0 to 1",
	} {
		if _, err := sim.ParseShare(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it to say %q", text, err, want)
		}
	}
}

func FuzzParseShare(f *testing.F) {
	for _, seed := range []string{"auth:5%", "reset:0.25", "slow:1e-3", "auth:%", ":", "x:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := sim.ParseShare(text)
		if err != nil {
			return
		}
		if !(got.Share >= 0 && got.Share <= 1) {
			t.Errorf("%q: share %v", text, got.Share)
		}
		if again, err := sim.ParseShare(got.String()); err != nil || again != got {
			t.Errorf("%q reads as %v, and that as %v, %v", text, got, again, err)
		}
	})
}
