package providers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// lab is everything that the works talk to, in memory.
type lab struct {
	archives   map[string]keepwatch.Archive
	inVault    map[string]bool // refs of folders
	staged     map[int64]bool
	published  map[int64]string
	open       []keepwatch.Run
	free       int64
	problems   []keepwatch.Finding // what the next verification finds
	fetchErr   error
	saveErr    error
	discarded  int64 // the restore whose leftovers were removed
	removeErr  error
	extractErr error // of planning a restore and of carrying it out
	keep       keepwatch.Keep
	zone       *time.Location // nil: UTC
	content    string
	notes      []keepwatch.Note   // what the next backup cannot read
	gaps       []string           // what the next verification of an archive tells of
	confirmed  string             // rules
	meanwhile  func(point string) // what others do as a point is passed; nil: nothing
	host       *host              // knows sources of the kind cpanel; nil: nobody does
	inside     map[string][]keepwatch.Entry
	copies     []string
	parts      []string // that the source web is configured to be kept in
	mail       *mailbox // knows sources of the kind outlook; nil: nobody does
	gone       bool     // the source mail is not in the configuration any more
	progress   []keepwatch.Progress
	saves      int           // how often a step has saved how far it is
	passed     time.Duration // since noon
}

func newLab() *lab {
	return &lab{archives: map[string]keepwatch.Archive{}, inVault: map[string]bool{}, staged: map[int64]bool{}, published: map[int64]string{}, free: 1 << 40, content: strings.Repeat("x", 1000)}
}

func (l *lab) Source(name string) (keepwatch.Source, error) {
	switch name {
	case "notes":
		return keepwatch.Source{Name: name, Kind: keepwatch.KindFiles}, nil
	case "web":
		return keepwatch.Source{Name: name, Kind: keepwatch.KindCPanel, Parts: l.parts}, nil
	case "mail":
		if !l.gone {
			return keepwatch.Source{Name: name, Kind: keepwatch.KindOutlook}, nil
		}
	}
	return keepwatch.Source{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no source %s.", name)
}

func (l *lab) Plan(context.Context, providers.Job) (keepwatch.Plan, error) {
	return keepwatch.Plan{Items: 1, Bytes: int64(len(l.content))}, nil
}

func (l *lab) Fetch(_ context.Context, job providers.Job, sink providers.Sink) error {
	job.Report(keepwatch.Progress{Bytes: 1})
	err := sink.Add(keepwatch.Entry{Path: "a", Type: keepwatch.EntryFile, Size: int64(len(l.content))}, strings.NewReader(l.content))
	for _, n := range l.notes {
		err = errors.Join(err, sink.Note(n))
	}
	return errors.Join(err, l.fetchErr)
}

type pack struct {
	l    *lab
	run  int64
	res  keepwatch.Result
	gaps keepwatch.Gaps
}

func (l *lab) Begin(run keepwatch.Run) (providers.Pack, error) {
	l.staged[run.ID] = true
	return &pack{l: l, run: run.ID}, nil
}

func (p *pack) Add(e keepwatch.Entry, r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	p.res.Items++
	p.res.Bytes += n
	return err
}
func (p *pack) Single(e keepwatch.Entry, r io.Reader) error { return p.Add(e, r) }
func (p *pack) Top(keepwatch.Entry) error                   { return nil }
func (p *pack) Note(n keepwatch.Note) error {
	p.gaps.Add(n)
	p.res.Counts = map[keepwatch.NoteKind]int64{n.Kind: p.res.Counts[n.Kind] + 1}
	return nil
}
func (p *pack) Close() (keepwatch.Result, error) {
	p.res.Gaps = p.gaps.List()
	p.res.Sealed = []keepwatch.SealedFile{{Name: "notes.tar.zst.age", Size: 10}}
	return p.res, nil
}
func (p *pack) Abort() error { delete(p.l.staged, p.run); return nil }

func (l *lab) VerifyStaged(_ context.Context, run keepwatch.Run, _ func(keepwatch.Progress)) (keepwatch.Verification, error) {
	return keepwatch.Verification{At: noon, Level: keepwatch.LevelOpened, Files: 1, Bytes: run.Result.Bytes, Problems: l.problems}, nil
}

func (l *lab) Publish(run keepwatch.Run, a keepwatch.Archive) (keepwatch.Archive, error) {
	stamp, done := l.published[run.ID]
	if !done {
		if !l.staged[run.ID] {
			return a, errors.New("nothing is staged")
		}
		stamp = keepwatch.StampOf(a.Started)
		l.published[run.ID] = stamp
		delete(l.staged, run.ID)
	}
	a.Stamp = stamp
	l.inVault[a.Ref()] = true
	return a, nil
}

func (l *lab) Published(run keepwatch.Run) (string, bool) {
	stamp, found := l.published[run.ID]
	return run.Source + "/" + stamp, found
}

func (l *lab) Discard(run int64) error { delete(l.staged, run); return nil }
func (l *lab) Free() (int64, error)    { return l.free, nil }
func (l *lab) Verify(context.Context, string, func(keepwatch.Progress)) (keepwatch.Verification, error) {
	return keepwatch.Verification{At: noon, Level: keepwatch.LevelOpened, Problems: l.problems, Gaps: l.gaps}, nil
}
func (l *lab) PlanExtract(context.Context, string, keepwatch.Ask) (keepwatch.RestorePlan, error) {
	if errors.Is(l.extractErr, keepwatch.ErrDamaged) {
		return keepwatch.RestorePlan{}, l.extractErr
	}
	return keepwatch.RestorePlan{Items: 2, New: 2}, nil
}
func (l *lab) Extract(_ context.Context, _ string, run keepwatch.Run, _ func(keepwatch.Progress)) (keepwatch.Result, error) {
	run.Result.Items, run.Result.Findings = 2, l.problems
	return run.Result, l.extractErr
}
func (l *lab) CopyTo(context.Context, keepwatch.Archive, string, bool, func(keepwatch.Progress)) error {
	return nil
}

func (l *lab) Contents(_ context.Context, ref string, entry func(keepwatch.Entry) error, _ func(keepwatch.Note) error) error {
	for _, e := range l.inside[ref] {
		if err := entry(e); err != nil {
			return err
		}
	}
	return l.extractErr
}

// OpenEntry gives a file of an archive; one that is called damaged is.
func (l *lab) OpenEntry(_ context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	for _, e := range l.inside[ref] {
		if e.Path != path {
			continue
		}
		content := io.Reader(strings.NewReader(ref))
		if strings.Contains(path, "damaged") {
			content = io.MultiReader(content, failing{keepwatch.Errorf(keepwatch.KindAttention, "%s in %s is damaged.", path, ref).Because(keepwatch.ErrDamaged)})
		}
		return e, io.NopCloser(content), nil
	}
	return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "%s holds no %s.", ref, path)
}

// failing gives an error to whoever reads it.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (l *lab) Remove(ref string) error {
	if l.removeErr == nil {
		delete(l.inVault, ref)
	}
	return l.removeErr
}

func (l *lab) DiscardExtract(run keepwatch.Run) error { l.discarded = run.ID; return nil }

func (l *lab) Missing(a keepwatch.Archive) string {
	if !l.inVault[a.Ref()] {
		return "Its folder is not there."
	}
	return ""
}

func (l *lab) SaveArchive(a keepwatch.Archive) error {
	if l.saveErr == nil {
		l.archives[a.Ref()] = a
	}
	return l.saveErr
}

func (l *lab) UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error) {
	a, ok := l.archives[ref]
	if !ok {
		return a, keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive %s.", ref)
	}
	err := change(&a)
	if err == nil {
		l.archives[ref] = a
	}
	return a, err
}

// rules are those that somebody would confirm.
func (l *lab) rules() string { return l.keep.Rules(time.UTC) }

// set changes a record, as somebody else does.
func (l *lab) set(ref string, change func(*keepwatch.Archive)) {
	a := l.archives[ref]
	change(&a)
	l.archives[ref] = a
}

func (l *lab) Archives(source string) ([]keepwatch.Archive, error) {
	var list []keepwatch.Archive
	for _, a := range l.archives {
		if a.Source == source {
			list = append(list, a)
		}
	}
	return list, nil
}

func (l *lab) Confirmed(string) (string, error)   { return l.confirmed, nil }
func (l *lab) Confirm(_, rules string) error      { l.confirmed = rules; return nil }
func (l *lab) DeleteArchive(ref string) error     { delete(l.archives, ref); return nil }
func (l *lab) OpenRuns() ([]keepwatch.Run, error) { return l.open, nil }

// die is what a named point does to a process that is killed there.
type die string

func (l *lab) works(t *testing.T, at string) map[keepwatch.RunKind]*providers.Work {
	t.Helper()
	w, err := providers.NewWorks(l.config(at))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (l *lab) config(at string) providers.Config {
	know := map[keepwatch.SourceKind]providers.Provider{keepwatch.KindFiles: l}
	if l.host != nil {
		know[keepwatch.KindCPanel] = l.host
	}
	if l.mail != nil {
		know[keepwatch.KindOutlook] = l.mail
	}
	return providers.Config{Sources: l, Providers: know, Vault: l, Archives: l, Keep: l.keep, Location: l.zone, Copies: l.copies, Copier: l,
		Now: func() time.Time { return noon.Add(l.passed) }, Crash: func(p string) {
			if l.meanwhile != nil {
				l.meanwhile(p)
			}
			if p == at {
				panic(die(p))
			}
		}}
}

func (l *lab) report(p keepwatch.Progress) { l.progress = append(l.progress, p) }

// carry does the steps of a run from where it stands, as the engine does.
func (l *lab) carry(t *testing.T, run *keepwatch.Run, at string) (err error) {
	t.Helper()
	w := l.works(t, at)[run.Kind]
	if run.Steps == nil {
		names, err := w.Steps(t.Context(), *run)
		if err != nil {
			return err
		}
		for _, n := range names {
			run.Steps = append(run.Steps, keepwatch.Step{Name: n})
		}
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(die); !ok {
				panic(p)
			}
			err = errors.New("killed")
		}
	}()
	for s := run.Current(); s != nil; s = run.Current() {
		result, err := w.Do(t.Context(), keepwatch.Task{Run: *run, Step: s.Name, Report: l.report, Checkpoint: l.checkpoint(run), Keep: func(data json.RawMessage) error {
			run.Result.Remote = slices.Clone(data)
			return nil
		}})
		result.Remote, result.Checkpoint = run.Result.Remote, run.Result.Checkpoint
		run.Result = result
		if err != nil {
			run.Failures = append(run.Failures, keepwatch.Failure{Step: s.Name, Kind: keepwatch.KindOf(err), Message: keepwatch.Sentence(err)})
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		s.State, run.Result.Checkpoint = keepwatch.StepDone, nil
	}
	return nil
}

// checkpoint keeps what steps save with a run, and counts how often they do.
func (l *lab) checkpoint(run *keepwatch.Run) func(json.RawMessage) error {
	return func(data json.RawMessage) error {
		l.saves++
		run.Result.Checkpoint = slices.Clone(data)
		return l.saveErr
	}
}

func backupRun(id int64) keepwatch.Run {
	return keepwatch.Run{ID: id, Kind: keepwatch.RunBackup, Source: "notes", Started: noon.AddDate(0, 0, int(id)-100)}
}

func TestBackup(t *testing.T) {
	l := newLab()
	run := backupRun(1)
	if err := l.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	a := l.archives[run.Result.Archive]
	if !a.IsVerified() || a.Run != 1 || a.Bytes != 1000 || !l.inVault[a.Ref()] || run.Result.Plan == nil {
		t.Errorf("%+v", a)
	}
}

// TestBackupKilled: at each point of its own, and then done again from the step
// that was cut off.
func TestBackupKilled(t *testing.T) {
	for _, point := range []string{"providers.fetch.begun", "providers.seal.before-record", "providers.seal.after-record", "providers.prune.marked", "providers.prune.before-record", "providers.prune.told", "providers.prune.after-record"} {
		l := newLab()
		l.keep = keepwatch.Keep{Last: 1}
		l.confirmed = l.rules()
		first, second := backupRun(1), backupRun(2)
		if err := l.carry(t, &first, ""); err != nil {
			t.Fatal(err)
		}
		if err := l.carry(t, &second, point); err == nil {
			t.Fatalf("%s was not passed", point)
		}
		if err := l.carry(t, &second, ""); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		if len(l.archives) != 1 || len(l.inVault) != 1 || !l.inVault[second.Result.Archive] || !l.archives[second.Result.Archive].IsVerified() || len(l.staged) != 0 {
			t.Errorf("%s: records %v, vault %v, staged %v", point, l.archives, l.inVault, l.staged)
		}
	}
}

// TestCancelledAroundTheSeal: before the archive is known to the run nothing of
// it stays; after that it does.
func TestCancelledAroundTheSeal(t *testing.T) {
	for _, c := range []struct {
		point string
		known bool
	}{{"providers.fetch.begun", false}, {"providers.seal.before-record", false}, {"providers.seal.after-record", false}, {"providers.prune.begun", true}} {
		l := newLab()
		run := backupRun(1)
		if err := l.carry(t, &run, c.point); err == nil {
			t.Fatalf("%s was not passed", c.point)
		}
		if err := l.works(t, "")[keepwatch.RunBackup].Discard(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if len(l.archives) != len(l.inVault) || len(l.inVault) == 1 != c.known || len(l.staged) != 0 || (run.Result.Archive != "") != c.known {
			t.Errorf("%s: records %v, vault %v, staged %v, the run says %q", c.point, l.archives, l.inVault, l.staged, run.Result.Archive)
		}
	}
}

func TestWhatIsNotRightIsNotPublished(t *testing.T) {
	l := newLab()
	l.problems = []keepwatch.Finding{{Rule: "hash", Text: "a is damaged."}}
	run := backupRun(1)
	if err := l.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(err.Error(), "a is damaged.") || len(l.inVault) != 0 || len(l.archives) != 0 {
		t.Errorf("%v %v", err, l.inVault)
	}
	l = newLab()
	l.fetchErr = errors.New("broke off")
	run = backupRun(1)
	if err := l.carry(t, &run, ""); err == nil || len(l.staged) != 0 {
		t.Errorf("%v, staged %v", err, l.staged)
	}
	l = newLab()
	l.free = 100
	run = backupRun(1)
	if err := l.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(err.Error(), "1000 B") || !strings.Contains(err.Error(), "100 B") {
		t.Errorf("without room: %v", err)
	}
}

func TestRefusedBeforeItBegins(t *testing.T) {
	l := newLab()
	for source, kind := range map[string]keepwatch.Kind{"web": keepwatch.KindInvalid, "nowhere": keepwatch.KindNotFound} {
		run := keepwatch.Run{Kind: keepwatch.RunBackup, Source: source}
		if err := l.carry(t, &run, ""); keepwatch.KindOf(err) != kind {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestVerifyKeepsWhatItFound(t *testing.T) {
	l := newLab()
	made := backupRun(1)
	if err := l.carry(t, &made, ""); err != nil {
		t.Fatal(err)
	}
	ref := made.Result.Archive
	l.problems = []keepwatch.Finding{{Rule: "hash", Text: "notes.tar.zst.age is not as it was written."}}
	run := keepwatch.Run{ID: 2, Kind: keepwatch.RunVerify, Source: "notes", Ask: keepwatch.Ask{Archive: ref}}
	if err := l.carry(t, &run, ""); err == nil || l.archives[ref].IsVerified() || run.Result.Verification == nil {
		t.Errorf("%v %+v", err, l.archives[ref].Verified)
	}
	l.problems = nil
	for range 50 {
		run := keepwatch.Run{ID: 3, Kind: keepwatch.RunVerify, Source: "notes", Ask: keepwatch.Ask{Archive: ref}}
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
	}
	if a := l.archives[ref]; !a.IsVerified() || len(a.Verified) > 20 {
		t.Errorf("%d verifications", len(a.Verified))
	}
}

// TestWeighedWhenItCounts: archives that nobody's word is known about are held
// against their history as soon as that counts, in whatever order they are verified.
func TestWeighedWhenItCounts(t *testing.T) {
	l := newLab()
	ref := func(n int) string { return "notes/" + keepwatch.StampOf(noon.AddDate(0, 0, n)) }
	for n, bytes := range []int64{1 << 20, 10} {
		at := noon.AddDate(0, 0, n)
		a := keepwatch.Archive{Source: "notes", Stamp: keepwatch.StampOf(at), Started: at, Items: 1, Bytes: bytes, Adopted: true}
		l.archives[a.Ref()], l.inVault[a.Ref()] = a, true
	}
	for _, n := range []int{1, 0} {
		run := keepwatch.Run{ID: 3, Kind: keepwatch.RunVerify, Source: "notes", Ask: keepwatch.Ask{Archive: ref(n)}}
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.archives[ref(1)].Findings) == 0 || len(l.archives[ref(0)].Findings) > 0 {
		t.Errorf("%+v", l.archives)
	}
}

// TestDamageThatARestoreFinds is kept with the archive, as if a verification had
// found it; what is wrong with the destination is not.
func TestDamageThatARestoreFinds(t *testing.T) {
	for _, c := range []struct {
		name     string
		problems []keepwatch.Finding
		err      error
		counts   bool
	}{
		{"a damaged file", []keepwatch.Finding{{Rule: "content", Text: "a is damaged."}}, keepwatch.Errorf(keepwatch.KindAttention, "Not everything could be restored."), false},
		{"no list of contents", nil, keepwatch.Errorf(keepwatch.KindAttention, "The list is missing.").Because(keepwatch.ErrDamaged), false},
		{"something in the way", []keepwatch.Finding{{Rule: keepwatch.RuleRestore, Text: "b stands there."}}, keepwatch.Errorf(keepwatch.KindAttention, "Not everything could be restored."), true},
		{"a full disk", nil, keepwatch.Errorf(keepwatch.KindAttention, "The disk is full."), true},
	} {
		l := newLab()
		made := backupRun(1)
		if err := l.carry(t, &made, ""); err != nil {
			t.Fatal(err)
		}
		l.problems, l.extractErr = c.problems, c.err
		run := keepwatch.Run{ID: 2, Kind: keepwatch.RunRestore, Source: "notes", Ask: keepwatch.Ask{Archive: made.Result.Archive, To: "/x"}}
		if err := l.carry(t, &run, ""); !errors.Is(err, c.err) || l.archives[made.Result.Archive].IsVerified() != c.counts {
			t.Errorf("%s: %v, %+v", c.name, err, l.archives[made.Result.Archive].Verified)
		}
	}
}

func TestARestoreThatIsGivenUpLeavesNothingHalf(t *testing.T) {
	l := newLab()
	if err := l.works(t, "")[keepwatch.RunRestore].Discard(t.Context(), keepwatch.Run{ID: 8, Kind: keepwatch.RunRestore}); err != nil || l.discarded != 8 {
		t.Errorf("%v, discarded %d", err, l.discarded)
	}
}

func TestOnlyAnOverwritingRestoreWaits(t *testing.T) {
	w := newLab().works(t, "")[keepwatch.RunRestore]
	if w.Resumable(keepwatch.Run{Ask: keepwatch.Ask{Overwrite: true}}, "extract") || !w.Resumable(keepwatch.Run{}, "extract") || w.Resumable(keepwatch.Run{}, "no such step") {
		t.Error("the wrong restore is done again")
	}
}
