package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// returner plans what goes back into accounts: what it is told to.
type returner struct {
	refs, parts []string
	ask         keepwatch.ReturnAsk
	plan        keepwatch.ReturnPlan
	err         error
}

func (r *returner) Plan(_ context.Context, refs []string, ask keepwatch.ReturnAsk) (keepwatch.ReturnPlan, error) {
	r.refs, r.parts, r.ask = refs, ask.Parts, ask
	return r.plan, r.err
}

const fullBackup = "backup-11.9.2026_03-00-00_ruthin.tar.gz"

// account gives a hosting account with two archives, whose host holds three backups
// that it gets at.
func account(w *world) (*watchman, *returner) {
	m := hosted(w)
	for i := range m.states[0].Backups {
		m.states[0].Backups[i].Path = "/home/ruthin/" + m.states[0].Backups[i].ID
	}
	m.states[0].Backups[2].ID = fullBackup
	for _, day := range []int{22, 15} {
		started := time.Date(2026, 11, day, 3, 0, 0, 0, time.UTC)
		w.archives = append(w.archives, keepwatch.Archive{Source: "ruthin-web", Stamp: keepwatch.StampOf(started), Kind: keepwatch.KindCPanel, Run: int64(day), Started: started, Items: 1, Bytes: 2 << 30, SealedBytes: 2 << 30,
			Sealed: []keepwatch.SealedFile{{Name: fullBackup + ".age", Size: 2 << 30}, {Name: "contents.jsonl.zst.age", Size: 900}}, Recipients: []string{"age1qqqq"}, Verified: []keepwatch.Verification{proof(started)},
			Inside: &keepwatch.Inside{Files: 41_200, Bytes: 5 << 30, Databases: []string{"ruthin_shop", "ruthin_wp"}, Domains: []string{"ruthin.example"}, Account: "ruthin at web1.example.net"}})
	}
	older, newer := w.archives[len(w.archives)-1], w.archives[len(w.archives)-2]
	return m, &returner{plan: keepwatch.ReturnPlan{
		Items: []keepwatch.ReturnItem{
			{Name: "home directory", Archive: older.Ref(), At: older.Started, Path: fullBackup, Part: keepwatch.PartHome, Bytes: 1 << 30, Into: "ruthin at web1.example.net"},
			{Name: "database ruthin_wp", Archive: newer.Ref(), At: newer.Started, Path: fullBackup, Part: "database:ruthin_wp", Inner: "mysql/ruthin_wp.sql", Of: 2 << 30, Into: "ruthin at web1.example.net"},
		},
		Not:   []string{"The DNS zones can be restored by the host's administrator only, in WHM."},
		Known: []string{"home", "databases", "database:ruthin_wp"},
	}}
}

func (w *world) hosting(t *testing.T, m *watchman, ret *returner) *Router {
	r := w.guarded(t, m)
	if ret != nil {
		r.cfg.Duties.Returns = ret
	}
	return r
}

func TestHostingAnswers(t *testing.T) {
	const two = "/backup restore ruthin-web/2026-11-22 ruthin-web/2026-11-15 home database:ruthin_wp --to account"
	for _, c := range []struct {
		name, text, who string
		set             func(w *world, m *watchman, r *returner)
	}{
		{name: "fetch", text: "/backup fetch ruthin-web", who: "slack:U2"},
		{name: "fetch-named", text: "/backup fetch ruthin-web c", who: "slack:U2"},
		{name: "fetch-day", text: "/backup fetch ruthin-web 2026-11-09", who: "slack:U2"},
		{name: "fetch-two-of-a-day", text: "/backup fetch ruthin-web 2026-11-09", who: "slack:U2", set: func(_ *world, m *watchman, _ *returner) {
			m.states[0].Backups = append(m.states[0].Backups, keepwatch.ServerBackup{ID: "d e", At: m.states[0].Backups[2].At.Add(5 * time.Hour), Path: "/x"})
		}},
		{name: "fetch-typo", text: "/backup fetch ruthin-web backup-9", who: "slack:U2"},
		{name: "fetch-home", text: "/backup fetch ruthin-web b", who: "slack:U2"},
		{name: "fetch-all-home", text: "/backup fetch ruthin-web", who: "slack:U2", set: func(w *world, m *watchman, _ *returner) {
			w.archives[3].Held, w.archives[4].Held = "c", fullBackup
		}},
		{name: "fetch-out-of-reach", text: "/backup fetch ruthin-web", who: "slack:U2", set: func(_ *world, m *watchman, _ *returner) {
			for i := range m.states[0].Backups {
				m.states[0].Backups[i].Path = ""
			}
		}},
		{name: "fetch-nothing", text: "/backup fetch ruthin-web", who: "slack:U2", set: func(_ *world, m *watchman, _ *returner) { m.states[0].Backups = nil }},
		{name: "fetch-unseen", text: "/backup fetch ruthin-web", who: "slack:U2", set: func(_ *world, m *watchman, _ *returner) { m.fresh, m.states = m.states, nil }},
		{name: "fetch-newer-than-the-look", text: "/backup fetch ruthin-web d", who: "slack:U2", set: func(_ *world, m *watchman, _ *returner) {
			m.fresh = []keepwatch.ServerState{m.states[0]}
			m.fresh[0].Backups = append([]keepwatch.ServerBackup{{ID: "d", At: noon, Path: "/home/ruthin/d"}}, m.states[0].Backups...)
		}},
		{name: "fetch-files", text: "/backup fetch notes", who: "slack:U2"},
		{name: "fetch-no-source", text: "/backup fetch ruthin-wbe", who: "slack:U2"},
		{name: "fetch-denied", text: "/backup fetch ruthin-web", who: "slack:U3"},
		{name: "rotation-fetch", text: "/backup rotation ruthin-web", who: "slack:U3"},
		{name: "rotation-stays", text: "/backup rotation ruthin-web", who: "slack:U3", set: func(_ *world, m *watchman, _ *returner) {
			for i := range m.states[0].Backups {
				m.states[0].Backups[i].Stays = true
			}
		}},
		{name: "rotations-stays", text: "/backup rotation", who: "slack:U3", set: func(_ *world, m *watchman, _ *returner) {
			for i := range m.states[0].Backups {
				m.states[0].Backups[i].Stays = true
			}
		}},
		{name: "start-account-parts", text: "/backup start ruthin-web home database:ruthin_wp", who: "slack:U2"},
		{name: "start-account-typo", text: "/backup start ruthin-web forwarder", who: "slack:U2"},
		{name: "start-account-unknown", text: "/backup start ruthin-web public_html/wp-content", who: "slack:U2"},
		{name: "show-account", text: "/backup show ruthin-web/2026-11-22", who: "slack:U3", set: func(w *world, _ *watchman, _ *returner) {
			w.archives[3].Fetched, w.archives[3].Held, w.archives[3].Inside.Made = true, fullBackup, time.Date(2026, 11, 9, 3, 0, 0, 0, time.UTC)
		}},
		{name: "list-fetched", text: "/backup list ruthin-web", who: "slack:U3", set: func(w *world, _ *watchman, _ *returner) {
			w.archives[3].Fetched, w.archives[3].Held, w.archives[3].Inside.Made = true, fullBackup, time.Date(2026, 11, 9, 3, 0, 0, 0, time.UTC)
		}},
		{name: "sources-fetched", text: "/backup sources", who: "slack:U3", set: func(w *world, _ *watchman, _ *returner) {
			w.archives[3].Fetched, w.archives[3].Held, w.archives[3].Inside.Made = true, fullBackup, time.Date(2026, 11, 9, 3, 0, 0, 0, time.UTC)
		}},
		{name: "put-back", text: two, who: "slack:U1"},
		{name: "put-back-one", text: "/backup restore ruthin-web database:ruthin_wp --to account", who: "slack:U1", set: func(_ *world, _ *watchman, r *returner) {
			r.plan = keepwatch.ReturnPlan{Items: r.plan.Items[1:]}
		}},
		{name: "restore-part-of-file", text: "/backup restore ruthin-web database:ruthin_wp --to /x", who: "slack:U1", set: func(w *world, _ *watchman, _ *returner) {
			w.plan.Missing = []string{"database:ruthin_wp"}
		}},
		{name: "restore-part-of-parts", text: "/backup restore ruthin-web/2026-11-23 database:ruthin_wp --to /x", who: "slack:U1", set: func(w *world, _ *watchman, _ *returner) {
			w.partsSince()
			w.plan.Missing = []string{"database:ruthin_wp"}
		}},
		{name: "put-back-newer-part", text: "/backup restore ruthin-web database:ruthin_wp home --to account", who: "slack:U1", set: func(w *world, _ *watchman, _ *returner) { w.partsSince() }},
		{name: "put-back-changed", text: two + " --confirm 01234567", who: "slack:U1"},
		{name: "put-back-yes", text: two + " --confirm yes", who: "slack:U1"},
		{name: "put-back-mind", text: two, who: "slack:U1", set: func(_ *world, _ *watchman, r *returner) {
			r.plan.Mind = []string{"ruthin-web/2026-11-15T030000Z is of the account ruthin at web0.example.net."}
		}},
		{name: "put-back-nothing", text: two, who: "slack:U1", set: func(_ *world, _ *watchman, r *returner) { r.plan.Items = nil }},
		{name: "put-back-typo", text: "/backup restore ruthin-web hoem --to account", who: "slack:U1"},
		{name: "put-back-overwrite", text: "/backup restore ruthin-web --to account --overwrite", who: "slack:U1"},
		{name: "put-back-denied", text: two, who: "slack:U2"},
		{name: "put-back-damaged", text: two, who: "slack:U1", set: func(_ *world, _ *watchman, r *returner) {
			r.err = keepwatch.Errorf(keepwatch.KindConflict, "ruthin-web/2026-11-15T030000Z is not verified. Prove it first.")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			m, ret := account(w)
			if c.set != nil {
				c.set(w, m, ret)
			}
			msg := w.hosting(t, m, ret).Handle(t.Context(), ask(c.text, c.who))
			golden(t, "hosting-"+c.name, plain(msg)+menus(msg))
		})
	}
}

// TestPutBackIsConfirmed: what was shown is what is done, once it is confirmed, and
// another plan is not.
func TestPutBackIsConfirmed(t *testing.T) {
	w := newWorld()
	m, ret := account(w)
	r := w.hosting(t, m, ret)
	shown := r.Handle(t.Context(), ask("/backup restore ruthin-web/2026-11-22 ruthin-web/2026-11-15 database:ruthin_wp --to account", "slack:U1"))
	if len(w.runs) != 0 || !slices.Equal(ret.refs, []string{"ruthin-web/2026-11-22T030000Z", "ruthin-web/2026-11-15T030000Z"}) || !slices.Equal(ret.parts, []string{"database:ruthin_wp"}) {
		t.Fatalf("%d runs, %v %v", len(w.runs), ret.refs, ret.parts)
	}
	plan := ret.plan
	ret.plan.Items = plan.Items[:1]
	if msg := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1")); len(w.runs) != 0 || !msg.Failed {
		t.Errorf("another plan was carried out: %s", plain(msg))
	}
	ret.plan = plan
	if msg := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U2")); len(w.runs) != 0 || msg.Refused != keepwatch.KindDenied {
		t.Errorf("an operator has confirmed it: %s", plain(msg))
	}
	msg := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1"))
	want := keepwatch.Ask{Archive: "ruthin-web/2026-11-22T030000Z", Parts: []string{"database:ruthin_wp"}, Return: plan.Items}
	if d := cmp.Diff(want, w.runs[1].Ask); d != "" || msg.Run != 1 || w.runs[1].Kind != keepwatch.RunRestore || w.runs[1].Source != "ruthin-web" {
		t.Errorf("%s\n%s", plain(msg), d)
	}
	// Another admin has seen the same plan, or presses the same button later.
	again := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1"))
	if len(w.runs) != 1 || !again.Failed || !strings.Contains(plain(again), "Run 1 was told to put back the same") {
		t.Fatalf("%d runs: %s", len(w.runs), plain(again))
	}
	if r.Handle(t.Context(), ask(again.Buttons[0].Command, "slack:U1")); len(w.runs) != 2 {
		t.Errorf("it cannot be put back again by somebody who says so: %d runs", len(w.runs))
	}
}

// partsSince adds an archive of the databases alone that is newer than those of account.
func (w *world) partsSince() {
	part := w.archives[len(w.archives)-2]
	part.Started = part.Started.Add(40 * time.Hour)
	part.Stamp, part.Parts = keepwatch.StampOf(part.Started), []string{keepwatch.PartDatabases}
	part.Verified = []keepwatch.Verification{proof(part.Started)}
	w.archives = append(w.archives, part)
}

// TestNewerPartIsSaid: that another archive is newer is said where only the source was
// named, and the plan can be confirmed all the same.
func TestNewerPartIsSaid(t *testing.T) {
	for _, c := range []struct {
		archive string
		said    bool
	}{{"ruthin-web", true}, {"ruthin-web/latest", true}, {"ruthin-web/2026-11-22", false}} {
		w := newWorld()
		m, ret := account(w)
		w.partsSince()
		r := w.hosting(t, m, ret)
		shown := r.Handle(t.Context(), ask("/backup restore "+c.archive+" database:ruthin_wp --to account", "slack:U1"))
		if got := strings.Contains(plain(shown), "is newer, and holds this too"); got != c.said {
			t.Errorf("%s: %s", c.archive, plain(shown))
		}
		if msg := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1")); msg.Failed || len(w.runs) != 1 {
			t.Errorf("%s was not confirmed: %s", c.archive, plain(msg))
		}
	}
}

// TestNoAccount: where nothing can be put back, that is said, and a folder of that name
// can be restored to all the same.
func TestNoAccount(t *testing.T) {
	w := newWorld()
	m, _ := account(w)
	r := w.hosting(t, m, nil)
	if msg := r.Handle(t.Context(), ask("/backup restore ruthin-web --to account", "slack:U1")); !msg.Failed || !strings.Contains(plain(msg), "./account") {
		t.Error(plain(msg))
	}
	if msg := r.Handle(t.Context(), ask("/backup restore ruthin-web --to ./account", "slack:U1")); msg.Failed || !strings.Contains(plain(msg), "/account") {
		t.Error(plain(msg))
	}
	if got := plain(r.Handle(t.Context(), ask("/backup show ruthin-web", "slack:U1"))); strings.Contains(got, "Put back into the account") {
		t.Error(got)
	}
}

func TestFetchStartsTheRun(t *testing.T) {
	w := newWorld()
	m, ret := account(w)
	msg := w.hosting(t, m, ret).Handle(t.Context(), ask("/backup fetch ruthin-web", "slack:U2"))
	if run := w.runs[1]; msg.Run != 1 || run.Kind != keepwatch.RunBackup || run.Source != "ruthin-web" || run.Ask.Held != fullBackup {
		t.Errorf("%+v", w.runs)
	}
}

func TestCompleteHosting(t *testing.T) {
	w := newWorld()
	m, ret := account(w)
	in := *w.archives[3].Inside // one of PostgreSQL is no part
	in.Databases, in.Postgres = append(in.Databases, "ruthin_pg"), []string{"ruthin_pg"}
	w.archives[3].Inside = &in
	r := w.hosting(t, m, ret)
	const others = "home databases forwarders filters database:ruthin_shop database:ruthin_wp"
	for _, c := range []struct{ text, who, want string }{
		{"/backup start ruthin-web ", "slack:U2", others},
		{"/backup start ruthin-web home database:", "slack:U2", "database:ruthin_shop database:ruthin_wp"},
		{"/backup start ruthin-web h", "terminal:alis", "home"},
		{"/backup fetch ruthin-web ", "slack:U2", fullBackup + " b c"},
		{"/backup fetch notes ", "slack:U2", ""}, {"/backup fetch nowhere ", "slack:U2", ""}, {"/backup fetch ruthin-web ", "slack:U3", ""},
		{"/backup restore ruthin-web --to account ", "slack:U1", others + " ruthin-web/2026-11-15T030000Z"},
		{"/backup restore ruthin-web --to=account home fo", "slack:U1", "forwarders"},
		{"/backup restore ruthin-web --to a", "slack:U1", "account"}, {"/backup restore notes --to a", "slack:U1", ""},
		{"/backup restore ruthin-web --to /x la", "slack:U1", "latest"},
	} {
		var got []string
		for _, f := range r.Complete(t.Context(), ask(c.text, c.who), len(c.text)) {
			got = append(got, f.Text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s completes to %q, want %q", c.text, got, c.want)
		}
	}
}

// TestHostingCards holds the card of a run around a host in each of its states.
func TestHostingCards(t *testing.T) {
	steps := func(at int, state keepwatch.StepState, names ...string) (list []keepwatch.Step) {
		for i, name := range names {
			s := keepwatch.Step{Name: name, State: keepwatch.StepPending}
			if i < at {
				s = keepwatch.Step{Name: name, State: keepwatch.StepDone, Started: noon, Ended: noon.Add(3 * time.Second), Attempts: 1}
			} else if i == at {
				s.State, s.Started, s.Attempts = state, noon, 1
			}
			list = append(list, s)
		}
		return list
	}
	full := []string{"plan", "request", "wait", "fetch", "verify", "seal", "release", "prune"}
	backup := keepwatch.Run{ID: 42, Kind: keepwatch.RunBackup, Source: "ruthin-web", By: "Alis", Where: "terminal", Created: noon, Started: noon, State: keepwatch.RunRunning}
	with := func(run keepwatch.Run, change func(*keepwatch.Run)) keepwatch.Run { change(&run); return run }
	w := newWorld()
	m, ret := account(w)
	back := with(backup, func(r *keepwatch.Run) {
		r.Kind, r.Ask = keepwatch.RunRestore, keepwatch.Ask{Archive: ret.plan.Items[1].Archive, Return: ret.plan.Items}
	})
	items := []string{"plan", "1 home directory", "2 database ruthin_wp"}
	logs := []keepwatch.ServerLog{{Step: items[1], Name: "2026-11-24T12:00:00Z.1", Text: strings.Repeat("a line that is far up\n", 100) + "Done.\n"}, {Step: items[2], Name: "restoredb.log"}}
	v := proof(noon)
	r := w.hosting(t, m, ret)
	for name, run := range map[string]keepwatch.Run{
		"request": with(backup, func(r *keepwatch.Run) { r.Steps = steps(1, keepwatch.StepRunning, full...) }),
		"wait": with(backup, func(r *keepwatch.Run) {
			r.Steps, r.Progress = steps(2, keepwatch.StepRunning, full...), keepwatch.Progress{Step: "wait", Bytes: 1 << 30, TotalBytes: 4 << 30}
		}),
		"release": with(backup, func(r *keepwatch.Run) { r.Steps = steps(6, keepwatch.StepRunning, full...) }),
		"held": with(backup, func(r *keepwatch.Run) {
			r.Ask.Held, r.Steps = fullBackup, steps(1, keepwatch.StepRunning, "plan", "fetch", "verify", "seal", "prune")
		}),
		"done": with(backup, func(r *keepwatch.Run) {
			r.State, r.Steps = keepwatch.RunDone, steps(8, "", full...)
			r.Result = keepwatch.Result{Items: 1, Bytes: 2 << 30, Sealed: w.archives[3].Sealed, Verification: &v, Archive: w.archives[3].Ref(), Inside: w.archives[3].Inside}
		}),
		"cancelled-asked": with(backup, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(1, keepwatch.StepFailed, full...)
		}),
		"cancelled-waiting": with(backup, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(2, keepwatch.StepFailed, full...)
		}),
		"failed-fetching": with(backup, func(r *keepwatch.Run) {
			r.State, r.Failure, r.Steps = keepwatch.RunFailed, &keepwatch.Failure{Step: "fetch", Message: "The download ended early."}, steps(3, keepwatch.StepFailed, full...)
		}),
		"cancelled-planning": with(backup, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(0, keepwatch.StepFailed, full...)
		}),
		"back-queued": with(back, func(r *keepwatch.Run) {
			r.State, r.Steps = keepwatch.RunQueued, steps(0, keepwatch.StepPending, items...)
		}),
		"back-running": with(back, func(r *keepwatch.Run) { r.Steps = steps(2, keepwatch.StepRunning, items...) }),
		"back-done": with(back, func(r *keepwatch.Run) {
			r.State, r.Steps, r.Result = keepwatch.RunDone, steps(3, "", items...), keepwatch.Result{Items: 2, Logs: logs}
		}),
		"back-attention": with(back, func(r *keepwatch.Run) {
			r.State, r.Steps = keepwatch.RunAttention, steps(2, keepwatch.StepFailed, items...)
			r.Failure = &keepwatch.Failure{Step: items[2], Message: "The host says: ERROR 1064."}
		}),
		"back-cancelled": with(back, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(2, keepwatch.StepFailed, items...)
		}),
		"back-done-heed": with(back, func(r *keepwatch.Run) {
			r.State, r.Steps = keepwatch.RunDone, steps(3, "", items...)
			r.Result = keepwatch.Result{Items: 2, Logs: []keepwatch.ServerLog{{Step: items[1], Text: "Done.", Heed: "1 entry of the backup could do harm and was left out: a (a device, pipe or socket)."}, logs[1]}}
		}),
		"back-sent": with(back, func(r *keepwatch.Run) {
			r.Steps, r.Progress = steps(1, keepwatch.StepRunning, items...), keepwatch.Progress{Step: items[1], Bytes: 1 << 30, TotalBytes: 1 << 30}
		}),
		"back-cancelled-after-attention": with(back, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(2, keepwatch.StepFailed, items...)
			r.Failure = &keepwatch.Failure{Step: items[2], Message: "The host refused to put back the database ruthin_wp: the function is off."}
		}),
		"back-cancelled-first": with(back, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(1, keepwatch.StepFailed, items...)
		}),
		"back-cancelled-before": with(back, func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Steps = keepwatch.RunCancelled, "Olwen", steps(0, keepwatch.StepFailed, items...)
		}),
	} {
		golden(t, "hosting-run-"+name, plain(r.RunMessage(run)))
	}
	waits := with(backup, func(r *keepwatch.Run) { r.Steps = steps(2, keepwatch.StepRunning, full...) })
	golden(t, "hosting-details-waits", r.stateWord(waits)+"\n"+plain(r.details(waits, keepwatch.RoleViewer)))
	waits.Progress = keepwatch.Progress{Step: "wait", Bytes: 1, TotalBytes: 4}
	if got := r.stateWord(waits); got != "running, waiting for the host 25 %" {
		t.Error(got)
	}
	done := with(back, func(r *keepwatch.Run) {
		r.State, r.Steps, r.Result = keepwatch.RunDone, steps(3, "", items...), keepwatch.Result{Items: 2, Logs: logs}
	})
	golden(t, "hosting-details", plain(r.details(done, keepwatch.RoleViewer)))
	// An account may have hundreds of databases.
	var many []string
	long := with(back, func(r *keepwatch.Run) {
		r.Ask.Return = nil
		for i := range 300 {
			item := ret.plan.Items[1]
			item.Name = fmt.Sprintf("database ruthin_%03d", i)
			r.Ask.Return, many = append(r.Ask.Return, item), append(many, fmt.Sprintf("%d %s", i+1, item.Name))
		}
		r.Steps = steps(250, keepwatch.StepRunning, append([]string{"plan"}, many...)...)
	})
	golden(t, "hosting-details-many", plain(r.details(long, keepwatch.RoleViewer)))
	long.State, long.CancelledBy = keepwatch.RunCancelled, "Olwen"
	golden(t, "hosting-run-back-many-cancelled", plain(r.RunMessage(long)))
	long.State, long.Steps = keepwatch.RunDone, steps(301, "", append([]string{"plan"}, many...)...)
	golden(t, "hosting-run-back-many", plain(r.RunMessage(long)))
	parts := with(backup, func(r *keepwatch.Run) {
		r.State, r.Ask.Parts, r.Steps = keepwatch.RunDone, []string{"databases"}, steps(8, "", full...)
		r.Result = keepwatch.Result{Items: 5, Bytes: 2 << 30, Verification: &v, Archive: w.archives[3].Ref(), Inside: &keepwatch.Inside{Bytes: 35 << 10, Databases: many[:5]}}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			r.Result.Sealed = append(r.Result.Sealed, keepwatch.SealedFile{Name: "ruthin_" + name + ".sql.gz.age", Size: 1 << 20})
		}
	})
	golden(t, "hosting-run-parts-done", plain(r.RunMessage(parts)))
	for range 6 {
		done.Result.Logs = append(done.Result.Logs, logs[1])
	}
	if got := plain(r.details(done, keepwatch.RoleViewer)); !strings.Contains(got, "The host wrote 8 logs; these are the last 5.") || strings.Contains(got, "far up") {
		t.Error(got)
	}
}

// TestHostsForgeNothing: neither a host's log nor a name of its making writes a line
// that Keepwatch did not.
func TestHostsForgeNothing(t *testing.T) {
	const evil = "q\n✓ Verified: everything\x1b[2J\u009b31m\u202egpj"
	w := newWorld()
	m, ret := account(w)
	ret.plan.Items[0].Name, ret.plan.Not, ret.plan.Known = evil, []string{evil}, []string{evil}
	w.archives[3].Held, w.archives[3].Inside.Databases, w.archives[3].Inside.Domains = evil, []string{evil}, []string{evil}
	r := w.hosting(t, m, ret)
	run := keepwatch.Run{ID: 1, Kind: keepwatch.RunRestore, Source: "ruthin-web", State: keepwatch.RunDone, Ask: keepwatch.Ask{Return: ret.plan.Items},
		Steps:  []keepwatch.Step{{Name: "plan", State: keepwatch.StepDone}, {Name: "1 " + evil, State: keepwatch.StepDone}, {Name: "2", State: keepwatch.StepFailed}},
		Result: keepwatch.Result{Logs: []keepwatch.ServerLog{{Step: "1 " + evil, Name: evil, Text: "a\x1b[2J\u009b31m\u202eb"}}}}
	cards := []keepwatch.Message{r.details(run, keepwatch.RoleAdmin), r.Handle(t.Context(), ask("/backup show ruthin-web", "slack:U1")), r.Handle(t.Context(), ask("/backup restore ruthin-web --to account", "slack:U1"))}
	ret.plan.Items = nil
	cards = append(cards, r.Handle(t.Context(), ask("/backup restore ruthin-web --to account", "slack:U1")))
	run.State, run.Steps = keepwatch.RunCancelled, run.Steps[:2]
	run.Steps[1].State = keepwatch.StepFailed
	cards = append(cards, r.RunMessage(run))
	held := keepwatch.Run{ID: 2, Kind: keepwatch.RunBackup, Source: "ruthin-web", State: keepwatch.RunQueued, Ask: keepwatch.Ask{Held: evil}}
	cards = append(cards, r.RunMessage(held))
	for i, msg := range cards {
		msg.Buttons = nil
		if got := plain(msg); !strings.Contains(got, `q\n✓ Verified`) || strings.Contains(got, "q\n✓") || strings.ContainsAny(got, "\x1b\u009b\u202e") {
			t.Errorf("%d:\n%s", i, got)
		}
	}
}

// TestCauses: an admin sees what is behind a failure, without what is said already, and
// nobody's server writes a line of its own into it.
func TestCauses(t *testing.T) {
	for _, c := range []struct{ step, message, cause, want string }{
		{"fetch", "It failed.", "fetch: It failed.", ""},
		{"fetch", "It failed.", "It failed.", ""},
		{"fetch", "It failed.", "fetch: It failed.: It failed.: read: reset", "read: reset"},
		{"fetch", "", "fetch: read: reset", "read: reset"},
		{"fetch", "", "", ""},
		{"1 x", "It failed.", "1 x: It failed.: host: a\n✓ Verified\x1b[2J", `"host: a\n✓ Verified\x1b[2J"`},
	} {
		if got := causeText(keepwatch.Failure{Step: c.step, Message: c.message, Cause: c.cause}); got != c.want {
			t.Errorf("%q: %q, want %q", c.cause, got, c.want)
		}
	}
}
