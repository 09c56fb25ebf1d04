package cpanel

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"keepwatch"
)

// client speaks to one host for one account. One call at a time is under way
// (downloads and uploads apart): hosts do not take several at once of one account
// (README of the cPanel provider of Terraform).
type client struct {
	account keepwatch.Hosting
	http    *http.Client
	log     *slog.Logger
	now     func() time.Time
	turn    chan struct{} // holds one while a call is under way
}

// answerSize is the most that an answer of a call may take, in bytes.
const answerSize = 32 << 20

// Times of the connection to a host. A call that waits for a restore has no end of
// its own but its context's.
const (
	dialTime   = 20 * time.Second
	callTime   = 2 * time.Minute
	headerTime = 2 * time.Minute
)

// newClient makes one. It connects to nothing.
func newClient(account keepwatch.Hosting, log *slog.Logger, now func() time.Time) (*client, error) {
	trust, err := trustOf(account)
	if err != nil {
		return nil, err
	}
	return &client{
		account: account, log: log, now: now, turn: make(chan struct{}, 1),
		http: &http.Client{
			Transport: &http.Transport{
				DialContext: (&net.Dialer{Timeout: dialTime}).DialContext, TLSClientConfig: trust,
				TLSHandshakeTimeout: dialTime, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
				DisableCompression: true, // an archive is stored as it came
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it leads to a login page
		},
	}, nil
}

// trustOf says whose certificate is taken: the one that is pinned, one that the named
// authorities vouch for, or the system's.
func trustOf(account keepwatch.Hosting) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if account.CA != "" {
		pem, err := os.ReadFile(account.CA)
		if err != nil {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The authorities of %s cannot be read from %s. Correct ca: in keepwatch.yaml.", account.URL, account.CA).Because(err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s holds no certificate in PEM form.", account.CA)
		}
	}
	if account.Fingerprint != "" {
		cfg.InsecureSkipVerify = true // the pin below is the stronger check
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if got := hex.EncodeToString(sum[:]); got != account.Fingerprint {
				return &pinError{got}
			}
			return nil
		}
	}
	return cfg, nil
}

// pinError says that a host has another certificate than the pinned one.
type pinError struct{ got string }

func (e *pinError) Error() string {
	return "the certificate has the fingerprint " + e.got + ", which is not the pinned one"
}

// uapi calls a function of UAPI and reads its data into into, which may be nil. An
// answer with status 0 is a *callError. WHM tokens go by uapi_cpanel.
func (c *client) uapi(ctx context.Context, module, function string, params url.Values, into any) error {
	body, err := c.call(ctx, "/execute/"+module+"/"+function, params)
	if err != nil {
		return fmt.Errorf("%s::%s: %w", module, function, err)
	}
	return readUAPI(module, function, body, into)
}

// call posts a form to a path of the host and gives the JSON that it answers.
func (c *client) call(ctx context.Context, path string, params url.Values) ([]byte, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.account.URL+path, strings.NewReader(params.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "cpanel "+c.account.User+":"+c.account.Token.Reveal())
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerSize))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &callError{Status: resp.StatusCode}
	}
	return body, nil
}

// callError is a refusal by the host.
type callError struct {
	Module, Function string
	Status           int      // of HTTP
	Said             []string // what the host says
}

func (e *callError) Error() string {
	if len(e.Said) > 0 {
		return strings.Join(e.Said, " ")
	}
	return fmt.Sprintf("HTTP status %d", e.Status)
}

// envelope is what UAPI answers: flat from /execute, wrapped in "result" elsewhere
// (and in cPanel's own samples).
type envelope struct {
	Status   int             `json:"status"`
	Data     json.RawMessage `json:"data"`
	Errors   []string        `json:"errors"`
	Warnings []string        `json:"warnings"`
	Result   *envelope       `json:"result"`
}

func readUAPI(module, function string, body []byte, into any) error {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("%s::%s: the answer is no JSON: %w", module, function, err)
	}
	if e.Result != nil {
		e = *e.Result
	}
	if e.Status != 1 {
		return &callError{Module: module, Function: function, Status: http.StatusOK, Said: e.Errors}
	}
	if into == nil || len(e.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(e.Data, into); err != nil {
		return errors.Join(fmt.Errorf("%s::%s: unexpected data", module, function), err)
	}
	return nil
}
