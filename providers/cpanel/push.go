package cpanel

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// arrivals lists the full backups of an account in the folder where a receiver's files
// are seen on this machine, the oldest first. Only ordinary files count, and no link is
// followed.
func arrivals(x keepwatch.Push, user string) ([]heldFile, error) {
	entries, err := os.ReadDir(x.Folder)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "The folder %s, in which backups that the host sends are to arrive, cannot be read. Mount or make it, or correct push: in keepwatch.yaml; then retry.", x.Folder).Because(err)
	}
	var files []heldFile
	for _, e := range entries {
		if !e.Type().IsRegular() || !isBackup(e.Name(), user) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, heldFile{name: e.Name(), path: e.Name(), size: info.Size(), mtime: info.ModTime()})
	}
	order(files)
	return files, nil
}

// packTime is how long a host may pack before it sends the first byte, where nobody has
// configured a time and it does not say whether it is at work. It packs all of the
// account first, which takes hours for a large one.
const packTime = 3 * time.Hour

// mostPackTime is how long one is believed that says it is at work: a run of which
// nobody has told it the end looks like that for ever.
const mostPackTime = 24 * time.Hour

// waitPushed waits until a backup that the host sends has arrived: its size is the same
// over many looks. What goes wrong at the host is told in its e-mail and log only, so
// that a file that does not come is all that can be seen of it.
func (p *Provider) waitPushed(ctx context.Context, job providers.Job, a keepwatch.Hosting, h host, r *remote) error {
	w := &waiting{p: p, job: job, r: r, stall: stall(a), now: p.now, size: -1, watcher: watcher{host: h, user: user{User: text(r.Want.User), Home: text(r.Home)}}}
	began := p.now()
	w.changed = began
	for {
		files, err := arrivals(*a.Push, r.Want.User)
		if err != nil {
			return err
		}
		list := fresh(files, r.Before)
		if len(list) == 0 {
			list = rewritten(files, r.Before, true)
		}
		if r.Name == "" && len(list) > 0 {
			r.name(list)
			if err := r.keep(job); err != nil {
				return err
			}
		}
		f, there := find(files, r.Name)
		switch {
		case there:
			w.stall = stall(a)
			w.grown(f.size)
			w.report(status{})
			if f.size > 0 && w.calm(p.now().Sub(w.changed)) {
				return nil
			}
		case r.Name != "":
			return keepwatch.Errorf(keepwatch.KindAttention, "%s had arrived in %s and is not there any more. Cancel this run and start the backup again.", r.Name, a.Push.Folder)
		default:
			w.packing(ctx, a, began)
		}
		if p.now().Sub(w.changed) >= w.stall {
			return notArrived(a, r, w)
		}
		if err := pause(ctx, p.every); err != nil {
			return err
		}
	}
}

// packing looks whether the host is still at work on what it is going to send.
func (w *waiting) packing(ctx context.Context, a keepwatch.Hosting, began time.Time) {
	if a.Stall > 0 { // somebody knows better
		return
	}
	s, err := w.status(ctx)
	writing := s.state == stateWriting || slices.Contains(slices.Collect(maps.Values(s.of)), stateWriting)
	switch {
	case err == nil && writing && w.now().Sub(began) < mostPackTime:
		w.changed, w.stall = w.now(), defaultStall
	case err == nil && s.known:
		w.stall = defaultStall
	default: // it does not say, or cannot be asked
		w.stall = packTime
	}
}

func notArrived(a keepwatch.Hosting, r *remote, w *waiting) error {
	mail := "The host writes why into its e-mail about the backup: set email: in keepwatch.yaml to get it."
	if a.Email != "" {
		mail = "The host writes why into its e-mail to " + a.Email + "."
	}
	if r.Name == "" {
		return keepwatch.Errorf(keepwatch.KindAttention, "The host said that it began a full backup of %s%s and sends it by %s to %s, but nothing has arrived in %s for %s. The receiver may be out of its reach, or its password or key wrong. %s Then cancel this run and start the backup again; Retry waits once more.",
			r.Want.User, process(r.PID), a.Push.Way, a.Push.Host, a.Push.Folder, keepwatch.FormatDuration(w.stall), mail)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s has arrived in %s with %s and is still no whole file after %s. %s Then cancel this run and start the backup again; Retry waits once more.",
		r.Name, a.Push.Folder, keepwatch.FormatBytes(max(w.size, 0)), keepwatch.FormatDuration(w.stall), mail)
}

// fetchPushed takes in what arrived, and proves it as if it were downloaded. The
// folder's files are not ours: a link in place of the file is not followed.
func (p *Provider) fetchPushed(ctx context.Context, job providers.Job, a keepwatch.Hosting, h host, r *remote, sink providers.Sink) error {
	if err := p.settled(ctx, job, r); err != nil {
		return err
	}
	if err := p.tell(*r, sink); err != nil {
		return err
	}
	f, info, err := openArrived(a.Push.Folder, r.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	t := &taking{job: job, sink: sink, total: info.Size()}
	e := keepwatch.Entry{Path: r.Name, Type: keepwatch.EntryFile, Size: info.Size(), Mode: 0o600, ModTime: info.ModTime()}
	want, err := stillWanted(ctx, h, *r, sink)
	if err != nil {
		return err
	}
	want.size = info.Size()
	v, err := t.take(ctx, e, f, newProver(want))
	if err != nil {
		return err
	}
	after, err := f.Stat()
	if err != nil {
		return err
	}
	if after.Size() != info.Size() {
		return keepwatch.Errorf(keepwatch.KindTransient, "%s had %s when it began to be taken in and has %s now, so it still arrives. It is taken in again.", r.Name, keepwatch.FormatBytes(info.Size()), keepwatch.FormatBytes(after.Size()))
	}
	if err := t.judge([]verdict{v}, v.inside); err != nil {
		return early(job, r, err, v.onlyCut())
	}
	r.Fetched, r.Size = true, info.Size()
	return r.keep(job)
}

// openArrived opens an ordinary file of a folder.
func openArrived(folder, name string) (*os.File, fs.FileInfo, error) {
	missing := func(err error) error {
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, which the host has sent, cannot be read in %s. Look there, then retry; or cancel this run and start the backup again.", name, folder).Because(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, nil, missing(err)
	}
	defer root.Close()
	seen, err := root.Lstat(name)
	if err != nil {
		return nil, nil, missing(err)
	}
	if !seen.Mode().IsRegular() {
		return nil, nil, missing(errors.New("it is no ordinary file"))
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, missing(err)
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(seen, info) {
		err = errors.New("it was swapped for another file")
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, missing(err)
	}
	return f, info, nil
}
