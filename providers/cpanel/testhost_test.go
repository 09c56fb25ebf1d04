package cpanel

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
)

// Secrets of the tests, which must come into no error and no log.
const (
	testToken    = "TOKENTOKENTOKENTOKENTOKENTOKEN42"
	testPassword = "correct-horse-battery"
	testOTP      = "JBSWY3DPEHPK3PXP"
)

// testHost is a small host with one answer for each path, which looks each call up in
// the contract.
type testHost struct {
	*httptest.Server
	t     testing.TB
	mux   *http.ServeMux
	mu    sync.Mutex
	asked []string // "GET /execute/Quota/get_quota_info"
}

func newTestHost(t testing.TB) *testHost {
	return newTestHostWith(t, certificate(t, time.Now().Add(24*time.Hour), "127.0.0.1"))
}

func newTestHostWith(t testing.TB, cert tls.Certificate) *testHost {
	t.Helper()
	h := &testHost{t: t, mux: http.NewServeMux()}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(h.serve))
	h.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	h.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that the client breaks off on purpose
	h.StartTLS()
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return h
}

func (h *testHost) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.asked = append(h.asked, r.Method+" "+r.URL.Path)
	h.mu.Unlock()
	h.check(r)
	h.mux.ServeHTTP(w, r)
}

// check looks a call up in the contract.
func (h *testHost) check(r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/cpsess") {
		path = path[strings.IndexByte(path[1:], '/')+1:]
	}
	api, module, function := Page, "", path
	form := r.URL.Query()
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			h.t.Errorf("read what was posted to %s: %v", path, err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		posted, _ := url.ParseQuery(string(b))
		for k, v := range posted {
			form[k] = v
		}
	}
	switch {
	case strings.HasPrefix(path, "/execute/"):
		parts := strings.Split(path, "/")
		api, module, function = UAPI, parts[2], parts[3]
	case path == "/json-api/cpanel":
		api, module, function = API2, form.Get("cpanel_jsonapi_module"), form.Get("cpanel_jsonapi_func")
	case path == "/json-api/uapi_cpanel":
		api, module, function = UAPI, form.Get("cpanel.module"), form.Get("cpanel.function")
	case strings.HasPrefix(path, "/json-api/"):
		api, function = WHM, strings.TrimPrefix(path, "/json-api/")
	case form.Has("session"): // the address that WHM gave
		return
	case path != "/login/" && path != "/download":
		function = routeOf(path)
	}
	e, ok := endpointOf(api, module, function)
	if !ok {
		h.t.Errorf("%s %s is not in the contract", api, path)
		return
	}
	if r.Method != e.verb() {
		h.t.Errorf("%s is called with %s", e.Name(), r.Method)
	}
	if e.Upload == "" {
		if err := e.Check(form); err != nil {
			h.t.Error(err)
		}
	}
	if e.Secret && len(r.URL.Query().Get("password")+r.URL.Query().Get("pass")) > 0 {
		h.t.Errorf("%s has its secret in the address", e.Name())
	}
}

// answer gives the same answer to each request of a path.
func (h *testHost) answer(path, body string) {
	h.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

// count says how often something was asked whose line contains part.
func (h *testHost) count(part string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, a := range h.asked {
		if strings.Contains(a, part) {
			n++
		}
	}
	return n
}

func (h *testHost) print() string { return printOf(h.TLS.Certificates[0]) }

func printOf(cert tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	return hex.EncodeToString(sum[:])
}

// gzipped gives text as a gzip file.
func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // into memory
	_ = w.Close()
	return b.Bytes()
}

// account is one of this host with a token, pinned.
func (h *testHost) account() keepwatch.Hosting {
	return keepwatch.Hosting{URL: h.URL, User: "ruthin", Token: keepwatch.NewSecret(testToken), Fingerprint: h.print()}
}

// testClient makes a client whose log is looked through for secrets at the end.
func testClient(t testing.TB, account keepwatch.Hosting, now func() time.Time) *client {
	t.Helper()
	if now == nil {
		now = time.Now
	}
	var seen strings.Builder
	var mu sync.Mutex
	w := writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return seen.Write(b)
	})
	c, err := newClient(account, slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.again.CloseIdleConnections()
		mu.Lock()
		defer mu.Unlock()
		noSecrets(t, seen.String())
	})
	return c
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func noSecrets(t testing.TB, text string) {
	t.Helper()
	for _, s := range []string{testToken, testPassword, testOTP, "cpsess", "?"} {
		if strings.Contains(text, s) {
			t.Errorf("%q must not be in: %s", s, text)
		}
	}
}

// wants checks an error's kind and a part of its sentence, and that no secret is in it.
func wants(t *testing.T, err error, kind keepwatch.Kind, part string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", part)
	}
	if got := keepwatch.KindOf(err); got != kind {
		t.Errorf("kind %v, want %v: %v", got, kind, err)
	}
	if !strings.Contains(keepwatch.Sentence(err), part) {
		t.Errorf("sentence %q does not have %q (%v)", keepwatch.Sentence(err), part, err)
	}
	noSecrets(t, err.Error())
}

// certificate makes a self-signed one for an address or name.
func certificate(t testing.TB, until time.Time, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "host"}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(name); ip != nil {
		form.IPAddresses = []net.IP{ip}
	} else {
		form.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// authorities writes a certificate where ca: names it.
func authorities(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// clock is one that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// soon is a context that ends before a test hangs.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
