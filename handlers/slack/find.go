package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

const (
	findPage  = 200       // messages asked for at once
	findPages = 25        // at most; a channel is hardly busier than that in the time
	findSlack = time.Hour // how far our clock and Slack's may be apart
)

// carryTime is how long Slack is given to carry out a call whose caller is gone: it
// was killed, or the connection broke. Slack knows no key by which it would drop a
// call that comes again, as Discord does, so one that is still being worked on when
// nobody finds its message would make a second one. Slack promises nothing here; its
// ordinary answers take a fraction of a second.
const carryTime = 3 * time.Second

// Find looks for a message by our id in the metadata of what the channel holds.
// Where that may not be read it gives false, with a warning: better a message
// twice than never. One that is not there so soon after the attempt is looked for
// once more, a little later.
//
// The card of a run in a channel that the bot is not in goes by response_url, and
// what that has posted nobody can look for. Where it may have been used, Find says
// that the card is there, with no reference: it is in the sight of a whole channel,
// so it must not come twice, and how the run ends is posted anew in any case. Only
// what waits for no more words must not be lost, and comes twice at worst.
func (f *Frontend) Find(ctx context.Context, out keepwatch.Outgoing) (ref string, found bool, err error) {
	channel, err := f.channel(ctx, out.Channel)
	if err != nil {
		return "", false, f.verdict(err, nameOf(out.Channel))
	}
	if r := out.Reply; r != nil && r.Private && out.Run == 0 && !f.directs.own(channel) && r.To.ID != "" {
		// An ephemeral message is in no history. It may have gone to whoever
		// asked as a direct message; see direct.
		if channel, err = f.channel(ctx, platform+":@"+r.To.ID); err != nil {
			return "", false, nil
		}
		out.Reply = nil
	}
	method, query := "conversations.history", url.Values{"channel": {channel}, "include_all_metadata": {"true"}, "limit": {strconv.Itoa(findPage)}, "oldest": {oldest(out, channel, f.cfg.Now())}}
	if out.Reply != nil && out.Reply.Thread != "" {
		method = "conversations.replies"
		query.Set("ts", out.Reply.Thread)
	}
	for range findPages {
		page, err := f.history(ctx, method, query)
		switch code := codeOf(err); {
		case code == "missing_scope":
			f.once("find "+channel[:1], "Keepwatch may not read back what it posted in Slack, so after a failure a message may come twice. Install the app again with the scopes of `bot manifest slack`.", "channel", channel)
			return "", false, nil
		case (code == "channel_not_found" || code == "not_in_channel") && out.Run > 0 && f.mayHaveInvited(out):
			f.cfg.Log.Warn("whether the card of a run came into a channel that the bot is not in cannot be known; it is not posted again", "run", out.Run, "channel", channel)
			return "", true, nil
		case code == "channel_not_found" || code == "not_in_channel" || code == "thread_not_found" || code == "is_archived":
			return "", false, nil // it was not posted there, or nobody can say
		case err != nil:
			return "", false, f.verdict(err, nameOf(out.Channel))
		}
		for _, m := range page.Messages {
			if m.Metadata.Type == metadataType && m.Metadata.Payload.ID == out.ID {
				return reference(channel, m.TS), true, nil
			}
		}
		if page.Next.Cursor == "" {
			return "", false, f.underWay(out)
		}
		query.Set("cursor", page.Next.Cursor)
	}
	f.cfg.Log.Warn("a message was not found among the newest of its channel, so it is sent again", "message", out.ID, "channel", channel)
	return "", false, nil
}

// underWay gives an error while the last attempt at a message is so young that Slack
// may carry it out yet: then nothing follows from its not being there. Where our clock
// was set back since, the attempt counts as being as old as this process.
func (f *Frontend) underWay(out keepwatch.Outgoing) error {
	age := f.cfg.Now().Sub(out.Tried)
	if age < 0 {
		age = time.Since(f.began)
	}
	if age >= f.carry {
		return nil
	}
	return &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: f.carry - age, Err: errors.New("slack: the message may still be on its way")}
}

// oldest is where the search begins: behind the newest message known to be before
// the first attempt. That is by Slack's clock, and ours is not asked. Where none is
// known it is a while before the message was made, which is before any attempt; a
// time to come says that our clock was set back since.
func oldest(out keepwatch.Outgoing, channel string, now time.Time) string {
	if in, ts, ok := splitReference(out.After); ok && in == channel {
		if _, err := strconv.ParseFloat(ts, 64); err == nil {
			return ts
		}
	}
	from := now
	for _, at := range []time.Time{out.Made, out.Tried} {
		if !at.IsZero() && at.Before(from) {
			from = at
		}
	}
	return fmt.Sprintf("%d.000000", max(from.Add(-findSlack).Unix(), 0))
}

// page is what Find reads of a channel's history. It is no type of slack-go:
// that reads every block of everybody's messages, and one that it does not
// understand would hide them all.
type page struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Messages []struct {
		TS       string `json:"ts"`
		Metadata struct {
			Type    string `json:"event_type"`
			Payload struct {
				ID string `json:"id"`
			} `json:"event_payload"`
		} `json:"metadata"`
	} `json:"messages"`
	Next struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

func (f *Frontend) history(ctx context.Context, method string, query url.Values) (page, error) {
	var p page
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+method+"?"+query.Encode(), nil)
	if err != nil {
		return p, fmt.Errorf("ask for messages: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+f.cfg.BotToken.Reveal())
	resp, err := f.http.Do(req)
	if err != nil {
		return p, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusTooManyRequests {
		after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return p, &slack.RateLimitedError{RetryAfter: time.Duration(after) * time.Second}
	}
	if resp.StatusCode != http.StatusOK {
		return p, slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(&p); err != nil {
		return p, fmt.Errorf("read messages: %w", err)
	}
	if !p.OK {
		return p, slack.SlackErrorResponse{Err: orElse(p.Error, "internal_error")}
	}
	return p, nil
}

// withoutURL takes the address out of an error of the network: a response_url is
// as good as a password.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return fmt.Errorf("post an answer: %w", failed.Err)
	}
	return err
}
