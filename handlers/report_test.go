package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// ledger is what a report looks back on.
type ledger struct {
	Authenticator
	Warnings
	due      []keepwatch.Occurrence
	said     []keepwatch.Attestation
	told     []keepwatch.Warning
	devices  []keepwatch.DeviceState
	custody  []keepwatch.CustodyState
	since    []time.Time
	openOnly []keepwatch.Warning
	err      error
}

func (l *ledger) OccurrencesSince(t time.Time, _ int) ([]keepwatch.Occurrence, error) {
	l.since = append(l.since, t)
	return l.due, l.err
}
func (l *ledger) AttestationsSince(time.Time) ([]keepwatch.Attestation, error) { return l.said, nil }
func (l *ledger) WarningsSince(time.Time) ([]keepwatch.Warning, error)         { return l.told, nil }
func (l *ledger) Devices() ([]keepwatch.DeviceState, error)                    { return l.devices, nil }
func (l *ledger) Custodies() ([]keepwatch.CustodyState, error)                 { return l.custody, nil }

// open gives the warnings that hold.
type open struct{ *ledger }

func (o open) Warnings() ([]keepwatch.Warning, error) { return o.openOnly, nil }
func (o open) Warning(id string) (keepwatch.Warning, error) {
	return keepwatch.Warning{}, errors.New(id)
}
func (o open) AckWarning(id, _ string, _ time.Time, _ string) (keepwatch.Warning, error) {
	return keepwatch.Warning{}, errors.New(id)
}

// month fills a world with a source that is due each night of November at 3:00, with a
// letter for what came of each: g good, p partly, f failed, m missed, o under way.
func (w *world) month(l *ledger, name, days string, size int64) {
	w.known = append(w.known, keepwatch.Source{Name: name, Kind: keepwatch.KindCPanel, Schedule: "0 3 * * *"})
	for n, what := range days {
		at := time.Date(2026, 11, n+1, 3, 0, 0, 0, time.UTC)
		o := keepwatch.Occurrence{ID: keepwatch.OccurrenceID("schedule:"+name, at.Format(keepwatch.WallLayout)), Kind: keepwatch.RuleCommand, Command: "backup start " + name, At: at, State: keepwatch.OccurrenceDone}
		if what == 'm' {
			o.State = keepwatch.OccurrenceMissed
			l.due = append(l.due, o)
			continue
		}
		run := keepwatch.Run{ID: int64(len(w.runs) + 1), Kind: keepwatch.RunBackup, Source: name, Created: at, Due: o.ID, State: keepwatch.RunDone}
		a := keepwatch.Archive{Source: name, Stamp: keepwatch.StampOf(at), Started: at, Run: run.ID, SealedBytes: size + int64(n)<<16}
		a.Verified = []keepwatch.Verification{proof(at)}
		run.Result = keepwatch.Result{Sealed: []keepwatch.SealedFile{{Size: a.SealedBytes}}, Archive: a.Ref(), Verification: &a.Verified[0]}
		switch what {
		case 'p':
			run.Result.Gaps = []string{"x"}
		case 'f':
			run.State, o.State = keepwatch.RunFailed, keepwatch.OccurrenceFailed
		case 'o':
			run.State, o.State = keepwatch.RunRunning, keepwatch.OccurrenceRunning
		case ' ':
			continue
		}
		l.due = append(l.due, o)
		w.runs[run.ID] = run
		if run.State == keepwatch.RunDone {
			w.archives = append(w.archives, a)
		}
	}
}

func (l *ledger) people() {
	at := noon.AddDate(0, 0, -12)
	l.devices = []keepwatch.DeviceState{
		{Person: "Alis", Device: keepwatch.Device{Name: "Alis iPhone"}, Standing: keepwatch.StandingFresh, Seen: at}, {Person: "Olwen", Device: keepwatch.Device{Name: "Pixel"}, Standing: keepwatch.StandingNever},
	}
	l.custody = []keepwatch.CustodyState{{Custody: keepwatch.Custody{Name: "vault-key", What: "the key to all archives"}, Last: &keepwatch.Attestation{State: keepwatch.AttestedRecorded, By: "Alis", Said: at, Where: "in the safe"}}, {Custody: keepwatch.Custody{Name: "pst"}}}
	l.said = []keepwatch.Attestation{{Subject: "drill/alis", Person: "Alis", Said: at, State: keepwatch.AttestedProblem}, {Subject: "checklist/ios", Said: at, State: keepwatch.AttestedDone}, {Subject: "drill/alis", Said: at.AddDate(-1, 0, 0), State: keepwatch.AttestedDone}}
	l.told = []keepwatch.Warning{
		{ID: "w1", First: at, Fact: keepwatch.Fact{Tone: keepwatch.ToneWarn, Title: "The Graph client secret runs out", Until: noon.AddDate(0, 1, 0)}},
		{ID: "w2", First: at, Resolved: at.Add(time.Hour)},
	}
	l.openOnly = []keepwatch.Warning{l.told[0], {ID: "w3", First: at.AddDate(0, -2, 0), Fact: keepwatch.Fact{Tone: keepwatch.ToneBad, Title: "ruthin-web has no second copy"}}}
}

// reporter makes a router with all that a report stands on.
func (w *world) reporter(t *testing.T, l *ledger) *Router {
	r := w.router(t)
	r.cfg.Duties = Duties{Record: l, Authenticator: l, Warnings: open{l}, Chart: func(keepwatch.Report) ([]byte, error) { return []byte("picture"), nil }}
	return r
}

func emptyWorld() (*world, *ledger) {
	return &world{runs: map[int64]keepwatch.Run{}}, &ledger{}
}

// TestReport holds reports to the texts that were read and found good.
func TestReport(t *testing.T) {
	for name, fill := range map[string]func(w *world, l *ledger){
		"report-empty": func(*world, *ledger) {},
		"report-full": func(w *world, l *ledger) {
			w.month(l, "ruthin-web", strings.Repeat("g", 24), 1_400_000_000)
			w.month(l, "alis-mail", " g      g      g", 12_000_000_000)
			w.known = append(w.known, keepwatch.Source{Name: "pst-drop"})
			l.people()
			l.devices, l.told, l.openOnly = l.devices[:1], nil, nil
		},
		"report-trouble": func(w *world, l *ledger) {
			w.month(l, "ruthin-web", "gggggggggmmgfffgggggpgfo", 1_400_000_000)
			w.month(l, strings.Repeat("long-name", 7), "ggpgggggggggmggggggggggf", 80_000)
			w.month(l, "never", strings.Repeat("f", 24), 0)
			w.known = w.known[:2]
			l.people()
		},
		"report-many": func(w *world, l *ledger) {
			for i := range 40 {
				days := []byte(strings.Repeat("g", 24))
				if i%5 == 0 {
					days[i%24] = "fmp"[i%3]
				}
				w.month(l, fmt.Sprintf("site-%02d", i), string(days), 1<<20*int64(i+1))
			}
			for i := range 20 {
				l.devices = append(l.devices, keepwatch.DeviceState{Person: fmt.Sprint("Person ", i), Device: keepwatch.Device{Name: "phone"}, Standing: keepwatch.StandingFresh, Seen: noon})
				l.told = append(l.told, keepwatch.Warning{ID: fmt.Sprint("w", i), First: noon.Add(time.Duration(i) * time.Hour), Fact: keepwatch.Fact{Tone: keepwatch.ToneWarn, Title: "something"}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, l := emptyWorld()
			fill(w, l)
			msg := w.reporter(t, l).Handle(t.Context(), ask("keepwatch report", "slack:U3"))
			got := plain(msg)
			for _, f := range msg.Files {
				got += fmt.Sprintf("<%s, %s, %q: %s>\n", f.Name, f.Type, f.Data, f.Alt)
			}
			golden(t, name, got)
			if strings.Contains(got, "in the safe") {
				t.Error("a channel is told where a secret lies")
			}
		})
	}
}

// TestReportMonth: which month is meant, by the clock of the bot's place.
func TestReportMonth(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ now, text, want string }{
		{"2026-11-04T00:00", "", "November 2026"}, {"2026-11-03T23:59", "", "October 2026"}, {"2026-01-01T00:00", "", "December 2025"},
		{"2026-11-24T12:00", "2026-11", "November 2026"}, {"2026-11-01T00:00", "2026-11", "November 2026"}, {"2026-11-24T12:00", "2024-02", "February 2024"},
		{"2026-11-24T12:00", "2026-12", "has not begun yet"}, {"2026-10-31T23:59", "2026-11", "has not begun yet"},
		{"2026-11-24T12:00", "november", `"november" is no month`}, {"2026-11-24T12:00", "2026-13", "is no month"}, {"2026-11-24T12:00", "11-2026", "2026-11"},
	} {
		w, l := emptyWorld()
		r := w.reporter(t, l)
		now, err := time.ParseInLocation(keepwatch.WallLayout, c.now, auckland)
		if err != nil {
			t.Fatal(err)
		}
		r.cfg.Now, r.cfg.Location = func() time.Time { return now.UTC() }, auckland
		if got := plain(r.Handle(t.Context(), ask("keepwatch report "+c.text, "slack:U3"))); !strings.Contains(got, c.want) {
			t.Errorf("%s, %q: %s", c.now, c.text, got)
		}
	}
}

// TestReportPicture: there is one on the first page alone; without it the text says so.
func TestReportPicture(t *testing.T) {
	w, l := emptyWorld()
	for i := range 20 {
		w.month(l, fmt.Sprintf("site-%02d", i), "g", 1)
	}
	r := w.reporter(t, l)
	first := r.Handle(t.Context(), ask("keepwatch report", "slack:U3"))
	second := r.Handle(t.Context(), ask("keepwatch report --page 2", "slack:U3"))
	if len(first.Files) != 1 || len(second.Files) != 0 || !strings.Contains(plain(second), "site-19") {
		t.Errorf("%d files, then %d: %s", len(first.Files), len(second.Files), plain(second))
	}
	for what, chart := range map[string]func(keepwatch.Report) ([]byte, error){
		"draws none": nil, "could not be drawn": func(keepwatch.Report) ([]byte, error) { return nil, errors.New("no font") },
	} {
		r.cfg.Duties.Chart = chart
		msg := r.Handle(t.Context(), ask("keepwatch report", "slack:U3"))
		if len(msg.Files) != 0 || msg.Failed || !strings.Contains(plain(msg), what) || strings.Contains(plain(msg), "no font") {
			t.Errorf("%s: %s", what, plain(msg))
		}
	}
	if !strings.Contains(w.log.String(), "no font") {
		t.Error("the reason is not in the log")
	}
}

// TestReportParts: what is not there is left out, and what fails is said.
func TestReportParts(t *testing.T) {
	w, l := emptyWorld()
	w.month(l, "ruthin-web", "gg", 1)
	r := w.router(t)
	if got := plain(r.Handle(t.Context(), ask("keepwatch report", "slack:U3"))); !strings.Contains(got, "2 good") {
		t.Errorf("without anything: %s", got)
	}
	r = w.reporter(t, l)
	l.err = errors.New("the disk is broken")
	if msg := r.Handle(t.Context(), ask("keepwatch report", "slack:U3")); !msg.Failed || strings.Contains(plain(msg), "broken") {
		t.Errorf("with a broken disk: %s", plain(msg))
	}
	if len(l.since) == 0 || !l.since[0].Equal(time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it was asked since %v", l.since)
	}
}

// longHistory has more runs than are read at once, of which the newest are asked for.
type longHistory struct {
	*world
	runs  []keepwatch.Run // newest first
	asked []int
}

func (h *longHistory) RecentRuns(_ string, limit int) ([]keepwatch.Run, error) {
	h.asked = append(h.asked, limit)
	return slices.Clone(h.runs[:min(limit, len(h.runs))]), nil
}

func TestReportReadsEnough(t *testing.T) {
	w, l := emptyWorld()
	h := &longHistory{world: w}
	for i := range 6000 {
		h.runs = append(h.runs, keepwatch.Run{ID: int64(6000 - i), Kind: keepwatch.RunBackup, Source: "x", State: keepwatch.RunDone, Created: noon.Add(-time.Duration(i) * 10 * time.Minute)})
	}
	r := w.reporter(t, l)
	r.cfg.History = h
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	runs, err := r.runsSince(from)
	if err != nil || len(runs) != int(noon.Sub(from)/(10*time.Minute))+1 || !slices.Equal(h.asked, []int{1000, 4000}) {
		t.Errorf("%d runs, asked for %v, %v", len(runs), h.asked, err)
	}
}

// TestPublicAnswer: a report is for all in the channel, a refusal and a further page
// are not.
func TestPublicAnswer(t *testing.T) {
	w, l := emptyWorld()
	r := w.reporter(t, l)
	desk := &Desk{cfg: DeskConfig{Router: r, Now: func() time.Time { return noon }}}
	for _, c := range []struct {
		text             string
		private, replace bool // as it came, in the first
		want             bool
	}{
		{"keepwatch report", true, false, false}, {"keepwatch report", false, false, false}, {"keepwatch report", true, true, true},
		{"keepwatch report 2031-01", true, false, true}, {"keepwatch report --page 2", true, false, true}, {"backup sources", true, false, true},
	} {
		d := keepwatch.Delivery{Request: ask(c.text, "slack:U3"), Reply: keepwatch.Reply{Private: c.private, Replace: c.replace, Token: "t"}}
		msg := r.Handle(context.Background(), d.Request)
		if out := desk.outgoing(d, msg); len(out) != 1 || out[0].Reply.Private != c.want {
			t.Errorf("%s, %t: %+v", c.text, c.private, out[0].Reply)
		}
	}
}

// TestMonthThatBeginsAtOne: the clocks of Paraguay went forward at the midnight with
// which October 2023 began.
func TestMonthThatBeginsAtOne(t *testing.T) {
	w, l := emptyWorld()
	r := w.reporter(t, l)
	loc, err := time.LoadLocation("America/Asuncion")
	if err != nil {
		t.Fatal(err)
	}
	r.cfg.Location = loc
	msg := r.Handle(t.Context(), ask("/keepwatch report 2023-10", "slack:U1"))
	if !strings.HasPrefix(msg.Title, "Backups in October 2023:") || msg.Files[0].Name != "report-2023-10.png" || msg.Buttons[0].Command != "keepwatch report 2023-09" || msg.Buttons[1].Command != "keepwatch report 2023-11" {
		t.Error(plain(msg))
	}
}

// longAgo keeps one drill.
type longAgo struct{ at time.Time }

func (l longAgo) Attestations(subject string, _ int) ([]keepwatch.Attestation, error) {
	if subject != "drill/alis" {
		return nil, nil
	}
	return []keepwatch.Attestation{{Subject: subject, Person: "Alis", Said: l.at.AddDate(0, 1, 0), State: keepwatch.AttestedStopped}, {Subject: subject, Person: "Alis", Said: l.at, State: keepwatch.AttestedDone}}, nil
}

// TestDrillOfLongAgo: that the last drill is years ago is what a report is to say, and
// not that there was none.
func TestDrillOfLongAgo(t *testing.T) {
	w, l := emptyWorld()
	r := w.reporter(t, l)
	r.cfg.People = []keepwatch.Person{{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"slack": "U1"}}, {Name: "Olwen"}}
	r.cfg.Duties.Attestations = longAgo{time.Date(2024, 2, 5, 12, 0, 0, 0, time.UTC)}
	if got := plain(r.Handle(t.Context(), ask("/keepwatch report", "slack:U1"))); !strings.Contains(got, "Last lock-out drill: 5 Feb 2024, Alis, done") || !strings.Contains(got, "0 times") {
		t.Error(got)
	}
}

// TestDueIsNotLate: a phone that is asked about just now is in order, as
// `/authenticator ready` says too; one that was looked at is not where its backup is
// old.
func TestDueIsNotLate(t *testing.T) {
	w, l := emptyWorld()
	l.people()
	l.devices[1].Standing = keepwatch.StandingDue
	l.devices = append(l.devices, keepwatch.DeviceState{Person: "Olwen", Device: keepwatch.Device{Name: "Old one"}, Standing: keepwatch.StandingOld})
	if got := plain(w.reporter(t, l).Handle(t.Context(), ask("/keepwatch report", "slack:U1"))); !strings.Contains(got, "2 of 3 in order") {
		t.Error(got)
	}
}

// TestRunOfTheMonthBefore: what was due in the last minutes of October and begun after
// them is of October, and of no other month.
func TestRunOfTheMonthBefore(t *testing.T) {
	w, l := emptyWorld()
	w.month(l, "notes", "g", 1<<20)
	at := time.Date(2026, 10, 31, 23, 50, 0, 0, time.UTC)
	l.due[0].At, l.due[0].ID = at, "schedule:notes@2026-10-31T23:50"
	run := w.runs[1]
	run.Due, run.Created = l.due[0].ID, at.Add(20*time.Minute)
	w.runs[1] = run
	w.archives = nil
	all := l.due
	for month, want := range map[string]string{"2026-10": "1 of 1 backup done. Runs of all kinds: 1 (1 done)", "2026-11": "0 of 0 backups done. Runs of all kinds: 0."} {
		r := w.reporter(t, l)
		r.cfg.Duties.Record = since{l, all}
		if got := plain(r.Handle(t.Context(), ask("/keepwatch report "+month, "slack:U1"))); !strings.Contains(got, want) {
			t.Errorf("%s: %s", month, got)
		}
	}
}

// since gives what came due from a moment on, and nothing before.
type since struct {
	*ledger
	all []keepwatch.Occurrence
}

func (s since) OccurrencesSince(t time.Time, _ int) (list []keepwatch.Occurrence, _ error) {
	for _, o := range s.all {
		if !o.At.Before(t) {
			list = append(list, o)
		}
	}
	return list, nil
}

// TestDossierIsListed: the dossier is none of the sources that somebody lists, and was
// not taken out of them either.
func TestDossierIsListed(t *testing.T) {
	loc := time.UTC
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, loc)
	at := from.AddDate(0, 0, 4)
	in := keepwatch.ReportInput{From: from, To: from.AddDate(0, 1, 0), Location: loc, Made: from.AddDate(0, 0, 9)}
	for n, name := range []string{keepwatch.DossierSource, "old"} {
		in.Runs = append(in.Runs, keepwatch.Run{ID: int64(n + 1), Kind: keepwatch.RunBackup, Source: name, State: keepwatch.RunDone, Created: at})
	}
	var names []string
	for _, b := range ReportMessage(keepwatch.NewReport(in)).Blocks {
		if b.Table != nil {
			for _, row := range b.Table.Rows {
				names = append(names, row[0])
			}
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"dossier", "old (no longer listed)"}) {
		t.Error(names)
	}
}
