package slack

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

const (
	groupsFresh = 3 * time.Minute         // how often the members of groups are asked for again
	groupsAgain = 20 * time.Second        // how soon, where one could not be asked for
	groupsCold  = 1500 * time.Millisecond // how long a request waits for the first answer
	groupsStand = 15 * time.Minute        // how long the last answer counts while Slack gives none
)

// groups knows who is in the user groups that carry a role. Once it has had an
// answer, a request never waits for the network: the members are asked for in
// the background. Where Slack gives no answer the last one stands for a while;
// where Slack says that there is none (the group was deleted, the scope was taken
// away) it counts no more from then on, and no role ever outlives groupsStand.
type groups struct {
	api *slack.Client
	ids []string
	log *slog.Logger
	now func() time.Time // monotonic: a clock that is set makes no role older or younger

	mu      sync.Mutex
	members map[string]membership // by group, as far as they are known
	warm    chan struct{}         // closed once all groups were asked for, with or without success
	failed  map[string]string     // by group, the last failure that was logged
}

// membership is who was in a group, and when Slack said so.
type membership struct {
	users []string
	at    time.Time
}

func newGroups(api *slack.Client, cfg Config) *groups {
	return &groups{
		api: api, ids: slices.Clone(cfg.Groups), log: cfg.Log, now: time.Now,
		members: map[string]membership{}, warm: make(chan struct{}), failed: map[string]string{},
	}
}

// of gives the groups that a user is in, as "slack:S0123".
func (g *groups) of(user string) []string {
	if len(g.ids) == 0 {
		return nil
	}
	timer := time.NewTimer(groupsCold)
	defer timer.Stop()
	select { // only before the first answer is there anything to wait for
	case <-g.warm:
	case <-timer.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var in []string
	for _, id := range g.ids {
		if m, ok := g.standing(id); ok && slices.Contains(m.users, user) {
			in = append(in, platform+":"+id)
		}
	}
	return in
}

// standing gives the members of a group while they count. The lock is held.
func (g *groups) standing(id string) (membership, bool) {
	m, ok := g.members[id]
	return m, ok && g.now().Sub(m.at) < groupsStand
}

// left gives for how long what Slack last said of a group still counts; 0: it
// counts no more.
func (g *groups) left(id string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.standing(id)
	if !ok {
		return 0
	}
	return groupsStand - g.now().Sub(m.at)
}

// run keeps the members fresh until ctx ends.
func (g *groups) run(ctx context.Context) {
	if len(g.ids) == 0 {
		return
	}
	for {
		if sleep(ctx, g.refresh(ctx)) != nil {
			return
		}
	}
}

// refresh asks for the members of every group, and gives when to ask again: where
// Slack asks for a pause, exactly after that.
func (g *groups) refresh(ctx context.Context) time.Duration {
	wait := groupsFresh
	for _, id := range g.ids {
		users, err := g.api.GetUserGroupMembersContext(ctx, id)
		if ctx.Err() != nil {
			return groupsAgain
		}
		g.note(id, users, err)
		if err == nil {
			continue
		}
		wait = min(wait, groupsAgain)
		if limited := (*slack.RateLimitedError)(nil); errors.As(err, &limited) {
			wait = limited.RetryAfter
			break // all that is asked before is refused
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.warm:
	default:
		close(g.warm)
	}
	return wait
}

// note keeps what came of asking for a group, and logs what has changed.
func (g *groups) note(id string, users []string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		if g.failed[id] != "" {
			g.log.Info("it is known again who is in a user group of Slack", "group", id)
		}
		g.members[id] = membership{users, g.now()}
		delete(g.failed, id)
		return
	}
	key := "" // what a change of is logged: of passing errors come many kinds in turn
	if denied(err) {
		key = codeOf(err) + ": "
		delete(g.members, id)
	}
	text := "its role counts for those who were in it, for a quarter of an hour at most"
	if _, ok := g.standing(id); !ok {
		text = countsForNobody
	}
	if key += text; key != g.failed[id] {
		g.failed[id] = key
		g.log.Warn("who is in a user group of Slack cannot be found out; "+text, "group", id, "err", err)
	}
}

const countsForNobody = "its role counts for nobody"

// denied reports whether Slack has said that it does not tell who is in a group,
// and not only failed to. A code that nobody here has heard of denies: it must not
// keep a role alive.
func denied(err error) bool {
	code := codeOf(err)
	return code != "" && !passing(code)
}

// passing reports whether an error of Slack is one of its own that goes by, and
// after which it is not known what was done.
func passing(code string) bool {
	switch code {
	case "fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org", "ratelimited", "rate_limited":
		return true
	}
	return false
}
