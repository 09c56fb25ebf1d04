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
// new folder it goes. Where ask.To is there already, a new folder is made in it.
func (m *Mailboxes) Plan(ctx context.Context, ref string, ask keepwatch.Ask) (keepwatch.MailPlan, error) {
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
	for _, a := range parts {
		if err := m.choose(ctx, ref, a, &plan); err != nil {
			return plan, err
		}
	}
	return plan, nil
}

// choose adds one part to a plan.
func (m *Mailboxes) choose(ctx context.Context, ref string, a asked, plan *keepwatch.MailPlan) error {
	o, err := m.open(ctx, ref, a.file, func(keepwatch.Progress) {})
	if err != nil {
		return err
	}
	defer m.release(o)
	at, err := o.resolve(ref, a)
	if err != nil {
		return err
	}
	choice := keepwatch.MailChoice{Part: keepwatch.MailPart(a.file, o.path(at.folder), at.number)}
	if at.number > 0 {
		item, err := o.item(ctx, at)
		if err != nil {
			return err
		}
		choice.Items, choice.At, choice.Subject, choice.From = 1, item.At, item.Subject, item.From
		plan.Add(item)
	} else {
		choice.Folders = int64(o.end(at.folder) - at.folder)
		if at.folder < 0 {
			choice.Folders-- // the top is none
		}
		lost := func(err error) error {
			plan.Lost++
			return ignore(err)
		}
		left := o.rowsLeft()
		for i := at.folder; i < o.end(at.folder); i++ {
			err := o.rows(ctx, o.dir(i), left, lost, func(_ pst.NID, ps pst.Properties, _ error) error {
				choice.Items++
				plan.Add(describe(ps))
				return nil
			})
			if err != nil {
				return err
			}
		}
		if at.folder < 0 {
			err := o.astray(ctx, func(_ pst.NID, ps pst.Properties) error {
				choice.Items++
				plan.Add(describe(ps))
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	plan.What = append(plan.What, choice)
	return nil
}

// item describes one.
func (t *tree) item(ctx context.Context, at place) (keepwatch.MailItem, error) {
	list, err := t.number(ctx, at.folder, t.rowsLeft(), ignore)
	if err != nil {
		return keepwatch.MailItem{}, err
	}
	if at.number > int64(len(list)) {
		return keepwatch.MailItem{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no item %d in it: there are %s.", at.number, keepwatch.FormatCount(int64(len(list)), "item"))
	}
	items, err := t.items(ctx, at.folder, list, int(at.number), 1)
	if err != nil {
		return keepwatch.MailItem{}, err
	}
	return items[0], nil
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
