package sim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// authority is a certificate authority of the simulation's own, and the certificate of the nodes.
type authority struct {
	pem  []byte
	pin  string
	leaf tls.Certificate
}

// newAuthority derives both keys from the seed. The certificate is for the loopback addresses and the host listened on.
func newAuthority(seed uint64, listen string) (a authority, err error) {
	caKey, key := seededKey(seed, "ise ca"), seededKey(seed, "ise key")
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "simulated ISE authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "simulated ISE"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return a, err
	}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = append(leaf.IPAddresses, ip)
	}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return a, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return a, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return a, err
	}
	sum := sha256.Sum256(public)
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
	a.pin = "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
	a.leaf = tls.Certificate{Certificate: [][]byte{der, root}, PrivateKey: key}
	return a, nil
}

func seededKey(seed uint64, what string) ed25519.PrivateKey {
	sum := derive(seed, what)
	return ed25519.NewKeyFromSeed(sum[:ed25519.SeedSize])
}

func (a authority) server() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.leaf}}
}
