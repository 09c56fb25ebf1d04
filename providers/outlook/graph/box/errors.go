package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// told is an error with what it means for whoever reads mailboxes. Its text, and the
// sentence in its chain, stay what they were.
type told struct {
	error
	means error
}

func (t *told) Unwrap() []error { return []error{t.means, t.error} }

// poison is why an item cannot be had. Its text goes into the list of what is missing.
type poison struct {
	reason string
	cause  error
}

// unreadable says that no file can be made of what the server says of an item.
func unreadable(err error) error {
	return &poison{"no file can be made of what Microsoft 365 says of it: " + err.Error(), err}
}

func (p *poison) Error() string   { return p.reason }
func (p *poison) Unwrap() []error { return []error{outlook.ErrPoison, p.cause} }

// has reports whether an error has one of the codes of Graph.
func has(err error, codes ...string) bool {
	var e *graph.Error
	if !errors.As(err, &e) {
		return false
	}
	return slices.ContainsFunc(append([]string{e.Code}, e.Inner...), func(c string) bool { return slices.Contains(codes, c) })
}

// gone reports whether it is an item or a folder that is not there: a mailbox that is not
// there (a licence that was taken away) answers with 404 too, and must not empty an archive.
func gone(err error) bool {
	return errors.Is(err, graph.ErrNotFound) && !has(err, "MailboxNotEnabledForRESTAPI", "ErrorInvalidUser", "ErrorNonExistentMailbox", "Request_ResourceNotFound", "ResourceNotFound", "MailboxNotSupportedForRESTAPI")
}

// later reports whether the same call may succeed another time, or it says nothing about the
// item: nobody must conclude from it that something cannot be had.
func later(err error) bool {
	var k *keepwatch.Error
	var e *graph.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, graph.ErrUnreachable), errors.Is(err, graph.ErrThrottled), errors.Is(err, graph.ErrOtherHost):
		return true
	case errors.As(err, &k) && k.Kind == keepwatch.KindTransient:
		return true
	case !errors.As(err, &e):
		return true
	}
	return e.SignIn || e.Status == http.StatusUnauthorized || e.Status < 400 || errors.Is(err, graph.ErrNotFound)
}

// why is what Graph said, for the list of what is missing: no sentence's end, no ids.
func why(err error) string {
	var e *graph.Error
	if !errors.As(err, &e) {
		return strings.TrimRight(err.Error(), ".")
	}
	code := e.Code
	if n := len(e.Inner); n > 0 {
		code = e.Inner[n-1]
	}
	if text := strings.TrimRight(strings.TrimSpace(e.Message), "."); text != "" {
		return fmt.Sprintf("%s: %s", code, text)
	}
	return code
}

// itemError tells what an error of one item's call means. fate is
//   - outlook.ErrGone: it is not there any more
//   - outlook.ErrPoison: it is there, and this call will not give it
//   - nil: nothing is said about the item
//
// A refusal that may concern the whole mailbox (403, a fault without a known code) is put to
// the test: only where the mailbox gives another item of the folder, it is the item's own.
func (b *Box) itemError(ctx context.Context, mailbox string, item outlook.Item, err error) (fate error) {
	switch {
	case gone(err):
		return outlook.ErrGone
	case errors.Is(err, graph.ErrUnconvertible), errors.Is(err, graph.ErrTooLarge):
		return outlook.ErrPoison
	case later(err) || !b.answers(ctx, mailbox, item):
		return nil
	}
	return outlook.ErrPoison
}

// answers reports whether the mailbox gives the content of what lies in the item's folder,
// or else in another one. A list without bodies says nothing: Mail.ReadBasic.All gives it,
// and no content.
func (b *Box) answers(ctx context.Context, mailbox string, item outlook.Item) bool {
	below, field := "messages", "body"
	switch item.Kind {
	case outlook.Contacts:
		below, field = "contacts", "changeKey"
	case outlook.Calendar:
		below = "events"
	}
	places := []string{of(mailbox, foldersOf(item.Kind), item.Folder, below), of(mailbox, below)}
	if below == "messages" { // a list with the item itself may fail
		for _, label := range []string{"inbox", "sentitems", "archive", "deleteditems"} {
			places = append(places, of(mailbox, "mailFolders", label, below))
		}
	}
	return slices.ContainsFunc(places, func(path string) bool {
		var page struct {
			Value []map[string]any `json:"value"`
		}
		err := b.client.Read(ctx, mailbox, graph.Request{URL: with(path, "$top", "5", "$select", "id,"+field), Limit: mostAnswer}, func(answer io.Reader) error {
			page.Value = nil
			short := graph.Shorten(answer, smallItem, func(int) string { return "long" })
			return json.NewDecoder(graph.Bounded(short, mostItem)).Decode(&page)
		})
		return err == nil && slices.ContainsFunc(page.Value, func(v map[string]any) bool { return v[field] != nil })
	})
}

// give turns an error of an item into that of the contract.
func give(fate, err error) error {
	switch {
	case errors.Is(fate, outlook.ErrGone):
		return &told{err, outlook.ErrGone}
	case errors.Is(fate, outlook.ErrPoison):
		return &poison{"Microsoft 365 cannot read it (" + why(err) + ")", err}
	}
	return err
}
