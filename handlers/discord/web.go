package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"
)

const (
	// maxBody is the longest request that is read. Discord's are some kilobytes.
	maxBody = 1 << 20
	// maxSkew is how far the time of a request may be from ours.
	maxSkew = 5 * time.Minute
)

// Web is the transport of signed HTTP requests, which Discord sends to the
// application's Interactions Endpoint URL (developers/interactions/overview,
// "Preparing for Interactions").
type Web struct {
	key  ed25519.PublicKey
	talk *Conversation
	now  func() time.Time
	log  *slog.Logger
}

// ServeHTTP answers one interaction.
func (w *Web) ServeHTTP(out http.ResponseWriter, req *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("an HTTP request of Discord broke off", "panic", p, "stack", string(debug.Stack()))
			http.Error(out, "Something went wrong.", http.StatusInternalServerError)
		}
	}()
	if req.Method != http.MethodPost {
		out.Header().Set("Allow", http.MethodPost)
		http.Error(out, "Discord sends POST requests here.", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, req.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(out, "The request could not be read.", status)
		return
	}
	if !w.genuine(req.Header, body) { // Discord tries this out, and takes back an endpoint that lets it pass
		http.Error(out, "The signature is not right.", http.StatusUnauthorized)
		return
	}
	var i interaction
	if err := json.Unmarshal(body, &i); err != nil {
		w.log.Error("a signed request of Discord could not be decoded", "err", err)
		http.Error(out, "The request could not be decoded.", http.StatusBadRequest)
		return
	}
	if i.Type == discordgo.InteractionPing {
		w.write(out, response{Type: discordgo.InteractionResponsePong})
		return
	}
	resp, done := w.talk.Interact(req.Context(), i)
	defer done()
	w.write(out, resp)
}

// genuine verifies the signature over the time and the raw body. discordgo's
// VerifyInteraction reads a body of any length and does not look at the time.
func (w *Web) genuine(h http.Header, body []byte) bool {
	signature, err := hex.DecodeString(h.Get("X-Signature-Ed25519"))
	stamp := h.Get("X-Signature-Timestamp")
	if err != nil || len(signature) != ed25519.SignatureSize || !ed25519.Verify(w.key, append([]byte(stamp), body...), signature) {
		return false
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	if skew := w.now().Sub(time.Unix(unix, 0)); skew > maxSkew || skew < -maxSkew {
		w.log.Warn("a request of Discord is signed, but its time is not now; is the clock of this machine right?", "skew", skew)
		return false
	}
	return true
}

func (w *Web) write(out http.ResponseWriter, resp response) {
	data, err := json.Marshal(resp)
	if err != nil {
		w.log.Error("a response to Discord could not be encoded", "err", err)
		http.Error(out, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "application/json")
	if _, err := out.Write(data); err != nil {
		w.log.Warn("Discord went away before it had its response", "err", err)
		return
	}
	_ = http.NewResponseController(out).Flush() // not every writer can; then it goes out on return
}
