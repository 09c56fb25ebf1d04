package slacktest

// Say is a person who writes in a channel; the app is not told. It returns the
// message.
func (s *Server) Say(user, channel, text string) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(Message{Channel: channel, User: user, Text: text}).copy()
}

// SayInThread is Say in the thread of the message with this ts.
func (s *Server) SayInThread(user, channel, ts, text string) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(Message{Channel: channel, User: user, Text: text, ThreadTS: ts}).copy()
}

// Mention is a person who writes "@keepwatch text" in a channel.
func (s *Server) Mention(user, channel, text string, opts ...Option) *Delivery {
	m := s.Say(user, channel, "<@"+BotUser+"> "+text)
	return s.event(user, channel, map[string]any{"type": "app_mention", "user": user, "text": m.Text, "ts": m.TS, "channel": channel, "event_ts": m.TS, "team": TeamID, "client_msg_id": "m-" + m.TS}, opts)
}

// DM is a person who writes to the bot in the direct messages.
func (s *Server) DM(user, text string, opts ...Option) *Delivery {
	s.mu.Lock()
	channel := s.direct(user).ID
	s.mu.Unlock()
	m := s.Say(user, channel, text)
	return s.event(user, channel, map[string]any{"type": "message", "channel_type": "im", "user": user, "text": m.Text, "ts": m.TS, "channel": channel, "event_ts": m.TS, "team": TeamID, "client_msg_id": "m-" + m.TS}, opts)
}

// echo tells the app what it did itself in direct messages. The lock is held.
func (s *Server) echo(p *post, subtype string, before map[string]any) {
	if !s.cfg.Echo || p.Channel[0] != 'D' {
		return
	}
	e := p.json(false)
	if subtype != "" {
		ts := s.ts()
		e = map[string]any{"type": "message", "subtype": subtype, "hidden": true, "ts": ts, "previous_message": before}
		if subtype == "message_changed" {
			e["message"] = p.json(false)
		} else {
			e["deleted_ts"] = p.TS
		}
	}
	e["channel"], e["channel_type"], e["event_ts"] = p.Channel, "im", e["ts"]
	s.plan(0, func() { s.event(BotUser, p.Channel, e, nil) })
}

// OpenHome is a person who opens the app's home.
func (s *Server) OpenHome(user string, opts ...Option) *Delivery {
	s.mu.Lock()
	e := map[string]any{"type": "app_home_opened", "user": user, "channel": s.direct(user).ID, "tab": "home", "event_ts": s.ts()}
	if v := s.homes[user]; v != nil {
		e["view"] = v.json()
	}
	s.mu.Unlock()
	return s.event(user, DirectID(user), e, opts)
}

// SendEvent delivers any inner event, also one that no client knows.
func (s *Server) SendEvent(event map[string]any, opts ...Option) *Delivery {
	return s.event("", "", event, opts)
}

func (s *Server) event(user, channel string, event map[string]any, opts []Option) *Delivery {
	s.mu.Lock()
	d := &Delivery{Kind: "events_api", EventID: s.id("Ev"), user: user, channel: channel}
	d.Payload = encode(map[string]any{
		"token": "legacy", "team_id": TeamID, "api_app_id": AppID, "event": event, "type": "event_callback", "event_id": d.EventID, "event_time": s.clock.Now().Unix(), "event_context": "ctx-" + d.EventID,
		"authorizations":        []map[string]any{{"enterprise_id": nil, "team_id": TeamID, "user_id": BotUser, "is_bot": true, "is_enterprise_install": false}},
		"is_ext_shared_channel": false, "context_team_id": TeamID, "context_enterprise_id": nil,
	})
	s.mu.Unlock()
	return s.start(d, opts)
}
