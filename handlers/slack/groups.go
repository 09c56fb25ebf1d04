package slack

import (
	"context"
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
)

// groups knows who is in the user groups that carry a role. Once it has had an
// answer, a request never waits for the network: the members are asked for in
// the background, and the last answer stands where Slack gives none.
type groups struct {
	api *slack.Client
	ids []string
	log *slog.Logger

	mu      sync.Mutex
	members map[string][]string // by group, as far as they are known
	warm    chan struct{}       // closed once all groups were asked for, with or without success
	failed  string              // the last failure that was logged
}

func newGroups(api *slack.Client, cfg Config) *groups {
	return &groups{api: api, ids: slices.Clone(cfg.Groups), log: cfg.Log, members: map[string][]string{}, warm: make(chan struct{})}
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
		if slices.Contains(g.members[id], user) {
			in = append(in, platform+":"+id)
		}
	}
	return in
}

// run keeps the members fresh until ctx ends.
func (g *groups) run(ctx context.Context) {
	if len(g.ids) == 0 {
		return
	}
	for {
		wait := groupsFresh
		if !g.refresh(ctx) {
			wait = groupsAgain
		}
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// refresh asks for the members of every group, and reports whether all could be
// asked for. One that could not keeps the members that it had: for some minutes a
// role that was taken away still counts, as it does anyhow.
func (g *groups) refresh(ctx context.Context) (all bool) {
	failed := ""
	for _, id := range g.ids {
		members, err := g.api.GetUserGroupMembersContext(ctx, id)
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			failed = id + ": " + err.Error()
			continue
		}
		g.mu.Lock()
		g.members[id] = members
		g.mu.Unlock()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if failed != "" && failed != g.failed {
		g.log.Warn("who is in a user group of Slack cannot be found out; its role counts for nobody new", "group", failed)
	}
	g.failed = failed
	select {
	case <-g.warm:
	default:
		close(g.warm)
	}
	return failed == ""
}
