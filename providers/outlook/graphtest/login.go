package graphtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // x5t is SHA-1 by RFC 7515
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// token is an access token that was issued.
type token struct {
	app   string
	roles []string
	ends  time.Time
	ended bool
}

// entraError is an error of the token endpoint: learn.microsoft.com/entra/identity-platform/reference-error-codes.
type entraError struct {
	status int
	code   string // as OAuth has it
	number int    // AADSTS
	text   string
}

// serveLogin answers what azidentity asks before it has a token, and for one. For an
// authority that is none of Microsoft's, azidentity 1.15 asks login.microsoftonline.com
// instead of it for /common/discovery/instance, unless DisableInstanceDiscovery is set: a
// client of the fake has to set it.
func (n *Tenant) serveLogin(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	rest := strings.Join(parts[1:], "/")
	switch {
	case r.URL.Path == "/common/discovery/instance":
		host := strings.TrimPrefix(n.LoginURL, "https://")
		n.reply(w, 200, map[string]any{
			"tenant_discovery_endpoint": n.LoginURL + "/" + n.opts.ID + "/v2.0/.well-known/openid-configuration", "api-version": "1.1",
			"metadata": []any{map[string]any{"preferred_network": host, "preferred_cache": host, "aliases": []any{host}}},
		})
	case rest == "v2.0/.well-known/openid-configuration":
		if e := n.knows(parts[0]); e != nil {
			n.refuse(w, e)
			return
		}
		base := n.LoginURL + "/" + parts[0]
		n.reply(w, 200, map[string]any{
			"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "issuer": base + "/v2.0",
			"jwks_uri": base + "/discovery/v2.0/keys", "token_endpoint_auth_methods_supported": []any{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		})
	case rest == "oauth2/v2.0/token" && r.Method == http.MethodPost:
		n.serveToken(w, r, parts[0])
	default:
		http.NotFound(w, r)
	}
}

func (n *Tenant) knows(tenant string) *entraError {
	if strings.EqualFold(tenant, n.opts.ID) {
		return nil
	}
	return &entraError{400, "invalid_request", 90002, "Tenant '" + tenant + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."}
}

func (n *Tenant) serveToken(w http.ResponseWriter, r *http.Request, tenant string) {
	if err := r.ParseForm(); err != nil {
		n.refuse(w, &entraError{400, "invalid_request", 900144, "The request body cannot be read."})
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	app, e := n.client(r.PostForm, tenant)
	if e != nil {
		n.refuse(w, e)
		return
	}
	n.logins++
	roles, e := n.rolesFor(app, r.PostForm.Get("scope"))
	if e != nil {
		n.refuse(w, e)
		return
	}
	now := n.opts.Now()
	text, err := n.sign(app.id, roles, now)
	if err != nil {
		n.refuse(w, &entraError{500, "server_error", 90033, err.Error()})
		return
	}
	n.tokens[text] = &token{app: app.id, roles: roles, ends: now.Add(n.opts.TokenLife)}
	life := int(n.opts.TokenLife / time.Second)
	n.reply(w, 200, map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": text})
}

// client is the application that a request for a token proves to be.
func (n *Tenant) client(form url.Values, tenant string) (*App, *entraError) {
	if e := n.knows(tenant); e != nil {
		return nil, e
	}
	if g := form.Get("grant_type"); g != "client_credentials" {
		return nil, &entraError{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '" + g + "'."}
	}
	id := form.Get("client_id")
	app := n.apps[strings.ToLower(id)]
	if app == nil {
		return nil, &entraError{400, "unauthorized_client", 700016, "Application with identifier '" + id + "' was not found in the directory 'Fake'."}
	}
	if !slices.ContainsFunc(strings.Fields(form.Get("scope")), func(s string) bool { return strings.HasSuffix(s, "/.default") }) {
		return nil, &entraError{400, "invalid_scope", 1002012, "The provided value for scope " + form.Get("scope") + " is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier."}
	}
	if a := form.Get("client_assertion"); a != "" {
		if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return nil, &entraError{401, "invalid_client", 50027, "JWT token is invalid or malformed."}
		}
		if err := n.assertion(app, a, tenant); err != nil {
			return nil, &entraError{401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application, or the assertion is not valid: " + err.Error() + "."}
		}
		return app, nil
	}
	return app, app.secret(form.Get("client_secret"), n.opts.Now())
}

func (a *App) secret(given string, now time.Time) *entraError {
	if given == "" {
		return &entraError{401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."}
	}
	for s, end := range a.secrets {
		if subtle.ConstantTimeCompare([]byte(s), []byte(given)) != 1 {
			continue
		}
		if !end.IsZero() && !now.Before(end) {
			return &entraError{401, "invalid_client", 7000222, "The provided client secret keys for app '" + a.id + "' are expired."}
		}
		return nil
	}
	return &entraError{401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + a.id + "'."}
}

// assertion checks a JWT that an application has signed with the key of its certificate:
// learn.microsoft.com/entra/identity-platform/certificate-credentials.
func (n *Tenant) assertion(a *App, text, tenant string) error {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return errors.New("it has not three parts")
	}
	var head struct {
		Alg  string `json:"alg"`
		X5t  string `json:"x5t"`
		S256 string `json:"x5t#S256"`
	}
	var body struct {
		Aud, Iss, Sub, Jti string
		Exp, Nbf           float64
	}
	if err := decodePart(parts[0], &head); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if err := decodePart(parts[1], &body); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	cert := a.certificate(head.X5t, head.S256)
	if cert == nil {
		return errors.New("no certificate has that thumbprint")
	}
	if err := verify(cert, head.Alg, parts); err != nil {
		return err
	}
	now := n.opts.Now()
	base := n.LoginURL + "/" + tenant
	switch {
	case body.Aud != base+"/oauth2/v2.0/token" && body.Aud != base+"/v2.0":
		return errors.New("audience " + body.Aud)
	case body.Iss != a.id || body.Sub != a.id:
		return errors.New("issuer and subject are not the application")
	case now.After(unix(body.Exp)) || now.Add(5*time.Minute).Before(unix(body.Nbf)):
		return errors.New("it is not within its valid time range")
	case now.After(cert.NotAfter):
		return errors.New("the certificate has expired")
	case body.Jti == "" || n.assertions[body.Jti]:
		return errors.New("its jti is missing or was used before")
	}
	n.assertions[body.Jti] = true
	return nil
}

func unix(s float64) time.Time { return time.Unix(int64(s), 0) }

func decodePart(s string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (a *App) certificate(x5t, s256 string) *x509.Certificate {
	for _, c := range a.certs {
		one, two := sha1.Sum(c.Raw), sha256.Sum256(c.Raw)
		if trim(x5t) == base64.RawURLEncoding.EncodeToString(one[:]) || trim(s256) == base64.RawURLEncoding.EncodeToString(two[:]) {
			return c
		}
	}
	return nil
}

// trim: some libraries write thumbprints with padding or in standard base64.
func trim(s string) string {
	return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(s)
}

func verify(cert *x509.Certificate, alg string, parts []string) error {
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("the certificate's key is not RSA")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch alg {
	case "RS256":
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature)
	case "PS256":
		return rsa.VerifyPSS(public, crypto.SHA256, sum[:], signature, nil)
	}
	return errors.New("algorithm " + alg)
}

// sign writes an access token: a JWT whose roles are the permissions.
func (n *Tenant) sign(app string, roles []string, now time.Time) (string, error) {
	n.seq++
	claims := encode(map[string]any{
		"aud": "https://graph.microsoft.com", "iss": "https://sts.windows.net/" + n.opts.ID + "/", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(n.opts.TokenLife).Unix(),
		"appid": app, "oid": ServicePrincipal(app), "tid": n.opts.ID, "idtyp": "app", "roles": roles, "ver": "1.0", "uti": fmt.Sprint(n.seq),
	})
	b := base64.RawURLEncoding.EncodeToString
	text := b([]byte(`{"typ":"JWT","alg":"RS256","kid":"graphtest"}`)) + "." + b(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, n.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text + "." + b(signature), nil
}

func (n *Tenant) reply(w http.ResponseWriter, status int, body map[string]any) {
	write(w, status, http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"no-store, no-cache"}}, encode(body))
}

func (n *Tenant) refuse(w http.ResponseWriter, e *entraError) {
	now := n.opts.Now().UTC().Format("2006-01-02 15:04:05Z")
	const trace = "3f2a6c10-7d45-4b3e-8c11-0a9d5e6b7c00"
	n.reply(w, e.status, map[string]any{
		"error": e.code, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", e.number, e.text, trace, trace, now),
		"error_codes": []any{e.number}, "timestamp": now, "trace_id": trace, "correlation_id": trace, "error_uri": fmt.Sprintf("%s/error?code=%d", n.LoginURL, e.number),
	})
}

// bearer is the token of a request, whether it has ended or not; the lock is held.
func (n *Tenant) bearer(r *http.Request) *token {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	return n.tokens[text]
}

func (n *Tenant) authenticate(c *call) *failure {
	text := ""
	switch {
	case c.r.Header.Get("Authorization") == "":
		text = "Access token is empty."
	case c.token == nil:
		text = "IDX14100: JWT is not well formed, or its signature is not valid."
	case c.token.ended || !n.opts.Now().Before(c.token.ends):
		text = "Lifetime validation failed, the token is expired."
	default:
		return nil
	}
	return &failure{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", text: text}
}

// ExpireTokens ends all access tokens that were issued up to now, whatever they say of
// themselves.
func (n *Tenant) ExpireTokens() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.tokens {
		t.ended = true
	}
}

// Logins is how many access tokens were issued.
func (n *Tenant) Logins() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.logins
}

// Token issues an access token to an application, past the token endpoint.
func (n *Tenant) Token(app string) string {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.apps[strings.ToLower(app)]
	if a == nil {
		n.t.Fatalf("graphtest: no application is called %q", app)
		return ""
	}
	roles := []string{}
	for p := range a.permissions {
		roles = append(roles, p)
	}
	slices.Sort(roles)
	text, err := n.sign(a.id, roles, n.opts.Now())
	if err != nil {
		n.t.Fatal(err)
	}
	n.tokens[text] = &token{app: a.id, roles: roles, ends: n.opts.Now().Add(n.opts.TokenLife)}
	return text
}
