package handlers

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// watchman keeps warnings in memory, and hosts' servers.
type watchman struct {
	list   []keepwatch.Warning
	states []keepwatch.ServerState
	fresh  []keepwatch.ServerState // what a look gives where that is not what was seen before
	looked []string
	acked  []time.Time
}

func (m *watchman) Warnings() ([]keepwatch.Warning, error) {
	return slices.DeleteFunc(slices.Clone(m.list), func(w keepwatch.Warning) bool { _, over := w.Over(); return over }), nil
}

func (m *watchman) Warning(id string) (keepwatch.Warning, error) {
	for _, w := range m.list {
		if w.ID == strings.ToLower(id) {
			return w, nil
		}
	}
	return keepwatch.Warning{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no warning %s. `/keepwatch warnings` shows those that hold.", id)
}

func (m *watchman) AckWarning(id, by string, until time.Time, note string) (keepwatch.Warning, error) {
	w, err := m.Warning(id)
	m.acked = append(m.acked, until)
	if until.IsZero() {
		until = noon.AddDate(0, 0, 7)
	}
	if end := w.Fact.Until; end.After(noon) && until.After(end) {
		until = end
	}
	w.AckedBy, w.Acked, w.Quiet, w.Note = by, noon, until, note
	return w, err
}

func (m *watchman) ServerStates() ([]keepwatch.ServerState, error) { return m.states, nil }

func (m *watchman) LookNow(_ context.Context, source string) (keepwatch.ServerState, error) {
	m.looked = append(m.looked, source)
	for _, s := range slices.Concat(m.fresh, m.states) {
		if s.Source == source {
			return s, nil
		}
	}
	return keepwatch.ServerState{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is of kind files, and this version cannot see what a server holds of one.", source)
}

// warningsOf gives one warning of each sort.
func warningsOf() []keepwatch.Warning {
	secret := keepwatch.Warning{ID: "w1", First: noon.AddDate(0, 0, -23), Told: 3, Rung: 14, Unanswered: 3, Wider: true,
		Fact: keepwatch.ExpiryFacts([]keepwatch.Credential{{Name: "Graph client secret", Expires: noon.AddDate(0, 0, 7), Owner: "Vaughan", How: "Make a new one in Entra under App registrations"}}, noon, time.UTC)[0],
		Log:  []keepwatch.Happening{{At: noon.AddDate(0, 0, -23), What: "noticed"}, {At: noon.AddDate(0, 0, -23), What: "told"}, {At: noon, What: "passed on to the escalation channel and Olwen: nobody had acknowledged it after 3 notices"}}}
	old := keepwatch.Warning{ID: "w2", First: noon.AddDate(0, 0, -1), Told: 1, Fact: keepwatch.Fact{Key: "old/notes", Kind: keepwatch.FactOld, Tone: keepwatch.ToneBad,
		Title: "notes: the newest verified archive is of 20 November, 03:01", Text: "By its schedule there should be a newer one. Start a backup.", Buttons: []keepwatch.Button{{Label: "Back up now", Command: "backup start notes"}}}}
	vault := keepwatch.Warning{ID: "w3", First: noon.AddDate(0, 0, -2), Told: 1, AckedBy: "Olwen", Acked: noon.AddDate(0, 0, -1), Quiet: noon.AddDate(0, 0, 89), Note: "the disk is ordered",
		Fact: keepwatch.VaultFacts([]keepwatch.Archive{newWorld().archives[0]}, nil, noon.AddDate(0, 0, 1))[0]} // said from the second day on
	gone := keepwatch.Warning{ID: "w4", First: noon.AddDate(0, 0, -3), Told: 2, Gone: noon.Add(-time.Minute), Fact: keepwatch.Fact{Key: "failing/notes", Tone: keepwatch.ToneBad, Title: "notes: the run of 21 November, 03:00 failed"}}
	return []keepwatch.Warning{old, secret, vault, gone}
}

// hosted gives a hosting account whose server holds three backups.
func hosted(w *world) *watchman {
	w.known[1].Rotation = keepwatch.Rotation{Keeps: 3, MaxAge: 28 * 24 * time.Hour}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	return &watchman{list: warningsOf(), states: []keepwatch.ServerState{{Source: "ruthin-web", Seen: noon.Add(-time.Hour), Backups: []keepwatch.ServerBackup{
		{ID: "c", At: day(23), Size: 3 << 30}, {ID: "b", At: day(16), Size: 2 << 30, Home: "ruthin-web/2026-11-17T030000Z"}, {ID: "a", At: day(9)},
	}}}}
}

func (w *world) guarded(t *testing.T, m *watchman) *Router {
	r := w.router(t)
	r.cfg.Duties.Warnings, r.cfg.Duties.Servers = m, m
	return r
}

func TestWarningAnswers(t *testing.T) {
	for _, c := range []struct {
		name, text, who string
		set             func(w *world, m *watchman)
	}{
		{name: "warnings", text: "/keepwatch warnings", who: "slack:U2"},
		{name: "warnings-terminal", text: "/keepwatch warnings", who: "terminal:alis"},
		{name: "warnings-viewer", text: "/keepwatch warnings", who: "slack:U3"},
		{name: "warnings-all", text: "/keepwatch warnings --all", who: "slack:U2"},
		{name: "warnings-one", text: "/keepwatch warnings w1", who: "slack:U2"},
		{name: "warnings-one-unknown", text: "/keepwatch warnings w99", who: "slack:U2"},
		{name: "warnings-none", text: "/keepwatch warnings", who: "slack:U2", set: func(_ *world, m *watchman) { m.list = nil }},
		{name: "warnings-resting", text: "/keepwatch warnings", who: "slack:U2", set: func(_ *world, m *watchman) { m.list = m.list[2:] }},
		{name: "ack", text: "/keepwatch ack w2 somebody is on it", who: "slack:U2"},
		{name: "ack-which", text: "/keepwatch ack", who: "slack:U2"},
		{name: "ack-denied", text: "/keepwatch ack w2", who: "slack:U3"},
		{name: "ack-own", text: "/keepwatch ack w1", who: "slack:U3"},
		{name: "ack-own-beyond", text: "/keepwatch ack w1 the new one is ordered --until 2027-03-01", who: "slack:U3"},
		{name: "ack-own-before", text: "/keepwatch ack w1 --until 2d", who: "slack:U3"},
		{name: "ack-until-typo", text: "/keepwatch ack w2 --until whenever", who: "slack:U2"},
		{name: "rotation", text: "/backup rotation", who: "slack:U3"},
		{name: "rotation-one", text: "/backup rotation ruthin-web", who: "slack:U3"},
		{name: "rotation-look", text: "/backup rotation ruthin-web --look", who: "slack:U3"},
		{name: "rotation-trouble", text: "/backup rotation ruthin-web", who: "slack:U3", set: func(w *world, m *watchman) {
			m.states[0].Trouble, w.known[1].Rotation = "The host does not answer.", keepwatch.Rotation{}
		}},
		{name: "rotation-own", text: "/backup rotation notes", who: "slack:U3"},
		{name: "rotation-own-confirmed", text: "/backup rotation notes", who: "slack:U3", set: func(w *world, _ *watchman) { w.rules = keepwatch.Keep{Last: 2}.Rules(time.UTC) }},
		{name: "rotation-own-paused", text: "/backup rotation notes", who: "slack:U3", set: func(w *world, _ *watchman) {
			w.archives[0].Findings = []keepwatch.Finding{{Rule: "fewer", What: w.archives[0].Ref(), Text: "It has far fewer items than usual: 3 instead of 45."}}
		}},
		{name: "rotation-unseen", text: "/backup rotation ruthin-web", who: "slack:U3", set: func(_ *world, m *watchman) { m.states = nil }},
		{name: "rotation-typo", text: "/backup rotation ruthin", who: "slack:U3"},
		{name: "rotation-look-where", text: "/backup rotation --look", who: "slack:U3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			m := hosted(w)
			if c.set != nil {
				c.set(w, m)
			}
			msg := w.guarded(t, m).Handle(t.Context(), ask(c.text, c.who))
			golden(t, c.name, plain(msg)+menus(msg))
		})
	}
}

func menus(m keepwatch.Message) string {
	var b strings.Builder
	for _, menu := range m.Menus {
		b.WriteString("[" + menu.Label + "]\n")
		for _, o := range menu.Options {
			b.WriteString("  (" + o.Label + " → " + o.Command + ")\n")
		}
	}
	return b.String()
}

func TestWarningMessages(t *testing.T) {
	list := warningsOf()
	state := keepwatch.ServerState{Source: "ruthin-web", Seen: noon, Backups: []keepwatch.ServerBackup{{ID: "a", At: noon.AddDate(0, 0, -15)}, {ID: "b", At: noon.AddDate(0, 0, -8)}}}
	source := keepwatch.Source{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Rotation: keepwatch.Rotation{Keeps: 2, MaxAge: 28 * 24 * time.Hour}}
	gone := keepwatch.Warning{ID: "w5", First: noon.AddDate(0, 0, -1), Gone: noon, Fact: keepwatch.RotationFacts(source, state, nil, time.Time{}, noon, time.UTC)[0]}
	for name, w := range map[string]keepwatch.Warning{"old": list[0], "expiry": list[1], "seen": list[2], "over": list[3], "rotated": gone} {
		golden(t, "warning-"+name, plain(WarningMessage(w)))
	}
	for name, l := range map[string][]keepwatch.Warning{"some": list, "over": list[3:]} {
		m := WarningsMessage(keepwatch.Digest{}, l)
		golden(t, "warning-many-"+name, plain(m)+menus(m))
	}
	many := slices.Repeat(list[:1], 33)
	if m := WarningsMessage(keepwatch.Digest{}, many); len(m.Blocks[0].Table.Rows) != mostListed || m.Blocks[1].Text != "And 13 more." || len(m.Menus[0].Options) != 33 {
		t.Errorf("%+v", m)
	}
	for _, w := range list {
		if before, after := WarningMessage(w).Fingerprint(), WarningMessage(w).Fingerprint(); before != after {
			t.Error("the same warning gives two messages, so that it is edited for nothing")
		}
		for _, b := range WarningMessage(w).AllButtons() {
			if _, kept := b.Token(); kept {
				t.Errorf("%s is no token of its own", b.Command)
			}
		}
	}
}

// TestRestUntil: until when a warning rests, without the reader of plain words, and
// with it.
func TestRestUntil(t *testing.T) {
	w := newWorld()
	m := hosted(w)
	r := w.guarded(t, m)
	r.cfg.Location = time.FixedZone("CET", 3600)
	for _, c := range []struct{ until, want string }{
		{"3d", "2026-11-27T12:00:00Z"}, {"12h", "2026-11-25T00:00:00Z"}, {"2026-12-03", "2026-12-03T08:00:00Z"}, {"2026-12-03T14:00", "2026-12-03T13:00:00Z"},
	} {
		m.acked = nil
		msg := r.Handle(t.Context(), ask("/keepwatch ack w2 --until "+c.until, "slack:U2"))
		if msg.Failed || len(m.acked) != 1 || m.acked[0].UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%s: %v %s", c.until, m.acked, plain(msg))
		}
	}
	r.cfg.Duties.Times = words{}
	r.cfg.Duties.Hours = func(string) keepwatch.Hours { return keepwatch.Hours{Zone: "America/New_York"} }
	m.acked = nil
	r.Handle(t.Context(), ask(`/keepwatch ack w2 --until "tomorrow morning" thanks`, "slack:U2"))
	if d := cmp.Diff([]time.Time{time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)}, m.acked, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
}

// words reads one moment: the next morning at 9.
type words struct{ Times }

func (words) Moment(_ string, zone *time.Location, now time.Time) (time.Time, error) {
	day := now.In(zone)
	return time.Date(day.Year(), day.Month(), day.Day()+1, 9, 0, 0, 0, zone), nil
}

// TestWithoutWarnings: a program without the part says so, and rotation shows what it
// can.
func TestWithoutWarnings(t *testing.T) {
	r := newWorld().router(t)
	for _, text := range []string{"/keepwatch warnings", "/keepwatch ack w1"} {
		if msg := r.Handle(t.Context(), ask(text, "slack:U1")); msg.Refused != keepwatch.KindAttention {
			t.Errorf("%s: %s", text, plain(msg))
		}
	}
	if msg := r.Handle(t.Context(), ask("/backup rotation notes", "slack:U1")); msg.Failed || !strings.Contains(plain(msg), "notes/2026-11-22T030000Z") {
		t.Error(plain(msg))
	}
	if msg := r.Handle(t.Context(), ask("/backup rotation notes --look", "slack:U1")); msg.Refused != keepwatch.KindInvalid {
		t.Error(plain(msg))
	}
}

func TestWarningsAreCompleted(t *testing.T) {
	w := newWorld()
	r := w.guarded(t, hosted(w))
	req := ask("/keepwatch ack w", "slack:U2")
	list := r.Complete(t.Context(), req, len(req.Text))
	if len(list) != 3 || list[0].Text != "w2" || list[0].Summary == "" {
		t.Errorf("%+v", list)
	}
}
