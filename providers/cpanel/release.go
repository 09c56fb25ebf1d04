package cpanel

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"keepwatch"
	"keepwatch/providers"
)

// releaseTries is how often a removal is tried while the host does not answer.
const releaseTries = 3

// Release removes the host's copy of what was fetched and proved, where the source says
// so, and only that very file: of that name, of the size that was proved, and not written
// since. Whatever stays is told with its size, because it counts against the account's quota.
func (p *Provider) Release(ctx context.Context, job providers.Job) ([]keepwatch.Note, error) {
	r, err := readRemote(job)
	if err != nil {
		return nil, err
	}
	a, h, err := p.account(job.Source)
	if err != nil {
		return nil, err
	}
	note := func(format string, args ...any) ([]keepwatch.Note, error) {
		return []keepwatch.Note{{Kind: keepwatch.NoteInfo, Path: r.Name, Text: fmt.Sprintf(format, args...)}}, nil
	}
	size := keepwatch.FormatBytes(r.Size)
	switch {
	case r.Name == "" || !r.Fetched:
		return nil, nil
	case r.Push:
		return note("the file that the host sent stays in %s, with %s; Keepwatch removes nothing there", a.Push.Folder, size)
	case !a.Remove:
		return note("the host's copy stays in the account's home and takes %s of its quota; remove: true in keepwatch.yaml has such copies removed once the archive is verified", size)
	case r.shared():
		return note("the host's copy stays in the account's home and takes %s of its quota, since another program may still need it", size)
	}
	return p.takeAway(ctx, job, h, r, note)
}

// takeAway removes what is still the file that was fetched.
func (p *Provider) takeAway(ctx context.Context, job providers.Job, h host, r remote, note func(format string, args ...any) ([]keepwatch.Note, error)) ([]keepwatch.Note, error) {
	u, size := user{User: text(r.Want.User), Home: text(r.Home)}, keepwatch.FormatBytes(r.Size)
	var failed error
	for try := range releaseTries + 1 { // the last only looks
		if failed != nil {
			if err := pause(ctx, p.every); err != nil {
				return nil, err
			}
		}
		f, err := lookAt(ctx, h, u, r.Name)
		switch {
		case errors.Is(err, errGone):
			return nil, nil // removed, by this try or one before
		case context.Cause(ctx) != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			failed = err
			continue
		case f.size != r.Size:
			return note("the host's file of that name has %s now and not the %s that were fetched and verified, so it was not removed", keepwatch.FormatBytes(f.size), size)
		case !r.At.IsZero() && !f.mtime.IsZero() && !f.mtime.Equal(r.At):
			return note("the host's file of that name was written again since it was fetched and verified, so it was not removed; it takes %s of the account's quota", keepwatch.FormatBytes(f.size))
		}
		if try == releaseTries {
			break
		}
		if failed = remove(ctx, h, f); failed != nil && !isTrouble(failed) {
			break
		}
	}
	if context.Cause(ctx) != nil {
		return nil, context.Cause(ctx)
	}
	why := "the host said that it removed it, and it is still there"
	if failed != nil {
		p.log.Warn("the host's copy of a backup could not be removed", "source", job.Source.Name, "run", job.Run, "err", failed)
		why = orElse(keepwatch.Sentence(failed), "the host did not do it")
	}
	return note("the host's copy could not be removed and takes %s of the account's quota; remove it in cPanel (Files, File Manager): %s", size, why)
}

// remove deletes one file of the account. That it is gone is seen by a look: fileop's
// unlink skips what it may not delete and reports it as deleted (documents of Trash).
func remove(ctx context.Context, h host, f heldFile) error {
	err := h.uapi(ctx, "Fileman", "delete_file", url.Values{"path": {f.path}}, nil)
	if !isAbsent(err) {
		return err
	}
	return h.api2(ctx, "Fileman", "fileop", url.Values{"op": {"unlink"}, "sourcefiles": {f.path}, "doubledecode": {"0"}}, nil)
}
