package discord

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"

	"github.com/bwmarrin/discordgo"
)

const (
	// nonceFor is how long a nonce is certain to be remembered. Discord says "the
	// past few minutes" (developers/resources/message, "Create Message").
	nonceFor = 2 * time.Minute
	// clockMargin is how far our clock and Discord's may be apart. It counts only
	// where we know of no message of ours that stands there from before.
	clockMargin = time.Hour
	pageSize    = 100 // messages
	mostPages   = 10  // that are looked through, from the newest back
)

// discordEpoch is the first millisecond of snowflakes (developers/reference).
const discordEpoch = 1420070400000

// snowflake gives the smallest id that something made at a time can have.
func snowflake(t time.Time) string {
	return strconv.FormatInt(max(t.UnixMilli()-discordEpoch, 0)<<22, 10)
}

// found is what is looked at of a message in a channel's history.
type found struct {
	ID     string          `json:"id"`
	Nonce  any             `json:"nonce"`
	Author *discordgo.User `json:"author"`
	App    string          `json:"application_id"`

	Content    string                    `json:"content"`
	Embeds     []*discordgo.MessageEmbed `json:"embeds"`
	Components []struct {
		Components []struct {
			CustomID string `json:"custom_id"`
			Options  []struct {
				Value string `json:"value"`
			} `json:"options"`
		} `json:"components"`
	} `json:"components"`
}

// Find looks whether a message was posted although no answer came. Soon after the
// first attempt it needs no looking: sent again with the same nonce, Discord gives
// the message that it has. Later attempts make no nonce last longer.
func (f *Frontend) Find(ctx context.Context, out keepwatch.Outgoing) (ref string, ok bool, err error) {
	since := out.Since()
	age := f.now().Sub(since)
	switch {
	case since.IsZero():
		return "", false, nil
	case age >= 0 && age < nonceFor && out.Reply.Alive(f.now()) && out.Reply.Open && !f.acks.isLost(out.Reply.Token):
		return "", false, nil // the response to the interaction is written once more, which doubles nothing
	case age >= 0 && age < nonceFor && !hadToken(out): // below 0 the clock was set back: how old it is nobody knows
		return "", false, nil
	}
	target := f.target(out)
	channel, err := f.channel(ctx, target)
	if err != nil {
		return "", false, verdict(err, target)
	}
	me, err := f.self(ctx)
	if err != nil {
		return "", false, verdict(err, target)
	}
	// Ids are times by Discord's clock, whatever ours says.
	after := out.After
	if !isID(after) {
		after = snowflake(since.Add(-clockMargin))
	}
	if hadToken(out) && isID(out.Reply.Asked) && newer(after, out.Reply.Asked) {
		after = out.Reply.Asked // the response has the id, and the place, of its deferral
	}
	want := render(out.Message)
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	for n := range mostPages {
		page, err := f.page(ctx, channel, query)
		if err != nil {
			return f.unreadable(channel, target, err)
		}
		if n == 0 && len(page) == 0 && out.After != "" {
			f.warnHistory(channel, target) // so Discord answers a bot without Read Message History, which is no error
		}
		for _, m := range page {
			if !newer(m.ID, after) {
				return "", false, nil
			}
			if ours(m, me.ID) && isThis(m, out, want) {
				return m.ID, true, nil
			}
		}
		if len(page) < pageSize {
			return "", false, nil
		}
		query.Set("before", page[len(page)-1].ID)
	}
	f.log.Warn("a message was not found among the newest of its channel, so it is sent again", "id", out.ID, "channel", target)
	return "", false, nil
}

// hadToken reports whether an attempt may have gone by the token of an
// interaction, which takes no nonce.
func hadToken(out keepwatch.Outgoing) bool { return out.Reply != nil && out.Reply.Open }

// page gives messages of a channel, the newest first.
func (f *Frontend) page(ctx context.Context, channel string, q url.Values) ([]found, error) {
	var page []found
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointChannelMessages(channel)+"?"+q.Encode(), nil, &page); err != nil {
		return nil, err
	}
	slices.SortFunc(page, func(a, b found) int {
		switch {
		case newer(a.ID, b.ID):
			return -1
		case a.ID == b.ID:
			return 0
		}
		return 1
	})
	return page, nil
}

// unreadable: a message in a channel that cannot be read is not found, and is
// sent again: better twice than never.
func (f *Frontend) unreadable(channel, target string, err error) (string, bool, error) {
	refusal := refusalOf(err)
	if refusal == nil || refusal.Status != http.StatusForbidden && refusal.Status != http.StatusNotFound {
		return "", false, verdict(err, target)
	}
	f.warnHistory(channel, target)
	return "", false, nil
}

// warnHistory says once for each channel that it cannot be read.
func (f *Frontend) warnHistory(channel, target string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.warned[channel] {
		f.warned[channel] = true
		f.log.Warn("the history of a Discord channel cannot be read, so a message whose delivery is uncertain may arrive twice there; give the bot View Channel and Read Message History", "channel", target)
	}
}

func ours(m found, app string) bool {
	return m.App == app || m.Author != nil && m.Author.ID == app
}

// newer compares two snowflakes: numbers, which may have different lengths.
func newer(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) > 0
}

// isThis reports whether a message is what would be posted. Where Discord still
// knows its nonce, that decides: two answers may say the same. The card of a run
// may have said something else when it was posted: it is known by its buttons, and
// by the number that its title begins with.
func isThis(m found, out keepwatch.Outgoing, want payload) bool {
	if m.Nonce != nil {
		return m.Nonce == out.ID
	}
	if out.Run > 0 && (sameButton(m, out.Message) || sameRun(m.Content, want.Content)) {
		return true
	}
	return words(m.Content, m.Embeds) == words(want.Content, want.Embeds)
}

// sameButton reports whether a message has a button of ours.
func sameButton(m found, ours keepwatch.Message) bool {
	var have []string
	for _, row := range m.Components {
		for _, c := range row.Components {
			have = append(have, c.CustomID)
			for _, o := range c.Options {
				have = append(have, o.Value)
			}
		}
	}
	for _, b := range ours.AllButtons() {
		token, _ := b.Token()
		if slices.ContainsFunc(have, func(id string) bool { t, ok := tokenOf(id); return ok && t == token }) {
			return true
		}
	}
	return false
}

// sameRun reports whether two titles are of the same run: "✅ **Run 42: …".
func sameRun(a, b string) bool {
	number := func(s string) string {
		_, title, _ := strings.Cut(s, "**")
		head, _, ok := strings.Cut(title, ":")
		if !ok {
			return ""
		}
		return head
	}
	return number(a) != "" && number(a) == number(b)
}

// words gives what a message says, without the blanks that Discord trims.
func words(content string, embeds []*discordgo.MessageEmbed) string {
	parts := []string{content}
	for _, e := range embeds {
		parts = append(parts, e.Title, e.Description)
		for _, f := range e.Fields {
			parts = append(parts, f.Name, f.Value)
		}
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
