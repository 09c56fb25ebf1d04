package mailbox

import (
	"context"
	"errors"
	"io"
	"strings"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// tree is an open Outlook data file with the list of its folders, which takes a few
// hundred bytes of memory each. Those at depth 0 lie right below the top.
type tree struct {
	file    *reader.File
	top     *reader.Folder
	folders []branch
	damage  damages
}

// branch is one folder of a tree.
type branch struct {
	dir   *reader.Folder
	depth int
	path  string // as keepwatch.MailPaths gives it
}

// damages collects what cannot be read.
type damages struct {
	first []keepwatch.MailDamage
	n     int64
}

// add takes in an error of the reader, and gives it back where it is none of the file
// but of the disk below it, or the end of the work.
func (d *damages) add(where string, err error) error {
	wrong, ok := errors.AsType[*reader.Damage](err)
	if !ok {
		return err
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

// grow opens a file and lists its folders. Search folders are left out: what they list
// lies in others.
func grow(ctx context.Context, r io.ReaderAt, size int64) (*tree, error) {
	f, err := reader.Open(r, size, reader.Options{})
	if err != nil {
		return nil, err
	}
	t := &tree{file: f}
	if t.top, err = f.Top(); err != nil {
		if err = t.damage.add("", err); err != nil || t.top == nil {
			return t, err
		}
	}
	if err := t.below(ctx, t.top, 0); err != nil {
		return t, err
	}
	depths, names := make([]int, len(t.folders)), make([]string, len(t.folders))
	for i, b := range t.folders {
		depths[i], names[i] = b.depth, b.dir.Name()
	}
	for i, path := range keepwatch.MailPaths(depths, names) {
		t.folders[i].path = path
	}
	return t, nil
}

// below lists the folders in a folder.
func (t *tree) below(ctx context.Context, d *reader.Folder, depth int) error {
	for sub, err := range d.Folders() {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			where := strings.Join(d.Path(), "/")
			if sub != nil && sub.Name() != "" {
				where = strings.Join(sub.Path(), "/")
			}
			if err := t.damage.add(where, err); err != nil {
				return err
			}
		}
		if sub == nil || sub.IsSearch() {
			continue
		}
		t.folders = append(t.folders, branch{dir: sub, depth: depth})
		if err := t.below(ctx, sub, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// end gives the index behind the last folder that lies in the folder at i; of the top,
// which is -1, behind all.
func (t *tree) end(i int) int {
	if i < 0 {
		return len(t.folders)
	}
	at := i + 1
	for at < len(t.folders) && t.folders[at].depth > t.folders[i].depth {
		at++
	}
	return at
}

// dir gives the folder at an index; the top at -1.
func (t *tree) dir(i int) *reader.Folder {
	if i < 0 {
		return t.top
	}
	return t.folders[i].dir
}

// path names it.
func (t *tree) path(i int) string {
	if i < 0 {
		return ""
	}
	return t.folders[i].path
}

// find gives the index of a folder by its path, in whatever case; "" is the top.
func (t *tree) find(path string) (int, bool) {
	path = strings.Trim(path, "/")
	if path == "" {
		return -1, true
	}
	found := -2
	for i, b := range t.folders {
		switch {
		case b.path == path:
			return i, true
		case found < -1 && strings.EqualFold(b.path, path):
			found = i
		}
	}
	return found, found >= 0
}

// rows goes through the items of a folder: by the table of contents, which is quick;
// where that is damaged, by the items themselves. each is given what is known of an
// item, with how what is damaged of it, if anything. What is damaged of the table is told to lost.
func (t *tree) rows(ctx context.Context, d *reader.Folder, lost func(error) error, each func(n pst.NID, ps pst.Properties, wrong error) error) error {
	seen := map[pst.NID]bool{} // only where the table breaks off
	broken := false
	for row, err := range d.Rows() {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if row.Node == 0 {
			if err != nil {
				if err := lost(err); err != nil {
					return err
				}
				broken = true
			}
			continue
		}
		if err := each(row.Node, row.Properties, err); err != nil {
			return err
		}
	}
	if !broken {
		return nil
	}
	for row := range d.Rows() {
		seen[row.Node] = true
	}
	for m, err := range d.Messages() {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if m == nil || seen[m.Node()] {
			continue
		}
		var ps pst.Properties
		if err == nil {
			ps, err = m.Properties()
		}
		if err := each(m.Node(), ps, err); err != nil {
			return err
		}
	}
	return nil
}
