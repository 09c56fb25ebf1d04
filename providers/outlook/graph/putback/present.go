package putback

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// mostIDs is how many ids are listed at once: the largest page
// (learn.microsoft.com/graph/api/user-list-events).
const mostIDs = 1000

// Present gives what is in a folder of contacts or a calendar; see outlook.Restorer. It is
// the list by which a backup reads an event, and the immutable ids in it are those of the
// index of an archive (learn.microsoft.com/graph/outlook-immutable-id): what was moved to
// another folder, "Deleted Items" too, still answers under its id, and is not in the list.
//
// The items are not asked for one by one, for an event does not say in which calendar it
// is: Graph has no parentFolderId of it, and the calendar that it gives with a single event
// has been seen with an id that is in no list of calendars
// (github.com/microsoftgraph/microsoft-graph-docs/issues/6699).
//
// The pages of a list are counted through, so that one item may be passed over when another
// is taken out meanwhile: a list of several pages is read twice.
func (r *Restorer) Present(ctx context.Context, mailbox string, folder outlook.Folder) iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		fields := []string{"id"}
		if folder.Kind == outlook.Calendar {
			fields = append(fields, "iCalUId")
		}
		call := graph.Request{URL: list(mailbox, folder) + "?$select=" + strings.Join(fields, ","), PageSize: mostIDs}
		for range 2 {
			pages := 0
			for page, err := range r.client.PagesOf(ctx, mailbox, call) {
				if err != nil {
					yield(outlook.Item{}, unlisted(ctx, folder, gone(err)))
					return
				}
				for _, raw := range page.Items {
					if x, ok := presentOf(raw, folder); ok && !yield(x, nil) {
						return
					}
				}
				pages++
			}
			if pages < 2 {
				return
			}
		}
	}
}

// presentOf reads an item of the list. One that cannot be read is not there for whoever
// asks: it is better put a second time than not at all.
func presentOf(raw json.RawMessage, folder outlook.Folder) (outlook.Item, bool) {
	var x struct {
		ID  string `json:"id"`
		UID string `json:"iCalUId"`
	}
	if json.Unmarshal(raw, &x) != nil || x.ID == "" {
		return outlook.Item{}, false
	}
	return outlook.Item{ID: x.ID, Folder: folder.ID, Kind: folder.Kind, MessageID: x.UID}, true
}

// unlisted puts a sentence before a refusal that has none: without the list nobody can tell
// what would come twice.
func unlisted(ctx context.Context, folder outlook.Folder, err error) error {
	var said *keepwatch.Error
	if ctx.Err() != nil || errors.As(err, &said) || errors.Is(err, outlook.ErrGone) {
		return err
	}
	why := "an answer that is not understood"
	if e := (*graph.Error)(nil); errors.As(err, &e) {
		why = e.Code
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Microsoft 365 does not say what is in %s (%s), so nobody can tell what of it would come a second time. Nothing more was put there. Retry asks again; a restore with --present copy does not ask, and --to mailbox puts it into a folder of its own.", keepwatch.Printable(folder.Title()), why).Because(err)
}
