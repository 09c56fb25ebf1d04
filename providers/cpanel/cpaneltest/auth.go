package cpaneltest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// session is a sign-in by password, or by WHM.
type session struct {
	user   string
	path   string // "/cpsess0123456789"
	cookie string
	seen   time.Time
}

// idle is how long a session may rest (docs of create_user_session).
const idle = 15 * time.Minute

// identify says whose request it is, and how that was shown. The lock is held.
func (h *Host) identify(r *http.Request, cpsess string) (user, how string) {
	if h.cfg.LockAfter > 0 && h.refused >= h.cfg.LockAfter {
		return "", "" // cPHulk lets nobody in, not even with what is right
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "cpanel":
		name, text, _ := strings.Cut(rest, ":")
		if a := h.accounts[name]; a != nil && a.tokens[text].valid(h.Now()) {
			return name, "token"
		}
	case "basic":
		name, pw, _ := r.BasicAuth()
		a := h.accounts[name]
		if a != nil && pw == a.password && a.code(r.Header.Get("X-CPANEL-OTP")) {
			return name, "password"
		}
	case "":
		cookie, err := r.Cookie("cpsession")
		if err != nil {
			return "", "anonymous"
		}
		s := h.sessions[cookie.Value]
		if s != nil && s.path == cpsess && h.Now().Sub(s.seen) < idle {
			s.seen = h.Now()
			return s.user, "session"
		}
		return "", "anonymous" // an old session is no attempt to guess
	}
	return "", ""
}

func (t *token) valid(now time.Time) bool {
	return t != nil && (t.expires.IsZero() || now.Before(t.expires))
}

// code takes a one-time code, each of them once; without two-factor sign-in none is
// needed. The lock is held.
func (a *Account) code(given string) bool {
	if a.otp == "" {
		return true
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(a.otp), "="))
	if err != nil {
		return false
	}
	now := a.h.Now().Unix() / 30
	for at := now - 1; at <= now+1; at++ {
		if given == oneTime(key, at) && !a.otpUsed[at] {
			a.otpUsed[at] = true
			return true
		}
	}
	return false
}

// oneTime is a code of RFC 6238 with the defaults of authenticators.
func oneTime(key []byte, counter int64) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, uint64(counter)) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// EndSessions ends all sessions, as a restart of cpsrvd does.
func (h *Host) EndSessions() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.sessions)
}

// Refused is how many sign-ins were refused so far.
func (h *Host) Refused() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused
}

// newSession opens one. The lock is held.
func (h *Host) newSession(user string) *session {
	h.seq++
	s := &session{user: user, path: fmt.Sprintf("/cpsess%010d", 1_000_000_000+h.seq), cookie: user + "%3a" + h.secret(), seen: h.Now()}
	return s
}

func (h *Host) setCookie(w http.ResponseWriter, s *session) {
	h.sessions[s.cookie] = s
	http.SetCookie(w, &http.Cookie{Name: "cpsession", Value: s.cookie, Path: "/", Secure: true, HttpOnly: true})
}

// login is POST /login/?login_only=1 with user, pass and tfa_token, and the GET of the
// address that create_user_session gives, which works once.
func (h *Host) login(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if once := r.URL.Query().Get("session"); once != "" && r.Method == http.MethodGet {
		s := h.entries[once]
		delete(h.entries, once)
		if s == nil {
			loginPage(w, http.StatusUnauthorized)
			return
		}
		h.setCookie(w, s)
		w.Header().Set("Location", s.path+"/")
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	if r.Method != http.MethodPost {
		loginPage(w, http.StatusOK)
		return
	}
	_ = r.ParseForm() // what is not there is empty
	a := h.accounts[r.PostForm.Get("user")]
	locked := h.cfg.LockAfter > 0 && h.refused >= h.cfg.LockAfter
	if a == nil || locked || r.PostForm.Get("pass") != a.password || !a.code(r.PostForm.Get("tfa_token")) {
		h.refused++
		sendJSON(w, http.StatusUnauthorized, map[string]any{"status": 0, "message": "invalid_login"})
		return
	}
	s := h.newSession(a.user)
	h.setCookie(w, s)
	if r.FormValue("login_only") == "" {
		w.Header().Set("Location", s.path+"/")
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	sendJSON(w, http.StatusOK, map[string]any{"status": 1, "redirect": s.path + "/frontend/jupiter/index.html", "security_token": s.path})
}

func sendJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may have gone
}
