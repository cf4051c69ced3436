package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests. Nothing waits that long unless it fails.
const patience = 60 * time.Second

// router is a small shell device with everything that a recording can say.
func router() *platform.Recording {
	config := `version 15.2
hostname lab-r1
!
interface GigabitEthernet0/0
 description uplink to core
 ip address 198.51.100.21 255.255.255.0
!
interface GigabitEthernet0/1
 no ip address
 shutdown
!
ip route 0.0.0.0 0.0.0.0 198.51.100.1
!
end
`
	return &platform.Recording{
		Platform: "cisco_ios", Hardware: "lab", Version: "15.2", Origin: "written for this test", Host: "lab-r1",
		Banner: "lab-r1: authorised access only\n", Motd: "\nlab-r1# is watched > since 10:11:12\n\n", Prompt: "lab-r1>",
		Pager: &platform.RecordedPager{Prompt: " --More-- ", Erase: "\b\b\b\b", Lines: 15, Off: "terminal length 0"},
		Steps: []platform.Step{
			{Send: "enable", Ask: "Password: ", Prompt: "lab-r1#"},
			{Send: "terminal length 0"},
			{Send: "show clock", Output: "first\n"},
			{Send: "show clock", Output: "second\n"},
			{Send: "show running-config", Output: "Building configuration...\n\nCurrent configuration : 6241 bytes\n" +
				"! Last configuration change at 14:02:51 CET Tue Nov 18 2025 by netops\n" +
				strings.Replace(config, "!\nend", "ntp clock-period 22518271\n!\nend", 1) + "\n"},
			{Send: "exit", Closes: true},
		},
		Want: platform.Want{Config: config, Hostname: "lab-r1", Version: "15.2"},
	}
}

// server is a small exec device.
func server() *platform.Recording {
	return &platform.Recording{
		Platform: "linux", Hardware: "lab", Version: "12", Origin: "written for this test", Host: "lab-s1", Exec: true,
		Steps: []platform.Step{
			{Send: "cat /etc/hostname", Output: "lab-s1\n", Stderr: "read at 10:11:12\n"},
			{Send: "cat /etc/network/interfaces", Output: "# written at 10:11:12\niface eth0 inet static\n\taddress 198.51.100.9/24\n"},
			{Send: "false", Exit: 1},
		},
		Want: platform.Want{Config: "lab-s1\niface eth0 inet static\n\taddress 198.51.100.9/24\n"},
	}
}

// start starts a fleet that ends with the test, and demands that nothing is left of it.
func start(t testing.TB, c sim.Config) *sim.Fleet {
	t.Helper()
	if c.Recordings == nil {
		c.Recordings = []*platform.Recording{router()}
	}
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan *sim.Fleet)
	ended := make(chan error, 1)
	go func() {
		defer close(started)
		ended <- task.Scope(ctx, "test", func(ctx context.Context, g *task.Group) error {
			f, err := sim.Start(ctx, g, c)
			if err != nil {
				return err
			}
			started <- f
			return nil
		})
	}()
	f, ok := <-started
	if !ok {
		cancel()
		t.Fatal(<-ended)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

func address(d sim.Device) string { return net.JoinHostPort(d.Address, strconv.Itoa(d.Port)) }

func clientConfig(f *sim.Fleet, d sim.Device) *ssh.ClientConfig {
	user, password, _ := f.Login()
	return &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, Timeout: patience,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if got := ssh.FingerprintSHA256(key); got != d.HostKey {
				return fmt.Errorf("host key %s, want %s", got, d.HostKey)
			}
			return nil
		},
	}
}

// dialWith connects with a deadline on everything, which ClientConfig.Timeout is not.
func dialWith(d sim.Device, c *ssh.ClientConfig, limit time.Duration) (*ssh.Client, error) {
	tcp, err := net.DialTimeout("tcp", address(d), limit)
	if err != nil {
		return nil, err
	}
	tcp.SetDeadline(time.Now().Add(limit))
	conn, chans, reqs, err := ssh.NewClientConn(tcp, address(d), c)
	if err != nil {
		tcp.Close()
		return nil, err
	}
	return ssh.NewClient(conn, chans, reqs), nil
}

func dial(f *sim.Fleet, d sim.Device) (*ssh.Client, error) {
	return dialWith(d, clientConfig(f, d), patience)
}

// terminal is an interactive session as a test sees it.
type terminal struct {
	client  *ssh.Client
	session *ssh.Session
	in      io.Writer
	out     io.Reader
	buffer  []byte
}

func openTerminal(f *sim.Fleet, d sim.Device, height int) (*terminal, error) {
	client, err := dial(f, d)
	if err != nil {
		return nil, err
	}
	term, err := newTerminal(client, height)
	if err != nil {
		client.Close()
	}
	return term, err
}

func newTerminal(client *ssh.Client, height int) (*terminal, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	term := &terminal{client: client, session: session}
	if term.in, err = session.StdinPipe(); err != nil {
		return nil, err
	}
	if term.out, err = session.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := session.RequestPty("vt100", height, 511, nil); err != nil {
		return nil, err
	}
	return term, session.Shell()
}

func (t *terminal) close() { t.client.Close() }

// until reads up to mark, and returns what came before it.
func (t *terminal) until(mark string) (string, error) {
	chunk := make([]byte, 32<<10)
	for {
		if i := bytes.Index(t.buffer, []byte(mark)); i >= 0 {
			text := string(t.buffer[:i])
			t.buffer = t.buffer[i+len(mark):]
			return text, nil
		}
		n, err := t.out.Read(chunk)
		t.buffer = append(t.buffer, chunk[:n]...)
		if err != nil && n == 0 {
			return string(t.buffer), fmt.Errorf("wait for %q: %w", mark, err)
		}
	}
}

// ask sends a line and returns what comes before mark, with LF lines and without the echo.
func (t *terminal) ask(line, mark string) (string, error) {
	if _, err := io.WriteString(t.in, line+"\n"); err != nil {
		return "", err
	}
	text, err := t.until(mark)
	if err != nil {
		return text, err
	}
	text, ok := strings.CutPrefix(text, line+"\r\n")
	if !ok {
		return text, fmt.Errorf("no echo of %q in %q", line, text)
	}
	return strings.ReplaceAll(text, "\r\n", "\n"), nil
}

// enable goes from login to a privileged prompt without a pager.
func (t *terminal) enable(f *sim.Fleet, name string) error {
	_, _, password := f.Login()
	if _, err := t.until(name + ">"); err != nil {
		return err
	}
	if _, err := t.ask("enable", "Password: "); err != nil {
		return err
	}
	if _, err := io.WriteString(t.in, password+"\n"); err != nil {
		return err
	}
	if _, err := t.until(name + "#"); err != nil {
		return err
	}
	_, err := t.ask("terminal length 0", name+"#")
	return err
}

// fetch is the whole conversation of a backup.
func fetch(f *sim.Fleet, d sim.Device) (string, error) {
	t, err := openTerminal(f, d, 24)
	if err != nil {
		return "", err
	}
	defer t.close()
	if err := t.enable(f, d.Name); err != nil {
		return "", err
	}
	text, err := t.ask("show running-config", d.Name+"#")
	if err != nil {
		return text, err
	}
	io.WriteString(t.in, "exit\n")
	if err := t.session.Wait(); err != nil {
		return text, err
	}
	return text, nil
}

// clean removes what is no configuration, as the router of these tests prints it.
func clean(text string) string {
	_, text, _ = strings.Cut(text, "by netops\n")
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "ntp clock-period") && line != "\n" {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func simConfig(devices int) sim.Config { return sim.Config{Devices: devices, Seed: 7} }
