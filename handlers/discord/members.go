package discord

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
)

// Looking members up, for requests that come by direct message.
const (
	memberFor    = 5 * time.Minute        // what was found is used this long
	memberWithin = 900 * time.Millisecond // and looking is waited for this long: a command has 3 s in all
	mostMembers  = 10_000
)

// members knows the roles that people have in the configured server.
type members struct {
	rest  *rest
	guild string
	on    bool // roles mean something, so that they are worth asking for
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	known map[string]memberRoles
}

type memberRoles struct {
	roles []string
	until time.Time
}

// roles gives somebody's role ids. Where they cannot be looked up there are none:
// a role that is not certain gives no rights.
func (m *members) roles(ctx context.Context, user string) []string {
	if !m.on || m.guild == "" {
		return nil
	}
	now := m.now()
	m.mu.Lock()
	known, ok := m.known[user]
	m.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.roles
	}
	ctx, cancel := context.WithTimeout(ctx, memberWithin)
	defer cancel()
	var got member
	err := m.rest.call(ctx, http.MethodGet, discordgo.EndpointGuildMember(m.guild, user), nil, &got)
	var refusal *apiError
	if err != nil && !(errors.As(err, &refusal) && (refusal.Code == codeUnknownMember || refusal.Code == codeUnknownUser)) {
		m.log.Warn("the roles of somebody who wrote a direct message could not be looked up, so they do not count now", "user", user, "err", err)
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= mostMembers {
		clear(m.known)
	}
	m.known[user] = memberRoles{got.Roles, now.Add(memberFor)}
	return got.Roles
}
