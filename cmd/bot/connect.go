package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

// platforms names those that are configured.
func (s settings) platforms() []string {
	var names []string
	if s.env.values["SLACK_BOT_TOKEN"] != "" {
		names = append(names, "slack")
	}
	if s.env.values["DISCORD_BOT_TOKEN"] != "" {
		names = append(names, "discord")
	}
	return names
}

// homeFunc gives what somebody sees who has asked for nothing yet.
type homeFunc func(ctx context.Context, req keepwatch.Request) []keepwatch.Message

// makePlatforms makes the front-ends that are configured. They connect to
// nothing yet.
func makePlatforms(s settings, counter handlers.Counter, home homeFunc, log *slog.Logger, now func() time.Time) ([]platform, error) {
	return nil, nil
}

// manifestCommand prints what sets the app up on a platform.
func manifestCommand(p process, o options, name string) error {
	return usageError(fmt.Sprintf("There is no manifest for %q: slack or discord.", name))
}
