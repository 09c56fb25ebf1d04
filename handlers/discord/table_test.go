package discord

import (
	"context"
	"testing"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
	"keepwatch/handlers"
)

// someSources has a name that is not the name of a method of its own.
type someSources = handlers.Sources

// realTable is the table that the program has. Its parts are never called.
func realTable(t *testing.T) []handlers.Command {
	t.Helper()
	r, err := handlers.New(handlers.Config{
		Runs: struct{ handlers.Runs }{}, Sources: struct{ someSources }{}, History: struct{ handlers.History }{},
		Audit: struct{ handlers.Audit }{}, Vault: struct{ handlers.Vault }{}, Check: func(context.Context) []keepwatch.Probe { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Commands()
}

// TestRealTable holds the program's own commands to Discord's limits, and fills in
// every option of each.
func TestRealTable(t *testing.T) {
	all := realTable(t)
	for _, global := range []bool{true, false} {
		list, err := applicationCommands(all, global)
		if err != nil {
			t.Fatal(err)
		}
		checkCommands(t, list)
	}
	if _, err := Manifest(all, "123456", ""); err != nil {
		t.Error(err)
	}
	for _, c := range all {
		sub := &discordgo.ApplicationCommandInteractionDataOption{Name: c.Name, Type: discordgo.ApplicationCommandOptionSubCommand}
		words := 2
		for _, o := range c.Options {
			filled := option(o)
			value := any("a b")
			switch filled.Type {
			case discordgo.ApplicationCommandOptionBoolean:
				value = true
				words++
			case discordgo.ApplicationCommandOptionInteger:
				value = 7.0
				words++
			default:
				words++
				if o.Variadic {
					words++
				}
			}
			if o.Flag && o.Type != handlers.TypeSwitch {
				words++
			}
			sub.Options = append(sub.Options, &discordgo.ApplicationCommandInteractionDataOption{Name: o.Name, Value: value})
		}
		text := commandText(all, discordgo.ApplicationCommandInteractionData{Name: c.Group, Options: []*discordgo.ApplicationCommandInteractionDataOption{sub}})
		got, err := handlers.Split(text)
		if err != nil || len(got) != words {
			t.Errorf("%s: %q has %d words, want %d (%v)", c.Title(), text, len(got), words, err)
		}
	}
}

// TestNumbersInListsAreNamed: in a list there is no head above a number.
func TestNumbersInListsAreNamed(t *testing.T) {
	long := "a backup of something with a name that no phone shows in one line"
	p := render(keepwatch.Message{Title: "2 runs", Blocks: []keepwatch.Block{{Table: &keepwatch.Table{Head: []string{"Run", "What"}, Rows: [][]string{{"11", long}, {"x1", long}}}}}})
	want := "**Run 11**\nWhat: " + long + "\n**x1**\nWhat: " + long
	if got := p.Embeds[0].Description; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
