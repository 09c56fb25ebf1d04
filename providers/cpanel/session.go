package cpanel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"keepwatch"
)

// session is a sign-in that lasts: cookies, and the prefix that every path needs with
// them. A basic one signs each request by itself, where a host has no such login.
type session struct {
	base    string // https://host:2083/cpsess1234567890
	cookies []*http.Cookie
	basic   bool
	made    time.Time
}

// sessionTime is how old a session may be before an upload, which cannot be sent a
// second time: hosts end one after 15 idle minutes.
const sessionTime = 10 * time.Minute

// securityToken is what a host puts before each path of a session.
var securityToken = regexp.MustCompile(`^/cpsess[0-9A-Za-z]{4,64}$`)

// canSession reports whether a session can be had: with the account's password, or from
// WHM.
func (c *client) canSession() bool { return c.account.WHM != "" || !c.account.Password.IsZero() }

// session gives the session that there is, or a fresh one.
func (c *client) session(ctx context.Context) (s *session, fresh bool, err error) {
	c.mu.Lock()
	s = c.signed
	c.mu.Unlock()
	if s != nil {
		return s, false, nil
	}
	s, err = c.renew(ctx, nil)
	return s, true, err
}

// renew signs in where old is still the newest session, and gives the newest.
func (c *client) renew(ctx context.Context, old *session) (*session, error) {
	if err := take(ctx, c.signing); err != nil {
		return nil, err
	}
	defer func() { <-c.signing }()
	c.mu.Lock()
	newest := c.signed
	c.mu.Unlock()
	if newest != nil && newest != old {
		return newest, nil
	}
	if err := c.remembered(byPassword); err != nil {
		return nil, err
	}
	var s *session
	var err error
	if c.account.WHM != "" {
		s, err = c.whmSession(ctx)
	} else {
		s, err = c.login(ctx)
	}
	if s != nil {
		s.made = c.now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed = s
	return s, err
}

// freshen signs in again where the session is so old that it may have ended.
func (c *client) freshen(ctx context.Context) error {
	c.mu.Lock()
	s := c.signed
	c.mu.Unlock()
	if s == nil || s.basic || c.now().Sub(s.made) < sessionTime {
		return nil
	}
	_, err := c.renew(ctx, s)
	return err
}

// forget drops a session that the host does not take.
func (c *client) forget(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.signed == s {
		c.signed = nil
	}
}

// authorize puts the sign-in into a request: that of a session, or the token.
func (c *client) authorize(ctx context.Context, req *http.Request, s *session) error {
	switch {
	case s == nil && c.account.WHM != "":
		req.Header.Set("Authorization", "whm "+c.account.WHM+":"+c.account.Token.Reveal())
	case s == nil:
		req.Header.Set("Authorization", "cpanel "+c.account.User+":"+c.account.Token.Reveal())
	case s.basic:
		req.SetBasicAuth(c.account.User, c.account.Password.Reveal())
		if !c.account.OTPSecret.IsZero() {
			code, err := c.codes.next(ctx, c.account.OTPSecret, c.now)
			if err != nil {
				return err
			}
			req.Header.Set("X-CPANEL-OTP", code)
		}
	default:
		for _, cookie := range s.cookies {
			req.AddCookie(cookie)
		}
	}
	return nil
}

// login signs in with the password, and the one-time code where there is one.
func (c *client) login(ctx context.Context) (*session, error) {
	form := url.Values{"user": {c.account.User}, "pass": {c.account.Password.Reveal()}}
	if !c.account.OTPSecret.IsZero() {
		code, err := c.codes.next(ctx, c.account.OTPSecret, c.now)
		if err != nil {
			return nil, err
		}
		form.Set("tfa_token", code)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+"/login/?login_only=1", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, answer, err := c.simple(ctx, req, "login")
	if err != nil {
		return nil, err
	}
	var said struct {
		Status  flag   `json:"status"`
		Token   string `json:"security_token"`
		Message text   `json:"message"`
	}
	switch status := resp.StatusCode; {
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		// This host has no such login: each request is signed by itself.
		return &session{base: c.base.String(), basic: true}, nil
	case status >= 500, status == http.StatusTooManyRequests:
		return nil, keepwatch.Errorf(keepwatch.KindTransient, "%s answered the sign-in with the HTTP status %d.", c.base.Host, status).Because(&callError{Module: "login", Status: status})
	case status != http.StatusOK, json.Unmarshal(answer, &said) != nil, !bool(said.Status), !securityToken.MatchString(said.Token):
		return nil, c.refuse(byPassword, &callError{Module: "login", Status: status, Said: hostSaid(list[text]{text(c.withoutSecrets(string(said.Message), form))}), login: true})
	}
	return &session{base: c.base.String() + said.Token, cookies: resp.Cookies()}, nil
}

// simple sends a request of the sign-in by itself, and gives its answer whole.
func (c *client) simple(ctx context.Context, req *http.Request, what string) (*http.Response, []byte, error) {
	timed, cancel := context.WithTimeoutCause(req.Context(), callTime, errTooLong)
	defer cancel()
	resp, err := c.once.Do(req.WithContext(timed))
	if err != nil {
		return nil, nil, c.unreachable(ctx, timed, what, false, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, nil, c.unreachable(ctx, timed, what, false, err)
	}
	return resp, answer, nil
}

// whmSession has WHM make a session of the account, and opens it.
func (c *client) whmSession(ctx context.Context) (*session, error) {
	var made struct {
		URL   string `json:"url"`
		Token string `json:"cp_security_token"`
	}
	err := c.whm(ctx, "create_user_session", url.Values{"user": {c.account.User}, "service": {"cpaneld"}}, &made)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(made.URL)
	if err != nil || u.Scheme != "https" || u.User != nil || !securityToken.MatchString(made.Token) {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "WHM on %s made a session of %s that cannot be used.", c.base.Host, c.account.User).
			Because(errors.New("no https address or no security token"))
	}
	if !strings.EqualFold(u.Hostname(), c.base.Hostname()) {
		// A session is a key to the account: it is taken to no other host.
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "WHM on %s made a session of %s for another host, %s; it is not used. Write that name into url: in keepwatch.yaml if it is the host's own.", c.base.Host, c.account.User, u.Hostname())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("open the session of %s: %w", c.account.User, err)
	}
	resp, _, err := c.simple(ctx, req, "the session of "+c.account.User)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 400 || len(resp.Cookies()) == 0 {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "%s did not open the session of %s that WHM had made.", c.base.Host, c.account.User).
			Because(&callError{Module: "login", Status: resp.StatusCode, login: true})
	}
	return &session{base: "https://" + u.Host + made.Token, cookies: resp.Cookies()}, nil
}
