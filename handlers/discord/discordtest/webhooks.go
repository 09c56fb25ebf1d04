package discordtest

import "net/http"

// hook finds the interaction of a token that still lives.
func (s *Server) hook(req *request) (*Interaction, *reply) {
	if req.PathValue("app") != s.world.app {
		r := failure(http.StatusNotFound, 10015, "Unknown Webhook")
		return nil, &r
	}
	i := s.talk.tokens[req.token]
	if i == nil || s.Now().Sub(i.created) > tokenLife {
		r := failure(http.StatusUnauthorized, 50027, "Invalid Webhook Token")
		return nil, &r
	}
	if i.answer == 0 { // before the first response there is nothing to follow
		r := failure(http.StatusNotFound, 10015, "Unknown Webhook")
		return nil, &r
	}
	return i, nil
}

func (s *Server) onHook(h func(*Interaction, *message, *request) reply) handler {
	return func(req *request) reply {
		i, bad := s.hook(req)
		if bad != nil {
			return *bad
		}
		m := i.original
		if id := req.PathValue("message"); id != "" && (m == nil || m.id != id) {
			m = s.talk.find(i.Channel, id)
			if m != nil && m.interaction != i {
				m = nil
			}
		}
		if m == nil || m.deleted {
			return unknownMessage()
		}
		return h(i, m, req)
	}
}

func (s *Server) editByHook(i *Interaction, m *message, req *request) reply {
	out := s.edit(m, req)
	if !out.bad() {
		m.flags &^= FlagLoading
		if m == i.original {
			i.edited = true
		}
		out.body = s.messageJSON(m)
	}
	return out
}

// followUp posts another message. The first one after deferring fills the message that is
// thinking, as the vendor's does.
func (s *Server) followUp(req *request) reply {
	i, bad := s.hook(req)
	if bad != nil {
		return *bad
	}
	if bad := checkMessage(req.body, req.files, nil); bad != nil {
		return *bad
	}
	if i.answer == callbackDefer && !i.edited && i.original != nil && !i.original.deleted {
		return s.editByHook(i, i.original, req)
	}
	m := s.newMessage(i.Channel, s.world.bot)
	m.interaction = i
	if integer(req.body["flags"])&FlagEphemeral != 0 {
		m.ephemeralTo = i.User
	}
	m.fill(s, req.body, req.files)
	s.publish(m, "MESSAGE_CREATE")
	return ok(s.messageJSON(m))
}
