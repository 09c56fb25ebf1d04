package graph

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// loginTransport carries the calls of azidentity to the place of the configuration and to
// no other: the token endpoint comes from a document that is fetched, and gets the secret.
//
// azidentity and MSAL take only https authorities, and only an issuer with the same
// scheme. A sign-in in clear text on this very machine, which tests use, is told to them
// as https; Config.Validate allows no other in clear text.
type loginTransport struct {
	at    *url.URL
	under http.RoundTripper
}

// mostLogin is how long an answer of the sign-in may be.
const mostLogin = 1 << 20

// Do is azcore's policy.Transporter.
func (t *loginTransport) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || !strings.EqualFold(r.URL.Host, t.at.Host) {
		return nil, fmt.Errorf("the sign-in leads to %s: %w", short(r.URL.Host, 100), ErrOtherHost)
	}
	clear := t.at.Scheme == "http"
	if clear {
		r = r.Clone(r.Context())
		r.URL.Scheme = "http"
	}
	answer, err := t.under.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostLogin))
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	if clear && strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		body = bytes.ReplaceAll(body, []byte("http://"+t.at.Host), []byte("https://"+t.at.Host))
		answer.Header.Del("Content-Length")
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return answer, nil
}
