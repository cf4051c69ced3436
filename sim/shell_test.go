package sim_test

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
)

// console is a terminal that fails its test by itself.
type console struct {
	t *testing.T
	*terminal
}

func openConsole(t *testing.T, f *sim.Fleet, height int) console {
	t.Helper()
	term, err := openTerminal(f, f.Devices()[0], height)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.close)
	return console{t, term}
}

func (c console) mustAsk(line, mark string) string {
	c.t.Helper()
	text, err := c.ask(line, mark)
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

func (c console) mustUntil(mark string) string {
	c.t.Helper()
	text, err := c.until(mark)
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

func (c console) press(keys string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, keys); err != nil {
		c.t.Fatal(err)
	}
}

func (c console) mustEnable(f *sim.Fleet) {
	c.t.Helper()
	if err := c.enable(f, "sim-0001"); err != nil {
		c.t.Fatal(err)
	}
}

// privileged enables and leaves the pager on.
func (c console) privileged(f *sim.Fleet) {
	c.t.Helper()
	_, _, password := f.Login()
	c.mustUntil("sim-0001>")
	c.mustAsk("enable", "Password: ")
	c.press(password + "\n")
	c.mustUntil("sim-0001#")
}

func TestBannerAndMotdAreServedWithTheirTraps(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	d := f.Devices()[0]
	c := clientConfig(f, d)
	var banner string
	c.BannerCallback = func(text string) error { banner = text; return nil }
	client, err := dialWith(d, c, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	term, err := newTerminal(client, 24)
	if err != nil {
		t.Fatal(err)
	}
	motd, err := term.until("sim-0001>")
	if err != nil {
		t.Fatal(err)
	}
	if banner != "sim-0001: authorised access only\n" {
		t.Errorf("banner %q", banner)
	}
	if !strings.HasPrefix(motd, "\r\nsim-0001# is watched > since ") || strings.Contains(motd, "10:11:12") {
		t.Errorf("motd %q", motd)
	}
}

func TestARepeatedCommandAnswersInTurnAndThenStays(t *testing.T) {
	t.Parallel()
	c := openConsole(t, start(t, simConfig(1)), 24)
	c.mustUntil(">")
	c.mustUntil("sim-0001>")
	for _, want := range []string{"first\n", "second\n", "second\n"} {
		if got := c.mustAsk("show clock", "sim-0001>"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEnableTakesTheRightPasswordOnlyAndEchoesNone(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	c := openConsole(t, f, 24)
	c.mustUntil("sim-0001>")
	if got := c.mustAsk("show running-config", "sim-0001>"); !strings.Contains(got, "% Invalid input") {
		t.Fatalf("the configuration is shown to everybody: %q", got)
	}
	c.mustAsk("enable", "Password: ")
	c.press("wrong\n")
	if got := c.mustUntil("Password: "); got != "\r\n" {
		t.Fatalf("got %q", got)
	}
	_, _, password := f.Login()
	c.press(password + "\n")
	if got := c.mustUntil("sim-0001#"); got != "\r\n" {
		t.Fatalf("got %q", got)
	}
}

func TestUnknownCommandsAreAnsweredAsThePlatformDoes(t *testing.T) {
	t.Parallel()
	c := openConsole(t, start(t, simConfig(1)), 24)
	c.mustUntil("sim-0001>")
	if got := c.mustAsk("show nonsense", "sim-0001>"); !strings.HasSuffix(got, "^\n% Invalid input detected at '^' marker.\n\n") {
		t.Errorf("got %q", got)
	}
	if got := c.mustAsk("", "sim-0001>"); got != "" {
		t.Errorf("a bare Enter printed %q", got)
	}
}

func TestKeysThatEditALine(t *testing.T) {
	t.Parallel()
	c := openConsole(t, start(t, simConfig(1)), 24)
	c.mustUntil("sim-0001>")
	c.press("nonsense\x15show cloxk\b\x7fck\r\n")
	if got := c.mustUntil("sim-0001>"); !strings.HasSuffix(got, "\r\nfirst\r\n") {
		t.Errorf("got %q", got)
	}
	c.press("\r\n")
	if got := c.mustUntil("sim-0001>"); got != "\r\n" {
		t.Errorf("CR LF is two lines: %q", got)
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	c := openConsole(t, start(t, simConfig(1)), 24)
	c.mustUntil("sim-0001>")
	io.WriteString(c.in, strings.Repeat("x", 8000))
	if _, err := c.until("\n"); err == nil {
		t.Error("it went on")
	}
}

func TestThePagerFillsTheScreenAndWaitsForKeys(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	for height, lines := range map[int]int{12: 11, 0: 15, 200: 0} {
		c := openConsole(t, f, height)
		c.privileged(f)
		if lines == 0 {
			if got := c.mustAsk("show running-config", "sim-0001#"); strings.Contains(got, "--More--") {
				t.Errorf("height %d: it paged", height)
			}
			continue
		}
		all := c.mustAsk("show running-config", " --More-- ")
		if got := strings.Count(all, "\n"); got != lines {
			t.Errorf("height %d: %d lines on a page", height, got)
		}
		c.press("\r")
		if got := c.mustUntil(" --More-- "); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "\b\b\b\b") {
			t.Errorf("height %d: Enter gave %q", height, got)
		}
		c.press("q")
		if got := c.mustUntil("sim-0001#"); got != "\b\b\b\b" {
			t.Errorf("height %d: q gave %q", height, got)
		}
	}
}

func TestPagesTogetherAreTheWhole(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	c := openConsole(t, f, 10)
	c.privileged(f)
	c.press("show running-config\n    ") // ahead of the pager: enough keys for all pages
	text := strings.ReplaceAll(c.mustUntil("sim-0001#"), "\r\n", "\n")
	if n := strings.Count(text, " --More-- "); n != 2 {
		t.Errorf("%d pager prompts", n)
	}
	text = strings.ReplaceAll(text, " --More-- \b\b\b\b", "")
	if got, want := clean(text), string(f.Want("sim-0001")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSwitchingThePagerOffHolds(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	c := openConsole(t, f, 5)
	c.mustEnable(f)
	for range 2 {
		if got := c.mustAsk("show running-config", "sim-0001#"); strings.Contains(got, "--More--") {
			t.Fatal("it paged")
		}
	}
}

func TestAWindowThatGrowsTakesMoreLines(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	c := openConsole(t, f, 5)
	if err := c.session.WindowChange(300, 80); err != nil {
		t.Fatal(err)
	}
	c.privileged(f)
	if got := c.mustAsk("show running-config", "sim-0001#"); strings.Contains(got, "--More--") {
		t.Error("it paged")
	}
}

func TestExecKeepsStreamsApartAndEndsWithAStatus(t *testing.T) {
	t.Parallel()
	f := start(t, sim.Config{Recordings: []*platform.Recording{server()}})
	d := f.Devices()[0]
	client, err := dial(f, d)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, c := range []struct {
		command, out, err string
		status            int
	}{
		{"cat /etc/hostname", "sim-0001\n", "read at ", 0},
		{"false", "", "", 1},
		{"nonsense --all", "", "sh: 1: nonsense: not found\n", 127},
	} {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr strings.Builder
		session.Stdout, session.Stderr = &stdout, &stderr
		got := 0
		if err := session.Run(c.command); err != nil {
			got = status(err)
		}
		if stdout.String() != c.out || !strings.HasPrefix(stderr.String(), c.err) || (c.err == "") != (stderr.Len() == 0) || got != c.status {
			t.Errorf("%s: got %q, %q, %d", c.command, &stdout, &stderr, got)
		}
	}
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err == nil {
		t.Error("a recording without a prompt gave a shell")
	}
}

func TestAnExecRequestOfAShellDeviceIsAnswered(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	d := f.Devices()[0]
	if out, err := execute(t, f, d, "show clock"); err != nil || out != "first\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if out, _ := execute(t, f, d, "show running-config"); strings.Contains(out, "hostname") {
		t.Errorf("the configuration is shown to everybody: %q", out)
	}
}

func TestOtherChannelsAndMethodsAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, simConfig(1))
	d := f.Devices()[0]
	client, err := dial(f, d)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if c, err := client.Dial("tcp", "127.0.0.1:1"); err == nil {
		c.Close()
		t.Error("it forwards")
	}
	if ok, _, err := client.SendRequest("keepalive@openssh.com", true, nil); ok || err != nil {
		t.Errorf("a keepalive was answered with %v, %v", ok, err)
	}
	user, password, _ := f.Login()
	for name, auth := range map[string]ssh.AuthMethod{
		"wrong password": ssh.Password("wrong"),
		"wrong keyboard": ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return []string{"wrong"}, nil }),
		"wrong user":     ssh.Password(password),
	} {
		c := clientConfig(f, d)
		c.Auth = []ssh.AuthMethod{auth}
		if name == "wrong user" {
			c.User = user + "x"
		}
		if client, err := dialWith(d, c, patience); err == nil {
			client.Close()
			t.Errorf("%s: logged in", name)
		}
	}
	c := clientConfig(f, d)
	c.Auth = []ssh.AuthMethod{ssh.KeyboardInteractive(func(_, _ string, q []string, _ []bool) ([]string, error) { return []string{password}, nil })}
	client, err = dialWith(d, c, patience)
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if got := f.Counts(); got.Rejected != 3 || got.Logins != 2 {
		t.Errorf("counts %+v", got)
	}
}

// FuzzShell types anything at a shell and then sees whether the fleet still serves others.
func FuzzShell(f *testing.F) {
	fleet := start(f, sim.Config{Devices: 2, Recordings: []*platform.Recording{router()}})
	for _, seed := range []string{
		"enable\nwrong\r\nwrong\rwrong\n", "show running-config\n q", "\x15\x03\b\b\x7f\n\n", "exit\nexit\n", "terminal length 0\nshow clock\r\n", "\x00\xff\xfe\n%s%n\n",
	} {
		f.Add([]byte(seed), uint16(24))
	}
	f.Fuzz(func(t *testing.T, keys []byte, height uint16) {
		term, err := openTerminal(fleet, fleet.Devices()[0], int(height))
		if err != nil {
			t.Fatal(err)
		}
		defer term.close()
		term.in.Write(keys)
		if _, err := fetch(fleet, fleet.Devices()[1]); err != nil {
			t.Errorf("another device: %v", err)
		}
	})
}
