package ise_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/musternet/muster/sim"
)

// trust makes a client of net/http that trusts a simulated ISE.
func trust(s *sim.ISE) (*http.Client, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CA()) {
		return nil, errors.New("no certificate")
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}, nil
}
