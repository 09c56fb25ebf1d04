package reader

import (
	"context"
	"time"

	"keepwatch/pst"
)

// Summary is what there is in a file, as a person wants to see it before opening it.
type Summary struct {
	Header  pst.Header
	Name    string // of the store
	Folders []FolderSummary
	Totals            // of all folders
	Orphans int64     // items and folders that no folder lists, and rows without an item
	Damage  []*Damage // each once, at most SummaryOptions.MaxDamage
	More    int64     // how many damages there were besides
}

// FolderSummary is a folder of a Summary. Search folders are left out: what they list
// lies in others.
type FolderSummary struct {
	Node  pst.NID
	Path  []string // from below the root folder
	Class string
	Totals
}

// Totals count the items of a folder, or of all.
type Totals struct {
	Items    int64
	Hidden   int64 // views, forms, settings; not among the items
	Kinds    map[Kind]int64
	Unread   int64
	Bytes    int64     // as the items give their size
	Earliest time.Time // received, or else sent, or else changed; zero where no item has a date
	Latest   time.Time
}

func (t *Totals) add(ps pst.Properties) {
	t.Items++
	if t.Kinds == nil {
		t.Kinds = map[Kind]int64{}
	}
	t.Kinds[KindOf(ps.Text(pst.PidTagMessageClass))]++
	if ps.Int(pst.PidTagMessageFlags)&pst.FlagRead == 0 {
		t.Unread++
	}
	t.Bytes += max(ps.Int(pst.PidTagMessageSize), 0)
	if at := dateOf(ps); !at.IsZero() {
		t.span(at, at)
	}
}

func (t *Totals) span(from, to time.Time) {
	if t.Earliest.IsZero() || from.Before(t.Earliest) && !from.IsZero() {
		t.Earliest = from
	}
	if to.After(t.Latest) {
		t.Latest = to
	}
}

func (t *Totals) join(o Totals) {
	t.Items, t.Hidden, t.Unread, t.Bytes = t.Items+o.Items, t.Hidden+o.Hidden, t.Unread+o.Unread, t.Bytes+o.Bytes
	for k, n := range o.Kinds {
		if t.Kinds == nil {
			t.Kinds = map[Kind]int64{}
		}
		t.Kinds[k] += n
	}
	t.span(o.Earliest, o.Latest)
}

// dateOf is the date that an item is filed under. A time of 0 is none.
func dateOf(ps pst.Properties) time.Time {
	for _, t := range []pst.Tag{pst.PidTagMessageDeliveryTime, pst.PidTagClientSubmitTime, pst.PidTagLastModificationTime, pst.PidTagCreationTime} {
		if at := ps.Time(t); at.After(pst.FromFiletime(0)) {
			return at
		}
	}
	return time.Time{}
}

// summed tells which columns a summary needs.
func summed(t pst.Tag) bool {
	switch t {
	case pst.PidTagMessageFlags, pst.PidTagMessageSize, pst.PidTagMessageDeliveryTime, pst.PidTagClientSubmitTime, pst.PidTagLastModificationTime, pst.PidTagCreationTime:
		return true
	}
	return t.ID() == pst.PidTagMessageClass.ID()
}

// SummaryOptions say how much is looked at. The zero value is good.
type SummaryOptions struct {
	Deep      bool // read every block of the file too, so that all damage is found
	MaxDamage int  // default 100
}

// Summary goes through all folders and their tables. Damage is in it, and is no
// error; the error is that of ctx, or one of the file below.
func (f *File) Summary(ctx context.Context, o SummaryOptions) (*Summary, error) {
	if o.MaxDamage <= 0 {
		o.MaxDamage = 100
	}
	s := &Summary{Header: f.header}
	seen := map[Damage]bool{}
	say := func(err error) error {
		d, ok := asDamage(err)
		if !ok {
			return err
		}
		key := Damage{Offset: d.Offset, Text: d.Text}
		if d.Offset == 0 {
			key.Node = d.Node
		}
		switch {
		case seen[key]:
		case len(s.Damage) >= o.MaxDamage:
			s.More++
		default:
			seen[key] = true
			s.Damage = append(s.Damage, d)
		}
		return nil
	}
	for _, d := range f.wrong {
		if err := say(d); err != nil {
			return nil, err
		}
	}
	store, err := f.Store()
	if err := say(err); err != nil {
		return nil, err
	}
	s.Name = store.Text(pst.PidTagDisplayName)
	if _, err := f.Names(); err != nil {
		if err := say(err); err != nil {
			return nil, err
		}
	}
	if err := f.summarise(ctx, s, say); err != nil {
		return nil, err
	}
	if o.Deep {
		err = f.Sweep(ctx, func(d *Damage) error { return say(d) })
	}
	return s, err
}

func (f *File) summarise(ctx context.Context, s *Summary, say func(error) error) error {
	c := census{f: f, b: f.newBudget()}
	v := survey{f: f, b: c.b, hidden: true, want: summed}
	v.folder = func(d *Folder, err error) error {
		if d != nil && !d.IsSearch() {
			s.Folders = append(s.Folders, FolderSummary{Node: d.nid, Path: d.Path(), Class: d.class})
		}
		return say(err)
	}
	v.item = func(d *Folder, it found, err error) error {
		c.add(d, it)
		at := &s.Folders[len(s.Folders)-1]
		switch {
		case it.Node == 0:
		case it.hidden:
			at.Hidden++
		default:
			at.add(it.Properties)
		}
		return say(err)
	}
	if err := v.run(ctx); err != nil {
		return err
	}
	for i := range s.Folders {
		s.join(s.Folders[i].Totals)
	}
	var failed error
	err := c.orphans(func(o Orphan, err error) bool {
		if failed = say(err); err == nil {
			s.Orphans++
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}
