package cpanel

import (
	"context"
	"errors"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

const (
	// quietLooks is how many looks in a row must find the same size before a backup
	// counts as complete of which the host does not say it. Its writer pauses between
	// files; what was taken too early is told by the proof, and by the size afterwards.
	quietLooks = 12
	// sameLooks is how many of them do where the host says that it is complete.
	sameLooks = 1
	// fullLooks is how many looks without growth lead to a look at the quota.
	fullLooks = 3
	// fullBelow is how little room makes a quota full, in bytes.
	fullBelow = 1 << 20
)

// Wait returns when the host has made the backup: it says so, or does not say anything
// and the file has stopped growing. A writer that stalls, dies or fills the quota is
// trouble that a person hears of; trouble with the network is borne as long as a stall.
func (p *Provider) Wait(ctx context.Context, job providers.Job) error {
	r, err := readRemote(job)
	if err != nil {
		return err
	}
	return p.wait(ctx, job, &r)
}

func (p *Provider) wait(ctx context.Context, job providers.Job, r *remote) error {
	a, h, err := p.account(job.Source)
	if err != nil {
		return err
	}
	if !r.Told && r.Name == "" { // any file that lies there would be taken for ours
		return keepwatch.Errorf(keepwatch.KindAttention, "It is not known what the host of %s was asked for. Cancel this run and start the backup again.", job.Source.Name)
	}
	if r.Push {
		return p.waitPushed(ctx, job, a, h, r)
	}
	u := user{User: text(orElse(r.Want.User, a.User)), Home: text(orElse(r.Home, "/home/"+a.User))}
	w := &waiting{p: p, job: job, r: r, stall: stall(a), now: p.now, watcher: watcher{host: h, user: u}}
	err = w.until(ctx)
	if errors.Is(err, errGone) && r.shared() {
		return p.another(ctx, job, r)
	}
	if errors.Is(err, errGone) {
		return keepwatch.Errorf(keepwatch.KindAttention, "%s was there with %s and has vanished from the home of the account %s before it was complete: the host, or somebody there, has ended the backup. Cancel this run and start it again; if that happens again, ask the host why.",
			r.Name, keepwatch.FormatBytes(w.size), u.User).Because(err)
	}
	return err
}

// waiting is a wait for one backup.
type waiting struct {
	p     *Provider
	job   providers.Job
	r     *remote
	stall time.Duration
	now   func() time.Time
	watcher

	size    int64     // as it was last seen
	changed time.Time // when it last grew, or the wait began
	same    int       // looks since then that found it the same
	missing int       // looks in a row that did not find it
	unseen  int       // looks in which there was no new file
	heard   time.Time // when the host last answered
}

// until looks again and again.
func (w *waiting) until(ctx context.Context) error {
	w.changed, w.heard, w.size = w.now(), w.now(), -1
	trouble := ""
	for {
		done, err := w.look(ctx)
		switch {
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err == nil && done:
			return nil
		case err == nil:
			w.heard, trouble = w.now(), ""
		case !isTrouble(err):
			return err
		default:
			if now := err.Error(); now != trouble { // a loop says a trouble once
				trouble = now
				w.p.log.Warn("the host does not answer while it makes a backup", "source", w.job.Source.Name, "run", w.job.Run, "err", err)
			}
			if w.now().Sub(w.heard) >= w.stall {
				return err
			}
		}
		if err := pause(ctx, w.p.every); err != nil {
			return err
		}
	}
}

// look looks once, and reports whether the backup is complete.
func (w *waiting) look(ctx context.Context) (bool, error) {
	if w.r.Name == "" {
		found, err := w.identify(ctx)
		if err != nil {
			return false, err
		}
		if !found {
			return false, w.late()
		}
	}
	s, err := w.status(ctx)
	if err != nil {
		return false, err
	}
	f, err := w.file(ctx, w.r.Name)
	if errors.Is(err, errGone) {
		if w.missing++; w.missing < 2 { // it may be renamed just now
			return false, nil
		}
		return false, err
	}
	if err != nil {
		return false, err
	}
	w.missing = 0
	w.grown(f.size)
	w.report(s)
	return w.decide(ctx, s)
}

// identify finds our file among those that are new: the older, where there are two,
// because another program began one at the same moment and finds the same.
func (w *waiting) identify(ctx context.Context) (bool, error) {
	files, err := homeBackups(ctx, w.host, w.user)
	if err != nil {
		return false, err
	}
	list := fresh(files, w.r.Before)
	if len(list) == 0 {
		return w.identifyRewritten(ctx, files)
	}
	if len(list) == 1 { // another one may be about to appear
		if err := pause(ctx, w.p.every); err != nil {
			return false, err
		}
		if files, err = homeBackups(ctx, w.host, w.user); err != nil {
			return false, err
		}
		if list = fresh(files, w.r.Before); len(list) == 0 {
			return false, nil
		}
	}
	w.r.name(list)
	return true, w.r.keep(w.job)
}

// identifyRewritten finds our file among those that were there before and have been
// begun anew. A host that does not say when its newest run began gets time to show a
// new file first.
func (w *waiting) identifyRewritten(ctx context.Context, files []heldFile) (bool, error) {
	s, err := w.status(ctx)
	if err != nil {
		return false, err
	}
	w.unseen++
	list := rewritten(files, w.r.Before, s.run > w.r.Run || w.unseen > quietLooks)
	if len(list) == 0 {
		return false, nil
	}
	w.r.Name = list[len(list)-1].name
	return true, w.r.keep(w.job)
}

// name takes the older one of new files.
func (r *remote) name(list []heldFile) {
	r.Name = list[0].name
	if len(list) > 1 {
		r.Twin = "another full backup, " + list[1].name + ", was begun at the same time, by somebody at the host or by another program; the older one was taken, and both stay there"
	}
}

// late says that no file has appeared for too long.
func (w *waiting) late() error {
	if w.now().Sub(w.changed) < w.stall {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The host said that it began a full backup of %s%s, but no file has appeared in %s for %s. Ask the host what became of it, or look in cPanel (Files, Backup). Cancel this run and start the backup again.",
		w.user.User, process(w.r.PID), w.user.Home, keepwatch.FormatDuration(w.stall))
}

func process(pid string) string {
	if pid == "" {
		return ""
	}
	return " (process " + pid + ")"
}

// grown takes in the size that was seen.
func (w *waiting) grown(size int64) {
	if size == w.size {
		w.same++
		return
	}
	w.size, w.same, w.changed = size, 0, w.now()
}

// report says how far the host is. Its own estimate goes before the size of the last
// archive; neither is less than what is there.
func (w *waiting) report(s status) {
	total := s.total
	if total == 0 && w.job.Last != nil {
		total = w.job.Last.Bytes
	}
	if total > 0 {
		total = max(total, w.size+1) // it is never done before it is
	}
	w.job.Report(keepwatch.Progress{Bytes: w.size, TotalBytes: total})
}

// decide says whether the backup is complete, or what is wrong with it.
func (w *waiting) decide(ctx context.Context, s status) (bool, error) {
	state := s.of[w.r.Name]
	if state == stateUnknown && s.known && s.state == stateWriting {
		state = stateWriting // the host writes one and does not name it
	}
	switch {
	case state == stateStale:
		return false, keepwatch.Errorf(keepwatch.KindAttention, "The host has not heard of the program that writes %s for too long and counts it as dead; %s of it are there. Remove that file in cPanel (Files, File Manager), cancel this run and start the backup again. If that happens again, ask the host why.",
			w.r.Name, keepwatch.FormatBytes(w.size))
	case state == stateReady && s.state == stateWriting: // of this file or of another one: there is no telling
		return w.same >= quietLooks, nil
	case state == stateReady:
		return w.same >= sameLooks, nil
	}
	if w.same >= fullLooks && w.same%fullLooks == 0 {
		if err := w.full(ctx); err != nil {
			return false, err
		}
	}
	quiet := w.now().Sub(w.changed)
	if state == stateUnknown && w.size > 0 && w.calm(quiet) {
		return true, nil
	}
	if quiet >= w.stall {
		return false, keepwatch.Errorf(keepwatch.KindAttention, "%s has not grown for %s: %s are there, and the host does not say that it is complete. Its writer may hang. Look in cPanel (Files, Backup): if nothing happens there, remove that file, cancel this run and start the backup again; Retry waits for it once more.",
			w.r.Name, keepwatch.FormatDuration(quiet), keepwatch.FormatBytes(w.size))
	}
	return false, nil
}

// calm reports whether a file counts as complete of which nobody says so.
func (w *waiting) calm(quiet time.Duration) bool {
	if w.r.Early == 1 {
		return quiet >= w.stall
	}
	return w.same >= quietLooks
}

// full says that the quota was filled while the backup was written, as an error.
func (w *waiting) full(ctx context.Context) error {
	q, known, err := quota(ctx, w.host, w.now())
	if err != nil || !known {
		return err
	}
	if free, limited := q.Free(); !limited || free >= fullBelow {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The quota of the account %s was filled while the backup was written: it uses %s of its %s, and %s has stopped at %s. Remove that file in cPanel (Files, File Manager), which is of no use, and free more room or have the quota raised. Then cancel this run and start the backup again.",
		w.user.User, keepwatch.FormatBytes(q.Used), keepwatch.FormatBytes(q.Limit), w.r.Name, keepwatch.FormatBytes(w.size))
}
