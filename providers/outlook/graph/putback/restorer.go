package putback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// Config is what a Restorer works with.
type Config struct {
	Client *graph.Client
	// Pause waits before a lost answer is looked for a second time; nil: by the system's
	// clock.
	Pause func(ctx context.Context, d time.Duration) error
}

// Restorer is an outlook.Restorer over Microsoft Graph. It is for use by many at once.
type Restorer struct {
	client *graph.Client
	pause  func(ctx context.Context, d time.Duration) error

	mu   sync.Mutex
	open map[key]bool // what may be in a mailbox and not whole
}

var _ outlook.Restorer = (*Restorer)(nil)

// key is a mark in a folder.
type key struct {
	mailbox, folder string
	mark            outlook.Mark
}

// New makes one. It makes no network call.
func New(c Config) (*Restorer, error) {
	if c.Client == nil {
		return nil, errors.New("putback: a Config without a Client")
	}
	if c.Pause == nil {
		c.Pause = pause
	}
	return &Restorer{client: c.Client, pause: c.Pause, open: map[key]bool{}}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Put writes an item with its mark; see outlook.Restorer. Item.Raw is preferred to the
// file for contacts and events. Of mail the item says when it came, whether it was read,
// its flag and its categories; a draft stays one.
func (r *Restorer) Put(ctx context.Context, mailbox string, folder outlook.Folder, item outlook.Item, mark outlook.Mark, content io.ReaderAt, size int64) (outlook.Restored, error) {
	t := target{r: r, mailbox: mailbox, folder: folder, mark: mark}
	if err := t.check(); err != nil {
		return outlook.Restored{}, err
	}
	if r.isOpen(t.key()) {
		if done, err := t.clear(ctx); err != nil || done.Whole {
			return done, gone(err)
		}
	}
	for try := 1; ; try++ {
		done, err := t.put(ctx, item, content, size)
		var g *goneError
		if !errors.As(err, &g) || try == mostSessions {
			return done, gone(err)
		}
		if again, err := t.clear(ctx); err != nil || again.Whole {
			return again, gone(err)
		}
	}
}

// mostSessions is how often an item is made anew because an upload session was lost.
const mostSessions = 3

func (t target) put(ctx context.Context, item outlook.Item, content io.ReaderAt, size int64) (outlook.Restored, error) {
	switch t.folder.Kind {
	case outlook.Mail:
		return t.putMail(ctx, item, content, size)
	case outlook.Contacts:
		return t.putContact(ctx, item, content, size)
	case outlook.Calendar:
		return t.putEvent(ctx, item, content, size)
	}
	return outlook.Restored{}, keepwatch.Errorf(keepwatch.KindInternal, "A folder of the kind %q cannot be written to.", t.folder.Kind)
}

func (r *Restorer) isOpen(k key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open[k]
}

// setOpen notes that remains of an item may be in the mailbox, or that there are none.
func (r *Restorer) setOpen(k key, open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if open {
		r.open[k] = true
	} else {
		delete(r.open, k)
	}
}

// target is where an item goes, and its mark.
type target struct {
	r       *Restorer
	mailbox string
	folder  outlook.Folder
	mark    outlook.Mark
}

func (t target) key() key { return key{strings.ToLower(t.mailbox), t.folder.ID, t.mark} }

// user is the path of a mailbox.
func user(mailbox string) string { return "/users/" + url.PathEscape(mailbox) }

// list is the path of what is in a folder.
func list(mailbox string, f outlook.Folder) string {
	id := url.PathEscape(f.ID)
	switch f.Kind {
	case outlook.Contacts:
		return user(mailbox) + "/contactFolders/" + id + "/contacts"
	case outlook.Calendar:
		return user(mailbox) + "/calendars/" + id + "/events"
	}
	return user(mailbox) + "/mailFolders/" + id + "/messages"
}

// one is the path of an item.
func one(mailbox string, kind outlook.Kind, id string) string {
	all := map[outlook.Kind]string{outlook.Mail: "/messages/", outlook.Contacts: "/contacts/", outlook.Calendar: "/events/"}
	return user(mailbox) + all[kind] + url.PathEscape(id)
}

func (t target) path(id string) string { return one(t.mailbox, t.folder.Kind, id) }

// unclear reports whether a call may have had its effect all the same.
func unclear(err error) bool {
	var e *graph.Error
	if errors.As(err, &e) {
		return e.Status == 0 || e.Status >= 500 && e.Status != http.StatusInsufficientStorage
	}
	return errors.Is(err, graph.ErrUnreachable)
}

// Times and numbers of calls whose answer was lost.
const (
	lostPause = 5 * time.Second // a call that was cut off may still be at work
	mostSends = 4
)

// once makes a call that must have its effect once. there looks whether it had it, after
// an answer that was lost.
func (t target) once(ctx context.Context, send func() error, there func() (bool, error)) error {
	for try := 1; ; try++ {
		err := send()
		if err == nil || !unclear(err) && !errors.Is(err, graph.ErrExists) || ctx.Err() != nil {
			return err
		}
		for look := range 2 {
			if look > 0 {
				if err := t.r.pause(ctx, lostPause); err != nil {
					return err
				}
			}
			found, lookErr := there()
			if lookErr != nil {
				return lookErr
			}
			if found {
				return nil
			}
		}
		if try == mostSends {
			return err
		}
	}
}

// create makes the item, and gives its id.
func (t target) create(ctx context.Context, body []byte) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	t.r.setOpen(t.key(), true)
	err := t.once(ctx, func() error {
		return t.r.client.JSON(ctx, t.mailbox, graph.Request{Method: http.MethodPost, URL: list(t.mailbox, t.folder), Body: body}, &made)
	}, func() (bool, error) {
		all, err := t.find(ctx)
		if len(all) > 0 {
			made.ID = all[0].ID
		}
		return len(all) > 0, err
	})
	switch {
	case err != nil && !unclear(err) && ctx.Err() == nil:
		t.r.setOpen(t.key(), false)
	case err == nil && made.ID == "":
		err = errors.New("what was made has no id")
	}
	if err != nil {
		return "", fmt.Errorf("make an item in %s: %w", t.folder.Title(), t.say(err))
	}
	return made.ID, nil
}

// remove removes an item.
func (r *Restorer) remove(ctx context.Context, mailbox, path string) error {
	err := r.client.JSON(ctx, mailbox, graph.Request{Method: http.MethodDelete, URL: path}, nil)
	if err != nil && !errors.Is(err, graph.ErrNotFound) {
		return fmt.Errorf("remove what was put back in part: %w", err)
	}
	return nil
}

// fail removes an item that can never be whole, and gives why.
func (t target) fail(ctx context.Context, id string, err error) error {
	if ctx.Err() != nil || unclear(err) || keepwatch.KindOf(err) == keepwatch.KindTransient {
		return err
	}
	if t.r.remove(ctx, t.mailbox, t.path(id)) == nil {
		t.r.setOpen(t.key(), false)
	}
	return err
}

// finish notes that an item is whole.
func (t target) finish(id string, notes []string) outlook.Restored {
	t.r.setOpen(t.key(), false)
	return outlook.Restored{ID: id, Whole: true, Notes: notes}
}
