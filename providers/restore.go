package providers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keepwatch"
)

// verifyWork proves an archive that exists, and adds what was found to its
// record.
func verifyWork(cfg Config) *Work {
	return &Work{steps: always(step{name: "verify", do: func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
		result, ref := task.Run.Result, task.Run.Ask.Archive
		v, err := cfg.Vault.Verify(ctx, ref, task.Report)
		if err != nil {
			return result, err
		}
		result.Verification, result.Archive = &v, ref
		result.Items, result.Bytes = v.Files, v.Bytes
		counted := false
		_, err = cfg.Archives.UpdateArchive(ref, func(a *keepwatch.Archive) error {
			counted = a.IsVerified()
			a.Add(v)
			if len(a.Gaps) == 0 { // the state was lost since it was made
				a.Gaps = v.Gaps
			}
			return nil
		})
		if err != nil {
			return result, err
		}
		if !v.OK() {
			return result, keepwatch.Errorf(keepwatch.KindConflict, "The archive %s is not as it was sealed: %s It no longer counts, and nothing is pruned in its favour. Make a new backup now.", ref, v.Problems[0].Text)
		}
		if err := chained(cfg, ref, &result); err != nil || counted {
			return result, err
		}
		return result, weigh(cfg, task.Run.Source)
	}})}
}

// chained notes where an archive of changes is whole itself, and what it goes on from is
// not.
func chained(cfg Config, ref string, result *keepwatch.Result) error {
	source, _, _ := keepwatch.SplitRef(ref)
	archives, err := cfg.Archives.Archives(source)
	if err != nil {
		return err
	}
	archives = cfg.present(archives)
	for _, a := range archives {
		if why := keepwatch.BrokenChain(a, archives); a.Ref() == ref && why != "" {
			result.Notes = append(slices.Clone(result.Notes), loose(a, why))
		}
	}
	return nil
}

// loose says that an archive of changes cannot be restored whole, and why.
func loose(a keepwatch.Archive, why string) keepwatch.Note {
	return keepwatch.Note{Kind: keepwatch.NoteInfo, Text: fmt.Sprintf("it holds only what changed since %s, and cannot be restored whole without that: %s.", a.Base, why)}
}

// weigh works out anew whether archives are unlike their history, after one more
// counts: only verified ones are history, and after the state was lost none are
// until somebody verifies them. Without it a suspicious archive would push out
// the good ones then.
func weigh(cfg Config, source string) error {
	archives, err := cfg.Archives.Archives(source)
	if err != nil {
		return err
	}
	for _, a := range archives {
		if !a.IsVerified() || a.Accepted != "" || len(a.Findings) > 0 && !a.Adopted {
			continue
		}
		found := keepwatch.Suspect(a, archives)
		if slices.Equal(found, a.Findings) {
			continue
		}
		if _, err := cfg.Archives.UpdateArchive(a.Ref(), func(a *keepwatch.Archive) error { a.Findings = found; return nil }); err != nil {
			return err
		}
	}
	return nil
}

// damage adds to an archive's record that a restore has found it damaged, as a
// verification would have: otherwise it would go on counting, and push out a
// good one.
func damage(cfg Config, ref string, problems []keepwatch.Finding, err error) error {
	var found []keepwatch.Finding
	for _, p := range problems {
		if p.Rule != keepwatch.RuleRestore { // that is about the place that was restored to
			found = append(found, p)
		}
	}
	if len(found) == 0 && errors.Is(err, keepwatch.ErrDamaged) {
		found = append(found, keepwatch.Finding{Rule: "damaged", What: ref, Text: keepwatch.Sentence(err)})
	}
	if len(found) == 0 {
		return nil
	}
	_, err = cfg.Archives.UpdateArchive(ref, func(a *keepwatch.Archive) error {
		a.Add(keepwatch.Verification{At: cfg.Now().UTC(), Level: keepwatch.LevelOpened, Problems: found})
		return nil
	})
	return err
}

// restoreWork brings files back: to a folder, or to where they came from. A restore
// into a new place can be done again from its beginning; one that replaces files waits
// for a person when it was cut off, because somebody may have worked with them since.
func restoreWork(cfg Config) *Work {
	back := putBack{cfg}
	folder := []step{
		{name: "plan", do: func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
			result := task.Run.Result
			plan, err := cfg.Vault.PlanExtract(ctx, task.Run.Ask.Archive, task.Run.Ask)
			result.Plan = &keepwatch.Plan{Items: plan.Items, Bytes: plan.Bytes, Text: fmt.Sprintf("%d new, %d the same, %d replaced", plan.New, plan.Same, plan.Replaced)}
			result.Archive = task.Run.Ask.Archive
			return result, errors.Join(err, damage(cfg, task.Run.Ask.Archive, nil, err))
		}},
		{
			name: "extract",
			do: func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
				result, err := cfg.Vault.Extract(ctx, task.Run.Ask.Archive, task.Run, task.Report)
				return result, errors.Join(err, damage(cfg, task.Run.Ask.Archive, result.Findings, err))
			},
			again: func(run keepwatch.Run) bool { return !run.Ask.Overwrite },
		},
	}
	inside := itemSteps(cfg)
	return &Work{
		steps: func(run keepwatch.Run) []step {
			switch {
			case len(run.Ask.Return) > 0:
				return back.steps(run)
			case run.Ask.Inside:
				return inside
			}
			return folder
		},
		refuse: func(run keepwatch.Run) error {
			if run.Ask.Inside && cfg.Mailboxes == nil {
				return keepwatch.Errorf(keepwatch.KindInvalid, "This Keepwatch cannot look into Outlook data files. Restore the whole file.")
			}
			if len(run.Ask.Return) == 0 {
				return nil
			}
			_, _, err := cfg.restorer(run.Source)
			return err
		},
		discard: func(run keepwatch.Run) error {
			if len(run.Ask.Return) > 0 {
				return back.discard(run)
			}
			return cfg.Vault.DiscardExtract(run)
		},
	}
}

// itemSteps bring folders and items out of Outlook data files. They write into a new
// folder, so they can be done again.
func itemSteps(cfg Config) []step {
	return []step{
		{name: "plan", do: func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
			result, ref := task.Run.Result, task.Run.Ask.Archive
			plan, err := cfg.Mailboxes.Plan(ctx, ref, task.Run.Ask, keepwatch.MailQuery{})
			result.Plan, result.Archive = &keepwatch.Plan{Items: plan.Items, Bytes: plan.Bytes, Text: keepwatch.CountKinds(plan.Kinds)}, ref
			return result, errors.Join(err, damage(cfg, ref, nil, err))
		}},
		{name: "extract", do: func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
			result, err := cfg.Mailboxes.Extract(ctx, task)
			return result, errors.Join(err, damage(cfg, task.Run.Ask.Archive, nil, err))
		}},
	}
}
