package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"keepwatch"
)

// OpenEntry opens one file of an archive for reading, a single one or one of the
// tree: decrypted, and unpacked where the vault had compressed it. It streams, in
// constant memory. A file of the tree is read from where it begins; in an archive that
// does not say where that is, as those of older versions, from the beginning of the tree.
// At its end the content is compared with the list of contents: where it is not
// what that says, or cannot be read because of damage, Read gives an error with
// keepwatch.ErrDamaged in its chain in place of io.EOF. Close ends everything that
// reading it has begun, in the middle too; it may be called while Read waits.
func (v *Vault) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	f, err := v.open(ref)
	if err != nil {
		return keepwatch.Entry{}, nil, err
	}
	return f.OpenEntry(ctx, path)
}

// OpenEntry is Vault.OpenEntry for an archive's folder.
func (f *Folder) OpenEntry(ctx context.Context, path string) (keepwatch.Entry, io.ReadCloser, error) {
	e, err := f.find(ctx, path)
	if err != nil {
		return keepwatch.Entry{}, nil, err
	}
	r := newEntryReader(ctx, f, e)
	go r.run()
	select {
	case <-r.begun:
		return e.Entry, r, nil
	case <-r.done:
		select {
		case <-r.begun: // a short one, which is read already
			return e.Entry, r, nil
		default:
		}
		r.cancel(errClosed)
		return keepwatch.Entry{}, nil, r.failed
	}
}

// errFound ends the reading of the list of contents.
var errFound = errors.New("vault: the entry was found")

// find looks a file up in the list of contents.
func (f *Folder) find(ctx context.Context, path string) (found listed, err error) {
	look := func(e listed) error {
		if e.Path != path {
			return nil
		}
		found = e
		return errFound
	}
	if as, failed := json.Marshal(path); failed == nil && bytes.Contains(as, []byte(path)) {
		err = f.listOnly(ctx, []byte(path), look, nil) // what is decoded are a few lines
	}
	if !errors.Is(err, errFound) { // it may be written in another way
		err = f.list(ctx, look, nil)
	}
	switch {
	case errors.Is(err, errFound) && found.Type != keepwatch.EntryFile:
		return found, keepwatch.Errorf(keepwatch.KindInvalid, "%s is a %s in the archive and no file.", keepwatch.Printable(path), found.Type)
	case errors.Is(err, errFound):
		return found, nil
	case err != nil:
		return found, err
	}
	return found, keepwatch.Errorf(keepwatch.KindNotFound, "The archive holds no %s. `/backup show` lists what is in it.", keepwatch.Printable(path))
}

// entryReader hands the content of one entry on from a walk, which goes on in a
// goroutine of its own.
type entryReader struct {
	*io.PipeReader
	e      listed
	w      *walker
	out    *io.PipeWriter
	cancel context.CancelCauseFunc
	begun  chan struct{} // closed when the walk has come to the entry
	done   chan struct{} // closed when the walk has ended
	failed error         // of the walk, once it has ended; nil: all was right

	there, good bool
	wrong       *keepwatch.Finding // what the walk told of last
}

// errClosed is why a walk ends whose reader was closed.
var errClosed = errors.New("vault: the reader was closed")

func newEntryReader(ctx context.Context, f *Folder, e listed) *entryReader {
	ctx, cancel := context.WithCancelCause(ctx)
	in, out := io.Pipe()
	r := &entryReader{PipeReader: in, e: e, out: out, cancel: cancel, begun: make(chan struct{}), done: make(chan struct{})}
	r.w = &walker{f: f, ctx: ctx, ids: f.keys.opening(f.to), seek: true, mend: true, tick: func() {}, read: f.read,
		tell: func(p keepwatch.Finding) { r.wrong = &p },
		want: func(e keepwatch.Entry) bool { return e.Path == r.e.Path && !r.there },
		done: func() bool { return r.there },
		lost: func(keepwatch.Entry) error { return errLost }}
	return r
}

// errLost ends a walk that cannot come to the entry.
var errLost = errors.New("vault: the entry cannot be read")

// Close ends the walk and waits for that.
func (r *entryReader) Close() error {
	r.cancel(errClosed)
	err := r.PipeReader.Close()
	<-r.done
	return err
}

// run walks to the entry and says at its end whether it was right.
func (r *entryReader) run() {
	defer close(r.done)
	stop := context.AfterFunc(r.w.ctx, func() { _ = r.out.CloseWithError(context.Cause(r.w.ctx)) })
	defer stop()
	var err error
	if r.e.form == formTree {
		var done bool
		if done, err = r.w.straight(r.e, r.visit); !done {
			err = r.w.walk(r.visit)
		}
	} else { // what lies before it need not be read
		r.w.prepare()
		err = r.w.single(r.e, true, r.visit)
	}
	if !r.good {
		r.failed = r.fault(err)
	}
	_ = r.out.CloseWithError(r.failed) // nil is io.EOF
}

// visit hands the content on.
func (r *entryReader) visit(_ keepwatch.Entry, body *content) (func(bool) error, error) {
	r.there, r.wrong = true, nil
	r.w.mend = false // what lies behind it is not wanted
	close(r.begun)
	_, err := io.CopyBuffer(r.out, onlyReader{body}, r.w.buf)
	if body.err == nil && err != nil {
		return nil, err
	}
	return func(ok bool) error { r.good = ok; return nil }, nil
}

// fault says why the entry was not read, or not as it should be.
func (r *entryReader) fault(err error) error {
	cause := context.Cause(r.w.ctx)
	switch {
	case cause != nil:
		return cause
	case err != nil && !errors.Is(err, errLost):
		return err
	}
	return lostEntry(r.e.Path, r.wrong)
}

// lostEntry says that a file cannot be read, by what was found wrong; nil: it did not
// come where it should.
func lostEntry(path string, wrong *keepwatch.Finding) error {
	text := "It is not where the list of contents says."
	if wrong != nil {
		text = wrong.Text
	}
	e := keepwatch.Errorf(keepwatch.KindAttention, "%s could not be read from the archive: %s Take it from another archive.", keepwatch.Printable(path), text)
	if wrong != nil && wrong.Rule == "unreadable" { // the disk's fault, as far as anybody can tell
		return e
	}
	return e.Because(keepwatch.ErrDamaged)
}
