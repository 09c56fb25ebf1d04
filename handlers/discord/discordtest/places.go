package discordtest

import "net/http"

func (s *Server) getGatewayBot(*request) reply {
	s.gateway.roll(s.Now())
	return ok(object{
		"url": s.GatewayURL(), "shards": 1,
		"session_start_limit": object{
			"total": identifiesPerDay, "remaining": max(0, identifiesPerDay-s.gateway.identifies),
			"reset_after": s.gateway.day.Sub(s.Now()).Milliseconds(), "max_concurrency": 1,
		},
	})
}

// reach finds a channel that the bot may see, or the error that it gets.
func (s *Server) reach(id string) (*channel, *reply) {
	c := s.world.channels[id]
	if c == nil || c.deleted {
		r := unknownChannel()
		return nil, &r
	}
	if !c.perms.View || c.dm == "" && s.world.guilds[c.guild].gone {
		r := missingAccess()
		return nil, &r
	}
	return c, nil
}

func (s *Server) getChannel(req *request) reply {
	c, bad := s.reach(req.PathValue("channel"))
	if bad != nil {
		return *bad
	}
	return ok(s.channelJSON(c))
}

func (s *Server) createDM(req *request) reply {
	id, _ := req.body["recipient_id"].(string)
	u := s.world.users[id]
	if u == nil {
		var f formErrors
		f.add("recipient_id", "INVALID_RECIPIENT", "Invalid recipient.")
		return *f.reply()
	}
	if u.bot {
		return failure(http.StatusBadRequest, 50007, "Cannot send messages to this user")
	}
	return ok(s.channelJSON(s.dmChannel(id)))
}

func (s *Server) findGuild(req *request) (*guild, *reply) {
	g := s.world.guilds[req.PathValue("guild")]
	if g == nil || g.gone {
		r := failure(http.StatusNotFound, 10004, "Unknown Guild")
		return nil, &r
	}
	return g, nil
}

func (s *Server) getGuild(req *request) reply {
	g, bad := s.findGuild(req)
	if bad != nil {
		return *bad
	}
	o := s.guildJSON(g)
	if req.URL.Query().Get("with_counts") == "true" {
		o["approximate_member_count"], o["approximate_presence_count"] = len(g.members), len(g.members)
	}
	return ok(o)
}

func (s *Server) getRoles(req *request) reply {
	g, bad := s.findGuild(req)
	if bad != nil {
		return *bad
	}
	return ok(rolesJSON(g))
}

func (s *Server) getMember(req *request) reply {
	g, bad := s.findGuild(req)
	if bad != nil {
		return *bad
	}
	id := req.PathValue("user")
	if s.world.users[id] == nil {
		return failure(http.StatusNotFound, 10013, "Unknown User")
	}
	m := g.members[id]
	if m == nil {
		return failure(http.StatusNotFound, 10007, "Unknown Member")
	}
	return ok(s.memberJSON(m))
}
