package sessiontest

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Terminal is the device's side of a shell.
type Terminal struct {
	ssh.Channel
	Device        *Device
	Term          string
	Width, Height int

	unread  []byte
	cr      bool // the last byte read was a CR; a LF behind it belongs to it
	unpaged bool
}

func (t *Terminal) readPty(b []byte) {
	if len(b) < 4 {
		return
	}
	n := int(binary.BigEndian.Uint32(b))
	if len(b) < 4+n+8 {
		return
	}
	t.Term = string(b[4 : 4+n])
	t.Width = int(binary.BigEndian.Uint32(b[4+n:]))
	t.Height = int(binary.BigEndian.Uint32(b[8+n:]))
}

// Print writes bytes as they are, in pieces of Device.Chunk.
func (t *Terminal) Print(s string) error {
	for len(s) > 0 {
		n := len(s)
		if t.Device.Chunk > 0 {
			n = min(n, t.Device.Chunk)
		}
		if _, err := io.WriteString(t.Channel, s[:n]); err != nil {
			return err
		}
		s = s[n:]
	}
	return nil
}

// Key reads one byte.
func (t *Terminal) Key() (byte, error) {
	if len(t.unread) == 0 {
		buf := make([]byte, 1024)
		n, err := t.Channel.Read(buf)
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return 0, err
		}
		t.unread = buf[:n]
	}
	c := t.unread[0]
	t.unread = t.unread[1:]
	return c, nil
}

// Line reads a line, echoing it where echo is set, as a device's line editor does: CR, LF or both end it.
func (t *Terminal) Line(echo bool) (string, error) {
	var line []byte
	for {
		c, err := t.Key()
		if err != nil {
			return "", err
		}
		if c == '\n' && t.cr {
			t.cr = false
			continue
		}
		if t.cr = c == '\r'; t.cr || c == '\n' {
			break
		}
		line = append(line, c)
	}
	if echo {
		return string(line), t.Print(string(line) + "\r\n")
	}
	return string(line), nil
}

// serve is the shell of the device.
func (t *Terminal) serve() {
	d := t.Device
	if d.Shell != nil {
		d.Shell(t)
		return
	}
	if t.Print(d.Motd+d.Prompt) != nil {
		return
	}
	for {
		cmd, err := t.Line(!d.NoEcho)
		if err != nil || cmd == "exit" {
			return
		}
		if cmd != "" && !t.answer(cmd) {
			return
		}
		if t.Print(d.Prompt) != nil {
			return
		}
	}
}

func (t *Terminal) answer(cmd string) bool {
	d := t.Device
	time.Sleep(d.Latency)
	if d.Pager != nil && cmd == d.Pager.Off {
		t.unpaged = true
		return true
	}
	out, ok := d.answer(cmd)
	if !ok {
		out = "% Invalid input detected at '^' marker.\n"
	}
	return t.Page(out) == nil
}

// Page prints text, LF as CRLF, through the device's pager.
func (t *Terminal) Page(text string) error {
	p := t.Device.Pager
	if p == nil || t.unpaged {
		return t.Print(strings.ReplaceAll(text, "\n", "\r\n"))
	}
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if i > 0 && i%p.Lines == 0 && l != "" {
			if err := t.Print(p.Prompt); err != nil {
				return err
			}
			if _, err := t.Key(); err != nil {
				return err
			}
			if err := t.Print(p.Erase); err != nil {
				return err
			}
		}
		if err := t.Print(strings.ReplaceAll(l, "\n", "\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// forward is a jump host's part.
func (s *Server) forward(nc ssh.NewChannel) {
	var to struct {
		Host  string
		Port  uint32
		From  string
		Sport uint32
	}
	if ssh.Unmarshal(nc.ExtraData(), &to) != nil {
		nc.Reject(ssh.ConnectionFailed, "bad request")
		return
	}
	c, err := net.DialTimeout("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))), 5*time.Second)
	if err != nil {
		nc.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	defer c.Close()
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	s.spawn(func() { ssh.DiscardRequests(reqs) })
	s.spawn(func() {
		io.Copy(c, ch)
		c.Close()
	})
	io.Copy(ch, c)
	ch.Close()
}
