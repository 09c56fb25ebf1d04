package cpaneltest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificate is what a host shows: signed by itself, as on many of them.
type certificate struct {
	pair        tls.Certificate
	fingerprint string
}

// caName is the file in the host's folder that has the certificate.
const caName = "ca.pem"

// newCertificate makes one, and writes it as PEM into dir. A zero end is in a year by
// the wall, since that is what clients go by.
func newCertificate(dir string, end time.Time) (certificate, error) {
	if end.IsZero() {
		end = time.Now().AddDate(1, 0, 0)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate{}, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return certificate{}, fmt.Errorf("make a serial number: %w", err)
	}
	begin := time.Now().Add(-time.Hour)
	if end.Before(begin) {
		begin = end.Add(-time.Hour)
	}
	sheet := x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "web1.example.net"},
		NotBefore: begin, NotAfter: end,
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost", "web1.example.net"},
	}
	der, err := x509.CreateCertificate(rand.Reader, &sheet, &sheet, &key.PublicKey, key)
	if err != nil {
		return certificate{}, fmt.Errorf("sign the certificate: %w", err)
	}
	sum := sha256.Sum256(der)
	c := certificate{
		pair:        tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		fingerprint: hex.EncodeToString(sum[:]),
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, caName), text, 0o600); err != nil {
		return certificate{}, fmt.Errorf("save the certificate: %w", err)
	}
	return c, nil
}

func (c certificate) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.pair}, MinVersion: tls.VersionTLS12}
}

// quiet is a log that nobody reads.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
