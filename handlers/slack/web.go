package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"keepwatch"
)

const (
	bodyLimit = 1 << 20         // bytes; a view has 250 kB at the most
	window    = 5 * time.Minute // how old, or how early, a signature may be
)

// Web is Slack over HTTP. It feeds a Conversation.
type Web struct {
	secret keepwatch.Secret
	talk   *Conversation
	log    *slog.Logger
	now    func() time.Time

	mu       sync.Mutex
	unsigned int       // requests that were refused since the last line in the log
	told     time.Time // when that was; monotonic
}

// ServeHTTP answers the three endpoints. Whatever is not signed by Slack, now,
// is refused before it is looked at.
func (w *Web) ServeHTTP(out http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/slack/commands", "/slack/interactions", "/slack/events":
	default:
		http.NotFound(out, req)
		return
	}
	if req.Method != http.MethodPost {
		out.Header().Set("Allow", http.MethodPost)
		http.Error(out, "Slack posts here.", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, req.Body, bodyLimit))
	if err != nil {
		status := http.StatusBadRequest
		if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(out, "The body cannot be read.", status)
		return
	}
	if reason := verify(w.secret, req.Header, body, w.now()); reason != "" {
		w.refused(req, reason)
		http.Error(out, "The signature is not right.", http.StatusUnauthorized)
		return
	}
	if n := req.Header.Get("X-Slack-Retry-Num"); n != "" {
		w.log.Info("Slack delivers an event again", "attempt", n, "reason", req.Header.Get("X-Slack-Retry-Reason"))
	}
	w.answer(out, req, body)
}

// unsignedEvery is how often the log tells of requests that are not signed. Anybody
// can send them, as fast as they like.
const unsignedEvery = time.Minute

// refused counts a request that is not signed, and logs one of many.
func (w *Web) refused(req *http.Request, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsigned++
	now := time.Now()
	if !w.told.IsZero() && now.Sub(w.told) < unsignedEvery {
		return
	}
	w.log.Warn("requests that are not signed by Slack were refused; this is the last of them", "requests", w.unsigned, "path", req.URL.Path, "reason", reason, "from", req.RemoteAddr)
	w.unsigned, w.told = 0, now
}

// verify checks a signature (docs.slack.dev/authentication/verifying-requests-from-slack)
// over the bytes as they came, and gives why it is refused. slack-go's verifier
// reads the wall clock and so cannot be tested with the published example.
func verify(secret keepwatch.Secret, h http.Header, body []byte, now time.Time) (reason string) {
	stamp := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "no timestamp"
	}
	if off := now.Sub(time.Unix(seconds, 0)); off > window || off < -window {
		return "the timestamp is off by more than five minutes; is the clock of this machine right?"
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = io.WriteString(mac, "v0:"+stamp+":")
	_, _ = mac.Write(body)
	want := "v0=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(h.Get("X-Slack-Signature"))) {
		return "the signature is another; is SLACK_SIGNING_SECRET right?"
	}
	return ""
}

// answer hands a verified request to the conversation. A panic ends it alone.
func (w *Web) answer(out http.ResponseWriter, req *http.Request, body []byte) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("something from Slack broke off", "path", req.URL.Path, "panic", p, "stack", string(debug.Stack()))
			if req.URL.Path == "/slack/commands" {
				w.write(out, say(broke))
				return
			}
			http.Error(out, "Something went wrong.", http.StatusInternalServerError)
		}
	}()
	var a ack
	var err error
	switch req.URL.Path {
	case "/slack/events":
		var hello eventBody
		if json.Unmarshal(body, &hello) == nil && hello.Type == "url_verification" {
			w.write(out, map[string]string{"challenge": hello.Challenge})
			return
		}
		a, err = w.talk.Event(body, "")
	default:
		var form url.Values
		if form, err = url.ParseQuery(string(body)); err != nil {
			break
		}
		if form.Get("ssl_check") == "1" { // Slack looks whether the address has a certificate
			return
		}
		if req.URL.Path == "/slack/commands" {
			a, err = w.talk.command(commandForm(form), "")
		} else {
			a, err = w.talk.Interaction(json.RawMessage(form.Get("payload")), "")
		}
	}
	switch {
	case err != nil:
		w.log.Error("what Slack sent cannot be read", "path", req.URL.Path, "err", err)
		out.Header().Set("X-Slack-No-Retry", "1")
		http.Error(out, "This cannot be read.", http.StatusBadRequest)
	case a.again:
		http.Error(out, "Not recorded; deliver it again.", http.StatusServiceUnavailable)
	case a.body != nil:
		w.write(out, a.body)
	}
}

func (w *Web) write(out http.ResponseWriter, v any) {
	out.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(out).Encode(v); err != nil {
		w.log.Warn("an answer to Slack could not be written", "err", err)
	}
}
