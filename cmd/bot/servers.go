package main

import (
	"context"
	"log/slog"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// servers looks at what the providers' servers hold of their own backups.
type servers struct {
	records serverRecords
	sources interface {
		Sources() ([]keepwatch.Source, error)
	}
	inspectors map[keepwatch.SourceKind]providers.Inspector
	now        func() time.Time
	log        *slog.Logger
}

// serverRecords keeps what was seen.
type serverRecords interface {
	ServerStates() ([]keepwatch.ServerState, error)
	SaveServerState(s keepwatch.ServerState) error
	Archives(source string) ([]keepwatch.Archive, error)
}

// lookServersEvery is how often the servers are looked at unasked: often enough that
// a backup of the night is seen in the morning, and a host's log does not fill.
const lookServersEvery = 6 * time.Hour

// ServerStates satisfies handlers.Servers.
func (s *servers) ServerStates() ([]keepwatch.ServerState, error) { return s.records.ServerStates() }

// LookNow satisfies handlers.Servers.
func (s *servers) LookNow(ctx context.Context, name string) (keepwatch.ServerState, error) {
	sources, err := s.sources.Sources()
	if err != nil {
		return keepwatch.ServerState{}, err
	}
	for _, src := range sources {
		if src.Name == name {
			return s.look(ctx, src)
		}
	}
	return keepwatch.ServerState{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no source named %q. `/backup sources` lists those that there are.", name)
}

// look asks the server of one source. Where it cannot be asked, what was seen before
// is kept, with the reason.
func (s *servers) look(ctx context.Context, src keepwatch.Source) (keepwatch.ServerState, error) {
	inspector, ok := s.inspectors[src.Kind]
	if !ok {
		return keepwatch.ServerState{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is of kind %s, and this version cannot see what a server holds of one.", src.Name, src.Kind)
	}
	state := keepwatch.ServerState{Source: src.Name}
	before, err := s.records.ServerStates()
	if err != nil {
		return state, err
	}
	for _, b := range before {
		if b.Source == src.Name {
			state = b
		}
	}
	known := state.Backups
	seen, asked := inspector.Inspect(ctx, src)
	if asked != nil {
		state.Trouble = sentenceOf(asked)
	} else {
		seen.Version, seen.Source, seen.Seen, seen.Trend = state.Version, src.Name, s.now().UTC(), state.Trend
		if q := seen.Quota; q != nil {
			seen.Trend = keepwatch.AddTrend(state.Trend, keepwatch.Quota{At: seen.Seen, Used: q.Used, Limit: q.Limit})
		}
		state = seen
	}
	archives, err := s.records.Archives(src.Name)
	if err != nil {
		return state, err
	}
	state.Backups = keepwatch.Homes(src.Name, state.Backups, known, archives) // kept, so that it is known when our own retention has removed the archive
	if err := s.records.SaveServerState(state); err != nil {
		return state, err
	}
	return state, asked
}

// run looks at all servers now and then, until ctx ends. changed is told after each
// look.
func (s *servers) run(ctx context.Context, changed func()) {
	if len(s.inspectors) == 0 {
		return
	}
	ticker := time.NewTicker(lookServersEvery)
	defer ticker.Stop()
	for {
		sources, err := s.sources.Sources()
		if err != nil {
			s.log.Error("the servers cannot be looked at", "err", err)
		}
		for _, src := range sources {
			if _, ok := s.inspectors[src.Kind]; !ok || ctx.Err() != nil {
				continue
			}
			if _, err := s.look(ctx, src); err != nil && ctx.Err() == nil {
				s.log.Warn("it cannot be seen what a server holds", "source", src.Name, "err", err)
			}
		}
		changed()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
