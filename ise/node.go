package ise

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
)

// ersPort is where ERS listens when the URL does not say.
const ersPort = "9060"

// node is one PAN. All requests go to its own addresses: links and redirects of a server are never followed.
type node struct {
	name      string // host and port, for the log
	ers, open string // https://host:port, without a slash at the end
}

// nodes are the PANs of a deployment. The one in use is asked first.
type nodes struct {
	all []*node
	use atomic.Int64
}

func newNodes(urls []string, insecure bool) (*nodes, error) {
	n := new(nodes)
	for _, u := range urls {
		node, err := parseNode(u, insecure)
		if err != nil {
			return nil, err
		}
		n.all = append(n.all, node)
	}
	return n, nil
}

// order returns the nodes, the one in use first.
func (n *nodes) order() []*node {
	first := int(n.use.Load())
	return append(append(make([]*node, 0, len(n.all)), n.all[first:]...), n.all[:first]...)
}

// prefer makes a node the one in use. It reports whether it was not before.
func (n *nodes) prefer(chosen *node) bool {
	for i, node := range n.all {
		if node == chosen {
			return n.use.Swap(int64(i)) != int64(i)
		}
	}
	return false
}

// parseNode reads the URL of a PAN. Its errors do not quote it: people put passwords into URLs.
func parseNode(text string, insecure bool) (*node, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("the URL is none, such as https://ise.example.net")
	case u.User != nil:
		return nil, errors.New("the URL holds a user name: credentials have their own settings")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the URL of %s ends with its host, port or path", u.Host)
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%s: http sends the password in clear: use https", u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%s: the URL begins with https://", u.Host)
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	open := u.Scheme + "://" + u.Host + path
	if u.Port() != "" {
		return &node{name: u.Host, ers: open, open: open}, nil
	}
	ers := u.Scheme + "://" + net.JoinHostPort(u.Hostname(), ersPort) + path
	return &node{name: u.Host, ers: ers, open: open}, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
