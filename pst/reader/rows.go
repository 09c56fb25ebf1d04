package reader

import (
	"errors"
	"iter"

	"keepwatch/pst"
)

// Row is what the table of contents of a folder says of an item, without opening
// it: subject, sender, dates, size and flags, as far as the folder has columns for
// them. Properties have only what could be read, beside an error. The table does not
// say in which code page its 8-bit texts are (ANSI files): it is taken to be that
// of [Options]; the item itself knows.
type Row struct {
	Node       pst.NID
	Properties pst.Properties
}

// contents is the table of the items of a folder. That of a search folder has a type
// of its own ([MS-PST] 2.4.8.6.2).
func (d *Folder) contents() pst.NID {
	if d.IsSearch() {
		return d.nid.As(pst.NodeSearchTable)
	}
	return d.nid.As(pst.NodeContents)
}

// Rows go through the table of contents. A damaged row comes beside its error, with
// its Node; where the table itself breaks off, a Row without a Node does, and
// ends the iteration.
func (d *Folder) Rows() iter.Seq2[Row, error] { return d.rows(d.contents(), nil) }

func (d *Folder) rows(n pst.NID, want func(pst.Tag) bool) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		t, err := d.f.openTable(n)
		if d.IsSearch() && absent(err) {
			return // it was never run
		}
		if err != nil {
			yield(Row{}, of(d.nid, err))
			return
		}
		goOn := true
		err = t.each(func(id pst.NID, at int) bool {
			ps, err := t.properties(at, d.f.o.Codepage, want)
			goOn = yield(Row{id, ps}, of(d.nid, err)) && (err == nil || isDamage(err))
			return goOn
		})
		if err != nil && goOn {
			yield(Row{}, of(d.nid, err))
		}
	}
}

// Messages are the items of a folder, in the order of their ids. A damaged one comes
// as nil with its error. Where the table of contents is damaged, that is told
// first, and then the items come as the node tree has them.
func (d *Folder) Messages() iter.Seq2[*Message, error] {
	return d.messages(d.contents(), pst.NodeMessage)
}

// Associated are the hidden items of a folder: views, forms, settings (FAI).
func (d *Folder) Associated() iter.Seq2[*Message, error] {
	return d.messages(d.nid.As(pst.NodeFAIContents), pst.NodeAssociated)
}

func (d *Folder) messages(table pst.NID, typ pst.NodeType) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		goOn := true
		one := func(n pst.NID) bool {
			m, err := d.f.Message(n)
			goOn = yield(m, err) && (err == nil || isDamage(err))
			return goOn
		}
		last, err := d.f.listed(table, one)
		if d.IsSearch() && absent(err) {
			return // it was never run, or has no hidden items
		}
		if err == nil || !goOn || !yield(nil, of(d.nid, err)) || !isDamage(err) {
			return
		}
		if err := d.f.below(d.nid, last, one, typ); err != nil {
			yield(nil, err)
		}
	}
}

// absent tells of a table that a search folder need not have, or has in a form
// that is not described.
func absent(err error) bool { return errors.Is(err, errNoNode) || errors.Is(err, errReserved) }
