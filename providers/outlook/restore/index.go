package restore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/pst"
)

// Index looks into archives of mailboxes for people: which folders there are, and which
// items in them. One of changes is looked at together with those that it goes on from, as
// it would be restored; items have the numbers that a restore knows them by.
type Index struct {
	from   providers.Opener
	finder *finder
}

// NewIndex makes one that reads archives by from.
func NewIndex(from providers.Opener, now func() time.Time) *Index {
	return &Index{from, newFinder(now)}
}

// Folders gives the folders of an archive with the number of items in each, those that
// could not be had among them; Gone is how many these are. In an archive of changes both
// are what the newest look at the folder has brought. keepwatch.KindNotFound: the archive
// has no index, because Purview has made what is in it.
func (x *Index) Folders(ctx context.Context, a keepwatch.Archive) ([]keepwatch.MailFolder, error) {
	v, err := x.view(ctx, a)
	if err != nil {
		return nil, err
	}
	var list []keepwatch.MailFolder
	for _, f := range v.folders {
		list = append(list, keepwatch.MailFolder{Path: f.title, Items: f.Kept + f.Missing, Gone: f.Missing})
	}
	return list, nil
}

func (x *Index) view(ctx context.Context, a keepwatch.Archive) (*view, error) {
	return viewOf(ctx, []providers.Set{{Archive: a, From: x.from}})
}

// dated is one item of a folder: when it is of, and its number. 16 bytes, since there may be
// a million of them.
type dated struct {
	at     int64 // Unix seconds; the smallest number where it has no date
	number int64
}

const undated = -1 << 62

// Page lists a folder: at most n items, the newest first, from the one at from (counted
// from 1) on. part names the folder as choose does, with or without its kind before it
// ("mail/Inbox"); where it names an item ("Inbox/#12") that is the only one. It reads the
// index twice, so that it holds 16 bytes of each item of the folder.
func (x *Index) Page(ctx context.Context, a keepwatch.Archive, part string, from, n int) (keepwatch.MailPage, error) {
	var page keepwatch.MailPage
	v, err := x.view(ctx, a)
	if err != nil {
		return page, err
	}
	found, number, err := v.folder(part)
	if err != nil {
		return page, err
	}
	f := found[0]
	page.Folder = keepwatch.MailFolder{Path: f.title}
	for _, below := range found[1:] {
		page.Below = append(page.Below, keepwatch.MailFolder{Path: below.title, Items: below.Kept + below.Missing})
	}
	r, err := readingOf(ctx, x.from, v, found[:1])
	if err != nil {
		return page, err
	}
	var all []dated
	err = r.each(ctx, func(_ int, h head, _ *folderView, number int64) {
		all = append(all, dated{whenOf(h), number})
	})
	if err != nil {
		return page, err
	}
	page.Total = int64(len(all))
	if number > page.Total {
		return page, keepwatch.Errorf(keepwatch.KindNotFound, "%s holds %s, so there is no #%d in it.", keepwatch.Printable(f.title), keepwatch.FormatCount(page.Total, "item"), number)
	}
	newestFirst(all)
	from = max(1, min(from, len(all)))
	all = all[min(from-1, len(all)):min(from-1+n, len(all))]
	if number > 0 {
		all = []dated{{number: number}}
	}
	page.Items = make([]keepwatch.MailItem, len(all))
	at := map[int64]int{}
	for i, d := range all {
		at[d.number] = i
	}
	err = r.each(ctx, func(_ int, h head, f *folderView, number int64) {
		if i, ok := at[number]; ok {
			page.Items[i] = itemOf(h, f, number)
		}
	})
	return page, err
}

// Find looks for items in a folder and those below it, or in all where part is "": at most
// n, the newest first, from the one at from (counted from 1) on. It looks where a restore
// does, and ends at keepwatch.MaxMailHits and after a minute.
func (x *Index) Find(ctx context.Context, a keepwatch.Archive, part string, q keepwatch.MailQuery, from, n int) (keepwatch.MailHits, error) {
	v, err := x.view(ctx, a)
	if err != nil {
		return keepwatch.MailHits{}, err
	}
	ask, title := question{from: x.from, view: v, folders: v.folders, search: search{Since: q.From, Until: q.To}}, ""
	if part != "" {
		if ask.folders, _, err = v.folder(part); err != nil {
			return keepwatch.MailHits{}, err
		}
		title = ask.folders[0].title
	}
	if q.Text != "" {
		ask.search.Texts = []string{pst.Fold(q.Text)}
	}
	got, err := x.finder.find(ctx, ask, from > 1)
	if err != nil {
		return keepwatch.MailHits{}, err
	}
	hits := got.hits
	hits.Folder = title
	from = max(1, min(from, len(got.list)))
	for _, hit := range got.list[min(from-1, len(got.list)):min(from-1+n, len(got.list))] {
		hits.Hits = append(hits.Hits, hit.MailHit)
	}
	return hits, nil
}

func newestFirst(list []dated) {
	slices.SortFunc(list, func(a, b dated) int {
		return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.number, b.number))
	})
}

func whenOf(h head) int64 {
	if h.At.IsZero() {
		return undated
	}
	return h.At.Unix()
}

// itemOf is an item as it is listed. What could not be had says why.
func itemOf(h head, f *folderView, number int64) keepwatch.MailItem {
	kinds := map[outlook.Kind]keepwatch.ItemKind{outlook.Mail: keepwatch.ItemMail, outlook.Contacts: keepwatch.ItemContact, outlook.Calendar: keepwatch.ItemEvent}
	item := keepwatch.MailItem{Number: number, Kind: kinds[f.Kind], At: h.At, From: h.From, Subject: h.Subject, Bytes: h.Bytes}
	if h.Path == "" {
		if item.Broken = h.Missing; item.Broken == "" {
			item.Broken = "it is not in the archive"
		}
	}
	return item
}

// folder gives the folder that a part names, before those below it, and the number of an
// item in it, or 0.
func (v *view) folder(part string) ([]*folderView, int64, error) {
	name, number := keepwatch.CutMailItem(strings.TrimSuffix(part, "/"))
	if list := v.named(name); len(list) > 0 {
		return list, number, nil
	}
	kind, rest, below := strings.Cut(name, "/")
	if list := v.named(rest); below && len(list) > 0 && string(list[0].Kind) == kind {
		return list, number, nil
	}
	if list := v.withKind(outlook.Kind(name)); len(list) > 0 {
		var names []string
		for _, f := range list[:min(len(list), 20)] {
			names = append(names, keepwatch.Printable(f.title))
		}
		return nil, 0, keepwatch.Errorf(keepwatch.KindInvalid, "%s is not one folder. Name one of these: %s.", name, strings.Join(names, ", "))
	}
	return nil, 0, v.unknown(part)
}

// reading reads the items of some folders out of the archives that a mailbox is put
// together from.
type reading struct {
	stack  stack
	later  *mentions
	layers map[int]bool
	of     map[string]*folderView // by ID
}

func readingOf(ctx context.Context, from providers.Opener, v *view, folders []*folderView) (*reading, error) {
	r := &reading{stack: stack{from: from, first: map[string]int{}, among: map[string][]int{}}, layers: map[int]bool{}, of: map[string]*folderView{}}
	for _, l := range v.layers {
		r.stack.refs = append(r.stack.refs, l.ref)
	}
	for _, f := range folders {
		r.stack.first[f.ID], r.stack.among[f.ID], r.of[f.ID] = f.layers[0], f.layers, f
		for _, i := range f.layers {
			r.layers[i] = true
		}
	}
	var err error
	r.later, err = r.stack.mentions(ctx, 0)
	return r, err
}

// each gives the items with their numbers in their folders, which are those of planner.take.
func (r *reading) each(ctx context.Context, do func(layer int, h head, f *folderView, number int64)) error {
	seen := map[string]int64{}
	for i := range r.stack.refs {
		if !r.layers[i] {
			continue
		}
		for h, err := range r.stack.each(ctx, i, r.later) {
			if err != nil {
				return fmt.Errorf("look into %s: %w", r.stack.refs[i], err)
			}
			seen[h.Folder]++
			do(i, h.head, r.of[h.Folder], seen[h.Folder])
		}
	}
	return nil
}
