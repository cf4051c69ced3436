//go:build e2e && linux

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// The lab itself, asked with nothing but x/crypto/ssh: what fails here is the lab's fault and not muster's.

func TestLabIsUpWithinAMinute(t *testing.T) {
	if the.took > upWithin {
		t.Fatalf("took %v", the.took)
	}
}

func TestEveryServerOfTheLabAnswers(t *testing.T) {
	for name, n := range the.nodes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := the.dial(n)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			got, err := oneCommand(client, n.ownCommand())
			if err != nil {
				t.Fatal(err)
			}
			if want := n.own(t); got != want {
				t.Errorf("over ssh %d bytes, the daemon's own tool prints %d", len(got), len(want))
			}
		})
	}
}

func TestRoutersBehindTheBastionsHaveNoOtherWay(t *testing.T) {
	for _, name := range []string{"r3", "r4", "bastion2"} {
		conn, err := net.DialTimeout("tcp", the.nodes[name].address()+":22", time.Second)
		if err == nil {
			conn.Close()
			t.Errorf("%s answers the test machine", name)
		}
	}
}

// dial logs in to a node, through the bastions where there is no other way.
func (l *lab) dial(n *node) (*ssh.Client, error) {
	hops := map[string][]string{"bastion2": {"bastion"}, "r3": {"bastion"}, "r4": {"bastion", "bastion2"}}
	var through *ssh.Client
	for _, name := range append(hops[n.name], n.name) {
		next := l.nodes[name]
		conn, err := dialTCP(through, next.address()+":22")
		if err != nil {
			return nil, err
		}
		config, err := l.clientConfig(next)
		if err != nil {
			return nil, err
		}
		c, chans, reqs, err := ssh.NewClientConn(conn, next.name, config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", next.name, err)
		}
		through = ssh.NewClient(c, chans, reqs)
	}
	return through, nil
}

func dialTCP(through *ssh.Client, address string) (net.Conn, error) {
	if through != nil {
		return through.Dial("tcp", address)
	}
	return net.DialTimeout("tcp", address, 5*time.Second)
}

// clientConfig is a client that takes every algorithm and trusts only the node's own key.
func (l *lab) clientConfig(n *node) (*ssh.ClientConfig, error) {
	key, err := n.hostPublicKey()
	if err != nil {
		return nil, err
	}
	password := l.sec.password
	if n.user != "" {
		password = l.sec.hop
	}
	answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = password
		}
		return answers, nil
	}
	auth := []ssh.AuthMethod{ssh.Password(password), ssh.KeyboardInteractive(answer)}
	if n.keysOnly() {
		auth = []ssh.AuthMethod{ssh.PublicKeys(l.sec.signer)}
	}
	weak, secure := ssh.InsecureAlgorithms(), ssh.SupportedAlgorithms()
	return &ssh.ClientConfig{
		Config: ssh.Config{
			KeyExchanges: append(secure.KeyExchanges, weak.KeyExchanges...),
			Ciphers:      append(secure.Ciphers, weak.Ciphers...),
			MACs:         append(secure.MACs, weak.MACs...),
		},
		User:              n.login(),
		Auth:              auth,
		HostKeyCallback:   ssh.FixedHostKey(key),
		HostKeyAlgorithms: append([]string{ssh.KeyAlgoED25519}, weak.HostKeys...),
		Timeout:           5 * time.Second,
	}, nil
}

func oneCommand(client *ssh.Client, command string) (string, error) {
	s, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	var stdout, stderr bytes.Buffer
	s.Stdout, s.Stderr = &stdout, &stderr
	if err := s.Run(command); err != nil {
		return "", fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
