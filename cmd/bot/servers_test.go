package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// host is a provider's server.
type host struct {
	held  []keepwatch.ServerBackup
	quota *keepwatch.Quota
	err   error
}

func (h *host) Inspect(context.Context, keepwatch.Source) (keepwatch.ServerState, error) {
	return keepwatch.ServerState{Backups: h.held, Quota: h.quota}, h.err
}

type listed []keepwatch.Source

func (l listed) Sources() ([]keepwatch.Source, error) { return l, nil }

// TestServers: what was seen is kept when the server cannot be asked, with the reason.
func TestServers(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	h := &host{held: []keepwatch.ServerBackup{{ID: "b1", At: now.Add(-time.Hour), Kind: "full"}}}
	s := &servers{
		records: store.NewRecords(mem.New(), func() time.Time { return now }), sources: listed{{Name: "web", Kind: keepwatch.KindCPanel}, {Name: "notes", Kind: keepwatch.KindFiles}},
		inspectors: map[keepwatch.SourceKind]providers.Inspector{keepwatch.KindCPanel: h}, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler),
	}
	state, err := s.LookNow(t.Context(), "web")
	if err != nil || !state.Seen.Equal(now) || len(state.Backups) != 1 || state.Trouble != "" {
		t.Errorf("%+v, %v", state, err)
	}
	seen := now
	now = now.Add(time.Hour)
	h.err = keepwatch.Errorf(keepwatch.KindTransient, "web1 does not answer.").Because(errors.New("dial tcp"))
	if _, err := s.LookNow(t.Context(), "web"); keepwatch.Sentence(err) != "web1 does not answer." {
		t.Error(err)
	}
	kept, err := s.ServerStates()
	if err != nil || len(kept) != 1 || !kept[0].Seen.Equal(seen) || kept[0].Trouble != "web1 does not answer." {
		t.Errorf("%+v, %v", kept, err)
	}
	if d := cmp.Diff(h.held, kept[0].Backups); d != "" {
		t.Error(d)
	}
	for name, kind := range map[string]keepwatch.Kind{"notes": keepwatch.KindInvalid, "nothing": keepwatch.KindNotFound} {
		if _, err := s.LookNow(t.Context(), name); keepwatch.KindOf(err) != kind {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// TestServersTrend: of each day the newest look at an account's room is kept, and a look
// that failed or says nothing of it takes nothing away.
func TestServersTrend(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	h := &host{}
	s := &servers{
		records: store.NewRecords(mem.New(), func() time.Time { return now }), sources: listed{{Name: "web", Kind: keepwatch.KindCPanel}},
		inspectors: map[keepwatch.SourceKind]providers.Inspector{keepwatch.KindCPanel: h}, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler),
	}
	for _, look := range []struct {
		after time.Duration
		quota *keepwatch.Quota
		err   error
	}{
		{0, &keepwatch.Quota{Used: 1, Limit: 9}, nil}, {6 * time.Hour, &keepwatch.Quota{Used: 2, Limit: 9}, nil}, {6 * time.Hour, nil, errors.New("away")},
		{12 * time.Hour, &keepwatch.Quota{Used: 3, Limit: 9}, nil}, {time.Hour, nil, nil},
	} {
		now = now.Add(look.after)
		h.quota, h.err = look.quota, look.err
		if _, err := s.LookNow(t.Context(), "web"); !errors.Is(err, look.err) {
			t.Fatal(err)
		}
	}
	kept, err := s.ServerStates()
	if err != nil || len(kept) != 1 {
		t.Fatalf("%+v, %v", kept, err)
	}
	at := time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC)
	if d := cmp.Diff([]keepwatch.Quota{{At: at, Used: 2, Limit: 9}, {At: at.Add(18 * time.Hour), Used: 3, Limit: 9}}, kept[0].Trend); d != "" {
		t.Error(d)
	}
}

// TestServersRememberWhatIsHome: also after our own retention has removed the archive,
// and while the server does not answer.
func TestServersRememberWhatIsHome(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	h := &host{held: []keepwatch.ServerBackup{{ID: "b2", At: now.Add(-time.Hour)}, {ID: "b1", At: now.Add(-48 * time.Hour)}}}
	records := store.NewRecords(mem.New(), func() time.Time { return now })
	s := &servers{
		records: records, sources: listed{{Name: "web", Kind: keepwatch.KindCPanel}},
		inspectors: map[keepwatch.SourceKind]providers.Inspector{keepwatch.KindCPanel: h}, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler),
	}
	look := func(want string) {
		t.Helper()
		_, err := s.LookNow(t.Context(), "web")
		kept, statesErr := s.ServerStates()
		if !errors.Is(err, h.err) || statesErr != nil || len(kept) != 1 || kept[0].Backups[0].Home != "" || kept[0].Backups[1].Home != want {
			t.Errorf("%v, %v, %+v", err, statesErr, kept)
		}
	}
	look("")
	a := keepwatch.Archive{Source: "web", Stamp: keepwatch.StampOf(now), Started: now, Held: "b1", Verified: []keepwatch.Verification{{At: now}}}
	if err := records.SaveArchive(a); err != nil {
		t.Fatal(err)
	}
	h.err = errors.New("away")
	look(a.Ref())
	if err := records.DeleteArchive(a.Ref()); err != nil {
		t.Fatal(err)
	}
	look(a.Ref())
	h.err = nil
	look(a.Ref())
}
