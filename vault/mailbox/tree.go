package mailbox

import (
	"context"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// tree is an open Outlook data file with the list of its folders, which takes a few
// hundred bytes of memory each. Those at depth 0 lie right below the top.
type tree struct {
	file    *reader.File
	size    int64
	top     *reader.Folder
	folders []branch
	damage  damages
	header  *pst.HeaderError // what is wrong with the header; nil: nothing
	rescued bool             // file is one of reader.Rescue
	torn    bool             // pages of its trees cannot be read

	mu      sync.Mutex
	orders  map[int][]numbered    // of the items of folders that were asked for
	ordered int                   // items in orders
	last    *search               // nil: none
	dubious map[pst.NID]bool      // as doubtful gives them; nil: nobody has asked
	starts  map[pst.NID]time.Time // of appointments whose row does not say it; zero: none
}

// branch is one folder of a tree.
type branch struct {
	dir   *reader.Folder
	depth int
	path  string // as keepwatch.MailPaths gives it
}

// list finds the folders: those below the top, which is what Outlook shows as the file.
// Search folders are left out: what they list lies in others.
func (t *tree) list(ctx context.Context) error {
	var err error
	if t.top, err = t.file.Top(); err != nil {
		if err = t.damage.add("", err); err != nil || t.top == nil {
			return err
		}
	}
	hurt, err := t.walk(ctx)
	if err != nil {
		return err
	}
	depths, names := make([]int, len(t.folders)), make([]string, len(t.folders))
	for i, b := range t.folders {
		depths[i], names[i] = b.depth, b.dir.Name()
	}
	for i, path := range keepwatch.MailPaths(depths, names) {
		t.folders[i].path = path
		if err := t.damage.add(path, hurt[i]); err != nil {
			return err
		}
	}
	return nil
}

// walk lists the folders below the top, and behind them those that only a rescue knows. A
// folder that is linked from two places is met once, so that a file cannot make it
// endless. What is damaged of a folder is given by its index, because nothing is called by
// its path yet.
func (t *tree) walk(ctx context.Context) (hurt map[int]error, err error) {
	lost, err := t.lost(ctx)
	if err != nil {
		return nil, err
	}
	hurt = map[int]error{}
	above := -1 // depth of what the folders are listed below; -1: the top is not met yet, or left
	met := false
	err = t.file.Walk(func(d *reader.Folder, wrong error) error {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if d == nil || d.IsSearch() {
			return t.damage.add("", wrong)
		}
		depth := len(d.Path())
		switch {
		case d.Node() == t.top.Node():
			t.top, above, met = d, depth, true
			return t.damage.add("", wrong)
		case lost[d.Node()]:
			above = depth - 1
		case above < 0 || depth <= above:
			above = -1
			return t.damage.add("", wrong)
		}
		if wrong != nil {
			hurt[len(t.folders)] = wrong
		}
		t.folders = append(t.folders, branch{dir: d, depth: depth - above - 1})
		return nil
	})
	if err != nil || met {
		return hurt, err
	}
	for d, wrong := range t.top.Folders() { // nothing leads to it: what lies in it may still be found
		if err := t.damage.add("", wrong); err != nil {
			return hurt, err
		}
		if d != nil && !d.IsSearch() {
			t.folders = append(t.folders, branch{dir: d})
		}
	}
	return hurt, nil
}

// rowBytes is how many bytes of a file a row takes at the least: an entry of the index
// of its table. Real files have far fewer rows; one whose tables are linked from many
// folders seems to have more, and is not gone through without an end.
const rowBytes = 6

// rowsLeft gives how many rows may be gone through.
func (t *tree) rowsLeft() *int64 {
	n := t.size/rowBytes + 10_000
	return &n
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
// item, and what is damaged of it, if anything. What is damaged of the table is told to
// lost. left is how many rows may still be gone through.
func (t *tree) rows(ctx context.Context, d *reader.Folder, left *int64, lost func(error) error, each func(n pst.NID, ps pst.Properties, wrong error) error) error {
	seen := map[pst.NID]bool{} // only where the table breaks off
	broken := false
	for row, err := range d.Rows() {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if *left--; *left < 0 {
			return lost(&reader.Damage{Node: d.Node(), Text: "the tables of the file list more than it has room for"})
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
		ps, wrong := t.begins(row.Node, row.Properties)
		if wrong != nil {
			return wrong
		}
		if err := each(row.Node, ps, err); err != nil {
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
		if *left--; m == nil || seen[m.Node()] {
			continue
		}
		if *left < 0 {
			return lost(&reader.Damage{Node: d.Node(), Text: "the file lists more items than it has room for"})
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

// begins adds to the row of an appointment when it begins, where the table has no column
// for it: the item says it. One of which that cannot be read keeps its row; what is
// damaged of it is told when it is read itself. Each is opened once.
func (t *tree) begins(n pst.NID, row pst.Properties) (pst.Properties, error) {
	if keepwatch.KindOfClass(row.Text(pst.PidTagMessageClass)) != keepwatch.ItemEvent || !row.Time(appointmentStart).IsZero() {
		return row, nil
	}
	t.mu.Lock()
	at, known := t.starts[n]
	t.mu.Unlock()
	if !known {
		m, err := t.file.Message(n)
		if err == nil {
			var ps pst.Properties
			ps, err = m.Some(appointmentStart)
			at = ps.Time(appointmentStart)
		}
		if err != nil && !tolerable(err) {
			return row, err
		}
		t.mu.Lock()
		if t.starts == nil {
			t.starts = map[pst.NID]time.Time{}
		}
		t.starts[n] = at
		t.mu.Unlock()
	}
	if !at.IsZero() {
		row.Set(appointmentStart, at)
	}
	return row, nil
}
