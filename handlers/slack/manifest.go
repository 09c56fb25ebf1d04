package slack

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"keepwatch/handlers"
)

// The limits of an app manifest (docs.slack.dev/reference/app-manifest).
const (
	maxUsageHint   = 1000
	maxDescription = 2000
	maxCommands    = 50
)

// scope is a permission that the bot asks for, and why.
type scope struct{ Name, Why string }

// scopes are all that the bot needs, and nothing else.
func scopes(groups bool) []scope {
	all := []scope{
		{"commands", "the slash commands"},
		{"chat:write", "answers, cards of runs, notices"},
		{"app_mentions:read", "commands typed after a mention of the bot"},
		{"im:history", "commands in a direct message to the bot; looking whether an answer there was posted"},
		{"im:write", "opening a direct message, for notices to admins"},
		{"channels:history", "looking whether a message was posted in a public channel before it is sent again"},
		{"groups:history", "the same in a private channel"},
		{"mpim:history", "the same in a direct message of several people and the bot"},
		{"files:write", "the picture of a report"},
	}
	if groups {
		all = append(all, scope{"usergroups:read", "who is in the user groups that carry a role in keepwatch.yaml"})
	}
	return all
}

// The parts of a manifest, in the order of Slack's documentation.
type (
	manifest struct {
		Metadata struct {
			Major int `yaml:"major_version"`
		} `yaml:"_metadata"`
		Display  manifestDisplay  `yaml:"display_information"`
		Features manifestFeatures `yaml:"features"`
		OAuth    struct {
			Scopes struct {
				Bot []string `yaml:"bot"`
			} `yaml:"scopes"`
		} `yaml:"oauth_config"`
		Settings manifestSettings `yaml:"settings"`
	}
	manifestDisplay struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
		Background  string `yaml:"background_color"`
	}
	manifestFeatures struct {
		Home struct {
			Home     bool `yaml:"home_tab_enabled"`
			Messages bool `yaml:"messages_tab_enabled"`
			ReadOnly bool `yaml:"messages_tab_read_only_enabled"`
		} `yaml:"app_home"`
		Bot struct {
			Name   string `yaml:"display_name"`
			Online bool   `yaml:"always_online"`
		} `yaml:"bot_user"`
		Commands []manifestCommand `yaml:"slash_commands"`
	}
	manifestCommand struct {
		Command     string `yaml:"command"`
		URL         string `yaml:"url,omitempty"`
		Description string `yaml:"description"`
		UsageHint   string `yaml:"usage_hint"`
		Escape      bool   `yaml:"should_escape"`
	}
	manifestSettings struct {
		Events struct {
			URL string   `yaml:"request_url,omitempty"`
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `yaml:"is_enabled"`
			URL     string `yaml:"request_url,omitempty"`
		} `yaml:"interactivity"`
		OrgDeploy bool `yaml:"org_deploy_enabled"`
		Socket    bool `yaml:"socket_mode_enabled"`
		Rotation  bool `yaml:"token_rotation_enabled"`
	}
)

// Manifest gives the app manifest, as YAML that the form “From an app manifest”
// takes: for Socket Mode where baseURL is "", otherwise for HTTP at that
// address. groups says whether user groups carry roles.
func Manifest(commands []handlers.Command, baseURL string, groups bool) (string, error) {
	baseURL = strings.TrimSuffix(baseURL, "/")
	at := func(path string) string {
		if baseURL == "" {
			return ""
		}
		return baseURL + path
	}
	var m manifest
	m.Metadata.Major = 1
	m.Display = manifestDisplay{Name: "Keepwatch", Description: "Keeps backups and proves them", Background: "#1f3b4d"}
	m.Features.Home.Home, m.Features.Home.Messages = true, true
	m.Features.Bot.Name, m.Features.Bot.Online = "Keepwatch", true
	m.Features.Commands = slashCommands(commands, at("/slack/commands"))
	for _, s := range scopes(groups) {
		m.OAuth.Scopes.Bot = append(m.OAuth.Scopes.Bot, s.Name)
	}
	m.Settings.Events.URL = at("/slack/events")
	m.Settings.Events.Bot = []string{"app_home_opened", "app_mention", "message.im"}
	m.Settings.Interactivity.Enabled = true
	m.Settings.Interactivity.URL = at("/slack/interactions")
	m.Settings.Socket = baseURL == ""
	if len(m.Features.Commands) > maxCommands {
		return "", fmt.Errorf("an app of Slack has %d slash commands at the most, and these are %d", maxCommands, len(m.Features.Commands))
	}
	data, err := yaml.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("write the manifest: %w", err)
	}
	return string(data), nil
}

// slashCommands makes one of each group of the table: Slack knows no
// subcommands, and lists no more of one than its hint.
func slashCommands(commands []handlers.Command, url string) []manifestCommand {
	var out []manifestCommand
	at := map[string]int{}
	usage, names := map[string][]string{}, map[string][]string{}
	for _, c := range commands {
		if c.Local {
			continue // makes sense in the terminal only
		}
		if _, known := at[c.Group]; !known {
			at[c.Group] = len(out)
			out = append(out, manifestCommand{Command: "/" + c.Group, URL: url})
		}
		// A channel that is mentioned in a slash command comes as its name, which
		// finds nothing, unless the command escapes it (docs.slack.dev, "Implementing
		// slash commands", "Escaping users, channels, links").
		if slices.ContainsFunc(c.Options, func(o handlers.Option) bool { return o.Type == handlers.TypeChannel }) {
			out[at[c.Group]].Escape = true
		}
		usage[c.Group] = append(usage[c.Group], strings.TrimSpace(strings.TrimPrefix(c.Usage(), c.Group)))
		names[c.Group] = append(names[c.Group], c.Name)
	}
	for group, i := range at {
		out[i].UsageHint = join(usage[group], " | ", maxUsageHint)
		out[i].Description = join([]string{about(group), join(names[group], ", ", maxDescription/2)}, ": ", maxDescription)
	}
	return out
}

// join joins as many words as fit.
func join(words []string, by string, most int) string {
	text := ""
	for i, w := range words {
		next := w
		if i > 0 {
			next = text + by + w
		}
		if length(next)+length(by)+1 > most {
			return text + by + "…"
		}
		text = next
	}
	return text
}

// about says what a group of commands is about.
func about(group string) string {
	switch group {
	case "backup":
		return "Backups and archives"
	case "keepwatch":
		return "About the bot"
	case "authenticator":
		return "Backups of authenticator apps"
	case "reminder":
		return "Reminders in channels"
	}
	return "Commands"
}
