package cpanel

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func TestTrust(t *testing.T) {
	good := certificate(t, time.Now().Add(24*time.Hour), "127.0.0.1")
	past := certificate(t, time.Now().Add(-time.Hour), "127.0.0.1")
	other := certificate(t, time.Now().Add(24*time.Hour), "elsewhere.example")
	for _, tc := range []struct {
		name string
		cert tls.Certificate
		set  func(*keepwatch.Hosting)
		want string // "": it is taken
	}{
		{"pinned", good, func(*keepwatch.Hosting) {}, ""},
		{"pinned, run out", past, func(*keepwatch.Hosting) {}, ""},
		{"pinned, for another name", other, func(*keepwatch.Hosting) {}, ""},
		{"pinned to another", good, func(a *keepwatch.Hosting) { a.Fingerprint = strings.Repeat("0", 64) }, "is not the pinned one; nothing was sent. Its SHA-256 is now PRINT. Ask the host"},
		{"own authority", good, func(a *keepwatch.Hosting) { a.Fingerprint, a.CA = "", authorities(t, good) }, ""},
		{"own authority, run out", past, func(a *keepwatch.Hosting) { a.Fingerprint, a.CA = "", authorities(t, past) }, "Ask the host to renew it"},
		{"own authority, another name", other, func(a *keepwatch.Hosting) { a.Fingerprint, a.CA = "", authorities(t, other) }, "is for other names"},
		{"unknown authority", good, func(a *keepwatch.Hosting) { a.Fingerprint = "" }, "confirms that its SHA-256 is PRINT, write that into fingerprint:"},
		{"another authority", good, func(a *keepwatch.Hosting) { a.Fingerprint, a.CA = "", authorities(t, other) }, "or name a file with their authorities in ca:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newTestHostWith(t, tc.cert)
			h.answer("/execute/Tokens/list", `{"status":1}`)
			account := h.account()
			tc.set(&account)
			c := testClient(t, account, nil)
			if _, _, ok := c.lastCertificate(); ok {
				t.Error("a certificate before there was a connection")
			}
			err := c.uapi(soon(t), "Tokens", "list", nil, nil)
			until, print, ok := c.lastCertificate()
			if tc.want != "" {
				wants(t, err, keepwatch.KindAttention, strings.ReplaceAll(tc.want, "PRINT", h.print()))
				if h.count("/") != 0 || ok || mayHaveArrived(err) || isRefused(err) {
					t.Errorf("something was sent, or kept: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !ok || print != h.print() || until.IsZero() {
				t.Errorf("the last certificate: %v %s %v", until, print, ok)
			}
		})
	}
	t.Run("no certificates in the file", func(t *testing.T) {
		account := keepwatch.Hosting{URL: "https://h", User: "u", Token: keepwatch.NewSecret(testToken), CA: "trust_test.go"}
		_, err := newClient(account, nil, time.Now)
		wants(t, err, keepwatch.KindInvalid, "no certificate in PEM form")
	})
	if (&trust{}).check(tls.ConnectionState{}) == nil {
		t.Error("no certificate is taken")
	}
	if isCertificate(errors.New("x")) || !isCertificate(&pinError{}) {
		t.Error("isCertificate")
	}
}
