package mailbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// grow opens a file and lists its folders. Where the header is damaged, the trees are, or
// what is met on the way to the folders, the file is rescued, and that is taken where it
// has more. One file comes to the same end each time, so that numbers and paths stay
// those of the list.
func grow(ctx context.Context, r io.ReaderAt, size int64) (*tree, error) {
	var header *pst.HeaderError
	f, err := reader.Open(r, size, reader.Options{})
	if err != nil && !errors.As(err, &header) {
		return nil, err
	}
	var plain *tree
	if header == nil {
		plain = &tree{file: f, size: size}
		if err := plain.list(ctx); err != nil {
			return nil, err
		}
		intact, err := f.Intact(ctx)
		if err != nil || intact && plain.damage.n == 0 {
			return plain, err
		}
		plain.torn = !intact
	}
	saved, err := rescue(ctx, r, size, header)
	switch {
	case err == nil && plain == nil:
		return saved, nil
	case err == nil:
		return plain.orBetter(ctx, saved)
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case plain != nil: // the disk may fail in places that it does without
		return plain, nil
	case errors.Is(err, reader.ErrNothing):
		return nil, &nothingLeft{header}
	case errors.Is(err, reader.ErrUnsupported):
		return nil, header
	}
	return nil, err
}

// nothingLeft is why a file cannot be opened in which nothing else was found either.
type nothingLeft struct{ error }

func (n *nothingLeft) Unwrap() error { return n.error }

// rescue lists what can be found without the header and the trees.
func rescue(ctx context.Context, r io.ReaderAt, size int64, header *pst.HeaderError) (*tree, error) {
	f, err := reader.Rescue(ctx, r, size, reader.Options{})
	if err != nil {
		return nil, err
	}
	t := &tree{file: f, size: size, header: header, rescued: true}
	for _, wrong := range f.Wrong() {
		if err := t.damage.add("", withoutIt(wrong)); err != nil {
			return nil, err
		}
	}
	return t, t.list(ctx)
}

// withoutIt says what a damage of the header or the trees means for whoever has handed in
// the file.
func withoutIt(wrong *reader.Damage) *reader.Damage {
	told := *wrong
	if header, ok := errors.AsType[*pst.HeaderError](wrong.Err); ok {
		told.Text = header.Text + " What is in the file was looked for without its header."
	} else if wrong.Offset > 0 {
		told.Text = fmt.Sprintf("a part of the file's own index is damaged (%s). What it listed was looked for in the whole file: some of it may be missing, or older than it was.", wrong.Text)
	}
	return &told
}

// orBetter chooses between what is found in the plain way and what a rescue has found:
// where both have as many items and folders, the latter if it has done without damaged
// trees, since there may be more attachments in it.
func (t *tree) orBetter(ctx context.Context, saved *tree) (*tree, error) {
	items, err := t.openable(ctx)
	if err != nil {
		return nil, err
	}
	more, err := saved.openable(ctx)
	if err != nil {
		return nil, err
	}
	c := cmp.Or(cmp.Compare(more, items), cmp.Compare(len(saved.folders), len(t.folders)))
	if c > 0 || c == 0 && len(saved.file.Wrong()) > 0 {
		return saved, nil
	}
	return t, nil
}

// openable counts the items that can be opened.
func (t *tree) openable(ctx context.Context) (n int64, err error) {
	left := t.rowsLeft()
	count := func(item pst.NID, _ pst.Properties, _ error) error {
		_, err := t.file.Message(item)
		if err == nil {
			n++
		}
		return ignore(err)
	}
	for i := -1; i < len(t.folders) && err == nil; i++ {
		err = t.rows(ctx, t.dir(i), left, ignore, count)
	}
	return n, err
}

// lost gives the uppermost of the folders that only a rescue knows, and that are below no
// other one.
func (t *tree) lost(ctx context.Context) (map[pst.NID]bool, error) {
	lost := map[pst.NID]bool{}
	for d, err := range t.file.Lost() {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if err := ignore(err); err != nil { // the walk tells what is damaged
			return nil, err
		}
		if d != nil {
			lost[d.Node()] = true
		}
	}
	return lost, nil
}

// doubtful gives the items, and the folders for their tables, that have blocks whose
// checksums do not fit. A rescue takes them as they are; whoever gets them out is to know.
// It reads the whole file, once.
func (t *tree) doubtful(ctx context.Context) (map[pst.NID]bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.rescued || t.dubious != nil {
		return t.dubious, nil
	}
	found := map[pst.NID]bool{}
	err := t.file.Sweep(ctx, func(d *reader.Damage) error {
		if d.Node != 0 && len(found) < mostDamages {
			found[whole(d.Node)] = true
		}
		return nil
	})
	if err == nil {
		t.dubious = found
	}
	return found, err
}

// isLeftover reports whether a damage that a sweep gives is in no use: after a rescue the
// file's free room is looked at too.
func (t *tree) isLeftover(d *reader.Damage) bool {
	return d.Node == 0 && t.rescued && len(t.file.Wrong()) > 0
}

// worthLooking reports whether a file whose header is damaged may be an Outlook data file
// all the same: one that is named so, or begins so.
func worthLooking(e keepwatch.Entry, wrong *pst.HeaderError) bool {
	return e.Size > longestHeader && (keepwatch.NamedMailbox(e.Path) || wrong.Rule != pst.RuleMagic)
}
