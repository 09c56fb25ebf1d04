package cpanel

import (
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// TestOneTime are the vectors of RFC 6238, appendix B, of which the last six digits.
func TestOneTime(t *testing.T) {
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		for _, s := range []string{secret, strings.ToLower(secret), secret[:4] + " " + secret[4:] + "===="} {
			if got, err := oneTime(s, time.Unix(at, 0)); err != nil || got != want {
				t.Errorf("%d: %s, %v, want %s", at, got, err, want)
			}
		}
	}
	for _, s := range []string{"", "1", "0189", "JBSWY3DPEHPK3PX!"} {
		_, err := oneTime(s, time.Unix(0, 0))
		wants(t, err, keepwatch.KindInvalid, "letters A to Z and digits 2 to 7")
	}
}

// TestCodesAreGivenOnce: whoever needs one while that of the moment is used waits for
// the next.
func TestCodesAreGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k codes
		began, seen := time.Now(), map[string]bool{}
		for range 4 {
			code, err := k.next(t.Context(), keepwatch.NewSecret(testOTP), time.Now)
			if err != nil || seen[code] {
				t.Errorf("%s again, %v", code, err)
			}
			seen[code] = true
		}
		if took := time.Since(began); took <= 2*codeTime || took > 3*codeTime {
			t.Errorf("four codes took %v", took)
		}
	})
}

// loginHost is a host on which the password opens sessions, numbered from 1.
type loginHost struct {
	*testHost
	logins atomic.Int64
	valid  atomic.Int64 // the number of the session that is taken; 0: none
	otp    bool
}

func newLoginHost(t *testing.T) *loginHost {
	h := &loginHost{testHost: newTestHost(t)}
	h.mux.HandleFunc("/login/{$}", func(w http.ResponseWriter, r *http.Request) {
		n := h.logins.Add(1)
		code, _ := oneTime(testOTP, time.Now())
		if r.FormValue("user") != "ruthin" || r.FormValue("pass") != testPassword || h.otp && r.FormValue("tfa_token") != code {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"status":0,"message":"invalid_login"}`)
			return
		}
		h.valid.Store(n)
		http.SetCookie(w, &http.Cookie{Name: "cpsession", Value: fmt.Sprint(n)})
		_, _ = fmt.Fprintf(w, `{"status":1,"security_token":"/cpsess%010d","redirect":"/"}`, n)
	})
	return h
}

// inside handles a path of whatever session is valid.
func (h *loginHost) inside(path, body string) {
	h.mux.HandleFunc("/{session}"+path, func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("cpsession")
		if n := h.valid.Load(); err != nil || n == 0 || cookie.Value != fmt.Sprint(n) || r.PathValue("session") != fmt.Sprintf("cpsess%010d", n) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><title>cPanel Login</title></html>")
			return
		}
		_, _ = io.WriteString(w, body)
	})
}

func (h *loginHost) account() keepwatch.Hosting {
	a := h.testHost.account()
	a.Token, a.Password = keepwatch.Secret{}, keepwatch.NewSecret(testPassword)
	if h.otp {
		a.OTPSecret = keepwatch.NewSecret(testOTP)
	}
	return a
}

func TestPassword(t *testing.T) {
	for _, otp := range []bool{false, true} {
		h := newLoginHost(t)
		h.otp = otp
		h.inside("/execute/Tokens/list", `{"status":1}`)
		c := testClient(t, h.account(), nil)
		for range 3 {
			if err := c.uapi(soon(t), "Tokens", "list", nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.logins.Load(); n != 1 {
			t.Errorf("%d sign-ins for one session", n)
		}
	}
}

func TestSessionIsRenewedOnce(t *testing.T) {
	h := newLoginHost(t)
	h.inside("/execute/Tokens/list", `{"status":1}`)
	c := testClient(t, h.account(), nil)
	ask := func() error { return c.uapi(soon(t), "Tokens", "list", nil, nil) }
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	h.valid.Store(0) // it has ended
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if n := h.logins.Load(); n != 2 {
		t.Errorf("%d sign-ins", n)
	}
	// Sessions that are never taken: it signs in once more, and then remembers.
	h.mux.HandleFunc("/{session}/execute/Quota/get_quota_info", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	for range 3 {
		err := c.uapi(soon(t), "Quota", "get_quota_info", nil, nil)
		wants(t, err, keepwatch.KindAttention, "did not take the password of ruthin.")
		if !isRefused(err) {
			t.Error(err)
		}
	}
	if n := h.logins.Load(); n != 3 {
		t.Errorf("%d sign-ins in a loop", n)
	}
}

func TestWrongPassword(t *testing.T) {
	h := newLoginHost(t)
	h.otp = true
	account := h.account()
	account.Password = keepwatch.NewSecret("wrong")
	clock := &clock{at: time.Now()}
	c := testClient(t, account, clock.now)
	for range 3 {
		err := c.uapi(soon(t), "Tokens", "list", nil, nil)
		wants(t, err, keepwatch.KindAttention, "did not take the password of ruthin with its one-time code")
		if !isRefused(err) {
			t.Error(err)
		}
	}
	if n := h.logins.Load(); n != 1 {
		t.Errorf("%d sign-ins with a wrong password", n)
	}
	clock.add(refusedFor)
	_ = c.uapi(soon(t), "Tokens", "list", nil, nil)
	if n := h.logins.Load(); n != 2 {
		t.Errorf("%d sign-ins after a quarter of an hour", n)
	}
}

// TestLoginThatAnswersNonsense is no session.
func TestLoginThatAnswersNonsense(t *testing.T) {
	for _, answer := range []string{"<html>", `{"status":1}`, `{"status":1,"security_token":"/../x"}`, `{"status":1,"security_token":"/cpsess1@evil.example"}`, `{"status":"0"}`} {
		h := newTestHost(t)
		h.answer("/login/{$}", answer)
		account := h.account()
		account.Token, account.Password = keepwatch.Secret{}, keepwatch.NewSecret(testPassword)
		err := testClient(t, account, nil).uapi(soon(t), "Tokens", "list", nil, nil)
		wants(t, err, keepwatch.KindAttention, "did not take the password")
	}
}

// TestBasic: where a host has no login of its own, each request is signed by itself.
func TestBasic(t *testing.T) {
	h := newTestHost(t)
	h.mux.HandleFunc("/login/{$}", http.NotFound)
	h.mux.HandleFunc("/execute/Tokens/list", func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		code, _ := oneTime(testOTP, time.Unix(1_000_000_000, 0))
		if user != "ruthin" || pass != testPassword || r.Header.Get("X-CPANEL-OTP") != code {
			t.Errorf("signed as %s with the code %s", user, r.Header.Get("X-CPANEL-OTP"))
		}
		_, _ = io.WriteString(w, `{"status":1}`)
	})
	account := h.account()
	account.Token, account.Password, account.OTPSecret = keepwatch.Secret{}, keepwatch.NewSecret(testPassword), keepwatch.NewSecret(testOTP)
	// The code of the sign-in is of the step before that of the request.
	var asked atomic.Int64
	c := testClient(t, account, func() time.Time {
		if asked.Add(1) <= 2 {
			return time.Unix(1_000_000_000-30, 0)
		}
		return time.Unix(1_000_000_000, 0)
	})
	if err := c.uapi(soon(t), "Tokens", "list", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestSessionOfWHM is opened on the configured host only.
func TestSessionOfWHM(t *testing.T) {
	for name, tc := range map[string]struct{ url, want string }{
		"own host":      {"https://HOST/cpsess0000000001/login/?session=ruthin%3aX", ""},
		"another host":  {"https://evil.example:2083/cpsess0000000001/login/?session=ruthin%3aX", "for another host, evil.example"},
		"clear text":    {"http://HOST/cpsess0000000001/login/?session=ruthin%3aX", "cannot be used"},
		"user in it":    {"https://HOST@evil.example/cpsess0000000001/login/?session=X", "cannot be used"},
		"no address":    {"", "cannot be used"},
		"does not open": {"https://HOST/cpsess0000000002/login/?session=ruthin%3aX", "did not open the session"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newTestHost(t)
			h.answer("/json-api/create_user_session", `{"data":{"url":"`+strings.ReplaceAll(tc.url, "HOST", strings.TrimPrefix(h.URL, "https://"))+`","cp_security_token":"/cpsess0000000001"},"metadata":{"result":1}}`)
			h.mux.HandleFunc("/cpsess0000000001/login/", func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "cpsession", Value: "1"})
				http.Redirect(w, r, "/frontend/", http.StatusMovedPermanently)
			})
			h.mux.HandleFunc("/cpsess0000000001/getsqlbackup/", func(w http.ResponseWriter, r *http.Request) {
				if c, err := r.Cookie("cpsession"); err != nil || c.Value != "1" || r.Header.Get("Authorization") != "" {
					t.Error("not signed by the session alone")
				}
				_, _ = w.Write(gzipped("dump"))
			})
			account := h.account()
			account.WHM = "root"
			b, err := testClient(t, account, nil).download(soon(t), "/getsqlbackup/ruthin_wp.sql.gz", 0)
			if tc.want != "" {
				wants(t, err, keepwatch.KindAttention, tc.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if got, err := io.ReadAll(b); err != nil || string(got) != string(gzipped("dump")) || b.way != waySession {
				t.Errorf("%d bytes by %s, %v", len(got), b.way, err)
			}
		})
	}
}
