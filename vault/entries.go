package vault

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"keepwatch"
)

// WalkEntries reads many files of an archive in one pass, where OpenEntry would look each
// of them up. See Folder.WalkEntries.
func (v *Vault) WalkEntries(ctx context.Context, ref string, want func(path string) bool, visit func(e keepwatch.Entry, body io.Reader) error) error {
	f, err := v.open(ref)
	if err != nil {
		return err
	}
	return f.WalkEntries(ctx, want, visit)
}

// WalkEntries calls visit with each file that is wanted, in the order in which they lie
// in the archive, decrypted and unpacked. body is good until visit returns. At its end
// the content is compared with the list of contents: where it is not what that says, or
// cannot be read because of damage, Read gives an error with keepwatch.ErrDamaged in its
// chain in place of io.EOF, and the walk goes on with what can be read behind it. An
// error of visit ends the walk, and is given back. What is not wanted is not read, nor is
// damage in it met, but for short pieces on the way; an archive that does not say where its
// files begin, as those of older versions, is read from the beginning of its tree.
func (f *Folder) WalkEntries(ctx context.Context, want func(path string) bool, visit func(e keepwatch.Entry, body io.Reader) error) error {
	var wrong *keepwatch.Finding // what the walk told of last
	w := &walker{f: f, ctx: ctx, ids: f.keys.opening(f.to), seek: true, mend: true, tick: func() {}, read: f.read,
		tell: func(p keepwatch.Finding) { wrong = &p },
		want: func(e keepwatch.Entry) bool { return e.Type == keepwatch.EntryFile && want(e.Path) },
	}
	w.lost = func(e keepwatch.Entry) error { return visit(e, errorReader{lostEntry(e.Path, wrong)}) }
	err := w.walk(func(e keepwatch.Entry, body *content) (func(bool) error, error) {
		return nil, visit(e, &provedContent{ctx, e, body})
	})
	if err == nil && w.blind {
		err = lostEntry(contentsName, wrong)
	}
	return err
}

// provedContent gives the content of an entry, and at its end says whether it was right.
type provedContent struct {
	ctx  context.Context
	e    keepwatch.Entry
	body *content
}

func (r *provedContent) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	var disk *fs.PathError
	switch {
	case err == nil:
		return n, nil
	case context.Cause(r.ctx) != nil:
		return n, context.Cause(r.ctx)
	case errors.As(err, &disk):
		found := cannotRead(r.e.Path, err)
		return n, lostEntry(r.e.Path, &found)
	case !errors.Is(err, io.EOF):
		found := finding("damaged", r.e.Path, "%v.", err)
		return n, lostEntry(r.e.Path, &found)
	case !r.body.is(r.e):
		found := finding("content", r.e.Path, "Its content is not what the list of contents says.")
		return n, lostEntry(r.e.Path, &found)
	}
	return n, io.EOF
}
