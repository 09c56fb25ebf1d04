package cpanel

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"sync"
	"time"

	"keepwatch"
)

// trust decides whose certificate is taken: the one that is pinned, one that the named
// authorities vouch for, or one of the system's. It remembers the newest that it took.
//
// A pinned certificate is taken after its end too: who pinned it knows it by itself, and
// hosts that sign their own let it run out. Its end is told as a fact.
type trust struct {
	pin  string
	pool *x509.CertPool // nil: the system's
	now  func() time.Time

	mu   sync.Mutex
	seen *x509.Certificate
}

func newTrust(account keepwatch.Hosting, now func() time.Time) (*trust, error) {
	t := &trust{pin: account.Fingerprint, now: now}
	if account.CA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(account.CA)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The authorities of %s cannot be read from %s. Correct ca: in keepwatch.yaml.", account.URL, account.CA).Because(err)
	}
	t.pool = x509.NewCertPool()
	if !t.pool.AppendCertsFromPEM(pem) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s holds no certificate in PEM form. Correct ca: in keepwatch.yaml.", account.CA)
	}
	return t, nil
}

// config makes the TLS settings of a connection.
func (t *trust) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: t.pool,
		InsecureSkipVerify: t.pin != "", // check holds the pin, which is stricter
		VerifyConnection:   t.check,
	}
}

// check is asked at each handshake, after the authorities where there is no pin.
func (t *trust) check(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the host showed no certificate")
	}
	leaf := state.PeerCertificates[0]
	if got := fingerprint(leaf); t.pin != "" && got != t.pin {
		return &pinError{got}
	}
	t.mu.Lock()
	t.seen = leaf
	t.mu.Unlock()
	return nil
}

// lastCertificate gives the end and the fingerprint of the certificate of the newest
// connection; false before there was one.
func (c *client) lastCertificate() (notAfter time.Time, print string, ok bool) {
	c.trust.mu.Lock()
	defer c.trust.mu.Unlock()
	if c.trust.seen == nil {
		return time.Time{}, "", false
	}
	return c.trust.seen.NotAfter, fingerprint(c.trust.seen), true
}

// fingerprint gives the SHA-256 of a certificate in lower-case hex.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// pinError says that a host has another certificate than the pinned one.
type pinError struct{ got string }

func (e *pinError) Error() string {
	return "the certificate has the fingerprint " + e.got + ", which is not the pinned one"
}

// certificateTrouble gives the sentence about a certificate that was not taken; false
// for an error of another kind.
func certificateTrouble(host string, err error) (*keepwatch.Error, bool) {
	attention := func(format string, args ...any) (*keepwatch.Error, bool) {
		return keepwatch.Errorf(keepwatch.KindAttention, format, args...).Because(err), true
	}
	var pin *pinError
	if errors.As(err, &pin) {
		return attention("The certificate of %s is not the pinned one; nothing was sent. Its SHA-256 is now %s. Ask the host whether they renewed it: if they did, write that into fingerprint: in keepwatch.yaml and start the bot again; if not, somebody may be in between.", host, pin.got)
	}
	var failed *tls.CertificateVerificationError
	if !errors.As(err, &failed) || len(failed.UnverifiedCertificates) == 0 {
		return nil, false
	}
	leaf := failed.UnverifiedCertificates[0]
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return attention("The certificate of %s is good from %s to %s only, which is not now; nothing was sent. Ask the host to renew it, and check the clock of this machine.", host, leaf.NotBefore.Format(time.DateOnly), leaf.NotAfter.Format(time.DateOnly))
	case errors.As(err, &name):
		return attention("The certificate of %s is for other names; nothing was sent. Write the host's own name into url: in keepwatch.yaml, or pin the certificate when the host confirms its SHA-256: fingerprint: %s.", host, fingerprint(leaf))
	}
	return attention("No authority that this machine knows vouches for the certificate of %s; nothing was sent. When the host confirms that its SHA-256 is %s, write that into fingerprint: in keepwatch.yaml, or name a file with their authorities in ca:, and start the bot again.", host, fingerprint(leaf))
}

// isCertificate reports whether err is about a host's certificate.
func isCertificate(err error) bool {
	_, ok := certificateTrouble("", err)
	return ok
}
