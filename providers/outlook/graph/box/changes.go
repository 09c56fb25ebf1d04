package box

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// WholeState is the Position.State at the end of a calendar. It says that all of it was
// read, which is all that can be said: from it, a reading lists all again, and is Full.
const WholeState = "whole"

// messageFields is what the listing of a folder says of a message: all but what is in it.
var messageFields = strings.Join([]string{
	"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "categories", "subject", "from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo",
	"receivedDateTime", "sentDateTime", "internetMessageId", "conversationId", "conversationIndex", "parentFolderId", "isRead", "isDraft", "isReadReceiptRequested", "isDeliveryReceiptRequested",
	"importance", "flag", "hasAttachments", "inferenceClassification", "webLink",
}, ",")

// messageSize asks for PidTagMessageSize.
const messageSize = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"

// Changes reads a folder page by page. A State, and a Next, are links of Graph; those of
// another address of Graph are too old. For calendars see WholeState: a reading that is
// taken up in the middle begins anew, because what was added or taken out meanwhile shifts
// the pages of a list.
func (b *Box) Changes(ctx context.Context, mailbox string, folder outlook.Folder, from outlook.Position) iter.Seq2[outlook.Changes, error] {
	if folder.Kind == outlook.Calendar {
		return b.wholeCalendar(ctx, mailbox, folder)
	}
	first, full := from.Next, from.Full
	switch {
	case first != "":
	case from.State != "":
		first, full = from.State, false
	case folder.Kind == outlook.Contacts:
		first, full = of(mailbox, "contactFolders", folder.ID, "contacts", "delta"), true
	default:
		first, full = with(of(mailbox, "mailFolders", folder.ID, "messages", "delta"), "$select", messageFields, "$expand", messageSize), true
	}
	return func(yield func(outlook.Changes, error) bool) {
		pages := 0
		for page, err := range b.client.PagesOf(ctx, mailbox, graph.Request{URL: first, Longest: longText}) {
			if plain, _, sized := strings.Cut(first, "&$expand="); sized && pages == 0 && refused(err) {
				for c, err := range b.Changes(ctx, mailbox, folder, outlook.Position{Next: plain, Full: full}) {
					if !yield(c, err) {
						return
					}
				}
				return
			}
			if err != nil {
				err = b.folderError(ctx, mailbox, folder, err)
				if pages == 0 && !strings.HasPrefix(first, "/") && badRequest(err) { // a link of an earlier day
					err = &told{err, outlook.ErrResync}
				}
				yield(outlook.Changes{}, err)
				return
			}
			pages++
			c, err := changesOf(folder, page)
			if err == nil && page.Next == "" && page.Delta == "" {
				err = fmt.Errorf("read the folder %q: its last page has no deltaLink", folder.Title())
			}
			c.Position = outlook.Position{Next: page.Next, State: page.Delta, Full: full}
			if err != nil {
				yield(outlook.Changes{}, err)
				return
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// refused reports whether Graph does not take the query. Delta queries of messages are said
// to take $expand (learn.microsoft.com/graph/api/message-delta); where one does not, the
// sizes are left out rather than the folder.
func refused(err error) bool {
	return has(err, "ErrorInvalidUrlQuery", "BadRequest", "RequestBroker--ParseUri", "ErrorInvalidRequest")
}

// badRequest reports whether a link was refused as such. Graph says in more words than are
// documented that a state is too old or was made by another version of it; to read the
// folder from its beginning is right in each case.
func badRequest(err error) bool {
	var e *graph.Error
	return errors.As(err, &e) && e.Status == http.StatusBadRequest
}

func changesOf(folder outlook.Folder, page graph.Page) (outlook.Changes, error) {
	var c outlook.Changes
	for i, raw := range page.Items {
		it, err := itemOf(folder, raw)
		if err != nil {
			return c, err
		}
		if page.Cut[i] {
			it.Raw = nil // it is not all of it
		}
		c.Items = append(c.Items, it)
	}
	return c, nil
}

// folderError tells what an error of a listing means. ErrorSyncFolderNotFound has been seen
// for folders that were deleted, and for states that were lost, so that the folder is asked
// for.
func (b *Box) folderError(ctx context.Context, mailbox string, folder outlook.Folder, err error) error {
	switch {
	case gone(err):
		return &told{err, outlook.ErrGone}
	case has(err, "ErrorSyncFolderNotFound"):
		there := b.client.JSON(ctx, mailbox, graph.Request{URL: with(of(mailbox, foldersOf(folder.Kind), folder.ID), "$select", "id")}, nil)
		if gone(there) {
			return &told{err, outlook.ErrGone}
		}
		return &told{err, outlook.ErrResync}
	case errors.Is(err, graph.ErrResync), errors.Is(err, graph.ErrOtherHost):
		return &told{err, outlook.ErrResync}
	}
	return err
}

func foldersOf(k outlook.Kind) string {
	switch k {
	case outlook.Contacts:
		return "contactFolders"
	case outlook.Calendar:
		return "calendars"
	}
	return "mailFolders"
}
