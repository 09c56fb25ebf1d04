package discordtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// delivery is where interactions go: to a URL, or to the gateway when there is none, never to both.
type delivery struct {
	url string
}

// sentDelivery is what was posted, to be posted again.
type sentDelivery struct {
	body                 []byte
	signature, timestamp string
}

// Tamper is what is wrong with a delivery by HTTP.
type Tamper string

// The ways in which a delivery can be wrong.
const (
	Honest       Tamper = ""
	BadSignature Tamper = "bad signature" // as Discord itself probes now and then
	TamperedBody Tamper = "tampered body" // one byte after signing
	OldTimestamp Tamper = "old timestamp" // an hour old, signed rightly
	Unsigned     Tamper = "unsigned"      // no signature headers
)

// Answer is what the bot's endpoint said to a delivery.
type Answer struct {
	Status int
	Body   []byte
}

// SetInteractionsURL saves the interactions endpoint as the developer portal does: only when it answers a PING
// with type 1 and refuses a wrong signature with 401. From then on interactions go there and not
// to the gateway. An empty URL goes back to the gateway.
func (s *Server) SetInteractionsURL(ctx context.Context, url string) error {
	if url != "" {
		for _, probe := range []struct {
			tamper Tamper
			status int
		}{{Honest, http.StatusOK}, {BadSignature, http.StatusUnauthorized}} {
			a, err := s.Probe(ctx, url, probe.tamper)
			if err != nil {
				return fmt.Errorf("the specified interactions endpoint URL could not be verified: %w", err)
			}
			var pong object
			if probe.status == http.StatusOK && (json.Unmarshal(a.Body, &pong) != nil || integer(pong["type"]) != callbackPong) || a.Status != probe.status {
				return fmt.Errorf("the specified interactions endpoint URL could not be verified: a ping (%s) was answered %d %q, not %d", probe.tamper, a.Status, a.Body, probe.status)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivery.url = url
	return nil
}

// Probe sends a PING to an endpoint.
func (s *Server) Probe(ctx context.Context, url string, tamper Tamper) (Answer, error) {
	s.mu.Lock()
	body := object{"id": s.id(), "application_id": s.world.app, "type": typePing, "token": randomHex(16), "version": 1, "user": userJSON(s.world.users[s.world.guilds[s.world.guild].owner])}
	s.mu.Unlock()
	return s.deliverSigned(ctx, url, body, tamper, nil)
}

// Forge sends an interaction that a person seems to have made, a command without options by its full name,
// with something wrong about it. Nothing that the bot answers is shown to anybody.
func (s *Server) Forge(ctx context.Context, userID, channelID, line string, opts map[string]any, tamper Tamper) (Answer, error) {
	s.mu.Lock()
	url := s.delivery.url
	i, err := s.prepareCommand(userID, channelID, line, opts, "", nil)
	var body object
	if err == nil {
		body = s.interactionJSON(i)
	}
	s.mu.Unlock()
	if err != nil {
		return Answer{}, err
	}
	return s.deliverSigned(ctx, url, body, tamper, nil)
}

// Replay posts a delivery again, byte for byte, as somebody who recorded it would.
func (s *Server) Replay(ctx context.Context, i *Interaction) (Answer, error) {
	s.mu.Lock()
	sent, url := i.sent, s.delivery.url
	s.mu.Unlock()
	if sent == nil {
		return Answer{}, errors.New("this interaction has not been delivered by HTTP")
	}
	return s.post(ctx, url, sent)
}

func (s *Server) deliverSigned(ctx context.Context, url string, body object, tamper Tamper, keep func(*sentDelivery)) (Answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Answer{}, err
	}
	at := s.Now()
	if tamper == OldTimestamp {
		at = at.Add(-time.Hour)
	}
	sent := &sentDelivery{body: raw, timestamp: strconv.FormatInt(at.Unix(), 10)}
	signature := ed25519.Sign(s.private, append([]byte(sent.timestamp), raw...))
	switch tamper {
	case BadSignature:
		signature[7] ^= 1
	case TamperedBody:
		sent.body = append(bytes.Clone(raw[:len(raw)-1]), ' ', '}')
	}
	if tamper != Unsigned {
		sent.signature = hex.EncodeToString(signature)
	}
	if keep != nil {
		keep(sent)
	}
	return s.post(ctx, url, sent)
}

func (s *Server) post(ctx context.Context, url string, sent *sentDelivery) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(sent.body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Discord-Interactions/1.0 (+https://discord.com)")
	if sent.signature != "" {
		req.Header.Set("X-Signature-Ed25519", sent.signature)
		req.Header.Set("X-Signature-Timestamp", sent.timestamp)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return Answer{Status: res.StatusCode, Body: body}, err
}

// deliver brings an interaction to the bot. The caller holds the lock.
func (s *Server) deliver(i *Interaction) {
	s.talk.interactions[i.ID], s.talk.tokens[i.token] = i, i
	body := s.interactionJSON(i)
	s.soon(s.cfg.AnswerTime + time.Millisecond)
	s.notify()
	if s.delivery.url == "" {
		s.dispatch(0, "", "INTERACTION_CREATE", body)
		return
	}
	if s.closed {
		return
	}
	url := s.delivery.url
	s.work.Go(func() {
		ctx := s.ctx
		if s.cfg.Clock == nil {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, s.cfg.AnswerTime)
			defer stop()
		}
		a, err := s.deliverSigned(ctx, url, body, Honest, func(sent *sentDelivery) { s.mu.Lock(); i.sent = sent; s.mu.Unlock() })
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answeredByHTTP(i, a, err)
	})
}

// answeredByHTTP takes the endpoint's answer as the callback. 202 without a body says that
// the callback comes by POST.
func (s *Server) answeredByHTTP(i *Interaction, a Answer, err error) {
	defer s.notify()
	var body object
	switch {
	case err != nil:
		i.refuse("the endpoint did not answer: " + err.Error())
	case a.Status == http.StatusAccepted && len(bytes.TrimSpace(a.Body)) == 0:
	case a.Status != http.StatusOK:
		i.refuse(fmt.Sprintf("the endpoint answered %d %q", a.Status, a.Body))
	case json.Unmarshal(a.Body, &body) != nil:
		i.refuse(fmt.Sprintf("the endpoint answered what is no JSON object: %q", a.Body))
	default:
		if s.cfg.Spec != nil {
			s.broken = append(s.broken, s.cfg.Spec.checkRequest("POST", callbackRoute, body)...)
		}
		s.respond(i, body, nil)
	}
}

func (i *Interaction) refuse(why string) {
	if i.answer == 0 {
		i.refused = why
	}
}
