package mailbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path"
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
	Idle   time.Duration                    // how long an unpacked file is kept after it was last used; 0: 10 minutes
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
// from any goroutine. One file is kept unpacked for a while, because whoever has looked
// at a list turns its page, or takes something out.
type Mailboxes struct {
	cfg  Config
	turn chan struct{} // held while a file is unpacked, so that two do not fill the disk

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
	return &Mailboxes{cfg: cfg, turn: make(chan struct{}, 1)}
}

// Sweep removes what a killed process has left. It is called before anything is opened.
func (m *Mailboxes) Sweep() error {
	if err := sweep(m.cfg.Dir); err != nil {
		return keepwatch.Errorf(keepwatch.KindAttention, "What was unpacked to look into it cannot be removed from %s (%v).", m.cfg.Dir, err).Because(err)
	}
	return nil
}

// Close removes what is unpacked. Files in use go when they are released.
func (m *Mailboxes) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drop()
}

// opened is an Outlook data file of an archive, unpacked.
type opened struct {
	*tree
	ref, name string // of the archive, and of the file in it
	entry     keepwatch.Entry
	data      *scratch
	users     int
	idle      Stop // nil: in use
}

// open gives an Outlook data file of an archive, unpacked. It is to be released.
func (m *Mailboxes) open(ctx context.Context, ref, path string, report func(keepwatch.Progress)) (*opened, error) {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-m.turn }()
	m.mu.Lock()
	if o := m.kept; o != nil && o.ref == ref && o.name == path {
		m.use(o)
		m.mu.Unlock()
		return o, nil
	}
	err := m.drop() // its room may be needed
	m.mu.Unlock()
	if err != nil {
		m.cfg.Log.Warn("a temporary file cannot be removed", "err", err)
	}
	o, err := m.unpack(ctx, ref, path, report)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = o
	m.use(o)
	return o, nil
}

// use counts one more user. m.mu is held.
func (m *Mailboxes) use(o *opened) {
	o.users++
	if o.idle != nil {
		o.idle.Stop()
		o.idle = nil
	}
}

// release ends a use.
func (m *Mailboxes) release(o *opened) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.users--; o.users > 0 {
		return
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
		m.cfg.Log.Warn("a temporary file cannot be removed", "file", o.data.f.Name(), "err", err)
	}
}

// elbowRoom is what is left free on the disk of the temporary file, for the state.
const elbowRoom = 64 << 20

// unpack reads a file out of an archive.
func (m *Mailboxes) unpack(ctx context.Context, ref, path string, report func(keepwatch.Progress)) (*opened, error) {
	e, content, err := m.cfg.Vault.OpenEntry(ctx, ref, path)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	head := make([]byte, longestHeader)
	n, _ := io.ReadFull(content, head) // an error comes again with the rest
	var wrong *pst.HeaderError
	if _, err := pst.ReadHeader(bytes.NewReader(head[:n]), e.Size); errors.As(err, &wrong) && !worthLooking(e, wrong) && (n == len(head) || int64(n) == e.Size) {
		return nil, notInto(ref, path, err) // a full backup of an account has tens of gigabytes
	}
	data, err := newScratch(m.cfg.Dir)
	if err != nil {
		return nil, m.noRoom(e, err)
	}
	free, err := m.cfg.Free(m.cfg.Dir)
	if err == nil && free < e.Size+elbowRoom {
		return nil, errors.Join(m.tooSmall(ref, e, free), data.close())
	}
	o := &opened{ref: ref, name: path, entry: e, data: data}
	m.cfg.Crash("mailbox.unpack.begun")
	if err := data.fill(&told{io.MultiReader(bytes.NewReader(head[:n]), content), func(n int64) { report(keepwatch.Progress{Bytes: n, TotalBytes: e.Size}) }, 0}, make([]byte, 1<<20)); err != nil {
		if full, ok := errors.AsType[*writing](err); ok {
			err = m.noRoom(e, full.error)
		}
		return nil, errors.Join(err, data.close())
	}
	m.cfg.Crash("mailbox.unpack.done")
	if o.tree, err = grow(ctx, data, data.size); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		} else {
			err = notInto(ref, path, err)
		}
		return nil, errors.Join(err, data.close())
	}
	return o, nil
}

// longestHeader is how much of a file pst.ReadHeader reads.
const longestHeader = 1 << 10

// notInto says why a file cannot be looked into.
func notInto(ref, path string, err error) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s cannot be looked into. %s As a file it can be restored: `/backup restore %s`.", keepwatch.Printable(path), trouble(err), quote(ref, path)).Because(err)
}

// told says how much was read.
type told struct {
	io.Reader
	report func(int64)
	n      int64
}

func (t *told) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.n += int64(n)
	t.report(t.n)
	return n, err
}

func (m *Mailboxes) tooSmall(ref string, e keepwatch.Entry, free int64) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "To look inside %s, Keepwatch has to unpack it for a while: %s are needed in %s, and %s are free there. Free some room, or restore the whole file to a disk that has it: `/backup restore %s --to FOLDER`.",
		keepwatch.Printable(e.Path), keepwatch.FormatBytes(e.Size+elbowRoom), m.cfg.Dir, keepwatch.FormatBytes(free), quote(ref, e.Path))
}

func (m *Mailboxes) noRoom(e keepwatch.Entry, err error) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "%s cannot be unpacked into %s to look inside it (%v). %s are needed there for a while. Free some room, or see that Keepwatch's user may write there, then retry.",
		keepwatch.Printable(path.Base(e.Path)), m.cfg.Dir, cause(err), keepwatch.FormatBytes(e.Size)).Because(err)
}
