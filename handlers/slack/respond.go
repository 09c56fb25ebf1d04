package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

// maxUses is how often a response_url may be used
// (docs.slack.dev/interactivity/handling-user-interaction, "Message responses").
const maxUses = 5

// errUsedUp says that a response_url works no more; the answer takes another way.
var errUsedUp = errors.New("slack: the response_url works no more")

// uses counts the uses of response_urls. It is not saved: after a restart Slack
// itself says when one is used up, and the answer takes another way then too.
// Every answer leaves an entry for half an hour, so they are small: a hash stands
// for the address (should two be alike, an answer takes another way), and seconds
// for the time.
type uses struct {
	now   func() time.Time
	seed  maphash.Seed
	mu    sync.Mutex
	began time.Time
	seen  map[uint64]used
	full  int // how many there may be before those that ran out are let go of
}

type used struct {
	n     int32
	until int32 // seconds after began
}

// responseLife is how long a response_url works.
const responseLife = 30 * time.Minute

func newUses(now func() time.Time) *uses {
	return &uses{now: now, seed: maphash.MakeSeed(), began: now(), seen: map[uint64]used{}}
}

// seconds gives a time as the entries have it.
func (u *uses) seconds(t time.Time) int32 { return int32(t.Sub(u.began) / time.Second) }

func (u *uses) hash(url string) uint64 { return maphash.String(u.seed, url) }

// take books a use, and reports false where there is none left.
func (u *uses) take(url string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	if len(u.seen) >= u.full { // they run out in half an hour
		for k, v := range u.seen {
			if u.seconds(now) > v.until {
				delete(u.seen, k)
			}
		}
		u.full = max(1000, 2*len(u.seen))
	}
	k := u.hash(url)
	v, known := u.seen[k]
	if v.n >= maxUses {
		return false
	}
	if !known {
		v.until = u.seconds(now.Add(responseLife))
	}
	v.n++
	u.seen[k] = v
	return true
}

// exhaust notes that Slack takes no more.
func (u *uses) exhaust(url string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen[u.hash(url)] = used{n: maxUses, until: u.seconds(u.now().Add(responseLife))}
}

// response is what a response_url takes.
type response struct {
	Type    string        `json:"response_type"`
	Replace bool          `json:"replace_original"`
	Thread  string        `json:"thread_ts,omitempty"`
	Text    string        `json:"text"`
	Blocks  []slack.Block `json:"blocks,omitempty"`
	Unfurl  bool          `json:"unfurl_links"`
	Media   bool          `json:"unfurl_media"`
	Parse   string        `json:"parse"`
}

// respond sends an answer by its response_url.
func (f *Frontend) respond(ctx context.Context, out keepwatch.Outgoing, p payload) error {
	r := out.Reply
	body := response{Type: slack.ResponseTypeEphemeral, Replace: r.Replace, Thread: r.Thread, Text: p.Text, Blocks: p.Blocks, Parse: "none"}
	if !r.Private { // what takes the place of a message stays seen by whom it was
		body.Type = slack.ResponseTypeInChannel
	}
	if r.Replace {
		body.Thread = ""
	}
	err := f.send(ctx, r.Token, body)
	if later := f.awaitFiles(out.ID, p, err); later != nil {
		return later
	}
	if plainAgain(err) {
		f.refusedBlocks(out.ID, err)
		body.Text, body.Blocks = bare(out.Message), nil
		err = f.send(ctx, r.Token, body)
	}
	if code := codeOf(err); errors.Is(err, errUsedUp) || refusedByHTTP(err) || code != "" && !passing(code) {
		return errUsedUp // whatever it has against this address, the answer takes the other way
	}
	return f.verdict(err, nameOf(out.Channel))
}

// inviteText follows a message that could go into a channel by response_url only.
const inviteText = "The bot is not in this channel, so this message cannot be kept up to date. Invite it with /invite, and the next one will be."

// respondInvite shows a message in a channel that the bot is not in. It cannot be
// changed later, and says so.
func (f *Frontend) respondInvite(ctx context.Context, out keepwatch.Outgoing) error {
	msg := out.Message
	if !isDM(nameOf(out.Channel)) {
		msg.Blocks = append(msg.Blocks[:len(msg.Blocks):len(msg.Blocks)], keepwatch.Text(inviteText))
	}
	out.Message = msg
	r := *out.Reply
	r.Private, r.Replace = false, false
	out.Reply = &r
	p, err := f.prepare(ctx, out.ID, msg)
	if err != nil {
		return err
	}
	err = f.respond(ctx, out, p)
	if errors.Is(err, errUsedUp) {
		return &keepwatch.PostError{Verdict: keepwatch.VerdictNever, Err: keepwatch.Errorf(keepwatch.KindAttention, "Keepwatch is not in the channel %s of Slack. Invite the bot there with /invite.", nameOf(out.Channel))}
	}
	return err
}

// unsettled keeps, of a message that is not settled yet, whether it may have come by
// response_url (byURL: it was just tried so).
func (f *Frontend) unsettled(id string, byURL bool, err error) error {
	var p *keepwatch.PostError
	f.mu.Lock()
	defer f.mu.Unlock()
	if !errors.As(err, &p) || p.Verdict == keepwatch.VerdictNever {
		delete(f.unsure, id) // it is settled
		return err
	}
	f.unsure[id] = f.unsure[id] || byURL && p.Verdict == keepwatch.VerdictUnsure
	return err
}

// mayHaveInvited reports whether a message may have come by respondInvite: because
// an attempt was one that got no answer, or because it was tried before the process
// started, and had a response_url.
func (f *Frontend) mayHaveInvited(out keepwatch.Outgoing) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	byURL, known := f.unsure[out.ID]
	return byURL || !known && out.Reply != nil && out.Reply.Token != ""
}

// send posts to a response_url. slack-go's PostWebhook uses the client of the
// whole process and loses what Slack says.
func (f *Frontend) send(ctx context.Context, url string, body response) error {
	if !f.uses.take(url) {
		return errUsedUp
	}
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		return errUsedUp // not an address at all
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := f.http.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var told struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	known := json.Unmarshal(text, &told) == nil
	// Blocks that are refused come with a 404 too (github.com/slackapi/java-slack-sdk/issues/1349).
	blocks := known && strings.HasPrefix(told.Error, "invalid_blocks")
	switch {
	case known && (told.Error == "used_url" || told.Error == "expired_url" || told.Error == "invalid_url"), !blocks && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone):
		f.uses.exhaust(url)
		return errUsedUp
	case resp.StatusCode == http.StatusTooManyRequests:
		after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return &slack.RateLimitedError{RetryAfter: time.Duration(after) * time.Second}
	case known && told.Error != "":
		return slack.SlackErrorResponse{Err: told.Error}
	case resp.StatusCode != http.StatusOK:
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	case string(text) == "ok" || known && told.OK != nil && *told.OK:
		return nil
	}
	return errors.New("slack: an answer of a response_url that makes no sense")
}

// whisper tells one person something short. Nothing depends on it.
func (f *Frontend) whisper(ctx context.Context, w whisper) {
	err := errUsedUp
	if w.url != "" {
		err = f.send(ctx, w.url, response{Type: slack.ResponseTypeEphemeral, Text: escape(w.text), Thread: w.thread, Parse: "none"})
	}
	if errors.Is(err, errUsedUp) {
		p := payload{Text: escape(w.text), Blocks: []slack.Block{plainSection(w.text)}}
		channel := ""
		if channel, err = f.channel(ctx, platform+":"+w.channel); err == nil {
			if f.directs.own(channel) {
				_, _, err = f.api.PostMessageContext(ctx, channel, f.options(p, w.thread)...)
			} else {
				_, err = f.api.PostEphemeralContext(ctx, channel, w.user, f.options(p, w.thread)...)
			}
		}
	}
	if err != nil {
		f.cfg.Log.Warn("a short answer did not reach whoever asked", "user", w.user, "err", err)
	}
}
