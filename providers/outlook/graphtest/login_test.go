package graphtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"testing"
	"time"
)

// certificate makes one that signs itself.
func certificate(t *testing.T, until time.Time) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// assertion signs claims as an application does.
func assertion(t *testing.T, key *rsa.PrivateKey, alg string, head, claims map[string]any) string {
	t.Helper()
	head["alg"], head["typ"] = alg, "JWT"
	b := base64.RawURLEncoding.EncodeToString
	text := b(encode(head)) + "." + b(encode(claims))
	sum := sha256.Sum256([]byte(text))
	var opts crypto.SignerOpts = crypto.SHA256
	if alg == "PS256" {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	signature, err := key.Sign(rand.Reader, sum[:], opts)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b(signature)
}

func TestToken(t *testing.T) {
	w := newWorld(t, Options{})
	key, cert := certificate(t, w.clock.Now().AddDate(0, 1, 0))
	stranger, _ := certificate(t, w.clock.Now().AddDate(0, 1, 0))
	w.n.AddApp("cert-app", "", cert, "Mail.Read")
	old := w.n.AddApp("old-app", "old", nil)
	old.EndSecret("old", w.clock.Now())
	endpoint := w.n.LoginURL + "/" + DefaultTenant + "/oauth2/v2.0/token"
	seq := 0
	claims := func(change map[string]any) map[string]any {
		seq++
		out := map[string]any{"aud": endpoint, "iss": "cert-app", "sub": "cert-app", "jti": fmt.Sprint(seq), "nbf": w.clock.Now().Unix(), "exp": w.clock.Now().Add(10 * time.Minute).Unix()}
		for k, v := range change {
			out[k] = v
		}
		return out
	}
	one, two := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
	sha1Head := func() map[string]any { return map[string]any{"x5t": base64.RawURLEncoding.EncodeToString(one[:])} }
	sha2Head := func() map[string]any { return map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(two[:])} }
	same := assertion(t, key, "PS256", sha2Head(), claims(nil))
	for _, c := range []struct {
		what, tenant, app, secret, assertion, scope string
		status, number                              int
	}{
		{"secret", "", appID, secret, "", "", 200, 0},
		{"wrong secret", "", appID, "x", "", "", 401, 7000215},
		{"no secret", "", appID, "", "", "", 401, 7000218},
		{"secret that has ended", "", "old-app", "old", "", "", 401, 7000222},
		{"no such application", "", "nobody", "x", "", "", 400, 700016},
		{"no such tenant", "11111111-0000-0000-0000-000000000000", appID, secret, "", "", 400, 90002},
		{"scope", "", appID, secret, "", "Mail.Read", 400, 1002012},
		{"PS256", "", "cert-app", "", same, "", 200, 0},
		{"the same again", "", "cert-app", "", same, "", 401, 700027},
		{"RS256", "", "cert-app", "", assertion(t, key, "RS256", sha1Head(), claims(nil)), "", 200, 0},
		{"another key", "", "cert-app", "", assertion(t, stranger, "PS256", sha2Head(), claims(nil)), "", 401, 700027},
		{"no thumbprint", "", "cert-app", "", assertion(t, key, "PS256", map[string]any{}, claims(nil)), "", 401, 700027},
		{"audience", "", "cert-app", "", assertion(t, key, "PS256", sha2Head(), claims(map[string]any{"aud": "x"})), "", 401, 700027},
		{"late", "", "cert-app", "", assertion(t, key, "PS256", sha2Head(), claims(map[string]any{"exp": w.clock.Now().Add(-time.Minute).Unix()})), "", 401, 700027},
		{"issuer", "", "cert-app", "", assertion(t, key, "PS256", sha2Head(), claims(map[string]any{"iss": appID})), "", 401, 700027},
	} {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.app}, "scope": {either(c.scope, "https://graph.microsoft.com/.default")}}
		if c.secret != "" {
			form.Set("client_secret", c.secret)
		}
		if c.assertion != "" {
			form.Set("client_assertion", c.assertion)
			form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		}
		resp, err := w.n.Client().PostForm(w.n.LoginURL+"/"+either(c.tenant, DefaultTenant)+"/oauth2/v2.0/token", form)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Token string `json:"access_token"`
			Codes []int  `json:"error_codes"`
		}
		err = json.NewDecoder(resp.Body).Decode(&got)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || c.number != 0 && (len(got.Codes) != 1 || got.Codes[0] != c.number) {
			t.Errorf("%s: %d %v %v, want %d %d", c.what, resp.StatusCode, got.Codes, err, c.status, c.number)
		}
		if c.status == 200 {
			w.token = got.Token
			w.want("mailFolders", 200, "")
		}
	}
	if w.n.Logins() != 3 {
		t.Errorf("%d tokens were issued", w.n.Logins())
	}
	w.want(w.n.LoginURL+"/common/discovery/instance", 200, "")
	if r := w.want(w.n.LoginURL+"/"+DefaultTenant+"/v2.0/.well-known/openid-configuration", 200, ""); r.text("token_endpoint") != endpoint {
		t.Errorf("%s", r.raw)
	}
}
