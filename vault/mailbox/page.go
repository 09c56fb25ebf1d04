package mailbox

import (
	"context"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/pst"
)

// numbered is an item of a folder in the order in which items are numbered.
type numbered struct {
	node pst.NID
	at   int64 // Unix nanoseconds; 0: unknown
}

// number gives the items of a folder, the newest first and those without a date last:
// the item at i has the number i+1. 16 bytes of memory each. What cannot be listed is
// told to lost.
func (t *tree) number(ctx context.Context, folder int, left *int64, lost func(error) error) ([]numbered, error) {
	var list []numbered
	err := t.rows(ctx, t.dir(folder), left, lost, func(n pst.NID, ps pst.Properties, _ error) error {
		list = append(list, numbering(n, describe(ps)))
		return nil
	})
	slices.SortStableFunc(list, newest)
	return list, err
}

// mostOrders is of how many items the order is remembered: 16 MB.
const mostOrders = 1_000_000

// order is number for those who come again and again for one item of a folder, of which
// it remembers the order. What cannot be listed is told elsewhere.
func (t *tree) order(ctx context.Context, folder int) ([]numbered, error) {
	t.mu.Lock()
	list, ok := t.orders[folder]
	t.mu.Unlock()
	if ok {
		return list, nil
	}
	list, err := t.number(ctx, folder, t.rowsLeft(), ignore)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ordered += len(list); t.orders == nil || t.ordered > mostOrders {
		t.orders, t.ordered = map[int][]numbered{}, len(list)
	}
	t.orders[folder] = list
	return list, nil
}

// Page lists a folder of an Outlook data file of an archive: "mail.pst/Inbox". from is
// the number of the first item, and at most n are given. part may also name one item.
func (m *Mailboxes) Page(ctx context.Context, ref, part string, from, n int) (keepwatch.MailPage, error) {
	var page keepwatch.MailPage
	parts, err := m.find(ctx, ref, []string{part})
	if err != nil {
		return page, err
	}
	o, release, err := m.open(ctx, ref, parts[0].file, func(keepwatch.Progress) {})
	if err != nil {
		return page, err
	}
	defer release()
	at, err := o.resolve(ref, parts[0])
	if err != nil {
		return page, err
	}
	page.File, page.Left = parts[0].file, o.rescued
	list, err := o.order(ctx, at.folder)
	if err != nil {
		return page, err
	}
	page.Total = int64(len(list))
	page.Folder = keepwatch.MailFolder{Path: o.path(at.folder), Items: page.Total}
	if at.number > 0 {
		if at.number > page.Total {
			return page, noItem(at.number, page)
		}
		from, n = int(at.number), 1
	}
	from = max(1, min(from, len(list)))
	if page.Items, err = o.items(ctx, at.folder, list, from, n); err != nil {
		return page, err
	}
	depth := 0
	if at.folder >= 0 {
		depth = o.folders[at.folder].depth + 1
	}
	for _, b := range o.folders[at.folder+1 : o.end(at.folder)] {
		if b.depth == depth {
			page.Below = append(page.Below, keepwatch.MailFolder{Path: b.path, Items: int64(b.dir.Count())})
		}
	}
	return page, o.data.fault()
}

// ignore is for what is damaged where that is told elsewhere.
func ignore(err error) error {
	var d damages
	return d.add("", err)
}

func noItem(number int64, page keepwatch.MailPage) error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "%s has no item %d: there are %s in it.", keepwatch.Printable(strings.TrimSuffix(page.File+"/"+page.Folder.Path, "/")), number, keepwatch.FormatCount(page.Total, "item"))
}

// items describes those from a number on, by their rows.
func (t *tree) items(ctx context.Context, folder int, list []numbered, from, n int) ([]keepwatch.MailItem, error) {
	if from > len(list) {
		return nil, nil
	}
	wanted := list[from-1 : min(from-1+n, len(list))]
	place := map[pst.NID]int{}
	for i, w := range wanted {
		place[w.node] = i
	}
	items := make([]keepwatch.MailItem, len(wanted))
	err := t.rows(ctx, t.dir(folder), t.rowsLeft(), ignore, func(n pst.NID, ps pst.Properties, wrong error) error {
		i, ok := place[n]
		if !ok {
			return nil
		}
		items[i] = describe(ps)
		if wrong != nil {
			items[i].Broken = "damaged"
		}
		return nil
	})
	for i := range items {
		items[i].Number = int64(from + i)
	}
	return items, err
}
