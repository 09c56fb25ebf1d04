package discordtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Command lets a person run a slash command, such as "backup start", with options. Values are strings, whole
// numbers, float64 and bool; users, channels and roles by their ids; attachments a [File]. It is an error when the
// bot has not registered the command, when the person may not see it there, or when an
// option is unknown, missing or of the wrong type.
func (s *Server) Command(userID, channelID, line string, opts map[string]any) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.prepareCommand(userID, channelID, line, opts, "", nil)
	if err != nil {
		return nil, err
	}
	s.deliver(i)
	return i, nil
}

// Autocomplete lets a person type into an option, other options being filled already, and waits for the choices.
func (s *Server) Autocomplete(ctx context.Context, userID, channelID, line string, opts map[string]any, option string, typed any) ([]Choice, error) {
	s.mu.Lock()
	i, err := s.prepareCommand(userID, channelID, line, opts, option, typed)
	if err == nil {
		s.deliver(i)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	state, err := i.WaitAcknowledged(ctx)
	if err != nil {
		return nil, err
	}
	if state != Choices {
		return nil, fmt.Errorf("autocomplete of %s %s is %s %s", line, option, state, i.Problem())
	}
	return i.choices, nil
}

// Click lets a person press a button, by its label or custom_id, of a message that the person sees.
func (s *Server) Click(userID, messageID, button string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.visible(userID, messageID)
	if err != nil {
		return nil, err
	}
	var found []Button
	for _, b := range s.view(m).Buttons() {
		if b.CustomID == button || b.Label == button {
			found = append(found, b)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d buttons are %q, of %v", len(found), button, s.view(m).Labels())
	}
	if b := found[0]; b.Disabled || b.CustomID == "" {
		return nil, fmt.Errorf("the button %q is disabled or a link", button)
	}
	return s.component(userID, m, object{"custom_id": found[0].CustomID, "component_type": compButton}, button)
}

// Select lets a person choose values of a select menu, by its placeholder or custom_id.
func (s *Server) Select(userID, messageID, menu string, values ...string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.visible(userID, messageID)
	if err != nil {
		return nil, err
	}
	all := s.view(m).Selects()
	at := slices.IndexFunc(all, func(x Select) bool { return x.CustomID == menu || x.Placeholder == menu })
	if at < 0 {
		return nil, fmt.Errorf("there is no menu %q", menu)
	}
	sel := all[at]
	if sel.Disabled {
		return nil, fmt.Errorf("the menu %q is disabled", menu)
	}
	if err := sel.fits(values); err != nil {
		return nil, err
	}
	return s.component(userID, m, object{"custom_id": sel.CustomID, "component_type": sel.Type, "values": list(values)}, menu)
}

func (x Select) fits(values []string) error {
	least, most := 1, 1
	if x.MinValues != nil {
		least = *x.MinValues
	}
	if x.MaxValues != nil {
		most = *x.MaxValues
	}
	if len(values) < least || len(values) > most {
		return fmt.Errorf("the menu %q takes %d to %d values, not %d", x.CustomID, least, most, len(values))
	}
	for _, v := range values {
		if x.Type == compSelect && !slices.ContainsFunc(x.Options, func(o Option) bool { return o.Value == v }) {
			return fmt.Errorf("the menu %q has no value %q", x.CustomID, v)
		}
	}
	return nil
}

// visible finds a message that a person sees.
func (s *Server) visible(userID, messageID string) (*message, error) {
	if _, err := s.person(userID); err != nil {
		return nil, err
	}
	for _, m := range s.talk.messages {
		if m.id != messageID {
			continue
		}
		if m.deleted || m.ephemeralTo != "" && m.ephemeralTo != userID {
			break
		}
		return m, nil
	}
	return nil, fmt.Errorf("this person sees no message %s", messageID)
}

func (s *Server) component(userID string, m *message, data object, name string) (*Interaction, error) {
	data["id"] = 1
	i, err := s.newInteraction(userID, m.channel, typeComponent, name, data)
	if err != nil {
		return nil, err
	}
	i.source = m
	s.deliver(i)
	return i, nil
}

// Mention lets a person write to the bot by its name.
func (s *Server) Mention(userID, channelID, text string) (Message, error) {
	return s.Say(userID, channelID, "<@"+s.BotID()+"> "+text)
}

// DM lets a person write to the bot directly.
func (s *Server) DM(userID, text string) (Message, error) {
	return s.Say(userID, s.DMChannel(userID), text)
}

// Say lets a person write something in a channel, to nobody in particular.
func (s *Server) Say(userID, channelID, text string) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.present(userID, channelID); err != nil {
		return Message{}, err
	}
	m := s.newMessage(channelID, userID)
	m.content = text
	m.mentions, m.roles, m.everyone = s.pings(text, nil)
	s.publish(m, "MESSAGE_CREATE")
	return s.view(m), nil
}

// present checks that a person can be in a channel.
func (s *Server) present(userID, channelID string) (*user, *channel, error) {
	u, err := s.person(userID)
	if err != nil {
		return nil, nil, err
	}
	c := s.world.channels[channelID]
	if c == nil || c.deleted {
		return nil, nil, fmt.Errorf("there is no channel %q", channelID)
	}
	if c.dm != "" && c.dm != userID || c.dm == "" && s.world.guilds[c.guild].members[userID] == nil {
		return nil, nil, fmt.Errorf("%s is not in channel %q", u.name, channelID)
	}
	return u, c, nil
}

func (s *Server) newInteraction(userID, channelID string, kind int, name string, data object) (*Interaction, error) {
	_, c, err := s.present(userID, channelID)
	if err != nil {
		return nil, err
	}
	if c.dm == "" && s.world.guilds[c.guild].gone {
		return nil, fmt.Errorf("the bot is not in the guild any more")
	}
	return &Interaction{
		ID: s.id(), User: userID, Channel: channelID, srv: s, token: "aW50ZXJhY3Rpb24" + randomHex(40), kind: kind, guild: c.guild, name: name, data: data, created: s.Now(),
	}, nil
}

// interactionJSON is an interaction as the bot gets it.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object
func (s *Server) interactionJSON(i *Interaction) object {
	c := s.world.channels[i.Channel]
	o := object{
		"id": i.ID, "application_id": s.world.app, "type": i.kind, "token": i.token, "version": 1, "data": i.data, "channel_id": i.Channel,
		"channel": s.channelJSON(c), "app_permissions": bits(c.perms.bits()), "locale": "en-GB", "entitlements": []any{},
		"attachment_size_limit": 10 << 20, "context": 1, "authorizing_integration_owners": object{"0": "0"},
	}
	if c.dm == "" {
		g := s.world.guilds[c.guild]
		m := s.memberJSON(g.members[i.User])
		m["permissions"] = bits(s.permissionsOf(g, i.User))
		o["member"], o["guild_id"], o["guild_locale"], o["context"] = m, c.guild, "en-US", 0
		o["guild"] = object{"id": c.guild, "locale": "en-US", "features": []any{}}
		o["authorizing_integration_owners"] = object{"0": c.guild}
	} else {
		o["user"] = userJSON(s.world.users[i.User])
	}
	if i.source != nil {
		o["message"] = s.messageJSON(i.source)
	}
	return o
}

// prepareCommand makes the interaction of a slash command, or of its autocomplete when
// an option is being typed.
func (s *Server) prepareCommand(userID, channelID, line string, opts map[string]any, typing string, typed any) (*Interaction, error) {
	_, c, err := s.present(userID, channelID)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(strings.TrimPrefix(line, "/"))
	if len(words) == 0 {
		return nil, fmt.Errorf("no command is named")
	}
	def, err := s.findCommand(c, userID, words[0])
	if err != nil {
		return nil, err
	}
	f := filler{srv: s, opts: opts, typing: typing, typed: typed, resolved: object{}}
	options, err := f.descend(def, words[1:])
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", strings.Join(words, " "), err)
	}
	data := object{"id": def["id"], "name": def["name"], "type": 1, "options": options}
	if def["guild_id"] != nil {
		data["guild_id"] = def["guild_id"]
	}
	if len(f.resolved) > 0 {
		data["resolved"] = f.resolved
	}
	kind := typeCommand
	if typing != "" {
		kind = typeAutocomplete
	}
	return s.newInteraction(userID, channelID, kind, strings.Join(words, " "), data)
}

// findCommand looks a command up where a person sees it: those of the guild before the global ones.
func (s *Server) findCommand(c *channel, userID, name string) (object, error) {
	scopes := []string{""}
	if c.dm == "" {
		scopes = []string{c.guild, ""}
	}
	var known []string
	for _, scope := range scopes {
		for _, def := range s.commands.scopes[scope] {
			if def["type"] != 1 || !s.mayUse(c, userID, def) {
				continue
			}
			if def["name"] == name {
				return def, nil
			}
			known = append(known, fmt.Sprint(def["name"]))
		}
	}
	return nil, fmt.Errorf("the bot has registered no command /%s that this person sees here, only %v", name, known)
}

func (s *Server) mayUse(c *channel, userID string, def object) bool {
	if contexts, named := def["contexts"].([]any); named {
		here := 0.0
		if c.dm != "" {
			here = 1
		}
		if !slices.Contains(contexts, any(here)) {
			return false
		}
	}
	if c.dm != "" {
		return def["dm_permission"] != false
	}
	needs, named := def["default_member_permissions"].(string)
	if !named {
		return true
	}
	has := s.permissionsOf(s.world.guilds[c.guild], userID)
	var need int64
	if _, err := fmt.Sscan(needs, &need); err != nil {
		return false
	}
	return has&PermAdministrator != 0 || need != 0 && has&need == need
}
