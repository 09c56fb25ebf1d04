package cpanel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// taking is a fetch under way: it counts and reports.
type taking struct {
	job   providers.Job
	sink  providers.Sink
	total int64 // bytes; 0: unknown
	bytes int64
	items int64
}

// proving is the content of one file, which is proved while it is read.
type proving struct {
	t     *taking
	from  io.Reader
	proof *prover
	ctx   context.Context
	n     int64
	err   error // of from, or of the proof
}

// Read reads, proves and counts.
func (c *proving) Read(b []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		c.err = err
		return 0, err
	}
	n, err := c.from.Read(b)
	if n > 0 {
		if _, bad := c.proof.Write(b[:n]); bad != nil {
			c.err = bad
			return n, bad
		}
		c.n += int64(n)
		c.t.bytes += int64(n)
		c.t.report()
	}
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

func (t *taking) report() {
	t.job.Report(keepwatch.Progress{Bytes: t.bytes, Items: t.items, TotalBytes: max(t.total, t.bytes)})
}

// take stores one file as it comes and gives what was found out about it. An e.Size
// that is known must be what comes.
func (t *taking) take(ctx context.Context, e keepwatch.Entry, from io.Reader, proof *prover) (verdict, error) {
	defer proof.Abandon()
	defer context.AfterFunc(ctx, proof.Abandon)() // it must not hold up one who cancels
	c := &proving{t: t, from: from, proof: proof, ctx: ctx}
	err := t.sink.Single(e, c)
	if cause := context.Cause(ctx); cause != nil {
		return verdict{}, cause
	}
	if c.err != nil { // a sink may take a cut for the end
		return verdict{}, fmt.Errorf("read %s: %w", e.Path, c.err)
	}
	if err != nil {
		return verdict{}, err
	}
	if e.Size >= 0 && c.n != e.Size {
		return verdict{}, keepwatch.Errorf(keepwatch.KindTransient, "The host said that %s has %s, and %s came. Nothing was kept of it; it is tried again.", e.Path, keepwatch.FormatCount(e.Size, "byte"), keepwatch.FormatCount(c.n, ""))
	}
	v, err := proof.Finish()
	if cause := context.Cause(ctx); cause != nil {
		return verdict{}, cause
	}
	if err != nil {
		return verdict{}, fmt.Errorf("prove %s: %w", e.Path, err)
	}
	t.items++
	t.report()
	return v, nil
}

// mostProblems is how many problems are named to a person at once.
const mostProblems = 5

// judge says what was found out, to the sink or as an error. What is not whole is not
// kept, all of it: an archive with a hole in it is one that somebody trusts.
func (t *taking) judge(proofs []verdict, inside keepwatch.Inside) error {
	var texts []string
	for _, v := range proofs {
		for _, f := range v.problems {
			texts = append(texts, f.Text)
		}
	}
	if n := len(texts); n > mostProblems {
		texts = append(texts[:mostProblems:mostProblems], fmt.Sprintf("And %s.", keepwatch.FormatCount(int64(n-mostProblems), "other problem")))
	}
	if len(texts) > 0 {
		return keepwatch.Errorf(keepwatch.KindAttention, "What the host gave of %s is not a whole backup, and nothing of it was kept. %s", t.job.Source.Name, strings.Join(texts, " ")).Because(errUnfit)
	}
	last := t.job.Last
	if last != nil && !inside.Made.IsZero() && inside.Made.Before(last.AsOf()) {
		last = nil // what was not there yet is not missing
	}
	for _, v := range append(proofs, verdict{notes: compare(inside, last)}) {
		for _, n := range v.notes {
			if err := t.sink.Note(n); err != nil {
				return err
			}
		}
	}
	if account := t.job.Source.Hosting; account != nil {
		inside.Account = account.Account()
	}
	if t.job.Found != nil {
		t.job.Found(inside)
	}
	return nil
}

// errUnfit is in the chain of errors that say that an archive is not whole.
var errUnfit = errors.New("the archive is not whole")

// merge adds what is in one file to what is in those before it.
func merge(all *keepwatch.Inside, one keepwatch.Inside) {
	all.Files += one.Files
	all.Bytes += one.Bytes
	all.Databases = slices.Compact(slices.Sorted(slices.Values(slices.Concat(all.Databases, one.Databases))))
	all.Domains = slices.Compact(slices.Sorted(slices.Values(slices.Concat(all.Domains, one.Domains))))
}

// downloadRoute is how a file of the home is downloaded (the link that cPanel's File
// Manager has; no document names it).
func downloadRoute(path string) string {
	return "/download?skipencode=1&file=" + url.QueryEscape(path)
}

// fetchHeld brings home a backup that lies in the account's home. Nobody knows what
// the account held when it was made, so that its databases are compared with nothing
// but the archive before.
func (p *Provider) fetchHeld(ctx context.Context, job providers.Job, a keepwatch.Hosting, h host, sink providers.Sink) error {
	u, err := whoIs(ctx, h, a)
	if err != nil {
		return err
	}
	f, err := heldNamed(ctx, h, u, job.Held)
	if err != nil {
		return err
	}
	_, err = p.download(ctx, job, h, u, f, expected{user: string(u.User)}, f.made(), sink)
	return err
}

// fetchFull brings home what the host made for this run. Where the file of another run
// that was waited for is gone by now, because who began it has removed it, one of our
// own is asked for.
func (p *Provider) fetchFull(ctx context.Context, job providers.Job, a keepwatch.Hosting, h host, r *remote, sink providers.Sink) error {
	if err := p.settled(ctx, job, r); err != nil && !errors.Is(err, errGone) {
		return err
	}
	var u user
	var f heldFile
	err := p.bear(ctx, job, func() (err error) {
		if u, err = whoIs(ctx, h, a); err == nil {
			f, err = lookAt(ctx, h, u, r.Name)
		}
		return err
	})
	if errors.Is(err, errGone) {
		if r.shared() {
			if err := p.another(ctx, job, r); err != nil {
				return err
			}
			f, err = lookAt(ctx, h, u, r.Name)
		}
		if err != nil {
			return gone(r.Name, u, err)
		}
	} else if err != nil {
		return err
	}
	if err := p.tell(*r, sink); err != nil {
		return err
	}
	var made time.Time // of when the run began, and by our clock
	if r.Others != "" {
		made = f.made()
	}
	want, err := stillWanted(ctx, h, *r, sink)
	if err != nil {
		return err
	}
	size, err := p.download(ctx, job, h, u, f, want, made, sink)
	if errors.Is(err, errGone) && r.shared() { // in the middle: the sink has taken half of it
		*r = remote{Version: remoteVersion}
		if err := r.keep(job); err != nil {
			return err
		}
		return keepwatch.Errorf(keepwatch.KindTransient, "Another program that began the backup %s has removed it while it was downloaded. A new one is made.", f.name).Because(err)
	}
	if err != nil {
		return early(job, r, gone(f.name, u, err), errors.Is(err, errOpen))
	}
	r.Fetched, r.Size, r.At = true, size, f.mtime
	return r.keep(job)
}

// gone puts errGone into a sentence.
func gone(name string, u user, err error) error {
	if !errors.Is(err, errGone) {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s is not in the home of the account %s any more: the host, somebody there or another program has removed it. Cancel this run and start the backup again.", name, u.User).Because(err)
}

// tell notes what is worth knowing about how the backup came to be.
func (p *Provider) tell(r remote, sink providers.Sink) error {
	for _, text := range []string{r.Others, r.Twin} {
		if text == "" {
			continue
		}
		if err := sink.Note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: r.Name, Text: text}); err != nil {
			return err
		}
	}
	return nil
}

// download takes in one full backup and proves it on the way. Its size at the host is
// the same before and after, and is what came. made is of when it is; zero: of when the
// run began.
func (p *Provider) download(ctx context.Context, job providers.Job, h host, u user, f heldFile, want expected, made time.Time, sink providers.Sink) (int64, error) {
	if f.size == 0 {
		return 0, keepwatch.Errorf(keepwatch.KindAttention, "%s is an empty file at the host. Its disk or the account's quota may be full; look there, then cancel this run and start the backup again.", f.name)
	}
	var rc io.ReadCloser
	err := p.bear(ctx, job, func() (err error) {
		if rc, err = h.read(ctx, downloadRoute(f.path), f.size); err != nil {
			err = p.vanished(ctx, h, u, f, err)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	defer rc.Close()
	mtime := f.mtime
	if mtime.IsZero() {
		mtime = p.now()
	}
	want.size = f.size
	t := &taking{job: job, sink: sink, total: f.size}
	v, err := t.take(ctx, keepwatch.Entry{Path: f.name, Type: keepwatch.EntryFile, Size: f.size, Mode: 0o600, ModTime: mtime}, rc, newProver(want))
	if err != nil {
		return 0, p.vanished(ctx, h, u, f, err)
	}
	var after heldFile
	err = p.bear(ctx, job, func() (err error) { after, err = lookAt(ctx, h, u, f.name); return err })
	if err != nil && !errors.Is(err, errGone) { // gone by now: what came is whole or it is not
		return 0, err
	}
	if err == nil && after.size != f.size {
		return 0, keepwatch.Errorf(keepwatch.KindTransient, "%s had %s when its download began and has %s now, so the host is still writing it. It is downloaded again.", f.name, keepwatch.FormatBytes(f.size), keepwatch.FormatBytes(after.size))
	}
	open := false
	if len(v.problems) > 0 {
		w := &watcher{host: h, user: u}
		s, err := w.status(ctx)
		if err == nil && s.of[f.name] == stateWriting {
			return 0, keepwatch.Errorf(keepwatch.KindTransient, "%s was downloaded before it was complete: the host still writes it. It is downloaded again.", f.name).Because(errUnfit)
		}
		full := p.fullThen(ctx, h)
		open = err == nil && s.of[f.name] == stateUnknown && v.onlyCut() && len(full) == 0
		v.problems = append(v.problems, full...)
	}
	v.inside.Name, v.inside.Made = f.name, made
	err = t.judge([]verdict{v}, v.inside)
	if err != nil && open {
		err = fmt.Errorf("%w (%w)", err, errOpen)
	}
	return f.size, err
}

// fullThen says that the account's quota is full, where that is so: a host then counts
// a backup as complete that ends where the room did.
func (p *Provider) fullThen(ctx context.Context, h host) []keepwatch.Finding {
	q, known, err := quota(ctx, h, p.now())
	if free, limited := q.Free(); err != nil || !known || !limited || free >= fullBelow {
		return nil
	}
	return []keepwatch.Finding{{Rule: "quota", What: "quota", Text: fmt.Sprintf("The account uses %s of its %s, so that its quota was probably filled while the backup was written: remove that backup in cPanel (Files, File Manager), and free more room or have the quota raised.", keepwatch.FormatBytes(q.Used), keepwatch.FormatBytes(q.Limit))}}
}

// vanished adds errGone to an error of a download where the file is gone.
func (p *Provider) vanished(ctx context.Context, h host, u user, f heldFile, err error) error {
	if context.Cause(ctx) != nil {
		return err
	}
	if _, look := lookAt(ctx, h, u, f.name); errors.Is(look, errGone) {
		return errors.Join(err, errGone)
	}
	return err
}
