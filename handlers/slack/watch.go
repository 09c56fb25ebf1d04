package slack

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

const (
	watchEvery = 30 * time.Second
	// unreachable is how often in a row Slack does not answer before Ready says so.
	unreachable = 3
)

// watch asks Slack again and again whether the token still works, until ctx ends.
// A connection of Socket Mode belongs to the app's token and stays where the bot's
// is revoked, and over HTTP nothing ends at all: a bot that nobody asks anything
// would not notice for days that it cannot answer.
func (f *Frontend) watch(ctx context.Context) {
	wait, failed := f.every, 0
	for sleep(ctx, wait) == nil {
		wait = f.every
		_, err := f.api.AuthTestContext(ctx)
		limited := (*slack.RateLimitedError)(nil)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed = 0
			f.accepted()
		case fatal(codeOf(err)):
			failed = 0
			f.setFault(tokenFault("SLACK_BOT_TOKEN", err))
		case errors.As(err, &limited):
			wait = max(wait, limited.RetryAfter)
		default:
			if failed++; failed >= unreachable {
				f.setFault(keepwatch.Errorf(keepwatch.KindTransient, "Slack does not answer (%s); it is tried again. Is the network there?", orElse(codeOf(err), "auth.test gives no answer")).Because(withoutURL(err)))
			}
		}
	}
}

// accepted lets go of a fault, once Slack takes the token. That a scope is missing
// only a call that needs it can tell.
func (f *Frontend) accepted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if codeOf(f.fault) != "missing_scope" {
		f.fault = nil
	}
}
