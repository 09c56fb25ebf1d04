package discord

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"keepwatch/handlers"
)

// Limits of application commands (developers/interactions/application-commands).
const (
	maxCommandText = 100 // description of a command or an option
	maxSub         = 25  // sub-commands of a command, and options of a sub-command
)

// applicationCommands makes one slash command for each group of the table, with
// the commands as its sub-commands. Who may use which is not Discord's to decide:
// roles are checked on every request, so default_member_permissions is not set.
// global says that they are registered for all servers: only such commands work in
// direct messages, and only they take contexts.
func applicationCommands(table []handlers.Command, global bool) ([]*discordgo.ApplicationCommand, error) {
	var list []*discordgo.ApplicationCommand
	for _, c := range table {
		if c.Local {
			continue
		}
		i := slices.IndexFunc(list, func(a *discordgo.ApplicationCommand) bool { return a.Name == c.Group })
		if i < 0 {
			group := &discordgo.ApplicationCommand{Type: discordgo.ChatApplicationCommand, Name: c.Group}
			if global {
				group.Contexts = &[]discordgo.InteractionContextType{discordgo.InteractionContextGuild, discordgo.InteractionContextBotDM}
			}
			list, i = append(list, group), len(list)
		}
		list[i].Options = append(list[i].Options, subCommand(c))
	}
	for _, a := range list {
		names := make([]string, len(a.Options))
		for i, o := range a.Options {
			names[i] = o.Name
		}
		a.Description = cut("Keepwatch: "+strings.Join(names, ", "), maxCommandText)
		if len(names) > maxSub {
			return nil, fmt.Errorf("discord: /%s has %d commands, and Discord takes %d", a.Name, len(names), maxSub)
		}
	}
	return list, nil
}

func subCommand(c handlers.Command) *discordgo.ApplicationCommandOption {
	sub := &discordgo.ApplicationCommandOption{Type: discordgo.ApplicationCommandOptionSubCommand, Name: c.Name, Description: cut(c.Summary, maxCommandText)}
	for _, o := range c.Options[:min(len(c.Options), maxSub)] {
		sub.Options = append(sub.Options, option(o))
	}
	// Discord wants those that are required first; the text of the command is
	// made in the order of the table.
	slices.SortStableFunc(sub.Options, func(a, b *discordgo.ApplicationCommandOption) int { return cmp.Compare(rank(a), rank(b)) })
	return sub
}

func rank(o *discordgo.ApplicationCommandOption) int {
	if o.Required {
		return 0
	}
	return 1
}

func option(o handlers.Option) *discordgo.ApplicationCommandOption {
	out := &discordgo.ApplicationCommandOption{Type: discordgo.ApplicationCommandOptionString, Name: o.Name, Description: cut(o.Summary, maxCommandText), Required: o.Required}
	if out.Description == "" {
		out.Description = o.Name
	}
	switch o.Type {
	case handlers.TypeSwitch:
		out.Type = discordgo.ApplicationCommandOptionBoolean
	case handlers.TypeRun, handlers.TypeCount:
		least := 1.0
		out.Type, out.MinValue = discordgo.ApplicationCommandOptionInteger, &least
		out.Autocomplete = o.Type == handlers.TypeRun
	default:
		out.Autocomplete = completes(o.Type)
	}
	return out
}

// completes: these have a list behind them that is asked for while somebody
// types. It is never fixed, so that there are no choices.
func completes(t handlers.OptionType) bool {
	return slices.Contains([]handlers.OptionType{handlers.TypeSource, handlers.TypePart, handlers.TypeRun, handlers.TypeArchive, handlers.TypePerson, handlers.TypeCommand,
		handlers.TypeWarning, handlers.TypeDevice, handlers.TypeCustody, handlers.TypeField, handlers.TypeTopic, handlers.TypeHeld,
		handlers.TypeWhen, handlers.TypeMoment, handlers.TypeZone, handlers.TypeChannel, handlers.TypeRule, handlers.TypeDue, handlers.TypeEither}, t)
}

// canonical gives commands in the one form that they are sent, printed and
// compared in: what is empty, and what Discord adds, is left out. discordgo
// writes null for the lists that are not there.
func canonical(list []*discordgo.ApplicationCommand) ([]map[string]any, error) {
	data, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode the commands: %w", err)
	}
	var out []map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("decode the commands: %w", err)
	}
	for _, c := range out {
		for _, added := range []string{"id", "application_id", "guild_id", "version", "default_permission", "dm_permission", "integration_types", "nsfw"} {
			delete(c, added)
		}
		prune(c)
	}
	slices.SortFunc(out, func(a, b map[string]any) int { return cmp.Compare(fmt.Sprint(a["name"]), fmt.Sprint(b["name"])) })
	return out, nil
}

// prune takes out what is null, false or an empty list.
func prune(m map[string]any) {
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case bool:
			if !v {
				delete(m, k)
			}
		case map[string]any:
			if prune(v); len(v) == 0 {
				delete(m, k)
			}
		case []any:
			for _, e := range v {
				if e, ok := e.(map[string]any); ok {
					prune(e)
				}
			}
			if len(v) == 0 {
				delete(m, k)
			}
		}
	}
}

// same reports whether what Discord has is what we want.
func same(have, want []map[string]any) bool {
	for _, h := range have {
		if contexts, ok := h["contexts"].([]any); ok {
			slices.SortFunc(contexts, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	a, errA := json.Marshal(have)
	b, errB := json.Marshal(want)
	return errA == nil && errB == nil && string(a) == string(b)
}

// commandText makes the text of a command from what was filled in: flags first,
// then the plain words in the order of the table.
func commandText(table []handlers.Command, data discordgo.ApplicationCommandInteractionData) string {
	text := "/" + data.Name
	var given []*discordgo.ApplicationCommandInteractionDataOption
	name := ""
	if len(data.Options) > 0 && data.Options[0] != nil && data.Options[0].Type == discordgo.ApplicationCommandOptionSubCommand {
		name, given = data.Options[0].Name, data.Options[0].Options
		text += " " + name
	}
	cmd, known := find(table, data.Name, name)
	if !known { // registered by an older version: the router says what there is
		for _, g := range given {
			text += " " + handlers.Quote(valueOf(g))
		}
		return text
	}
	var plain []string
	for _, o := range cmd.Options {
		i := slices.IndexFunc(given, func(g *discordgo.ApplicationCommandInteractionDataOption) bool { return g != nil && g.Name == o.Name })
		if i < 0 {
			continue
		}
		value := valueOf(given[i])
		switch {
		case o.Type == handlers.TypeSwitch:
			if value == "true" {
				text += " --" + o.Name
			}
		case o.Flag:
			text += " --" + o.Name + " " + handlers.Quote(value)
		case o.Variadic:
			plain = append(plain, wordsOf(o, value)...)
		default:
			plain = append(plain, value)
		}
	}
	if slices.ContainsFunc(plain, func(w string) bool { return strings.HasPrefix(w, "--") }) {
		text += " --" // what follows is taken as it is
	}
	if len(plain) > 0 {
		text += " " + handlers.Quote(plain...)
	}
	return text
}

// wordsOf divides the value of a variadic option. Names may be quoted; free text
// is taken as it is, because an apostrophe in it opens no quote.
func wordsOf(o handlers.Option, value string) []string {
	if o.Type != handlers.TypeText {
		if words, err := handlers.Split(value); err == nil {
			return words
		}
	}
	return strings.Fields(value)
}

// valueOf writes what was filled in as text: whole numbers arrive as float64.
func valueOf(o *discordgo.ApplicationCommandInteractionDataOption) string {
	if o == nil {
		return ""
	}
	switch v := o.Value.(type) {
	case string:
		return v
	case bool:
		return fmt.Sprint(v)
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

func find(table []handlers.Command, group, name string) (handlers.Command, bool) {
	i := slices.IndexFunc(table, func(c handlers.Command) bool { return c.Group == group && c.Name == name })
	if i < 0 {
		return handlers.Command{}, false
	}
	return table[i], true
}

// inChannel reports whether the answer to a command is the card of a run, which
// everybody in the channel sees.
func inChannel(data discordgo.ApplicationCommandInteractionData) bool {
	if data.Name != "backup" || len(data.Options) == 0 || data.Options[0] == nil {
		return false
	}
	return slices.Contains([]string{"start", "verify", "retry", "watch", "fetch"}, data.Options[0].Name)
}
