package discordtest

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

type user struct {
	id, name string
	bot      bool
	noDM     bool
}

type member struct {
	user   string
	roles  []string
	joined time.Time
}

type role struct {
	id, name    string
	permissions int64
}

type guild struct {
	id, name, owner string
	roles           []*role
	members         map[string]*member
	gone            bool // the bot was kicked
}

type channel struct {
	id, guild, name string
	dm              string // the person, of a direct channel
	perms           Permissions
	deleted         bool
}

type world struct {
	app, bot string
	users    map[string]*user
	guilds   map[string]*guild
	channels map[string]*channel
	guild    string
	channel  string
}

// Permissions is what the bot may do in a channel.
type Permissions struct {
	View, Send, EmbedLinks, AttachFiles, ReadHistory bool
}

// AllPermissions is what a channel begins with.
func AllPermissions() Permissions { return Permissions{true, true, true, true, true} }

// Bits of permissions, https://discord.com/developers/docs/topics/permissions.
const (
	PermAdministrator int64 = 1 << 3
	PermManageGuild   int64 = 1 << 5
	permView          int64 = 1 << 10
	permSend          int64 = 1 << 11
	permEmbed         int64 = 1 << 14
	permAttach        int64 = 1 << 15
	permHistory       int64 = 1 << 16
	permUseCommands   int64 = 1 << 31
	permEveryone            = permView | permSend | permEmbed | permAttach | permHistory | permUseCommands
)

func (p Permissions) bits() int64 {
	bits := permUseCommands
	for _, b := range []struct {
		on  bool
		bit int64
	}{{p.View, permView}, {p.Send, permSend}, {p.EmbedLinks, permEmbed}, {p.AttachFiles, permAttach}, {p.ReadHistory, permHistory}} {
		if b.on {
			bits |= b.bit
		}
	}
	return bits
}

func (s *Server) makeWorld() {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.world
	w.users, w.guilds, w.channels = map[string]*user{}, map[string]*guild{}, map[string]*channel{}
	w.app = s.id()
	w.bot = w.app // a bot's user has its application's id
	w.users[w.bot] = &user{id: w.bot, name: "keepwatch", bot: true}
	w.guild = s.addGuildLocked("Ops")
	w.channel = s.addChannelLocked(w.guild, "ops")
}

// ApplicationID is the application's id, and the id of its bot's user.
func (s *Server) ApplicationID() string { return s.world.app }

// BotID is the id of the bot's user.
func (s *Server) BotID() string { return s.world.bot }

// GuildID is the guild that every server begins with.
func (s *Server) GuildID() string { return s.world.guild }

// ChannelID is the channel #ops, which every server begins with.
func (s *Server) ChannelID() string { return s.world.channel }

// AddUser makes a person who is a member of the first guild with these roles, and
// gives the person's id.
func (s *Server) AddUser(name string, roles ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{id: s.id(), name: name}
	s.world.users[u.id] = u
	s.world.guilds[s.world.guild].members[u.id] = &member{user: u.id, roles: roles, joined: s.Now()}
	return u.id
}

// AddGuild makes a guild with the bot in it, and gives its id. Its channels and members are added
// with [Server.AddChannel] and [Server.SetRoles].
func (s *Server) AddGuild(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.addGuildLocked(name)
	s.dispatch(intentGuilds, id, "GUILD_CREATE", s.guildCreate(s.world.guilds[id]))
	return id
}

func (s *Server) addGuildLocked(name string) string {
	id := s.id()
	owner := &user{id: s.id(), name: name + "-owner"}
	s.world.users[owner.id] = owner
	s.world.guilds[id] = &guild{
		id: id, name: name, owner: owner.id, roles: []*role{{id: id, name: "@everyone", permissions: permEveryone}},
		members: map[string]*member{s.world.bot: {user: s.world.bot, joined: s.Now()}, owner.id: {user: owner.id, joined: s.Now()}},
	}
	return id
}

// AddChannel makes a text channel and gives its id.
func (s *Server) AddChannel(guildID, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.addChannelLocked(guildID, name)
	s.dispatch(intentGuilds, guildID, "CHANNEL_CREATE", s.channelJSON(s.world.channels[id]))
	return id
}

func (s *Server) addChannelLocked(guildID, name string) string {
	c := &channel{id: s.id(), guild: guildID, name: name, perms: AllPermissions()}
	s.world.channels[c.id] = c
	return c.id
}

// AddRole makes a role with permissions (a sum of bits, 0 for none of its own) and gives its id.
func (s *Server) AddRole(guildID, name string, permissions int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &role{id: s.id(), name: name, permissions: permissions}
	g := s.world.guilds[guildID]
	g.roles = append(g.roles, r)
	s.dispatch(intentGuilds, guildID, "GUILD_ROLE_CREATE", object{"guild_id": guildID, "role": roleJSON(r, len(g.roles)-1)})
	return r.id
}

// SetRoles gives a person these roles in a guild, and no others; the person becomes
// a member if need be.
func (s *Server) SetRoles(guildID, userID string, roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.world.guilds[guildID]
	m := g.members[userID]
	if m == nil {
		m = &member{user: userID, joined: s.Now()}
		g.members[userID] = m
	}
	m.roles = roles
	update := s.memberJSON(m)
	update["guild_id"] = guildID
	s.dispatch(intentGuildMembers, guildID, "GUILD_MEMBER_UPDATE", update)
}

// SetPermissions says what the bot may do in a channel.
func (s *Server) SetPermissions(channelID string, p Permissions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.channels[channelID].perms = p
	s.notify()
}

// DeleteChannel removes a channel: error 10003 from then on.
func (s *Server) DeleteChannel(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.world.channels[channelID]
	c.deleted = true
	s.dispatch(intentGuilds, c.guild, "CHANNEL_DELETE", s.channelJSON(c))
}

// Kick throws the bot out of a guild: error 50001 in its channels from then on.
func (s *Server) Kick(guildID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.guilds[guildID].gone = true
	s.dispatch(intentGuilds, guildID, "GUILD_DELETE", object{"id": guildID})
}

// Invite lets the bot into a guild again that it was thrown out of.
func (s *Server) Invite(guildID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.world.guilds[guildID]
	g.gone = false
	s.dispatch(intentGuilds, guildID, "GUILD_CREATE", s.guildCreate(g))
}

// BlockDM makes a person refuse messages from the bot: error 50007.
func (s *Server) BlockDM(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.users[userID].noDM = true
	s.notify()
}

// permissionsOf are a member's bits in a guild.
func (s *Server) permissionsOf(g *guild, userID string) int64 {
	if g.owner == userID {
		return 1<<53 - 1
	}
	bits := g.roles[0].permissions
	if m := g.members[userID]; m != nil {
		for _, r := range g.roles {
			if slices.Contains(m.roles, r.id) {
				bits |= r.permissions
			}
		}
	}
	return bits
}

func (s *Server) dmChannel(userID string) *channel {
	for _, c := range s.world.channels {
		if c.dm == userID {
			return c
		}
	}
	c := &channel{id: s.id(), dm: userID, perms: AllPermissions()}
	s.world.channels[c.id] = c
	return c
}

func (s *Server) person(userID string) (*user, error) {
	u := s.world.users[userID]
	if u == nil {
		return nil, fmt.Errorf("there is no user %q", userID)
	}
	return u, nil
}

func bits(n int64) string { return strconv.FormatInt(n, 10) }
