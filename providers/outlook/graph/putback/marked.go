package putback

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// errEnough ends a listing whose reader wants no more.
var errEnough = errors.New("putback: nobody reads on")

// Marked gives the items of a folder that have marks of a run; see outlook.Restorer. One
// that is there a second time, because an answer was lost and came late, is removed at the
// end. Of an item that was given a hash is kept until then.
func (r *Restorer) Marked(ctx context.Context, mailbox string, folder outlook.Folder, run int64) iter.Seq2[outlook.Marked, error] {
	return func(yield func(outlook.Marked, error) bool) {
		seed, seen, twice := maphash.MakeSeed(), map[uint64]struct{}{}, []outlook.Mark{}
		err := r.each(ctx, mailbox, folder, beginning(strconv.FormatInt(run, 10)+"/"), func(x found) error {
			if x.mark.Run != run {
				return nil
			}
			hash := maphash.Comparable(seed, x.mark)
			if _, again := seen[hash]; again { // Graph may list an item twice too
				twice = append(twice, x.mark)
				return nil
			}
			seen[hash] = struct{}{}
			good, err := r.isWhole(ctx, mailbox, folder, x)
			if err != nil {
				return err
			}
			r.setOpen(key{strings.ToLower(mailbox), folder.ID, x.mark}, !good)
			if !yield(outlook.Marked{Mark: x.mark, Restored: outlook.Restored{ID: x.ID, Whole: good}}, nil) {
				return errEnough
			}
			return nil
		})
		for i := 0; err == nil && i < len(twice); i++ {
			var one outlook.Restored
			one, err = target{r: r, mailbox: mailbox, folder: folder, mark: twice[i]}.clear(ctx)
			if err == nil && !yield(outlook.Marked{Mark: twice[i], Restored: one}, nil) {
				return
			}
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(outlook.Marked{}, gone(err))
		}
	}
}

// Known gives the marks of all that is in a folder and whole; see outlook.Restorer. A copy
// that a person has made of an item has its mark too, so nothing is removed here. Where
// the filter is refused, all that is in the folder is listed.
func (r *Restorer) Known(ctx context.Context, mailbox string, folder outlook.Folder) iter.Seq2[outlook.Mark, error] {
	return func(yield func(outlook.Mark, error) bool) {
		look := func(x found) error {
			good, err := r.isWhole(ctx, mailbox, folder, x)
			if err == nil && good && !yield(x.mark, nil) {
				return errEnough
			}
			return err
		}
		err := r.each(ctx, mailbox, folder, anyMark, look)
		var e *graph.Error
		if errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotImplemented) {
			err = r.each(ctx, mailbox, folder, "", look)
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(outlook.Mark{}, gone(err))
		}
	}
}
