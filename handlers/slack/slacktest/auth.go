package slacktest

import (
	"slices"
	"strings"
)

type tokenKind string

const (
	botToken tokenKind = "bot"
	appToken tokenKind = "app"
)

type token struct {
	kind   tokenKind
	scopes []string
	err    string // what every call answers: token_revoked, token_expired, account_inactive …
}

// method is one method of the Web API.
type method struct {
	kind  tokenKind // which token it takes; "" takes either
	scope string    // "" needs none; one that depends on the channel is checked by do
	do    func(*Server, *call) (map[string]any, error)
}

func methods() map[string]method {
	return map[string]method{
		"auth.test":                    {"", "", (*Server).authTest},
		"apps.connections.open":        {appToken, "connections:write", (*Server).connectionsOpen},
		"chat.postMessage":             {botToken, "chat:write", (*Server).postMessage},
		"chat.postEphemeral":           {botToken, "chat:write", (*Server).postEphemeral},
		"chat.update":                  {botToken, "chat:write", (*Server).updateMessage},
		"chat.delete":                  {botToken, "chat:write", (*Server).deleteMessage},
		"conversations.history":        {botToken, "", (*Server).history},
		"conversations.replies":        {botToken, "", (*Server).replies},
		"conversations.open":           {botToken, "im:write", (*Server).openDirect},
		"conversations.info":           {botToken, "", (*Server).channelInfo},
		"users.info":                   {botToken, "users:read", (*Server).userInfo},
		"usergroups.list":              {botToken, "usergroups:read", (*Server).groupList},
		"usergroups.users.list":        {botToken, "usergroups:read", (*Server).groupUsers},
		"views.open":                   {botToken, "", (*Server).viewOpen},
		"views.push":                   {botToken, "", (*Server).viewPush},
		"views.update":                 {botToken, "", (*Server).viewUpdate},
		"views.publish":                {botToken, "", (*Server).viewPublish},
		"files.getUploadURLExternal":   {botToken, "files:write", (*Server).uploadURL},
		"files.completeUploadExternal": {botToken, "files:write", (*Server).completeUpload},
	}
}

// AllScopes are the bot scopes that some method of the fake asks for.
func AllScopes() []string {
	return []string{"app_mentions:read", "channels:history", "channels:read", "chat:write", "chat:write.public", "commands", "files:write", "groups:history", "groups:read",
		"im:history", "im:read", "im:write", "usergroups:read", "users:read"}
}

// SetScopes gives the bot token these scopes instead.
func (s *Server) SetScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[BotToken].scopes = slices.Clone(scopes)
}

// BreakToken makes every call with the token answer this error (token_revoked,
// token_expired, account_inactive, invalid_auth …); "" mends it.
func (s *Server) BreakToken(name, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[name]; t != nil {
		t.err = code
	}
}

// authorise finds the token of a call. The lock is held.
func (s *Server) authorise(c *call, m method) (*token, error) {
	if c.token == "" {
		return nil, fail("not_authed")
	}
	t := s.tokens[c.token]
	switch {
	case t == nil:
		return nil, fail("invalid_auth")
	case t.err != "":
		return nil, fail(t.err)
	case m.kind != "" && t.kind != m.kind:
		return nil, fail("not_allowed_token_type")
	case m.kind == appToken && !c.header:
		// The page of apps.connections.open: the token as a parameter is an error.
		return nil, fail("not_authed")
	}
	return t, nil
}

func (t *token) need(scope string) error {
	if scope == "" || slices.Contains(t.scopes, scope) {
		return nil
	}
	return &apiError{code: "missing_scope", extra: map[string]any{"needed": scope, "provided": strings.Join(t.scopes, ",")}}
}

// needFor asks for the scope that a kind of conversation has: "history" or "read".
// The lock is held.
func (s *Server) needFor(channel, what string) error {
	kind := "channels"
	switch channel[0] {
	case 'G':
		kind = "groups"
	case 'D':
		kind = "im"
	}
	return s.tokens[BotToken].need(kind + ":" + what)
}

func (s *Server) authTest(c *call) (map[string]any, error) {
	out := map[string]any{"url": "https://keepwatch-test.slack.com/", "team": "Keepwatch test", "team_id": TeamID, "is_enterprise_install": false}
	if s.tokens[c.token].kind == appToken {
		out["app_id"], out["app_name"] = AppID, "keepwatch"
		return out, nil
	}
	out["user"], out["user_id"], out["bot_id"] = s.users[BotUser].Name, BotUser, BotID
	return out, nil
}
