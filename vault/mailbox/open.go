package mailbox

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/vault"
)

// Config is what Mailboxes need.
type Config struct {
	Vault  *vault.Vault
	Dir    string                           // folder for temporary files; made where it is missing, and no other file may lie in it
	Idle   time.Duration                    // how long a file is kept open after it was last used; 0: 10 minutes
	Within time.Duration                    // how long a search may take; 0: a minute
	Free   func(dir string) (int64, error)  // bytes left on the disk of a folder; nil: vault.FreeBytes
	Forms  map[keepwatch.ItemKind]Form      // how items are written; that of mails is needed, and is taken for kinds that have none
	Zone   *time.Location                   // of the dates in names of files; nil: UTC
	Now    func() time.Time                 // nil: time.Now
	Log    *slog.Logger                     // nil: silent
	Crash  func(point string)               // tests end the process at a named point; nil: never
	After  func(time.Duration, func()) Stop // nil: time.AfterFunc
}

// Stop ends what waits for its time, as time.Timer does.
type Stop interface{ Stop() bool }

// Mailboxes looks into the Outlook data files of archives. Its methods may be called
// from any goroutine. One file is kept open for a while, because whoever has looked at a
// list turns its page, or takes something out.
type Mailboxes struct {
	cfg  Config
	turn chan struct{} // held while a file is opened
	room chan struct{} // held while a temporary file is written

	mu   sync.Mutex
	kept *opened // nil: none
}

const defaultIdle = 10 * time.Minute

// New makes one. Nothing is read or written before it is used.
func New(cfg Config) *Mailboxes {
	if cfg.Idle <= 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.Within <= 0 {
		cfg.Within = defaultWithin
	}
	if cfg.Free == nil {
		cfg.Free = vault.FreeBytes
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) Stop { return time.AfterFunc(d, f) }
	}
	return &Mailboxes{cfg: cfg, turn: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// Sweep removes what a killed process has left. It is called before anything is opened.
func (m *Mailboxes) Sweep() error {
	if err := sweep(m.cfg.Dir); err != nil {
		return keepwatch.Errorf(keepwatch.KindAttention, "What was unpacked to look into it cannot be removed from %s (%v).", m.cfg.Dir, err).Because(err)
	}
	return nil
}

// Close gives up what is open. Files in use go when they are released.
func (m *Mailboxes) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drop()
}

// opened is an Outlook data file of an archive that is looked into.
type opened struct {
	*tree
	ref, name string // of the archive, and of the file in it
	data      *source
	users     int
	idle      Stop // nil: in use
}

// open gives an Outlook data file of an archive. It is to be released.
func (m *Mailboxes) open(ctx context.Context, ref, path string, report func(keepwatch.Progress)) (o *opened, release func(), err error) {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	defer func() { <-m.turn }()
	m.mu.Lock()
	if o := m.kept; o != nil && o.ref == ref && o.name == path {
		if release, err := m.use(ctx, o); err == nil {
			m.mu.Unlock()
			return o, release, nil
		}
	}
	err = m.drop() // its room may be needed
	m.mu.Unlock()
	if err != nil {
		m.cfg.Log.Warn("a temporary file cannot be removed", "err", err)
	}
	if o, err = m.look(ctx, ref, path, report); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = o
	release, err = m.use(ctx, o)
	return o, release, err
}

// use counts one more user, where the file can be read. m.mu is held.
func (m *Mailboxes) use(ctx context.Context, o *opened) (release func(), err error) {
	leave, err := o.data.enter(ctx)
	if err != nil {
		return nil, err
	}
	o.users++
	if o.idle != nil {
		o.idle.Stop()
		o.idle = nil
	}
	return func() {
		leave()
		m.release(o)
	}, nil
}

// release ends a use.
func (m *Mailboxes) release(o *opened) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.users--; o.users > 0 {
		return
	}
	if m.kept == o && o.data.fault() != nil { // it may be better with the next try
		m.kept = nil
	}
	if m.kept != o {
		m.remove(o)
		return
	}
	o.idle = m.cfg.After(m.cfg.Idle, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.kept == o && o.users == 0 {
			m.kept = nil
			m.remove(o)
		}
	})
}

// drop gives up what is kept. m.mu is held.
func (m *Mailboxes) drop() error {
	o := m.kept
	m.kept = nil
	if o == nil || o.users > 0 {
		return nil
	}
	if o.idle != nil {
		o.idle.Stop()
	}
	return o.data.close()
}

func (m *Mailboxes) remove(o *opened) {
	if err := o.data.close(); err != nil {
		m.cfg.Log.Warn("a temporary file cannot be removed", "err", err)
	}
}

// look opens a file of an archive and lists its folders: from the sealed file itself,
// where that can be read here and there, and else unpacked.
func (m *Mailboxes) look(ctx context.Context, ref, path string, report func(keepwatch.Progress)) (*opened, error) {
	e, sealed, err := m.cfg.Vault.OpenEntryAt(ctx, ref, path)
	s := &source{m: m, ref: ref, name: path, entry: e, sealed: sealed}
	if errors.Is(err, vault.ErrFrontToBack) {
		s.sealed = nil
		s.entry, s.whole, err = m.unpack(ctx, ref, path, report)
		e = s.entry
	}
	if err != nil {
		return nil, err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	defer leave()
	o := &opened{ref: ref, name: path, data: s}
	err = notOne(s, e, e.Size)
	if err == nil {
		o.tree, err = grow(ctx, s, e.Size)
	}
	if err == nil {
		err = s.fault()
	}
	if err == nil {
		return o, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if keepwatch.Sentence(err) == "" {
		err = notInto(ref, path, err)
	}
	return nil, errors.Join(err, s.close())
}

// notOne says why a file cannot be an Outlook data file, by its beginning, of which there is so
// much; nil: it may be one.
func notOne(r io.ReaderAt, e keepwatch.Entry, there int64) error {
	var wrong *pst.HeaderError
	if _, err := pst.ReadHeader(r, e.Size); errors.As(err, &wrong) && !worthLooking(e, wrong) && there >= min(longestHeader, e.Size) {
		return err
	}
	return nil
}
