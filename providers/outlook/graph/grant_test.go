package graph

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestGrant: what the token says, of one that was got just now.
func TestGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, claims := &fake{serve: ok}, ""
		f.signIn = func(w http.ResponseWriter, _ *http.Request) bool {
			token := "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
			fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, token)
			return true
		}
		c := f.client(t)
		for _, test := range []struct {
			claims string
			want   Grant
			opaque bool
		}{
			{`{"roles":["User.Read.All","Mail.Read","Mail.Read"],"oid":"object","tid":"tenant"}`, Grant{[]string{"Mail.Read", "User.Read.All"}, "object", "tenant"}, false},
			{`{"roles":["Mail.Read"]}`, Grant{Roles: []string{"Mail.Read"}}, false}, // consented to less since
			{`{"oid":"object"}`, Grant{Object: "object"}, false},
			{`encrypted`, Grant{}, true},
		} {
			claims = test.claims
			got, err := c.Grant(t.Context())
			if diff := cmp.Diff(test.want, got); diff != "" || errors.Is(err, ErrOpaque) != test.opaque || err != nil && !test.opaque {
				t.Errorf("%s: %v %s", test.claims, err, diff)
			}
		}
		f.signIn = nil
		if _, err := c.Grant(t.Context()); !errors.Is(err, ErrOpaque) { // "token-1"
			t.Errorf("a token of another form: %v", err)
		}
		f.signIn = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}`)
			return true
		}
		if _, err := c.Grant(t.Context()); keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("a refused sign-in: %v", err)
		}
	})
}

func TestCertificateEnds(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	config := (&fake{}).config()
	if c, err := New(config); err != nil || !c.CertificateEnds().IsZero() {
		t.Errorf("with a secret: %v %v", c.CertificateEnds(), err)
	}
	config.Secret = keepwatch.Secret{}
	chain := []*x509.Certificate{{PublicKey: other.Public(), NotAfter: time.Unix(9, 0)}, {PublicKey: key.Public(), NotAfter: time.Unix(5, 0)}}
	if at := endOf(chain, key); !at.Equal(time.Unix(5, 0)) {
		t.Errorf("of a chain: %v", at)
	}
	config.Certificate = keepwatch.NewSecret(pemOf(t, key, key.Public()))
	c, err := New(config)
	if err != nil || time.Until(c.CertificateEnds()) > time.Hour || time.Until(c.CertificateEnds()) < 50*time.Minute {
		t.Errorf("with a certificate: %v %v", c.CertificateEnds(), err)
	}
}
