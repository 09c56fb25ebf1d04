package slacktest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func stamp(t time.Time) string {
	us := t.UnixMicro()
	return fmt.Sprintf("%d.%06d", us/1e6, us%1e6)
}

// micros reads a ts or a plain number of seconds, as oldest and latest take both.
func micros(ts string) int64 {
	whole, part, _ := strings.Cut(ts, ".")
	sec, _ := strconv.ParseInt(whole, 10, 64)
	us, _ := strconv.ParseInt((part + "000000")[:6], 10, 64)
	return sec*1e6 + us
}

// readable is the channel whose messages the bot may read. The lock is held.
func (s *Server) readable(c *call) (*Channel, error) {
	ch, err := s.channel(c.str("channel"))
	if err != nil {
		return nil, err
	}
	if err := s.needFor(ch.ID, "history"); err != nil {
		return nil, err
	}
	if !slices.Contains(ch.Members, BotUser) {
		return nil, fail("not_in_channel")
	}
	return ch, nil
}

func (s *Server) history(c *call) (map[string]any, error) {
	ch, err := s.readable(c)
	if err != nil {
		return nil, err
	}
	var posts []*post
	for _, p := range s.posts[ch.ID] {
		if p.ThreadTS == "" || p.ThreadTS == p.TS { // answers in threads are in replies only
			posts = append(posts, p)
		}
	}
	slices.Reverse(posts) // newest first
	return page(c, posts)
}

func (s *Server) replies(c *call) (map[string]any, error) {
	ch, err := s.readable(c)
	if err != nil {
		return nil, err
	}
	root := c.str("ts")
	var posts []*post
	for _, p := range s.posts[ch.ID] {
		if p.TS == root || p.ThreadTS == root {
			posts = append(posts, p)
		}
	}
	if len(posts) == 0 {
		return nil, fail("thread_not_found")
	}
	return page(c, posts)
}

// page cuts a list by oldest, latest, inclusive, cursor and limit. Both ends are
// left out unless inclusive is set.
func page(c *call, posts []*post) (map[string]any, error) {
	oldest, latest := int64(0), int64(1)<<62
	if c.has("oldest") {
		oldest = micros(c.str("oldest"))
	}
	if c.has("latest") {
		latest = micros(c.str("latest"))
	}
	limit := 100
	if c.has("limit") {
		n, err := strconv.Atoi(c.str("limit"))
		if err != nil || n < 1 || n > 999 {
			return nil, fail("invalid_limit")
		}
		limit = n
	}
	skip := 0
	if c.has("cursor") {
		text, err := base64.StdEncoding.DecodeString(c.str("cursor"))
		n, bad := strconv.Atoi(strings.TrimPrefix(string(text), "next:"))
		if err != nil || bad != nil {
			return nil, fail("invalid_cursor")
		}
		skip = n
	}
	var all []*post
	for _, p := range posts {
		at := micros(p.TS)
		inside := at > oldest && at < latest || c.flag("inclusive") && (at == oldest || at == latest)
		if inside && !p.Deleted {
			all = append(all, p)
		}
	}
	skip = min(skip, len(all))
	end := min(skip+limit, len(all))
	shown := []map[string]any{}
	for _, p := range all[skip:end] {
		shown = append(shown, p.json(c.flag("include_all_metadata")))
	}
	out := map[string]any{"messages": shown, "has_more": end < len(all)}
	if end < len(all) {
		out["response_metadata"] = map[string]any{"next_cursor": base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "next:%d", end))}
	}
	return out, nil
}

func (s *Server) openDirect(c *call) (map[string]any, error) {
	user, _, _ := strings.Cut(c.str("users"), ",")
	if c.has("channel") {
		user = "U" + strings.TrimPrefix(c.str("channel"), "D")
	}
	u := s.users[user]
	switch {
	case u == nil:
		return nil, fail("user_not_found")
	case u.Deleted:
		return nil, fail("user_disabled")
	case u.Bot:
		return nil, fail("cannot_dm_bot")
	}
	existed := s.channels[DirectID(user)] != nil
	ch := s.direct(user)
	out := map[string]any{"channel": map[string]any{"id": ch.ID}, "already_open": existed}
	if existed {
		out["no_op"] = true
	}
	return out, nil
}

func (s *Server) channelInfo(c *call) (map[string]any, error) {
	ch, err := s.channel(c.str("channel"))
	if err != nil {
		return nil, err
	}
	if err := s.needFor(ch.ID, "read"); err != nil {
		return nil, err
	}
	in := slices.Contains(ch.Members, BotUser)
	if ch.ID[0] != 'C' && !in {
		return nil, fail("channel_not_found")
	}
	out := map[string]any{"id": ch.ID, "name": ch.Name, "is_channel": ch.ID[0] == 'C', "is_group": ch.ID[0] == 'G', "is_im": ch.ID[0] == 'D',
		"is_private": ch.ID[0] != 'C', "is_archived": ch.Archived, "is_member": in, "context_team_id": TeamID}
	if ch.ID[0] == 'D' {
		out["user"] = "U" + ch.ID[1:]
	}
	if c.flag("include_num_members") {
		out["num_members"] = len(ch.Members)
	}
	return map[string]any{"channel": out}, nil
}

func (s *Server) userInfo(c *call) (map[string]any, error) {
	u := s.users[c.str("user")]
	if u == nil {
		return nil, fail("user_not_found")
	}
	return map[string]any{"user": map[string]any{"id": u.ID, "team_id": TeamID, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted, "is_bot": u.Bot, "is_admin": u.Admin,
		"tz": u.TZ, "profile": map[string]any{"real_name": u.RealName, "display_name": u.Name, "team": TeamID}}}, nil
}

func (s *Server) groupList(c *call) (map[string]any, error) {
	list := []map[string]any{}
	for _, g := range s.groups {
		if g.Disabled && !c.flag("include_disabled") {
			continue
		}
		out := map[string]any{"id": g.ID, "team_id": TeamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle, "date_delete": 0, "user_count": len(g.Users)}
		if c.flag("include_users") {
			out["users"] = append([]string{}, g.Users...)
		}
		list = append(list, out)
	}
	return map[string]any{"usergroups": list}, nil
}

func (s *Server) groupUsers(c *call) (map[string]any, error) {
	for _, g := range s.groups {
		if g.ID == c.str("usergroup") {
			return map[string]any{"users": append([]string{}, g.Users...)}, nil
		}
	}
	return nil, fail("no_such_subteam")
}
