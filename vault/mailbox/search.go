package mailbox

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// defaultWithin is how long a search may take: somebody waits for the answer.
const defaultWithin = time.Minute

// longestText is how much of a subject or a name is kept of each item that is found, in
// bytes. What comes from a file may be of any length.
const longestText = 2000

// search is what was found in a folder and below it.
type search struct {
	folder int
	query  keepwatch.MailQuery
	hits   keepwatch.MailHits // with all hits
}

// Find looks for items in a folder of an Outlook data file of an archive and in all that
// are below it: "mail.pst/Inbox", or "mail.pst" for all of them. from is the number of
// the first hit, and at most n are given. It ends at keepwatch.MaxMailHits, and after
// Config.Within. Items that lie in no folder are not looked through.
func (m *Mailboxes) Find(ctx context.Context, ref, part string, q keepwatch.MailQuery, from, n int) (keepwatch.MailHits, error) {
	parts, err := m.find(ctx, ref, []string{part})
	if err != nil {
		return keepwatch.MailHits{}, err
	}
	o, release, err := m.open(ctx, ref, parts[0].file, func(keepwatch.Progress) {})
	if err != nil {
		return keepwatch.MailHits{}, err
	}
	defer release()
	found, err := m.search(ctx, o, ref, parts[0], q, from > 1)
	if err != nil {
		return keepwatch.MailHits{}, err
	}
	at := max(0, min(from-1, len(found.Hits)-1))
	found.Hits = found.Hits[at:min(at+n, len(found.Hits))]
	return found, nil
}

// search looks through an open file. again says that the list is gone on with, so that
// what was found before is taken even if it is not all.
func (m *Mailboxes) search(ctx context.Context, o *opened, ref string, a asked, q keepwatch.MailQuery, again bool) (keepwatch.MailHits, error) {
	at, err := o.resolve(ref, a)
	if err != nil {
		return keepwatch.MailHits{}, err
	}
	if at.number > 0 {
		return keepwatch.MailHits{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is one item. What is searched is a folder with all that is below it.", keepwatch.Printable(a.part))
	}
	if known, ok := o.searched(at.folder, q); ok && (again || !known.Late) {
		return known, nil
	}
	s := search{folder: at.folder, query: q, hits: keepwatch.MailHits{File: a.file, Folder: o.path(at.folder)}}
	if at.folder < 0 {
		o.data.ahead() // which takes less than to unpack it in pieces
	}
	end, before := m.cfg.Now().Add(m.cfg.Within), o.data.patience()
	if err := o.look(ctx, &s, func() bool { return m.cfg.Now().Before(end.Add(o.data.patience() - before)) }); err != nil {
		return keepwatch.MailHits{}, err
	}
	if err := o.data.fault(); err != nil { // not all was looked through as it should
		return keepwatch.MailHits{}, err
	}
	slices.SortStableFunc(s.hits.Hits, func(a, b keepwatch.MailHit) int { return b.Item.At.Compare(a.Item.At) })
	s.hits.Total = int64(len(s.hits.Hits))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = &s
	return s.hits, nil
}

// searched gives what the last search found, where it was the same one.
func (t *tree) searched(folder int, q keepwatch.MailQuery) (keepwatch.MailHits, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.last; s != nil && s.folder == folder && s.query.Text == q.Text && s.query.From.Equal(q.From) && s.query.To.Equal(q.To) {
		return s.hits, true
	}
	return keepwatch.MailHits{}, false
}

// look goes through the folders of a search, as long as more says that there is time.
func (t *tree) look(ctx context.Context, s *search, more func() bool) error {
	left := t.rowsLeft()
	match := t.file.Matcher(reader.Query{Text: s.query.Text})
	for i := s.folder; i < t.end(s.folder); i++ {
		if s.hits.Many || s.hits.Late {
			s.hits.Of += int64(max(t.dir(i).Count(), 0)) // what the file says, which is quick
			continue
		}
		if err := t.lookInto(ctx, s, i, left, match, more); err != nil {
			return err
		}
	}
	return nil
}

// lookInto goes through one folder. Its items are numbered as for a list of it, so that
// what is found can be named.
func (t *tree) lookInto(ctx context.Context, s *search, folder int, left *int64, match func(pst.NID, pst.Properties) (reader.Field, bool, error), more func() bool) error {
	var list []numbered
	begin := len(s.hits.Hits)
	var nodes []pst.NID // of the hits from begin on
	err := t.rows(ctx, t.dir(folder), left, ignore, func(n pst.NID, ps pst.Properties, _ error) error {
		item := describe(ps)
		list = append(list, numbering(n, item))
		s.hits.Of++
		if s.hits.Late = s.hits.Late || !more(); s.hits.Late || s.hits.Many {
			return nil
		}
		s.hits.Looked++
		if q := s.query; !q.From.IsZero() && item.At.Before(q.From) || !q.To.IsZero() && (item.At.IsZero() || !item.At.Before(q.To)) {
			return nil
		}
		where, fits, err := match(n, ps)
		switch {
		case err != nil && !tolerable(err):
			return err
		case err != nil:
			s.hits.Broken++
		}
		if !fits {
			return nil
		}
		if len(s.hits.Hits) >= keepwatch.MaxMailHits {
			s.hits.Many = true
			return nil
		}
		item.Subject, item.From = clip(item.Subject), clip(item.From)
		s.hits.Hits = append(s.hits.Hits, keepwatch.MailHit{Folder: t.path(folder), Item: item, Where: string(where)})
		nodes = append(nodes, n)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, newest)
	hit := make(map[pst.NID]int, len(nodes))
	for i, n := range nodes {
		hit[n] = begin + i
	}
	for i, item := range list {
		if at, ok := hit[item.node]; ok {
			s.hits.Hits[at].Item.Number = int64(i + 1)
		}
	}
	return nil
}

// numbering is what the number of an item is made of.
func numbering(n pst.NID, item keepwatch.MailItem) numbered {
	if item.At.IsZero() {
		return numbered{node: n}
	}
	return numbered{n, item.At.UnixNano()}
}

// newest orders items as they are numbered.
func newest(a, b numbered) int { return cmp.Compare(b.at, a.at) }

// clip shortens a text that is kept in memory.
func clip(text string) string {
	if len(text) <= longestText {
		return text
	}
	return strings.Clone(strings.ToValidUTF8(text[:longestText], "")) + "…"
}
