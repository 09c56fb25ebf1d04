package graph

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// pemOf makes a certificate with its key.
func pemOf(t *testing.T, key any, public any) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "keepwatch"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	_ = pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return b.String()
}

// TestSignIn gets tokens over the network from an Entra with TLS and one without, by
// secret and by certificate.
func TestSignIn(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pemOf(t, key, key.Public())
	file := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(file, []byte(certificate), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tls := range []bool{true, false} {
		for name, set := range map[string]func(*Config){
			"secret":      func(c *Config) {},
			"certificate": func(c *Config) { c.Secret, c.Certificate = keepwatch.Secret{}, keepwatch.NewSecret(certificate) },
			"file":        func(c *Config) { c.Secret, c.Certificate = keepwatch.Secret{}, keepwatch.NewSecret(file) },
		} {
			t.Run(fmt.Sprintf("%s, TLS %t", name, tls), func(t *testing.T) {
				f, form := &fake{serve: ok}, map[string][]string{}
				f.signIn = func(_ http.ResponseWriter, r *http.Request) bool {
					_ = r.ParseForm()
					form = r.PostForm
					return false
				}
				var server *httptest.Server
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasPrefix(r.URL.Path, "/v1.0") {
						f.graph(w, r)
						return
					}
					f.entra(w, r, server.URL)
				})
				if tls {
					server = httptest.NewTLSServer(handler)
				} else {
					server = httptest.NewServer(handler)
				}
				defer server.Close()
				config := f.config()
				config.GraphURL, config.LoginURL, config.Transport = server.URL+"/v1.0", server.URL, server.Client().Transport
				set(&config)
				c, err := New(config)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.JSON(t.Context(), alis, Request{URL: "/users"}, nil); err != nil {
					t.Fatal(err)
				}
				if name == "secret" && form["client_secret"][0] != testSecret || name != "secret" && strings.Count(form["client_assertion"][0], ".") != 2 {
					t.Errorf("the form: %v", form)
				}
				if got := form["scope"]; len(got) != 1 || !strings.HasPrefix(got[0], "https://graph.microsoft.com/.default") || form["grant_type"][0] != "client_credentials" {
					t.Errorf("the form: %v", form)
				}
			})
		}
	}
}

// TestRenewal: one token serves many calls, is replaced before its end, and once on 401.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: ok, latency: 100 * time.Millisecond}
		c := f.client(t)
		get := func(want int) {
			t.Helper()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if err := c.JSON(t.Context(), alis, Request{Method: "POST", URL: "/x", Body: []byte("{}")}, nil); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if f.tokens != want {
				t.Errorf("%d tokens were got, want %d", f.tokens, want)
			}
		}
		get(1)
		get(1)
		_ = sleep(t.Context(), wallClock{}, 56*time.Minute)
		get(2)
		f.revoked = 2
		get(3)
		f.revoked = 1000
		before := f.count()
		err := c.JSON(t.Context(), alis, Request{URL: "/x"}, nil)
		if !errors.Is(err, ErrDenied) || f.count() != before+2 {
			t.Errorf("%v after %d calls", err, f.count()-before)
		}
	})
}

func TestSignInErrors(t *testing.T) {
	for _, test := range []struct {
		status      int
		description string
		who         keepwatch.Kind
		says        string
		calls       int
	}{
		{401, "AADSTS7000215: Invalid client secret provided. " + testSecret, keepwatch.KindAttention, "not its id", 1},
		{401, "AADSTS7000222: The provided client secret keys are expired.", keepwatch.KindAttention, "has expired", 1},
		{400, "AADSTS700016: Application was not found in the directory.", keepwatch.KindAttention, "MICROSOFT_CLIENT_ID", 1},
		{400, "AADSTS90002: Tenant not found.", keepwatch.KindAttention, "MICROSOFT_TENANT_ID", 1},
		{400, "AADSTS999: Something new.", keepwatch.KindAttention, "(AADSTS999)", 1},
		{503, "busy", keepwatch.KindTransient, "goes on later", mostTries},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			f := &fake{serve: ok}
			f.signIn = func(w http.ResponseWriter, _ *http.Request) bool {
				asked++
				w.WriteHeader(test.status)
				fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`, test.description)
				return true
			}
			err := f.client(t).JSON(t.Context(), alis, Request{Method: "POST", URL: "/x"}, nil)
			if keepwatch.KindOf(err) != test.who || !strings.Contains(keepwatch.Sentence(err), test.says) || asked != test.calls {
				t.Errorf("%s: %v, asked %d times", test.description, err, asked)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), testSecret) || f.count() != 0 {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

// TestNoSecret: with a Graph, an Entra and a network that say everything back, no secret
// and no token is in an error, in the log, or in a print of the configuration.
func TestNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		log, lines := logged()
		f := &fake{}
		config := f.config()
		config.Log = log
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		note := func(err error) {
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&said, "%v %s\n", err, keepwatch.Sentence(err))
			}
		}
		echo := func(status int) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("request-id", "id")
				refuse(w, status, r.Header.Get("Authorization"), testSecret+" "+r.Header.Get("Authorization")+" eyJhbGciOiJub25lIn0.eyJhIjoxfQ.sig")
			}
		}
		for _, status := range []int{400, 401, 403, 404, 410, 429, 503} {
			f.serve = echo(status)
			_, err := c.Do(t.Context(), alis, Request{URL: "/x?$deltatoken=token-of-state"})
			note(err)
		}
		f.fail = func(r *http.Request) error { return &net0{r.Header.Get("Authorization") + testSecret} }
		_, err = c.Do(t.Context(), alis, Request{URL: "/x"})
		note(err)
		f.signIn = func(w http.ResponseWriter, r *http.Request) bool {
			_ = r.ParseForm()
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, r.PostForm.Get("client_secret"), fmt.Sprint(r.PostForm))
			return true
		}
		c.tokens.until = time.Time{}
		note(c.JSON(t.Context(), alis, Request{URL: "/x"}, nil))
		fmt.Fprintf(&said, "%v %+v %s", config.Secret, config, lines)
		for _, word := range []string{testSecret, "token-", "Bearer token", "eyJ"} {
			if strings.Contains(said.String(), word) {
				t.Errorf("%q is in what was said:\n%s", word, said.String())
			}
		}
		if !strings.Contains(said.String(), "<secret>") || !strings.Contains(lines.String(), "made again") {
			t.Errorf("the test says nothing: %s", said.String())
		}
	})
}

// net0 is a network that says what it carried.
type net0 struct{ text string }

func (e *net0) Error() string { return e.text }

func TestSignInElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: ok}
		config := f.config()
		config.Transport = elsewhere{f}
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.JSON(t.Context(), alis, Request{URL: "/x"}, nil); err == nil || f.tokens != 0 {
			t.Errorf("the secret went to another host: %v", err)
		}
	})
}

// elsewhere says that the token endpoint is on another host.
type elsewhere struct{ *fake }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		fmt.Fprintf(w, `{"issuer":"https://login.example/x","authorization_endpoint":"https://evil.example/a","token_endpoint":"https://evil.example/%s/oauth2/v2.0/token"}`, tenantID)
		return w.Result(), nil
	}
	e.fake.entra(w, r, "https://login.example")
	return w.Result(), nil
}

func TestValidate(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	for name, set := range map[string]func(*Config){
		"no tenant":       func(c *Config) { c.Tenant = "" },
		"tenant a path":   func(c *Config) { c.Tenant = "a/../b" },
		"no client":       func(c *Config) { c.Client = "" },
		"nothing":         func(c *Config) { c.Secret = keepwatch.Secret{} },
		"both":            func(c *Config) { c.Certificate = keepwatch.NewSecret("x") },
		"clear Graph":     func(c *Config) { c.GraphURL = "http://graph.example/v1.0" },
		"clear login":     func(c *Config) { c.LoginURL = "http://login.example" },
		"user in address": func(c *Config) { c.LoginURL = "https://u:p@login.example" },
		"page":            func(c *Config) { c.PageSize = 1001 },
		"no certificate":  func(c *Config) { c.Secret, c.Certificate = keepwatch.Secret{}, keepwatch.NewSecret("no/such/file") },
		"key of ECDSA": func(c *Config) {
			c.Secret, c.Certificate = keepwatch.Secret{}, keepwatch.NewSecret(pemOf(t, ec, ec.Public()))
		},
		"damaged": func(c *Config) {
			c.Secret, c.Certificate = keepwatch.Secret{}, keepwatch.NewSecret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		},
	} {
		config := f.config()
		set(&config)
		if _, err := New(config); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.HasSuffix(keepwatch.Sentence(err), ".") && !strings.Contains(keepwatch.Sentence(err), "openssl") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(f.config()); err != nil || f.count() != 0 || f.tokens != 0 {
		t.Errorf("%v", err)
	}
}
