package providers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// backup is the work of making an archive. Its steps can all be done again:
// plan only looks; request and wait find what was begun; download goes on; fetch makes its
// staging folder anew; verify only reads; seal publishes once; release finds what is gone;
// prune decides anew.
type backup struct {
	cfg   Config
	prune pruning
}

func backupWork(cfg Config) *Work {
	b := backup{cfg, pruning{cfg}}
	return &Work{
		steps: always(
			step{name: "plan", do: b.plan},
			step{name: "request", do: b.request, only: b.prepares},
			step{name: "wait", do: b.wait, only: b.prepares},
			step{name: stepDownload, do: b.download, only: b.downloads},
			step{name: "fetch", do: b.fetch},
			step{name: "verify", do: b.verify},
			step{name: "seal", do: b.seal},
			step{name: "copy", do: b.copy, only: func(keepwatch.Run) bool { return len(cfg.Copies) > 0 }}, // before anything old is removed
			step{name: "release", do: b.release, only: b.prepares},
			step{name: "prune", do: b.tidy},
		),
		refuse:  b.refuse,
		discard: b.discard,
	}
}

// refuse says why a backup cannot begin, or nil.
func (b backup) refuse(run keepwatch.Run) error {
	source, p, err := b.cfg.provider(run.Source)
	if err != nil {
		return err
	}
	if _, ok := p.(Inspector); run.Ask.Held != "" && !ok {
		return keepwatch.Errorf(keepwatch.KindInvalid, "%s is a source of kind %s, and no server holds backups of those that could be brought home.", source.Name, source.Kind)
	}
	if run.Ask.Changes {
		return source.RefuseChanges()
	}
	return nil
}

// discard removes what a run that did not finish has left. An archive that it
// has made and recorded stays: it is whole and verified, and the card says so.
// One that was put into its place and of which the run does not know, because it
// was killed before that was saved, would be a stranger in the vault.
func (b backup) discard(run keepwatch.Run) error {
	return errors.Join(b.forgetDownload(run), b.unpublish(run))
}

func (b backup) unpublish(run keepwatch.Run) error {
	if run.Result.Archive == "" {
		if ref, found := b.cfg.Vault.Published(run); found {
			if err := b.cfg.Vault.Remove(ref); err != nil {
				return err
			}
			if err := b.cfg.Archives.DeleteArchive(ref); err != nil {
				return err
			}
		}
	}
	return b.cfg.Vault.Discard(run.ID)
}

// job is what the provider is to do for a step.
func (b backup) job(task keepwatch.Task) (Job, Provider, error) {
	run := task.Run
	source, p, err := b.cfg.provider(run.Source)
	job := jobOf(source, run)
	if err != nil {
		return job, p, err
	}
	archives, err := b.cfg.Archives.Archives(run.Source)
	if err != nil {
		return job, p, err
	}
	archives = slices.DeleteFunc(archives, func(a keepwatch.Archive) bool { return a.Run == run.ID }) // its own, when it is released
	last, found := keepwatch.LastLike(source, run.Ask.Parts, archives)
	if run.Ask.Changes {
		last, found = keepwatch.BaseFor(source, run.Ask.Parts, b.cfg.present(archives), b.cfg.Now())
	}
	if found {
		job.Last = &last
	}
	job.Report = task.Report
	return job, p, remember(&job, task, "")
}

// jobOf is a job as far as the run alone tells of it. A source that is configured to
// be backed up in parts is, where nobody asks for others.
func jobOf(source keepwatch.Source, run keepwatch.Run) Job {
	job := Job{Source: source, Parts: run.Ask.Parts, Held: run.Ask.Held, Run: run.ID, Began: run.Started, Report: func(keepwatch.Progress) {}, Found: func(keepwatch.Inside) {}}
	if len(job.Parts) == 0 && job.Held == "" {
		job.Parts = source.Parts
	}
	if run.Ask.Changes {
		job.Changes = func(string) {}
	}
	return job
}

// present gives archives as they are in the vault: one of which something is missing there
// does not count, whatever its record says.
func (cfg Config) present(archives []keepwatch.Archive) []keepwatch.Archive {
	list := slices.Clone(archives)
	for i, a := range list {
		if gone := cfg.Vault.Missing(a); gone != "" {
			list[i] = a.Gone(cfg.Now(), gone)
		}
	}
	return list
}

// plan measures the source and sees that there is room for it.
func (b backup) plan(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	job, p, err := b.job(task)
	if err != nil {
		return result, err
	}
	job.Keep = nil // it changes nothing
	plan, err := p.Plan(ctx, job)
	if err != nil {
		return result, err
	}
	result.Plan = &plan
	return result, b.room(plan)
}

// Compression may do much or nothing, so only what cannot fit even if it does
// very much is refused before it is tried; anything else finds out on the way,
// and then waits for a person.
const (
	hopefulRatio = 20
	elbowRoom    = 2 << 20 // manifest, state and the like
)

func (b backup) room(plan keepwatch.Plan) error {
	free, err := b.cfg.Vault.Free()
	if err != nil {
		return fmt.Errorf("look at the room in the vault: %w", err)
	}
	if need := plan.Bytes/hopefulRatio + elbowRoom; free < need {
		return keepwatch.Errorf(keepwatch.KindAttention, "There is not enough room in the vault: %s are to be backed up, which needs %s even if it shrinks to a twentieth, and %s are free. Free some room, then retry.",
			keepwatch.FormatBytes(plan.Bytes), keepwatch.FormatBytes(need), keepwatch.FormatBytes(free))
	}
	return nil
}

// fetch reads the source once and seals it on the way.
func (b backup) fetch(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	job, p, err := b.job(task)
	if err != nil {
		return result, err
	}
	job.goesOn(&result)
	job.measured(result.Plan)
	var inside *keepwatch.Inside
	job.Found = func(i keepwatch.Inside) { inside = &i }
	pack, err := b.cfg.Vault.Begin(task.Run)
	if err != nil {
		return result, err
	}
	b.cfg.Crash("providers.fetch.begun")
	if err := p.Fetch(ctx, job, pack); err != nil {
		return result, errors.Join(err, pack.Abort())
	}
	got, err := pack.Close()
	if err != nil {
		return result, errors.Join(err, pack.Abort())
	}
	if err := context.Cause(ctx); err != nil {
		return result, err
	}
	got.Plan, got.Remote, got.Base, got.Inside = result.Plan, result.Remote, result.Base, inside
	return got, nil
}

// verify proves what was staged, from disk. What is not right is never
// published.
func (b backup) verify(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	v, err := b.cfg.Vault.VerifyStaged(ctx, task.Run, task.Report)
	if err != nil {
		return result, err
	}
	if !v.OK() {
		return result, keepwatch.Errorf(keepwatch.KindAttention, "What was written is not what was read: %s The disk or the memory of this machine may be failing. Nothing was put into the vault; cancel this run and start again when that is mended.", v.Problems[0].Text)
	}
	if v.Level == keepwatch.LevelOpened && (v.Bytes != result.Bytes) {
		return result, fmt.Errorf("verify: %d bytes were stored and %d read back", result.Bytes, v.Bytes)
	}
	result.Verification = &v
	return result, nil
}

// seal publishes the archive and saves its record. Killed between the two, it
// is done again: Publish then gives the archive that is there.
func (b backup) seal(_ context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	run, result := task.Run, task.Run.Result
	source, err := b.cfg.Sources.Source(run.Source)
	if err != nil {
		return result, err
	}
	history, err := b.cfg.Archives.Archives(run.Source)
	if err != nil {
		return result, err
	}
	a := keepwatch.Archive{
		Source: run.Source, Kind: source.Kind, Path: source.Path, Parts: run.Ask.Parts, Run: run.ID,
		Started: run.Started, Finished: result.Verification.At,
		Items: result.Items, Bytes: result.Bytes, Notes: result.Notes, Counts: result.Counts, Gaps: result.Gaps,
		Verified: []keepwatch.Verification{*result.Verification}, Inside: result.Inside, Mailboxes: result.Mailboxes, Base: result.Base, Held: run.Ask.Held, Fetched: run.Ask.Held != "",
	}
	if a.Held == "" && a.Inside != nil {
		a.Held = a.Inside.Name // the server holds it under that name until it is released
	}
	a.Peak = keepwatch.PeakOf(a, history)
	a.Findings = keepwatch.Suspect(a, history) // before it is published: they are written beside it
	if a.Base != "" {
		if why := keepwatch.BrokenChain(a, b.cfg.present(history)); why != "" {
			result.Notes = append(slices.Clone(result.Notes), loose(a, why))
			a.Notes = result.Notes
		}
	}
	if a, err = b.cfg.Vault.Publish(run, a); err != nil {
		return result, err
	}
	b.cfg.Crash("providers.seal.before-record")
	if err := b.cfg.Archives.SaveArchive(a); err != nil {
		return result, err
	}
	b.cfg.Crash("providers.seal.after-record")
	result.Archive, result.Findings = a.Ref(), a.Findings
	return result, nil
}

// tidy applies the retention policy after a backup, unless it is paused or
// there is none, or nobody has confirmed it for this source as it is now: a slip
// in the configuration must not remove an archive that nobody was shown. A
// backup never fails because of it.
func (b backup) tidy(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	b.cfg.Crash("providers.prune.begun")
	b.clear(task, &result)
	task.Run.Result = result
	if b.cfg.Keep.IsZero() {
		return result, nil
	}
	result, err := b.prune.settle(task)
	task.Run.Result = result
	if err != nil {
		return result, err
	}
	now, err := b.prune.decide(task.Run.Source)
	if err != nil {
		return result, err
	}
	if now.paused != "" {
		if len(result.Findings) == 0 { // it is another archive's; its own are on the card
			result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Path: now.odd, Text: "pruning is paused, since this archive is unlike those before it and nobody has said that it is right. " + now.paused})
		}
		return result, nil
	}
	if now.wait != "" {
		result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "no old archive was tidied up, since " + now.wait + " The next backup does it."})
		return result, nil
	}
	confirmed, err := b.cfg.Archives.Confirmed(task.Run.Source)
	if err != nil {
		return result, err
	}
	if len(now.remove) > 0 && confirmed != b.cfg.Keep.Rules(b.cfg.Location) {
		result.Waiting = now.remove
		return result, nil // the card of the run says what to do
	}
	done, err := b.prune.remove(ctx, task, now.remove)
	if err != nil && context.Cause(ctx) == nil {
		b.cfg.Log.Error("old archives could not be tidied up after a backup", "run", task.Run.ID, "source", task.Run.Source, "err", err)
		text := strings.TrimSpace("The archive is in its place, but old ones could not be tidied up; the next backup tries again. " + keepwatch.Sentence(err))
		done.Notes, err = append(slices.Clone(done.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Text: text}), nil
	}
	return done, err
}
