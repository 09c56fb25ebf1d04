package cpaneltest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"keepwatch/providers/cpanel/cpaneltest"
)

// plain is a small client of the tests, with nothing in common with the one that is
// shipped.
type plain struct {
	t    *testing.T
	h    *cpaneltest.Host
	http *http.Client
	auth string // of the header
}

func dial(t *testing.T, h *cpaneltest.Host, auth string) *plain {
	t.Helper()
	pem, err := os.ReadFile(h.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the file of the authority has no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &plain{t: t, h: h, auth: auth, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// account makes a client with the token of an account.
func account(t *testing.T, a *cpaneltest.Account, h *cpaneltest.Host) *plain {
	return dial(t, h, "cpanel "+a.User()+":"+a.Token())
}

// do sends a request; params go as a form where verb is POST.
func (p *plain) do(verb, address string, params url.Values, header ...string) (*http.Response, []byte, error) {
	p.t.Helper()
	var body io.Reader
	if verb == http.MethodPost {
		body = strings.NewReader(params.Encode())
	} else if len(params) > 0 {
		address += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(p.t.Context(), verb, address, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if p.auth != "" {
		req.Header.Set("Authorization", p.auth)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return resp, all, err
}

// reply is the flat envelope of UAPI.
type reply struct {
	Status int             `json:"status"`
	Data   json.RawMessage `json:"data"`
	Errors []string        `json:"errors"`
	Result *reply          `json:"result"`
}

// ask calls a function of UAPI by POST, in either envelope.
func (p *plain) ask(name string, params ...string) reply {
	p.t.Helper()
	module, function, _ := strings.Cut(name, "::")
	_, body, err := p.do(http.MethodPost, p.h.URL()+"/execute/"+module+"/"+function, form(params...))
	if err != nil {
		p.t.Fatalf("%s: %v", name, err)
	}
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		p.t.Fatalf("%s: %v in %.200s", name, err, body)
	}
	if r.Result != nil {
		return *r.Result
	}
	return r
}

// must is ask for what must go well; into may be nil.
func (p *plain) must(into any, name string, params ...string) {
	p.t.Helper()
	r := p.ask(name, params...)
	if r.Status != 1 {
		p.t.Fatalf("%s: %v", name, r.Errors)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(r.Data, into); err != nil {
		p.t.Fatalf("%s: %v in %.200s", name, err, r.Data)
	}
}

// get downloads.
func (p *plain) get(path string, header ...string) (*http.Response, []byte, error) {
	p.t.Helper()
	return p.do(http.MethodGet, p.h.URL()+path, nil, header...)
}

func form(params ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	return v
}

func basic(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }
