package mailbox

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"keepwatch"
	"keepwatch/pst"
)

// Plan says what Extract would do: what is asked for, how much that is, and into which
// new folder it goes. Where ask.To is there already, a new folder is made in it. With a
// query it is only what fits that, in each of the parts, and plan.What names each item.
func (m *Mailboxes) Plan(ctx context.Context, ref string, ask keepwatch.Ask, q keepwatch.MailQuery) (keepwatch.MailPlan, error) {
	plan := keepwatch.MailPlan{Ref: ref, Free: -1, Kinds: map[keepwatch.ItemKind]int64{}}
	var err error
	if plan.Free, err = m.cfg.Vault.Room(ask.To); err != nil {
		return plan, err
	}
	parts, err := m.find(ctx, ref, ask.Parts)
	if err != nil {
		return plan, err
	}
	if plan.To, err = newFolder(ask.To, parts[0].file); err != nil {
		return plan, err
	}
	return plan, m.each(ctx, ref, parts, func(keepwatch.Progress) {}, func(o *opened, parts []asked) error {
		if o.rescued {
			plan.Lost++
		}
		if q.IsZero() {
			return o.choose(ctx, ref, parts, &plan)
		}
		for _, a := range parts {
			if err := m.chooseFound(ctx, o, ref, a, q, &plan); err != nil {
				return err
			}
		}
		return nil
	})
}

// each opens the file of each part, and does something with the parts of one file that
// follow one another: whoever looks into another file meanwhile does not have the first
// unpacked anew for each of them.
func (m *Mailboxes) each(ctx context.Context, ref string, parts []asked, report func(keepwatch.Progress), do func(*opened, []asked) error) error {
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].file == parts[0].file {
			n++
		}
		o, release, err := m.open(ctx, ref, parts[0].file, report)
		if err != nil {
			return err
		}
		if err = do(o, parts[:n]); err == nil {
			err = o.data.fault()
		}
		release()
		if err != nil {
			return err
		}
		parts = parts[n:]
	}
	return nil
}

// chooseFound adds to a plan what a search finds in one part.
func (m *Mailboxes) chooseFound(ctx context.Context, o *opened, ref string, a asked, q keepwatch.MailQuery, plan *keepwatch.MailPlan) error {
	hits, err := m.search(ctx, o, ref, a, q, false)
	if err != nil {
		return err
	}
	chosen := map[string]bool{} // one folder may lie below another that was asked for
	for _, what := range plan.What {
		chosen[what.Part] = true
	}
	for _, hit := range hits.Hits {
		if part := keepwatch.MailPart(a.file, hit.Folder, hit.Item.Number); !chosen[part] {
			plan.What = append(plan.What, keepwatch.MailChoice{Part: part, Items: 1, At: hit.Item.At, Subject: hit.Item.Subject, From: hit.Item.From})
			plan.Add(hit.Item)
		}
	}
	if hits.Many || hits.Late || len(plan.What) > keepwatch.MaxMailHits {
		why := "Looking through " + keepwatch.Printable(a.part) + " takes too long to be done at once"
		if !hits.Late {
			why = "More than " + keepwatch.FormatCount(keepwatch.MaxMailHits, "item fits", "items fit") + " that, which is too many to be named one by one"
		}
		return keepwatch.Errorf(keepwatch.KindConflict, "%s. Name a folder, or fewer days (--since, --until), or restore a folder whole.", why)
	}
	return nil
}

// choose adds parts of one file to a plan.
func (o *opened) choose(ctx context.Context, ref string, parts []asked, plan *keepwatch.MailPlan) error {
	wanted := map[int]map[int64][]int{} // by folder and number, which of plan.What they are
	for _, a := range parts {
		at, err := o.resolve(ref, a)
		if err != nil {
			return err
		}
		choice := keepwatch.MailChoice{Part: keepwatch.MailPart(a.file, o.path(at.folder), at.number)}
		if at.number > 0 {
			list, err := o.order(ctx, at.folder)
			if err != nil {
				return err
			}
			if at.number > int64(len(list)) {
				return keepwatch.Errorf(keepwatch.KindNotFound, "There is no item %d in it: there are %s.", at.number, keepwatch.FormatCount(int64(len(list)), "item"))
			}
			if wanted[at.folder] == nil {
				wanted[at.folder] = map[int64][]int{}
			}
			wanted[at.folder][at.number] = append(wanted[at.folder][at.number], len(plan.What))
		} else if err := o.chooseFolder(ctx, at.folder, &choice, plan); err != nil {
			return err
		}
		plan.What = append(plan.What, choice)
	}
	for folder, numbers := range wanted {
		err := o.described(ctx, folder, numbers, func(item keepwatch.MailItem, which []int) {
			for _, i := range which {
				what := &plan.What[i]
				what.Items, what.At, what.Subject, what.From = 1, item.At, item.Subject, item.From
				plan.Add(item)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// chooseFolder adds a folder with all that is below it.
func (o *opened) chooseFolder(ctx context.Context, folder int, choice *keepwatch.MailChoice, plan *keepwatch.MailPlan) error {
	choice.Folders = int64(o.end(folder) - folder)
	if folder < 0 {
		choice.Folders-- // the top is none
	}
	lost := func(err error) error {
		plan.Lost++
		return ignore(err)
	}
	count := func(_ pst.NID, ps pst.Properties) error {
		choice.Items++
		plan.Add(describe(ps))
		return nil
	}
	left := o.rowsLeft()
	for i := folder; i < o.end(folder); i++ {
		if err := o.rows(ctx, o.dir(i), left, lost, func(n pst.NID, ps pst.Properties, _ error) error { return count(n, ps) }); err != nil {
			return err
		}
	}
	if folder < 0 {
		return o.astray(ctx, count)
	}
	return nil
}

// described gives some items of a folder, by their numbers, with what is known by them.
func (t *tree) described(ctx context.Context, folder int, numbers map[int64][]int, each func(keepwatch.MailItem, []int)) error {
	list, err := t.order(ctx, folder)
	if err != nil {
		return err
	}
	number := map[pst.NID]int64{}
	for n := range numbers {
		number[list[n-1].node] = n
	}
	items := map[int64]keepwatch.MailItem{}
	err = t.rows(ctx, t.dir(folder), t.rowsLeft(), ignore, func(n pst.NID, ps pst.Properties, _ error) error {
		if n, ok := number[n]; ok {
			items[n] = describe(ps)
		}
		return nil
	})
	for n, which := range numbers {
		each(items[n], which)
	}
	return err
}

// newFolder gives the folder that is made: to where nothing is there, and otherwise one
// in it that is called after the file.
func newFolder(to, file string) (string, error) {
	info, err := os.Stat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(to); err == nil { // a link that leads nowhere
			return "", keepwatch.Errorf(keepwatch.KindConflict, "%s is a link that leads nowhere. Restore to another place.", keepwatch.Printable(to))
		}
		return to, nil
	case err != nil:
		return "", keepwatch.Errorf(keepwatch.KindAttention, "%s cannot be looked at (%v).", keepwatch.Printable(to), cause(err)).Because(err)
	case !info.IsDir():
		return "", keepwatch.Errorf(keepwatch.KindConflict, "%s is a file. Restore to a folder; it is made where it is missing.", keepwatch.Printable(to))
	}
	base := safeName(strings.TrimSuffix(path.Base(file), path.Ext(file)), "mailbox")
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name += " (" + strconv.Itoa(n) + ")"
		}
		if _, err := os.Lstat(filepath.Join(to, name)); err != nil {
			return filepath.Join(to, name), nil
		}
	}
}
