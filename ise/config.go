package ise

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"time"

	"github.com/musternet/muster/task"
)

// What a zero field of a Config means.
const (
	DefaultConnections = 8
	DefaultRate        = 90 // requests a second; Cisco documents that ERS takes 100
	DefaultRetries     = 5
	DefaultTimeout     = 30 * time.Second
)

// Config says where ISE is, who asks and how hard. URL, Username and Password are needed, all the rest has defaults.
type Config struct {
	// URL is the primary PAN, "https://ise.example.net". A port in it serves ERS and OpenAPI both; without one they are asked
	// on 9060 and 443. It holds no credentials, and is https: plain http is taken for a loopback address alone.
	URL string
	// Standby are further PANs, tried in this order when the one in use cannot be reached, or refuses a change because it
	// is not the primary. Who answered is asked first from then on.
	Standby []string

	Username string
	// Password is called before the first request, and again after ISE rejected what it gave.
	Password func(context.Context) (string, error)

	// HTTPClient is used for all requests when it is given: its Transport and Timeout, but not its cookies, and no redirect is
	// followed. Where its Transport is an *http.Transport (nil is the default one) the client works on a copy with as many
	// connections as Connections says. TLS is then the transport's, and the fields below stay empty. Without an HTTPClient the
	// proxies that HTTPS_PROXY and NO_PROXY name are used.
	HTTPClient *http.Client
	// CAFile holds certificates of authorities in PEM, which are trusted instead of the system's; RootCAs are such
	// certificates in memory.
	CAFile  string
	RootCAs *x509.CertPool
	// Pin is the SHA-256 of the public key of ISE's certificate, "sha256/" and base64, or hexadecimal. Alone, it takes the
	// place of authorities, names and dates; with CAFile or RootCAs both must hold.
	Pin string
	// Insecure takes any certificate, which gives the password to whoever stands in between. New warns of it.
	Insecure bool

	Connections int           // requests at once, each on a connection of its own; 0: 8
	Rate        float64       // requests a second, without bursts; 0: 90
	Retries     int           // further attempts of a request that failed for a passing reason; 0: 5, negative: none
	Timeout     time.Duration // of one attempt; 0: 30 s

	// Log is told of retries, slow-downs, fail-overs and drift; nil: nobody is. No credentials, headers or bodies reach it.
	Log *slog.Logger
}

// Client asks one ISE deployment. It is made by New and may be used by many goroutines: they share its connections and its
// rate.
type Client struct {
	Endpoint             *Resource[Endpoint]
	EndpointGroup        *Resource[EndpointGroup]
	NetworkDevice        *Resource[NetworkDevice]
	NetworkDeviceGroup   *Resource[NetworkDeviceGroup]
	IdentityGroup        *Resource[IdentityGroup]
	InternalUser         *Resource[InternalUser]
	SGT                  *Resource[SGT]
	ANCPolicy            *Resource[ANCPolicy]
	ANCEndpoint          *Resource[ANCEndpoint]
	AuthorizationProfile *Resource[AuthorizationProfile]
	AllowedProtocols     *Resource[AllowedProtocols]

	http        *http.Client
	nodes       *nodes
	gate        *gate
	login       *login
	csrf        *csrf
	backoff     backoff
	retries     int
	timeout     time.Duration
	connections int
	log         *slog.Logger
}

// New checks the Config and makes a Client. It asks nothing of the network.
func New(c Config) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("ise: %w", err)
	}
	nodes, err := newNodes(append([]string{c.URL}, c.Standby...), c.Insecure)
	if err != nil {
		return nil, fmt.Errorf("ise: %w", err)
	}
	client, err := c.client()
	if err != nil {
		return nil, fmt.Errorf("ise: %w", err)
	}
	if c.Insecure {
		c.Log.Warn("the certificate of ISE is not checked: whoever stands in between gets the password", "url", c.URL)
	}
	i := &Client{
		http: client, nodes: nodes, gate: newGate(c.Connections, c.Rate),
		login:   &login{user: c.Username, ask: c.Password, alone: task.NewSemaphore(1)},
		csrf:    &csrf{fetching: task.NewSemaphore(1), tokens: map[*node]token{}},
		backoff: defaultBackoff, retries: c.Retries, timeout: c.Timeout, connections: c.Connections, log: c.Log,
	}
	i.bind()
	return i, nil
}

// check sets the defaults and says what cannot be.
func (c *Config) check() error {
	switch {
	case c.URL == "":
		return errors.New("no URL says where ISE is")
	case c.Username == "" || c.Password == nil:
		return errors.New("a user name and a password are needed")
	case c.HTTPClient != nil && (c.CAFile != "" || c.RootCAs != nil || c.Pin != "" || c.Insecure):
		return errors.New("TLS is the matter of the HTTP client that was given: CA, pin and insecure do not go with it")
	case c.CAFile != "" && c.RootCAs != nil:
		return errors.New("certificates of authorities come from a file or from memory, not from both")
	case c.Insecure && (c.CAFile != "" || c.RootCAs != nil || c.Pin != ""):
		return errors.New("insecure does not go with a CA or a pin")
	case c.Connections < 0 || !(c.Rate >= 0) || c.Timeout < 0: // not a number is no rate either
		return errors.New("connections, rate and timeout are not negative")
	}
	if c.Connections == 0 {
		c.Connections = DefaultConnections
	}
	if c.Rate == 0 {
		c.Rate = DefaultRate
	}
	if c.Retries == 0 {
		c.Retries = DefaultRetries
	}
	c.Retries = max(c.Retries, 0)
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// client returns the HTTP client for the requests. Cookies are of its own: they hold the session that a CSRF token is for.
func (c *Config) client() (*http.Client, error) {
	own := &http.Client{}
	if c.HTTPClient != nil {
		own.Transport, own.Timeout = limited(c.HTTPClient.Transport, c.Connections), c.HTTPClient.Timeout
	} else {
		settings, err := c.tls()
		if err != nil {
			return nil, err
		}
		own.Transport = newTransport(settings, c.Connections)
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var err error
	own.Jar, err = cookiejar.New(nil)
	return own, err
}

// Close closes the idle connections. The Client can be used on.
func (c *Client) Close() { c.http.CloseIdleConnections() }
