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
	// clockMargin is how far our clock and Discord's may be apart.
	clockMargin = 2 * time.Minute
	pageSize    = 100 // messages
	mostPages   = 5   // that are looked through
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
// attempt it needs no looking: sent again with the same nonce, Discord gives the
// message that it has.
func (f *Frontend) Find(ctx context.Context, out keepwatch.Outgoing) (ref string, ok bool, err error) {
	if out.Tried.IsZero() || f.now().Sub(out.Tried) < nonceFor {
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
	want := render(out.Message)
	after := snowflake(out.Tried.Add(-clockMargin))
	if isID(out.After) && newer(out.After, after) {
		after = out.After
	}
	for range mostPages {
		page, err := f.page(ctx, channel, url.Values{"after": {after}, "limit": {strconv.Itoa(pageSize)}})
		if err != nil {
			return f.unreadable(channel, target, err)
		}
		if len(page) == 0 && out.After != "" {
			f.checkHistory(ctx, channel, target)
		}
		for _, m := range page {
			if ours(m, me.ID) && isThis(m, out, want) {
				return m.ID, true, nil
			}
		}
		if len(page) < pageSize {
			break
		}
		after = page[len(page)-1].ID
	}
	return "", false, nil
}

// page gives messages of a channel, the oldest first.
func (f *Frontend) page(ctx context.Context, channel string, q url.Values) ([]found, error) {
	var page []found
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointChannelMessages(channel)+"?"+q.Encode(), nil, &page); err != nil {
		return nil, err
	}
	slices.SortFunc(page, func(a, b found) int {
		if a.ID == b.ID {
			return 0
		}
		if newer(a.ID, b.ID) {
			return 1
		}
		return -1
	})
	return page, nil
}

// checkHistory warns where a channel in which we have posted shows no message at
// all: so Discord answers a bot without Read Message History, which is no error.
func (f *Frontend) checkHistory(ctx context.Context, channel, target string) {
	if page, err := f.page(ctx, channel, url.Values{"limit": {"1"}}); err == nil && len(page) == 0 {
		f.warnHistory(channel, target)
	}
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

// isThis reports whether a message is what would be posted. The card of a run may
// have said something else when it was posted: it is known by its buttons.
func isThis(m found, out keepwatch.Outgoing, want payload) bool {
	if m.Nonce == out.ID {
		return true
	}
	var have []string
	for _, row := range m.Components {
		for _, c := range row.Components {
			have = append(have, c.CustomID)
			for _, o := range c.Options {
				have = append(have, o.Value)
			}
		}
	}
	if out.Run > 0 {
		for _, b := range out.Message.AllButtons() {
			token, _ := b.Token()
			if slices.ContainsFunc(have, func(id string) bool { t, ok := tokenOf(id); return ok && t == token }) {
				return true
			}
		}
	}
	return words(m.Content, m.Embeds) == words(want.Content, want.Embeds)
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
