package discord

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"keepwatch"
	"keepwatch/handlers"
)

// Permission is one that the bot is invited with, and why.
type Permission struct {
	Name string
	Bit  uint64 // developers/topics/permissions
	Why  string
}

// Permissions gives what the bot needs in a server, and no more.
func Permissions() []Permission {
	return []Permission{
		{"View Channel", 1 << 10, "to post into the channels that it is asked in and that keepwatch.yaml names"},
		{"Send Messages", 1 << 11, "to answer a mention, to post notices, and to carry the card of a run on after 15 minutes"},
		{"Embed Links", 1 << 14, "what it says stands in embeds; without it they arrive empty"},
		{"Attach Files", 1 << 15, "the picture of a report"},
		{"Read Message History", 1 << 16, "to answer as a reply, and to see whether a message arrived before sending it again"},
		{"Send Messages in Threads", 1 << 38, "the same in threads"},
	}
}

// InviteURL is where somebody adds the bot to a server.
func InviteURL(applicationID string) string {
	var bits uint64
	for _, p := range Permissions() {
		bits |= p.Bit
	}
	q := url.Values{"client_id": {applicationID}, "scope": {"bot applications.commands"}, "permissions": {fmt.Sprint(bits)}}
	return "https://discord.com/oauth2/authorize?" + q.Encode()
}

// ApplicationID reads the bot's id out of its token, whose first part it is; for
// all but some applications from 2016 and before it is the application's too.
// "" where the token is none.
func ApplicationID(token keepwatch.Secret) string {
	first, _, _ := strings.Cut(token.Reveal(), ".")
	id, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(first, "="))
	if err != nil || !isID(string(id)) {
		return ""
	}
	return string(id)
}

// Manifest is what `bot manifest discord` prints: how to invite the bot, and what
// it registers by itself. applicationID "" leaves a gap to fill in; guild is
// DISCORD_GUILD_ID.
func Manifest(table []handlers.Command, applicationID, guild string) (string, error) {
	list, err := applicationCommands(table, guild == "")
	if err != nil {
		return "", err
	}
	commands, err := canonical(list)
	if err != nil {
		return "", err
	}
	data, err := json.MarshalIndent(commands, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the commands: %w", err)
	}
	var b strings.Builder
	b.WriteString("Invite the bot with this link:\n\n")
	if applicationID == "" {
		applicationID = "APPLICATION_ID"
		b.Reset()
		b.WriteString("Invite the bot with this link. Put the Application ID of the Developer Portal (General\nInformation) in place of APPLICATION_ID, or set DISCORD_BOT_TOKEN and print this again:\n\n")
	}
	b.WriteString("  " + InviteURL(applicationID) + "\n\nIt asks for these permissions:\n\n")
	for _, p := range Permissions() {
		fmt.Fprintf(&b, "  %-25s %s\n", p.Name, p.Why)
	}
	b.WriteString("\nNo privileged intent is needed: leave Message Content, Presence and Server Members off.\n")
	where := "for all servers that it is in, and for direct messages"
	if guild != "" {
		where = "in the server " + guild + " (DISCORD_GUILD_ID)"
	}
	fmt.Fprintf(&b, "\nThe bot registers these commands by itself when it starts, %s:\n\n%s\n", where, data)
	return b.String(), nil
}
