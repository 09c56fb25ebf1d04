package discordtest

import "slices"

// object is a JSON object.
type object = map[string]any

func userJSON(u *user) object {
	o := object{
		"id": u.id, "username": u.name, "avatar": nil, "discriminator": "0000", "public_flags": 0, "flags": 0,
		"global_name": nil, "primary_guild": nil,
	}
	if u.bot {
		o["bot"] = true
	} else {
		o["discriminator"], o["global_name"] = "0", u.name
	}
	return o
}

func (s *Server) meJSON() object {
	o := userJSON(s.world.users[s.world.bot])
	o["mfa_enabled"], o["locale"], o["verified"], o["email"] = true, "en-US", true, nil
	return o
}

func (s *Server) memberJSON(m *member) object {
	return object{
		"avatar": nil, "banner": nil, "communication_disabled_until": nil, "flags": 0, "joined_at": stamp(m.joined), "nick": nil,
		"pending": false, "premium_since": nil, "roles": list(m.roles), "user": userJSON(s.world.users[m.user]), "mute": false, "deaf": false,
	}
}

func roleJSON(r *role, position int) object {
	return object{
		"id": r.id, "name": r.name, "permissions": bits(r.permissions), "position": position, "color": 0,
		"colors": object{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil},
		"hoist":  false, "managed": false, "mentionable": false, "icon": nil, "unicode_emoji": nil, "flags": 0,
	}
}

func rolesJSON(g *guild) []any {
	out := []any{}
	for i, r := range g.roles {
		out = append(out, roleJSON(r, i))
	}
	return out
}

func (s *Server) channelJSON(c *channel) object {
	if c.dm != "" {
		return object{"id": c.id, "type": 1, "flags": 0, "last_message_id": nil, "recipients": []any{userJSON(s.world.users[c.dm])}}
	}
	return object{
		"id": c.id, "type": 0, "flags": 0, "guild_id": c.guild, "name": c.name, "position": 0, "parent_id": nil, "topic": nil,
		"last_message_id": nil, "nsfw": false, "rate_limit_per_user": 0, "permission_overwrites": []any{},
	}
}

func (s *Server) guildJSON(g *guild) object {
	return object{
		"id": g.id, "name": g.name, "icon": nil, "description": nil, "home_header": nil, "splash": nil, "discovery_splash": nil,
		"features": []any{}, "banner": nil, "owner_id": g.owner, "application_id": nil, "region": "deprecated",
		"afk_channel_id": nil, "afk_timeout": 300, "system_channel_id": nil, "system_channel_flags": 0, "widget_enabled": false,
		"widget_channel_id": nil, "verification_level": 0, "roles": rolesJSON(g), "default_message_notifications": 0, "mfa_level": 0,
		"explicit_content_filter": 0, "max_presences": nil, "max_members": 500000, "max_stage_video_channel_users": 50,
		"max_video_channel_users": 25, "vanity_url_code": nil, "premium_tier": 0, "premium_subscription_count": 0,
		"preferred_locale": "en-US", "rules_channel_id": nil, "safety_alerts_channel_id": nil, "public_updates_channel_id": nil,
		"premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": []any{}, "stickers": []any{}, "incidents_data": nil,
	}
}

// guildCreate is the guild as the gateway sends it: with its channels and members.
func (s *Server) guildCreate(g *guild) object {
	o := s.guildJSON(g)
	channels, members := []any{}, []any{}
	for _, c := range s.channelsOf(g.id) {
		channels = append(channels, s.channelJSON(c))
	}
	for _, id := range sortedKeys(g.members) {
		members = append(members, s.memberJSON(g.members[id]))
	}
	o["channels"], o["members"], o["member_count"], o["large"], o["unavailable"] = channels, members, len(members), false, false
	o["joined_at"] = stamp(g.members[s.world.bot].joined)
	for _, empty := range []string{"threads", "presences", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds"} {
		o[empty] = []any{}
	}
	return o
}

func (s *Server) channelsOf(guildID string) []*channel {
	var out []*channel
	for _, id := range sortedKeys(s.world.channels) {
		if c := s.world.channels[id]; c.guild == guildID && !c.deleted && c.perms.View {
			out = append(out, c)
		}
	}
	return out
}

func (s *Server) applicationJSON() object {
	owner := s.world.users[s.world.guilds[s.world.guild].owner]
	o := object{
		"id": s.world.app, "name": "Keepwatch", "icon": nil, "description": "", "type": nil, "flags": 0, "flags_new": "0",
		"bot": userJSON(s.world.users[s.world.bot]), "bot_public": false, "bot_require_code_grant": false, "verify_key": s.PublicKey(),
		"redirect_uris": []any{}, "interactions_endpoint_url": nil, "role_connections_verification_url": nil, "owner": userJSON(owner),
		"approximate_guild_count": len(s.world.guilds), "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
		"explicit_content_filter": 0, "team": nil, "eligible_oauth2_scopes": []any{},
	}
	if s.delivery.url != "" {
		o["interactions_endpoint_url"] = s.delivery.url
	}
	return o
}

func list[T any](in []T) []any {
	out := make([]any, 0, len(in))
	for _, v := range in {
		out = append(out, v)
	}
	return out
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
