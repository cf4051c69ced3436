package session_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// commands are what every client asks; the configuration is 30 KB.
var commands = []string{"terminal length 0", "terminal width 0", "show version", "show inventory", "show running-config"}

const password = "bench-password"

// serverEnv makes the test binary the device: the clients' CPU is then measured without the server's.
const serverEnv = "MUSTER_BENCH_SERVER"

func TestMain(m *testing.M) {
	if latency := os.Getenv(serverEnv); latency != "" {
		serve(latency)
		return
	}
	os.Exit(m.Run())
}

func output(cmd string) string {
	switch cmd {
	case "show running-config":
		var b strings.Builder
		for i := 0; b.Len() < 33_000; i++ {
			fmt.Fprintf(&b, "interface GigabitEthernet1/0/%d\r\n description port %d\r\n switchport mode access\r\n!\r\n", i, i)
		}
		return b.String() + "end\r\n"
	case "show version", "show inventory":
		return strings.Repeat("Cisco IOS Software, Version 17.9.4a\r\n", 20)
	}
	return ""
}

func serve(latency string) {
	delay, err := time.ParseDuration(latency)
	if err != nil {
		panic(err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		panic(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if string(p) != password {
			return nil, fmt.Errorf("rejected")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	fmt.Printf("%s", pem.EncodeToMemory(&pem.Block{Type: "KEY", Bytes: signer.PublicKey().Marshal()}))
	go func() {
		io.Copy(io.Discard, os.Stdin) // until the parent is gone
		os.Exit(0)
	}()
	texts := map[string]string{}
	for _, c := range commands {
		texts[c] = output(c)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go device(c, config, texts, delay)
	}
}

func device(c net.Conn, config *ssh.ServerConfig, texts map[string]string, delay time.Duration) {
	defer c.Close()
	_, chans, reqs, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	for nc := range chans {
		ch, requests, err := nc.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				r.Reply(true, nil)
			}
		}()
		io.WriteString(ch, "\r\nWelcome\r\nsw1#")
		converse(ch, texts, delay)
		ch.Close()
	}
}

// converse echoes what it reads as it comes, as a terminal does, and answers each line.
func converse(ch ssh.Channel, texts map[string]string, delay time.Duration) {
	var line []byte
	buf := make([]byte, 256)
	for {
		n, err := ch.Read(buf)
		if err != nil {
			return
		}
		for rest := buf[:n]; len(rest) > 0; {
			part, after, ended := bytes.Cut(rest, []byte("\n"))
			ch.Write(part)
			line = append(line, part...)
			if rest = after; !ended {
				break
			}
			cmd := string(line)
			line = line[:0]
			io.WriteString(ch, "\r\n")
			if cmd != "" {
				time.Sleep(delay)
			}
			for text := texts[cmd] + "sw1#"; text != ""; { // in pieces, as a terminal gives them
				n := min(len(text), 4096)
				io.WriteString(ch, text[:n])
				text = text[n:]
			}
		}
	}
}

// startServer runs the device in a process of its own until the benchmark ends.
func startServer(tb testing.TB, delay time.Duration) (addr string, key ssh.PublicKey) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverEnv+"="+delay.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stdin.Close(); cmd.Wait() })
	r := bufio.NewReader(stdout)
	line, err := r.ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	var text strings.Builder
	for !strings.Contains(text.String(), "-----END") {
		l, err := r.ReadString('\n')
		if err != nil {
			tb.Fatal(err)
		}
		text.WriteString(l)
	}
	block, _ := pem.Decode([]byte(text.String()))
	if key, err = ssh.ParsePublicKey(block.Bytes); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(line), key
}
