package discord

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
	"keepwatch/handlers"
)

// maxChoices is how many suggestions Discord takes.
const maxChoices = 25

// choices gives what the option that somebody is filling in may be. Discord asks
// at every key; the list comes from the router, and is searched here for what was
// typed, in any place of it.
func choices(ctx context.Context, counter handlers.Counter, data discordgo.ApplicationCommandInteractionData, req keepwatch.Request) []*discordgo.ApplicationCommandOptionChoice {
	out := []*discordgo.ApplicationCommandOptionChoice{}
	if len(data.Options) == 0 || data.Options[0] == nil {
		return out
	}
	sub := data.Options[0]
	cmd, known := find(counter.Commands(), data.Name, sub.Name)
	i := slices.IndexFunc(sub.Options, func(o *discordgo.ApplicationCommandInteractionDataOption) bool { return o != nil && o.Focused })
	if !known || i < 0 {
		return out
	}
	focused := sub.Options[i]
	j := slices.IndexFunc(cmd.Options, func(o handlers.Option) bool { return o.Name == focused.Name })
	if j < 0 {
		return out
	}
	option := cmd.Options[j]
	req.Text = "/" + cmd.Title() + " " + before(cmd, option, sub.Options)
	found := counter.Complete(ctx, req, len(req.Text))
	for _, c := range matching(found, valueOf(focused)) {
		if choice, ok := choiceOf(option, c); ok && len(out) < maxChoices {
			out = append(out, choice)
		}
	}
	return out
}

// before writes a command up to the option that is asked for. People may fill in
// the later ones first, so what is missing before it is held by a mark.
func before(cmd handlers.Command, option handlers.Option, given []*discordgo.ApplicationCommandInteractionDataOption) string {
	if option.Flag {
		return "--" + option.Name + " "
	}
	text := ""
	for _, o := range cmd.Options {
		if o.Name == option.Name {
			break
		}
		if o.Flag {
			continue
		}
		word := "?"
		for _, g := range given {
			if v := strings.Join(strings.Fields(valueOf(g)), "_"); g != nil && g.Name == o.Name && v != "" {
				word = v
			}
		}
		text += handlers.Quote(word) + " "
	}
	return text
}

// matching gives the candidates that have what was typed in them, those first
// that begin with it.
func matching(all []handlers.Candidate, typed string) []handlers.Candidate {
	typed = strings.ToLower(strings.TrimSpace(typed))
	place := func(c handlers.Candidate) int {
		text := strings.ToLower(c.Text)
		switch {
		case strings.HasPrefix(text, typed):
			return 0
		case strings.Contains(text, typed):
			return 1
		case strings.Contains(strings.ToLower(c.Summary), typed):
			return 2
		}
		return 3
	}
	all = slices.DeleteFunc(slices.Clone(all), func(c handlers.Candidate) bool { return place(c) == 3 })
	slices.SortStableFunc(all, func(a, b handlers.Candidate) int { return cmp.Compare(place(a), place(b)) })
	return all
}

// choiceOf makes a suggestion. One whose value is too long for Discord is none:
// a shortened name would be another name.
func choiceOf(o handlers.Option, c handlers.Candidate) (*discordgo.ApplicationCommandOptionChoice, bool) {
	name := c.Text
	if c.Summary != "" {
		name += " · " + c.Summary
	}
	choice := &discordgo.ApplicationCommandOptionChoice{Name: label(name, maxOption)}
	if o.Type == handlers.TypeRun {
		n, err := strconv.ParseInt(c.Text, 10, 64)
		choice.Value = n
		return choice, err == nil
	}
	value := c.Text
	if o.Variadic && o.Type != handlers.TypeCommand {
		value = handlers.Quote(value)
	}
	choice.Value = value
	return choice, value != "" && size(value) <= maxOption
}
