package box

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"keepwatch/providers/outlook/graph"
)

// knownNames are the well-known folders of learn.microsoft.com/graph/api/resources/mailfolder.
// mailFolder has no property in v1.0 that would name them, so that each is asked for.
var knownNames = []string{
	"inbox", "msgfolderroot", "drafts", "sentitems", "deleteditems", "junkemail", "archive", "outbox", "conversationhistory", "clutter",
	"scheduled", "searchfolders", "syncissues", "conflicts", "localfailures", "serverfailures",
}

// recoverableNames are those of the recoverable items. The documentation names the first;
// Exchange knows the others by the same names (MS-OXWSFOLD, DistinguishedFolderIdNameType).
var recoverableNames = []string{"recoverableitemsdeletions", "recoverableitemsroot", "recoverableitemsversions", "recoverableitemspurges", "recoverableitemsdiscoveryholds"}

// wellKnown gives the folders that have well-known names, as far as this mailbox has them.
func (b *Box) wellKnown(ctx context.Context, mailbox string, recoverable bool) (map[string]mailFolder, error) {
	names, out := knownNames, map[string]mailFolder{}
	if recoverable {
		names = slices.Concat(knownNames, recoverableNames)
	}
	for some := range slices.Chunk(names, graph.MostBatch) {
		calls := make([]graph.Request, len(some))
		for i, label := range some {
			calls[i].URL = with(of(mailbox, "mailFolders", label), "$expand", folderSize)
		}
		answers, err := b.client.Batch(ctx, mailbox, calls)
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			var f mailFolder
			switch {
			case a.Err != nil && (some[i] == "inbox" || later(a.Err) && !gone(a.Err)): // every mailbox has an inbox: without it the answer is about all of it
				return nil, a.Err
			case a.Err != nil:
				continue // this mailbox has no such folder, or Graph no such name
			}
			if err := json.Unmarshal(a.Body, &f); err != nil {
				return nil, fmt.Errorf("the folder %s cannot be read: %w", some[i], err)
			}
			out[some[i]] = f
		}
	}
	return out, nil
}
