package settings

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// ISE says how Cisco ISE is asked.
type ISE struct {
	URL         []string `yaml:"url" doc:"the primary PAN, such as https://ise.example.net, and further ones to fall back on; a port in it serves ERS and OpenAPI, without one they are asked on 9060 and 443"`
	Username    string   `yaml:"username" doc:"an account of ERS: an ERS-Operator reads, an ERS-Admin also changes"`
	Password    []Ref    `yaml:"password" doc:"reference to its password, or several of which the first that gives one counts"`
	CAFile      string   `yaml:"ca_file" doc:"the authorities of ISE's certificate, in PEM; absent: the system's"`
	Pin         string   `yaml:"pin" doc:"the SHA-256 of the public key of ISE's certificate, sha256/ and base64 or hexadecimal; alone it takes the place of authorities"`
	Connections int      `yaml:"connections" doc:"requests at once; absent: 8"`
	Rate        int      `yaml:"rate" doc:"requests a second, of which ISE documents 100 as its limit; absent: 90"`
}

// checkISE finds what is well formed and does not go together.
func (s *Settings) checkISE() Problems {
	var p Problems
	n, i := s.root.Get("ise"), s.ISE
	if !n.Present() {
		return nil
	}
	if len(i.URL) == 0 {
		p = append(p, n.Problem("it does not say where ISE is: add url: https://ise.example.net"))
	}
	for k, text := range i.URL {
		at := n.Get("url")
		if items := at.Items(); k < len(items) {
			at = items[k]
		}
		if err := checkISEURL(text); err != nil {
			p = append(p, at.Problem("%v", err))
		}
	}
	for _, limit := range []struct {
		key   string
		value int
	}{{"connections", i.Connections}, {"rate", i.Rate}} {
		if at := n.Get(limit.key); at.Present() && limit.value < 1 {
			p = append(p, at.Problem("%s must be 1 at least", limit.key))
		}
	}
	return p
}

// checkISEURL never quotes the URL: somebody may have written a password into it.
func checkISEURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return errors.New("it must be a URL such as https://ise.example.net")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return errors.New("it holds more than a host and a port: user name and password stand at keys of their own, paths are known")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("it must begin with https://: by http the password could be read on the way")
	}
	return nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// iseOverrides are the environment variables that come before the settings of ISE.
var iseOverrides = []override{
	{"MUSTER_ISE_CA_FILE", func(s *Settings, v string) error { s.ISE.CAFile, s.ISE.Pin = v, ""; return nil }},
	{"MUSTER_ISE_PASSWORD", func(s *Settings, _ string) error { s.ISE.Password = []Ref{"env:MUSTER_ISE_PASSWORD"}; return nil }},
	{"MUSTER_ISE_URL", func(s *Settings, v string) error {
		s.ISE.URL = nil
		for one := range strings.SplitSeq(v, ",") {
			one = strings.TrimSpace(one)
			if err := checkISEURL(one); err != nil {
				return err
			}
			s.ISE.URL = append(s.ISE.URL, one)
		}
		return nil
	}},
	{"MUSTER_ISE_USERNAME", func(s *Settings, v string) error { s.ISE.Username = v; return nil }},
}
