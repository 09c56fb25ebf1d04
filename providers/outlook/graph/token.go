package graph

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"keepwatch"
)

// tokenEarly is how long before its end a token is replaced.
const tokenEarly = 5 * time.Minute

// tokens keeps the token of the application.
//
// azidentity keeps one too and has no way to drop it, and reads the system's clock, so
// that each new token is asked of a new credential. Making one costs no call.
type tokens struct {
	renew func() (azcore.TokenCredential, error)
	scope string
	clock Clock
	words []string  // never to be seen
	ends  time.Time // of the certificate

	asking chan struct{} // holds one while a token is being got
	mu     sync.Mutex
	token  string
	until  time.Time
	old    string // the one before, which an error can still speak of
}

// newTokens makes the keeper, and one credential to see that it can be made.
func newTokens(c Config, at origins) (*tokens, error) {
	t := &tokens{scope: at.graph.Scheme + "://" + at.graph.Host + "/.default", clock: c.Clock, asking: make(chan struct{}, 1)}
	if loopback(at.graph) {
		t.scope = "https://graph.microsoft.com/.default"
	}
	options := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + at.login.Host + at.login.Path, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{}},
		Transport: &loginTransport{at: at.login, under: c.Transport},
		Retry:     policy.RetryOptions{MaxRetries: -1}, // Do tries again
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
	// Instance discovery asks login.microsoft.com whether the authority is one of
	// Microsoft's. The configuration names it, and a call less is one that cannot fail.
	const noDiscovery = true
	if !c.Secret.IsZero() {
		t.words = append(t.words, c.Secret.Reveal())
		t.renew = func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(c.Tenant, c.Client, c.Secret.Reveal(), &azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: noDiscovery})
		}
	} else {
		data, err := certificateData(c.Certificate.Reveal())
		if err != nil {
			return nil, err
		}
		certs, key, err := azidentity.ParseCertificates(data, []byte(c.CertificatePassword.Reveal()))
		if err != nil { // its text may quote what it read
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The certificate in MICROSOFT_CLIENT_CERTIFICATE cannot be read. It must hold a certificate and its unencrypted private key as PEM; a PFX file is turned into that by: openssl pkcs12 -in app.pfx -nodes -out app.pem")
		}
		t.words, t.ends = append(t.words, c.CertificatePassword.Reveal()), endOf(certs, key)
		t.renew = func() (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(c.Tenant, c.Client, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: noDiscovery})
		}
	}
	if _, err := t.renew(); err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The sign-in to Microsoft 365 cannot be set up. Check MICROSOFT_TENANT_ID, MICROSOFT_LOGIN_URL and the key (RSA is needed) in MICROSOFT_CLIENT_CERTIFICATE.")
	}
	return t, nil
}

// endOf is when the certificate of a key runs out. Others of its file are of its chain.
func endOf(certs []*x509.Certificate, key crypto.PrivateKey) time.Time {
	pair, ok := key.(crypto.Signer)
	for _, c := range certs {
		if public, same := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && same && public.Equal(pair.Public()) {
			return c.NotAfter
		}
	}
	return time.Time{}
}

// certificateData gives PEM as it is, and reads the file where a path is given.
func certificateData(text string) ([]byte, error) {
	if strings.Contains(text, "-----BEGIN ") {
		return []byte(text), nil
	}
	f, err := os.Open(text)
	if err != nil { // its text holds the value, which may be a key gone wrong
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "MICROSOFT_CLIENT_CERTIFICATE holds neither PEM nor the path of a file that can be read.")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The file that MICROSOFT_CLIENT_CERTIFICATE names cannot be read.")
	}
	return data, nil
}

// get gives a token. stale is one that was refused, or "": as long as it is the one that
// is kept, another is got. Errors are *Error with SignIn, or those of ctx.
func (t *tokens) get(ctx context.Context, stale string) (string, error) {
	if token, ok := t.kept(stale); ok {
		return token, nil
	}
	select {
	case t.asking <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-t.asking }()
	if token, ok := t.kept(stale); ok {
		return token, nil
	}
	credential, err := t.renew()
	if err != nil {
		return "", t.failed(ctx, err)
	}
	ctx, stop := withTimeout(ctx, t.clock, answerTime)
	defer stop()
	got, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{t.scope}})
	if err != nil {
		return "", t.failed(ctx, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.old, t.token = t.token, got.Token
	t.until = t.clock.Now().Add(time.Until(got.ExpiresOn)) // azidentity counts by the system's clock
	return t.token, nil
}

func (t *tokens) kept(stale string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.token, t.token != "" && t.token != stale && t.clock.Now().Before(t.until.Add(-tokenEarly))
}

// failed makes an Error of one of azidentity's, whose text holds whole answers.
func (t *tokens) failed(ctx context.Context, err error) error {
	e := &Error{Method: http.MethodPost, Path: "/oauth2/v2.0/token", SignIn: true, unsent: true, Code: codeBroken}
	var refused *azidentity.AuthenticationFailedError
	if !errors.As(err, &refused) || refused.RawResponse == nil {
		if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTimeout) {
			return context.Cause(ctx)
		}
		if errors.Is(context.Cause(ctx), errTimeout) {
			e.Code = codeTimeout
		}
		e.Message = short(t.scrub(err.Error()), 300)
		return e
	}
	answer := refused.RawResponse
	e.Status, e.Code = answer.StatusCode, "sign-in"
	e.RequestID = short(answer.Header.Get("x-ms-request-id"), 64)
	e.RetryAfter = retryAfter(answer.Header.Get("Retry-After"), t.clock.Now())
	var told struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if data, err := io.ReadAll(io.LimitReader(answer.Body, mostError)); err == nil && json.Unmarshal(data, &told) == nil {
		e.Code, e.Message = short(t.scrub(or(told.Error, e.Code)), 100), short(t.scrub(told.Description), 500)
	}
	if code := aadsts.FindString(e.Message); code != "" {
		e.Code, e.Inner = code, []string{e.Code}
	}
	return e
}

var (
	aadsts = regexp.MustCompile(`^AADSTS\d+`)
	// jwt is how tokens and client assertions look.
	jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`)
)

// scrub takes the secret, the tokens and whatever looks like one out of a text.
func (t *tokens) scrub(text string) string {
	t.mu.Lock()
	words := append([]string{t.token, t.old}, t.words...)
	t.mu.Unlock()
	for _, w := range words {
		if w != "" {
			text = strings.ReplaceAll(text, w, "<secret>")
		}
	}
	return jwt.ReplaceAllString(text, "<secret>")
}
