package providers_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers"
)

// indexed is a host whose archives have an index of their own, and go on from others.
type indexed struct {
	*host
	with    []string
	entries int
}

func (*indexed) Indexed() {}

func (x *indexed) PlanReturn(_ context.Context, _ keepwatch.Source, sets []providers.Set, _ keepwatch.ReturnAsk) (plan keepwatch.ReturnPlan, err error) {
	for _, s := range sets {
		x.entries += len(s.Entries)
		plan.Items = append(plan.Items, keepwatch.ReturnItem{Name: "Inbox", Archive: s.Archive.Ref(), With: x.with, Mailbox: "alis@contoso.example"})
	}
	return plan, nil
}

func (x *indexed) Return(ctx context.Context, _ providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	err := from.(providers.Walker).WalkEntries(ctx, item.Archive, func(string) bool { return true }, func(_ keepwatch.Entry, body io.Reader) error {
		_, err := io.Copy(io.Discard, body)
		return err
	})
	return keepwatch.ServerLog{}, err
}

// walking is a lab whose archives can be read in one pass.
type walking struct{ *lab }

func (w walking) WalkEntries(_ context.Context, ref string, want func(string) bool, visit func(keepwatch.Entry, io.Reader) error) error {
	for _, e := range w.inside[ref] {
		if !want(e.Path) {
			continue
		}
		_, body, err := w.OpenEntry(context.Background(), ref, e.Path)
		if err == nil {
			err = visit(e, body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestReturnsWithOthers: archives that nobody has named, and that others go on from, are
// proved as those are that were named, when it is planned and when it begins.
func TestReturnsWithOthers(t *testing.T) {
	h := newHost()
	newest, base := h.lab.holds(22, nil, "Inbox"), h.lab.holds(20, nil, "Inbox")
	unproved := h.lab.holds(21, func(a *keepwatch.Archive) { a.Verified = nil }, "Inbox")
	x := &indexed{host: h, with: []string{base}}
	cfg := h.lab.config("")
	cfg.Providers = map[keepwatch.SourceKind]providers.Provider{keepwatch.KindCPanel: x}
	returns, err := providers.NewReturns(cfg)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := returns.Plan(t.Context(), []string{newest}, keepwatch.ReturnAsk{})
	if err != nil || len(plan.Items) != 1 || x.entries != 0 {
		t.Errorf("%+v, %d entries, %v", plan, x.entries, err)
	}
	x.with = []string{base, unproved}
	if _, err := returns.Plan(t.Context(), []string{newest}, keepwatch.ReturnAsk{}); keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(keepwatch.Sentence(err), unproved) {
		t.Error(err)
	}
	works, err := providers.NewWorks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run := keepwatch.Run{ID: 7, Kind: keepwatch.RunRestore, Source: "web", Ask: keepwatch.Ask{Archive: newest, Return: []keepwatch.ReturnItem{{Name: "Inbox", Archive: newest, With: x.with}}}}
	if _, err := works[keepwatch.RunRestore].Do(t.Context(), keepwatch.Task{Run: run, Step: "plan"}); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("a run goes on from an archive that is not verified: %v", err)
	}
}

// TestReturnWalks: a pass through an archive tells of damage as opening a file does.
func TestReturnWalks(t *testing.T) {
	h := newHost()
	good, bad := h.lab.holds(20, nil, "Inbox"), h.lab.holds(21, nil, "damaged")
	cfg := h.lab.config("")
	cfg.Providers = map[keepwatch.SourceKind]providers.Provider{keepwatch.KindCPanel: &indexed{host: h}}
	cfg.Vault = walking{h.lab}
	works, err := providers.NewWorks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	do := func(ref string) error {
		run := keepwatch.Run{ID: 7, Kind: keepwatch.RunRestore, Source: "web", Ask: keepwatch.Ask{Archive: ref, Return: []keepwatch.ReturnItem{{Name: "Inbox", Archive: ref, Mailbox: "alis@contoso.example"}, {Name: "Sent", Archive: ref}}}}
		task := keepwatch.Task{Run: run, Step: "1 Inbox", Report: func(keepwatch.Progress) {}, Keep: func(json.RawMessage) error { return nil }}
		_, err := works[keepwatch.RunRestore].Do(t.Context(), task)
		return err
	}
	if err := do(good); err != nil {
		t.Error(err)
	}
	if err := do(bad); !errors.Is(err, keepwatch.ErrDamaged) || !strings.HasSuffix(keepwatch.Sentence(err), "What comes after it in the plan (1 item) waits until then.") {
		t.Error(err)
	}
	if h.lab.archives[bad].IsVerified() || !h.lab.archives[good].IsVerified() {
		t.Error("the damaged one still counts, or the good one does not")
	}
}
