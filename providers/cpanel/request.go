package cpanel

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// arrives is how long a request whose answer was lost is given to show at the host,
// before it is taken for one that never arrived. A host writes the file's name within
// seconds.
const arrives = 2 * time.Minute

// mostTries is how often the host is asked before a person has to look.
const mostTries = 3

// Request has the host make a full backup. What is there before is saved before the
// host is told, so that a backup that was begun is found again by what is new, however
// the call ended: nothing promises that a second call does not begin a second backup.
func (p *Provider) Request(ctx context.Context, job providers.Job) error {
	r, err := readRemote(job)
	if err != nil {
		return err
	}
	return p.request(ctx, job, &r)
}

func (p *Provider) request(ctx context.Context, job providers.Job, r *remote) error {
	a, h, err := p.account(job.Source)
	if err != nil {
		return err
	}
	if r.Name != "" || r.Told {
		return nil
	}
	u, err := whoIs(ctx, h, a)
	if err != nil {
		return err
	}
	if !r.Asked.IsZero() {
		found, err := p.arrived(ctx, job, h, a, u, r)
		if found || err != nil {
			return err
		}
		if r.Tries >= mostTries && !job.Retried {
			return keepwatch.Errorf(keepwatch.KindAttention, "The host of %s was asked for a full backup %d times, and no answer came and no backup appeared in %s. Look in cPanel (Files, Backup) whether one is being made; Retry asks once more.", job.Source.Name, r.Tries, u.Home)
		}
	} else {
		running, err := p.prepare(ctx, h, a, u, r)
		if err != nil {
			return err
		}
		if running {
			return r.keep(job)
		}
	}
	r.Asked, r.Tries = p.now().UTC(), r.Tries+1
	if err := r.keep(job); err != nil {
		return err
	}
	return p.ask(ctx, job, h, a, u, r)
}

// prepare looks at what is there before the host is told, and reports that a backup is
// being made already, which is then taken.
func (p *Provider) prepare(ctx context.Context, h host, a keepwatch.Hosting, u user, r *remote) (bool, error) {
	if err := allowed(u); err != nil {
		return false, err
	}
	*r = remote{Version: remoteVersion, Home: string(u.Home), Push: a.Push != nil, Tries: r.Tries, Want: want{User: string(u.User), Domains: u.names()}}
	for module, into := range map[string]*[]string{"Mysql": &r.Want.Databases, "Postgresql": &r.Want.Postgres} {
		all, known, err := databases(ctx, h, module)
		if err != nil {
			return false, err
		}
		if known {
			*into = namesOf(all)
		}
	}
	if r.Push {
		files, err := arrivals(*a.Push, r.Want.User)
		r.Before = marks(files)
		return false, err
	}
	files, err := homeBackups(ctx, h, u)
	if err != nil {
		return false, err
	}
	r.Before = marks(files)
	w := &watcher{host: h, user: u}
	s, err := w.status(ctx)
	if err != nil {
		return false, err
	}
	r.Run = s.run
	name, running, err := p.running(ctx, w, s, files)
	if err != nil || !running {
		return false, err
	}
	r.Asked, r.Told, r.Name = p.now().UTC(), true, name
	r.Others = "a full backup was being made already, by somebody at the host or by another program; it was waited for and taken, and no other was begun"
	return true, nil
}

// running reports whether a full backup is being made, and which file it is; "": it
// has none yet. Where the host does not say, one grows between two looks: when it was
// last written says nothing, because the clocks of hosts may be wrong by hours.
func (p *Provider) running(ctx context.Context, w *watcher, s status, files []heldFile) (string, bool, error) {
	for i := len(files) - 1; i >= 0; i-- {
		if s.of[files[i].name] == stateWriting {
			return files[i].name, true, nil
		}
	}
	if s.known {
		return "", s.state == stateWriting, nil
	}
	if len(files) == 0 {
		return "", false, nil
	}
	if err := pause(ctx, p.every); err != nil {
		return "", false, err
	}
	later, err := homeBackups(ctx, w.host, w.user)
	if err != nil {
		return "", false, err
	}
	for _, f := range later {
		if was, ok := find(files, f.name); !ok || f.size > was.size {
			return f.name, true, nil
		}
	}
	return "", false, nil
}

// arrived looks whether a backup that the host may have been told of has begun.
func (p *Provider) arrived(ctx context.Context, job providers.Job, h host, a keepwatch.Hosting, u user, r *remote) (bool, error) {
	deadline := p.now().Add(p.grace())
	for {
		files, err := p.backups(ctx, h, a, u)
		if err != nil {
			return false, err
		}
		if len(fresh(files, r.Before))+len(rewritten(files, r.Before, false)) > 0 {
			r.Told = true // Wait says which
			return true, r.keep(job)
		}
		if !r.Push {
			w := &watcher{host: h, user: u}
			s, err := w.status(ctx)
			if err != nil {
				return false, err
			}
			if s.state == stateWriting && s.run != r.Run { // it has no file yet
				r.Told = true
				return true, r.keep(job)
			}
		}
		if !p.now().Before(deadline) {
			return false, nil
		}
		if err := pause(ctx, p.every); err != nil {
			return false, err
		}
	}
}

// grace is arrives, or shorter where looks are quick.
func (p *Provider) grace() time.Duration { return min(arrives, 12*p.every) }

// backups lists the full backups where this account's go.
func (p *Provider) backups(ctx context.Context, h host, a keepwatch.Hosting, u user) ([]heldFile, error) {
	if a.Push != nil {
		return arrivals(*a.Push, string(u.User))
	}
	return homeBackups(ctx, h, u)
}

// ask tells the host.
func (p *Provider) ask(ctx context.Context, job providers.Job, h host, a keepwatch.Hosting, u user, r *remote) error {
	function, params := orderOf(a)
	var got struct {
		PID text `json:"pid"`
	}
	err := h.uapi(ctx, "Backup", function, params, &got)
	switch {
	case err == nil:
		r.Told, r.PID = true, string(got.PID)
		p.log.Info("the host makes a full backup", "source", job.Source.Name, "run", job.Run, "pid", r.PID)
		return r.keep(job)
	case mayHaveArrived(err):
		p.log.Warn("nobody knows whether the host was told to make a full backup", "source", job.Source.Name, "run", job.Run, "err", err)
		found, look := p.arrived(ctx, job, h, a, u, r)
		if found || context.Cause(ctx) != nil {
			return look
		}
		return err // tried again, and looked for first
	}
	r.Asked = time.Time{} // it was not told
	if keep := r.keep(job); keep != nil {
		return keep
	}
	if isAbsent(err) {
		return keepwatch.Errorf(keepwatch.KindAttention, "The host of %s cannot be asked for a full backup (it has no Backup::%s). Back up its parts, or ask the host for an update.", job.Source.Name, function).Because(err)
	}
	if refusedCall(err) {
		return keepwatch.Errorf(keepwatch.KindAttention, "The host of %s makes no full backup: %s", job.Source.Name, said(err)).Because(err)
	}
	return err
}

// orderOf gives the function that makes the backup, and its parameters. They go in a
// POST, so that passwords stay out of the host's access log (cPanel takes that of every
// function).
func orderOf(a keepwatch.Hosting) (string, url.Values) {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" {
			v.Set(key, value)
		}
	}
	set("email", a.Email)
	if a.Push == nil {
		return "fullbackup_to_homedir", v
	}
	x := a.Push
	set("host", x.Host)
	set("directory", x.Directory)
	if x.Port > 0 {
		set("port", strconv.Itoa(x.Port))
	}
	set("username", x.User)
	if x.Way == "ftp" {
		set("password", x.Password.Reveal())
		set("variant", "active")
		if x.Passive {
			set("variant", "passive")
		}
		return "fullbackup_to_ftp", v
	}
	if x.Key != "" { // its document names no username; without one a host can only guess whose account is meant
		set("key_name", x.Key)
		v.Set("key_passphrase", x.Passphrase.Reveal())
		return "fullbackup_to_scp_with_key", v
	}
	set("password", x.Password.Reveal())
	return "fullbackup_to_scp_with_password", v
}

// shared reports whether another program may be about the same file.
func (r remote) shared() bool { return r.Others != "" || r.Twin != "" }

// another forgets what was waited for, which is gone, and has the host make one of our
// own.
func (p *Provider) another(ctx context.Context, job providers.Job, r *remote) error {
	p.log.Info("the backup that was waited for is gone, so that another one is made", "source", job.Source.Name, "run", job.Run, "backup", r.Name)
	*r = remote{Version: remoteVersion}
	if err := p.request(ctx, job, r); err != nil {
		return err
	}
	if err := p.wait(ctx, job, r); err != nil {
		return fmt.Errorf("wait for the backup of our own: %w", err)
	}
	return nil
}
