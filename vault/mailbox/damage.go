package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// damages collects what cannot be read: each folder and item once, whatever of it is
// damaged, and each place in the file that belongs to none.
type damages struct {
	first []keepwatch.MailDamage
	ahead int // of first, those of missing
	n     int64
	nodes map[pst.NID]bool
	at    map[int64]bool
}

// mostDamages bounds what is told apart of a wrecked file. What comes after counts each
// time.
const mostDamages = 100_000

// add takes in an error of the reader, and gives it back where it is none of the file
// but of the disk below it, or the end of the work.
func (d *damages) add(where string, err error) error {
	wrong, ok := errors.AsType[*reader.Damage](err)
	if !ok {
		return err
	}
	if d.known(wrong) {
		return nil
	}
	if d.n++; len(d.first) < keepwatch.MaxMailDamage {
		offset := wrong.Offset
		if offset == 0 {
			offset = -1
		}
		d.first = append(d.first, keepwatch.MailDamage{Where: where, Offset: offset, Text: sentence(wrong.Text)})
	}
	return nil
}

// missing takes in what items of a folder are gone, ahead of anything else: a card has room
// for the first few lines, and these say what somebody has lost.
func (d *damages) missing(where, text string) {
	d.n++
	if d.ahead == keepwatch.MaxMailDamage {
		return
	}
	d.first = slices.Insert(d.first, d.ahead, keepwatch.MailDamage{Where: where, Offset: -1, Text: sentence(text)})
	d.ahead++
	d.first = d.first[:min(len(d.first), keepwatch.MaxMailDamage)]
}

// known remembers a damage and reports whether it was told of before.
func (d *damages) known(wrong *reader.Damage) bool {
	if d.nodes == nil {
		d.nodes, d.at = map[pst.NID]bool{}, map[int64]bool{}
	}
	node := whole(wrong.Node)
	seen := node != 0 && d.nodes[node] || wrong.Offset != 0 && d.at[wrong.Offset]
	if len(d.nodes)+len(d.at) < mostDamages {
		if node != 0 {
			d.nodes[node] = true
		}
		if wrong.Offset != 0 {
			d.at[wrong.Offset] = true
		}
	}
	return seen
}

// whole gives the folder that a table is a part of, and any other node as it is.
func whole(n pst.NID) pst.NID {
	switch n.Type() {
	case pst.NodeHierarchy, pst.NodeContents, pst.NodeFAIContents:
		return n.As(pst.NodeFolder)
	}
	return n
}

// sentence makes one of words that have no capital and no full stop.
func sentence(text string) string {
	if text == "" {
		return "It cannot be read."
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// sweep reads every block of the file, so that what is damaged inside of items is found
// too, and not only what a list needs. An item is named by its folder and its day, and
// not by its subject: a card is read by people who may not see whose mail it is.
func (t *tree) sweep(ctx context.Context) error {
	paths := map[pst.NID]string{}
	for _, b := range t.folders {
		paths[b.dir.Node()] = b.path
	}
	return t.file.Sweep(ctx, func(d *reader.Damage) error {
		if t.isLeftover(d) {
			return nil
		}
		if d.Node.Type() != pst.NodeMessage {
			return t.damage.add(paths[d.Node.As(pst.NodeFolder)], d)
		}
		msg, err := t.file.Message(d.Node)
		if err != nil {
			return t.damage.add("", d)
		}
		ps, _ := msg.Properties() // what can be read of them
		named := *d
		if item := describe(ps); !item.At.IsZero() {
			named.Text = fmt.Sprintf("an item (%s) of %s: %s", item.Kind, item.At.UTC().Format("2 January 2006"), d.Text)
		}
		return t.damage.add(paths[msg.Parent()], &named)
	})
}

// astray gives the items that lie in no folder. What of the file is damaged is told
// elsewhere.
func (t *tree) astray(ctx context.Context, each func(n pst.NID, ps pst.Properties) error) error {
	for o, err := range t.file.Orphans() {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			if err := ignore(err); err != nil {
				return err
			}
			continue
		}
		if o.Missing || o.Node.Type() != pst.NodeMessage {
			continue
		}
		var ps pst.Properties
		if msg, err := t.file.Message(o.Node); err == nil {
			ps, _ = msg.Properties() // what can be read of them
		}
		if err := each(o.Node, ps); err != nil {
			return err
		}
	}
	return nil
}
