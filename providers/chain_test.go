package providers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestChanges: each goes on from the newest before it, whole or itself of changes; one
// that is asked for where there is none is whole.
func TestChanges(t *testing.T) {
	for _, late := range []bool{false, true} {
		m := newMailbox()
		m.late = late
		base := ""
		for id := int64(1); id < 5; id++ {
			run := mailRun(id, true)
			m.jobs = nil
			if err := m.lab.carry(t, &run, ""); err != nil {
				t.Fatal(err)
			}
			a := m.lab.archives[run.Result.Archive]
			if a.Base != base || run.Result.Base != base || len(a.Findings) > 0 || a.Peak != (keepwatch.Peak{}) {
				t.Errorf("late %t, run %d: goes on from %q and not %q: %+v", late, id, a.Base, base, a)
			}
			for _, job := range m.jobs {
				if job.Changes == nil || (job.Last != nil) != (base != "") || base != "" && job.Last.Ref() != base {
					t.Errorf("run %d was told %+v", id, job.Last)
				}
			}
			base = a.Ref()
		}
		m.jobs = nil
		whole := mailRun(5, false)
		if err := m.lab.carry(t, &whole, ""); err != nil || m.lab.archives[whole.Result.Archive].Base != "" {
			t.Errorf("%v, a whole one goes on from %q", err, m.lab.archives[whole.Result.Archive].Base)
		}
		if first := "mail/" + keepwatch.StampOf(mailRun(1, false).Started); m.jobs[0].Last == nil || m.jobs[0].Last.Ref() != first {
			t.Errorf("a whole one is held against %+v", m.jobs[0].Last)
		}
	}
}

// TestChangesTakenBack: what the download went on from, the server has forgotten by the time
// of the fetch.
func TestChangesTakenBack(t *testing.T) {
	m := newMailbox()
	m.lab.chain("w")
	run := mailRun(60, true)
	m.errs["fetch"] = keepwatch.Errorf(keepwatch.KindAttention, "x")
	if err := m.lab.carry(t, &run, ""); err == nil || run.Result.Base == "" {
		t.Fatalf("%v, %q", err, run.Result.Base)
	}
	m.whole = true
	if err := m.lab.carry(t, &run, ""); err != nil || run.Result.Base != "" || m.lab.archives[run.Result.Archive].Base != "" {
		t.Errorf("%v, %q", err, run.Result.Base)
	}
}

// TestNoDoubtfulBase: what is not in the vault, or in doubt, is nothing to go on from.
func TestNoDoubtfulBase(t *testing.T) {
	for name, spoil := range map[string]func(l *lab, ref string){
		"its folder is gone": func(l *lab, ref string) { delete(l.inVault, ref) },
		"it is in doubt": func(l *lab, ref string) {
			l.set(ref, func(a *keepwatch.Archive) { a.Findings = []keepwatch.Finding{{Text: "It shrank."}} })
		},
		"it is damaged": func(l *lab, ref string) {
			l.set(ref, func(a *keepwatch.Archive) { a.Add(keepwatch.Verification{Problems: []keepwatch.Finding{{Text: "x"}}}) })
		},
	} {
		m := newMailbox()
		refs := m.lab.chain("wcc")
		spoil(m.lab, refs[1])
		run := mailRun(60, true)
		if err := m.lab.carry(t, &run, ""); err != nil || run.Result.Base != refs[0] {
			t.Errorf("%s: %v, goes on from %q", name, err, run.Result.Base)
		}
	}
}

// TestABaseThatIsLostMeanwhile: what changed is worth having all the same, and the card
// says what it lacks.
func TestABaseThatIsLostMeanwhile(t *testing.T) {
	m := newMailbox()
	refs := m.lab.chain("w")
	run := mailRun(60, true)
	m.errs["fetch"] = keepwatch.Errorf(keepwatch.KindAttention, "x")
	if err := m.lab.carry(t, &run, ""); err == nil {
		t.Fatal("it went through")
	}
	delete(m.lab.inVault, refs[0])
	if err := m.lab.carry(t, &run, ""); err != nil || run.Result.Base != refs[0] {
		t.Fatalf("%v, %q", err, run.Result.Base)
	}
	for _, notes := range [][]keepwatch.Note{run.Result.Notes, m.lab.archives[run.Result.Archive].Notes} {
		if len(notes) != 1 || !strings.Contains(notes[0].Text, "cannot be restored whole without that: "+refs[0]+" is not as it should be") {
			t.Errorf("%+v", notes)
		}
	}
}

func TestOnlyMailboxesHaveChanges(t *testing.T) {
	h := newHost()
	for _, source := range []string{"notes", "web"} {
		run := backupRun(1)
		run.Source, run.Ask.Changes = source, true
		if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "Microsoft 365 mailboxes") || len(run.Steps) != 0 {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// TestVerifySaysWhatIsMissing: an archive of changes is whole itself, and worth little
// without what it goes on from.
func TestVerifySaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(l *lab, refs []string)
		want  string // in the note; "": none
	}{
		{"nothing", nil, ""},
		{"the folder of the whole one", func(l *lab, refs []string) { delete(l.inVault, refs[0]) }, "mail/2026-10-05T120000Z is not as it should be"},
		{"the record of one between", func(l *lab, refs []string) { delete(l.archives, refs[1]) }, "mail/2026-10-06T120000Z is not there"},
		{"a proof", func(l *lab, refs []string) { l.set(refs[0], func(a *keepwatch.Archive) { a.Verified = nil }) }, "mail/2026-10-05T120000Z is not verified"},
	} {
		l := newMailbox().lab
		refs := l.chain("wcc")
		if c.spoil != nil {
			c.spoil(l, refs)
		}
		run := keepwatch.Run{ID: 70, Kind: keepwatch.RunVerify, Source: "mail", Ask: keepwatch.Ask{Archive: refs[2]}}
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, n := range run.Result.Notes {
			text += n.Text
		}
		if (text != "") != (c.want != "") || !strings.Contains(text, c.want) || !l.archives[refs[2]].IsVerified() {
			t.Errorf("%s: %q", c.name, text)
		}
	}
}

// TestPruningKeepsChains: killed at any point of it, no archive of changes lies in the
// vault without what it goes on from, and in the end all that the rules remove is gone.
func TestPruningKeepsChains(t *testing.T) {
	for _, point := range []string{"", "providers.prune.marked", "providers.prune.before-record", "providers.prune.told", "providers.prune.after-record"} {
		for nth := 1; nth < 4; nth++ {
			l := newMailbox().lab
			refs := l.chain("wccwcw")
			l.keep = keepwatch.Keep{Last: 1}
			l.confirmed = l.rules()
			l.set(refs[4], func(a *keepwatch.Archive) { a.Pinned = "x" })
			passed := 0
			l.meanwhile = func(p string) {
				if bad := l.severed(); len(bad) > 0 {
					t.Errorf("%s, %d: at %s %v lie there alone", point, nth, p, bad)
				}
				if p == point {
					if passed++; passed == nth {
						panic(die(p))
					}
				}
			}
			run := keepwatch.Run{ID: 70, Kind: keepwatch.RunPrune, Source: "mail", Ask: keepwatch.Ask{Remove: refs, Rules: l.rules()}}
			if err := l.carry(t, &run, ""); (err == nil) != (point == "") {
				t.Fatalf("%s, %d: %v", point, nth, err)
			}
			l.meanwhile = nil
			again := keepwatch.Run{ID: 71, Kind: keepwatch.RunPrune, Source: "mail", Ask: run.Ask}
			if err := l.carry(t, &again, ""); err != nil {
				t.Fatal(err)
			}
			var left []string
			for ref := range l.inVault {
				left = append(left, ref)
			}
			slices.Sort(left)
			if d := cmp.Diff(refs[3:], left); d != "" || len(l.archives) != 3 {
				t.Errorf("%s, %d: %s, %d records", point, nth, d, len(l.archives))
			}
		}
	}
}

// TestNoBaseIsPrunedAlone: a plan that names what another archive goes on from, and not
// that one, removes neither.
func TestNoBaseIsPrunedAlone(t *testing.T) {
	l := newMailbox().lab
	refs := l.chain("wcw")
	l.keep = keepwatch.Keep{Last: 1}
	run := keepwatch.Run{ID: 70, Kind: keepwatch.RunPrune, Source: "mail", Ask: keepwatch.Ask{Remove: refs[:1], Rules: l.rules()}}
	if err := l.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	if n := run.Result.Notes; len(l.inVault) != 3 || len(n) != 1 || n[0].Path != refs[0] || !strings.Contains(n[0].Text, refs[1]+" goes on from it") || l.archives[refs[0]].Removing {
		t.Errorf("vault %v, notes %+v", l.inVault, n)
	}
}
