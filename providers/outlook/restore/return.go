package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

var (
	_ providers.Restorer = (*Returner)(nil)
	_ providers.Indexed  = (*Returner)(nil)
)

// returned is what is kept of putting back one folder: Job.Remote.
type returned struct {
	Version int `json:"v"` // 1
	// Told says that a person was told of items that the archive has damaged; Without, that
	// they have asked to go on without these.
	Told    bool `json:"told,omitempty"`
	Without bool `json:"without,omitempty"`
}

// errand is one folder on its way back into a mailbox.
type errand struct {
	*Returner
	job  providers.Job
	item keepwatch.ReturnItem
	in   returning
	from stack
	st   returned

	target outlook.Folder
	marks  *marks // of what this run and others have put there before
	later  *mentions
	had    inPlace // contacts and events that are left out, since the folder has them
	held   bool    // mails that are in the folder already are left out
	only   map[string]bool

	scratch string // the folder for large items, once there was one
	mu      sync.Mutex
	ours    map[uint64]bool // hashes of the Message-IDs that this run has put there
	tally
}

// Return satisfies providers.Restorer: it puts what is asked for of one folder back, in
// the order of the index, and leaves out what the run has put there before.
func (p *Returner) Return(ctx context.Context, job providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	var none keepwatch.ServerLog
	if p.cfg.Restorer == nil {
		return none, noRestorer(job.Source)
	}
	e := &errand{Returner: p, job: job, item: item, held: item.Present != presentCopy, ours: map[uint64]bool{}}
	if err := json.Unmarshal([]byte(item.Inner), &e.in); err != nil || item.Mailbox == "" || len(e.in.To) == 0 {
		return none, fmt.Errorf("put back %q: %q says not what of it, or where: %w", item.Part, item.Inner, errors.Join(err, errors.ErrUnsupported))
	}
	if len(job.Remote) > 0 {
		if err := json.Unmarshal(job.Remote, &e.st); err != nil {
			return none, fmt.Errorf("read what was kept of putting back %s: %w", item.Name, err)
		}
	}
	if e.st.Told && job.Retried {
		e.st.Without = true
		if err := e.keep(); err != nil {
			return none, err
		}
	}
	e.from = stack{from: from, refs: append(slices.Clone(item.With), item.Archive), first: map[string]int{e.in.Folder: 0}}
	e.only = map[string]bool{}
	for _, id := range e.in.Items {
		e.only[id] = true
	}
	defer func() {
		if err := p.cfg.Spools.Remove(job.Run); err != nil { // only what large items were written to
			p.cfg.Log.Warn("what a restore wrote to this machine could not be removed", "run", job.Run, "err", err)
		}
	}()
	return e.run(ctx)
}

// keep saves what is known.
func (e *errand) keep() error {
	e.st.Version = 1
	data, err := json.Marshal(e.st)
	if err != nil || e.job.Keep == nil {
		return err
	}
	return e.job.Keep(data)
}

// run puts all of it back.
func (e *errand) run(ctx context.Context) (keepwatch.ServerLog, error) {
	var none keepwatch.ServerLog
	var err error
	if e.target, err = e.folder(ctx); err != nil {
		return none, e.gone(err)
	}
	e.cfg.Crash("outlook.return.folder")
	// An empty folder of mail holds none; of others the server does not say how many.
	e.held = e.held && (e.in.Kind != outlook.Mail || e.target.Items != 0)
	if e.marks, err = e.findMarks(ctx, e.held); err != nil {
		return none, e.gone(err)
	}
	if e.later, err = e.from.mentions(ctx, 0); err != nil {
		return none, err
	}
	if e.held && e.in.Kind != outlook.Mail {
		if e.had, err = e.findPresent(ctx); err != nil {
			return none, e.gone(err)
		}
	}
	e.held = e.held && e.in.Kind == outlook.Mail
	if err := e.remember(ctx); err != nil {
		return none, err
	}
	for layer := range e.from.refs {
		if err := e.layer(ctx, layer); err != nil {
			return e.log(), e.gone(err)
		}
	}
	return e.end()
}

// gone is for whoever has the folder removed while something is put into it: it is made
// anew at the next try.
func (e *errand) gone(err error) error {
	if !errors.Is(err, outlook.ErrGone) {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindTransient, "The folder %s, or something that was put there, was removed while %s was put into it. It is made anew at the next try.", keepwatch.Printable(e.item.Into), e.item.Name).Because(err)
}

// folder gives the folder that it all goes into, and makes it with those above it.
func (e *errand) folder(ctx context.Context) (outlook.Folder, error) {
	var f outlook.Folder
	names := e.in.To
	if e.in.Same && e.cfg.Server != nil {
		list, err := e.cfg.Server.Folders(ctx, e.item.Mailbox, outlook.Wish{Kinds: []outlook.Kind{e.in.Kind}})
		if err != nil {
			return f, err
		}
		for _, had := range list {
			if had.ID == e.in.Folder && had.Kind == e.in.Kind { // it may be called otherwise by now
				return had, nil
			}
		}
		// The mailbox was made anew, or is another one: its folders may be in another language.
		for _, had := range list {
			if e.in.Known != "" && knownAs(had) == e.in.Known && had.Kind == e.in.Kind && !had.ReadOnly {
				f, names = had, names[min(e.in.Depth, len(names)):]
				break
			}
		}
	}
	for _, name := range names {
		var err error
		if f, err = e.cfg.Restorer.MakeFolder(ctx, e.item.Mailbox, e.in.Kind, f.ID, name); err != nil {
			return f, err
		}
	}
	return f, nil
}

// wanted reports whether an item is asked for.
func (e *errand) wanted(h head) bool {
	return h.Path != "" && (len(e.only) == 0 || e.only[h.ID]) && e.in.Search.fits(h)
}

// remember finds out which Message-IDs are in the folder because this run has put them
// there: a second mail of the same one, which the archive holds too, is not left out for
// that.
func (e *errand) remember(ctx context.Context) error {
	if !e.held || !e.marks.any() {
		return nil
	}
	for layer := range e.from.refs {
		for h, err := range e.from.each(ctx, layer, e.later) {
			if err != nil {
				return err
			}
			if e.marks.has(h.ID) && h.MessageID != "" {
				e.ours[e.hash(h.MessageID)] = true
			}
		}
	}
	return nil
}

func (e *errand) hash(messageID string) uint64 { return e.later.hash(head{ID: messageID}) }

// end says how it went.
func (e *errand) end() (keepwatch.ServerLog, error) {
	if e.damaged == 0 || e.st.Without {
		return e.log(), nil
	}
	e.st.Told = true
	if err := e.keep(); err != nil {
		return e.log(), err
	}
	return e.log(), keepwatch.Errorf(keepwatch.KindAttention,
		"%s of %s cannot be read from the archive, because it is damaged there: %s. All else of the folder was put back. Look whether another archive has them (`backup list %s`). Retry goes on without them.",
		countedItems(e.in.Kind, e.damaged), keepwatch.Printable(e.item.Part), fewNames(e.lost), e.job.Source.Name).Because(errors.Join(keepwatch.ErrDamaged, e.why))
}
