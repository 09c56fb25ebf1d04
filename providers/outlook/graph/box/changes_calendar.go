package box

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// mostRounds is how often a calendar is listed again where pages were shifted.
const mostRounds = 4

// largestPage is how many events a list gives at once at most.
const largestPage = 1000

// briefEvent is what is listed of events where one of them cannot be listed in full.
const briefEvent = "id,changeKey,createdDateTime,lastModifiedDateTime,categories,subject,start,end,isAllDay,type,iCalUId,organizer,importance,hasAttachments"

// wholeCalendar lists all events: single ones, and series without their occurrences. The
// pages of a list are counted through, so that one may be passed over when another is taken
// out meanwhile: afterwards the ids alone are listed, which mostly takes one page, and where
// one is among them that has not come, all is listed again.
func (b *Box) wholeCalendar(ctx context.Context, mailbox string, folder outlook.Folder) iter.Seq2[outlook.Changes, error] {
	return func(yield func(outlook.Changes, error) bool) {
		seen, seed, brief := map[uint64]struct{}{}, maphash.MakeSeed(), false
		for round := 1; ; round++ {
			pages := 1
			last, more, err := b.calendarRound(ctx, mailbox, folder, brief, func(c outlook.Changes) bool {
				pages++
				for _, it := range c.Items {
					seen[maphash.String(seed, it.ID)] = struct{}{}
				}
				return yield(c, nil)
			})
			if !more {
				return
			}
			if err != nil && !brief && unlistable(err) {
				brief = true
				continue
			}
			missed := false
			if err == nil && pages > 1 {
				for _, it := range last.Items {
					seen[maphash.String(seed, it.ID)] = struct{}{}
				}
				missed, err = b.unseen(ctx, mailbox, folder, func(id string) bool {
					_, ok := seen[maphash.String(seed, id)]
					return ok
				})
			}
			switch {
			case err != nil:
				yield(outlook.Changes{}, b.folderError(ctx, mailbox, folder, err))
				return
			case missed && round >= mostRounds:
				yield(outlook.Changes{}, fmt.Errorf("the calendar %q changes faster than it can be read", folder.Title()))
				return
			case missed:
				last.Position = outlook.Position{Next: calendarURL(mailbox, folder, brief), Full: true}
				if !yield(last, nil) {
					return
				}
				continue
			}
			last.Position = outlook.Position{State: WholeState, Full: true}
			yield(last, nil)
			return
		}
	}
}

// unseen reports whether a calendar has an event that was not seen.
func (b *Box) unseen(ctx context.Context, mailbox string, folder outlook.Folder, seen func(id string) bool) (bool, error) {
	ids := graph.Request{URL: with(of(mailbox, "calendars", folder.ID, "events"), "$select", "id"), PageSize: largestPage, Longest: longText}
	for page, err := range b.client.PagesOf(ctx, mailbox, ids) {
		if err != nil {
			return false, err
		}
		c, err := changesOf(folder, page)
		if err != nil {
			return false, err
		}
		for _, it := range c.Items {
			if !seen(it.ID) {
				return true, nil
			}
		}
	}
	return false, nil
}

// calendarRound lists a calendar once. It gives the last page, which is not passed on; more
// says that whoever reads goes on.
func (b *Box) calendarRound(ctx context.Context, mailbox string, folder outlook.Folder, brief bool, pass func(outlook.Changes) bool) (last outlook.Changes, more bool, err error) {
	for page, err := range b.client.PagesOf(ctx, mailbox, graph.Request{URL: calendarURL(mailbox, folder, brief), Longest: longText}) {
		if err != nil {
			return last, true, err
		}
		c, err := changesOf(folder, page)
		if err != nil {
			return last, true, err
		}
		if brief {
			for i := range c.Items {
				c.Items[i].Raw = nil // it is not all of it
			}
		}
		c.Position = outlook.Position{Next: page.Next, Full: true}
		if page.Next != "" {
			if !pass(c) {
				return last, false, nil
			}
			continue
		}
		last = c
	}
	return last, true, nil
}

func calendarURL(mailbox string, folder outlook.Folder, brief bool) string {
	path := of(mailbox, "calendars", folder.ID, "events")
	if brief {
		return with(path, "$select", briefEvent)
	}
	return path
}

// unlistable reports whether a list fails for what is in it: Exchange answers so for a page
// with one event whose body cannot be converted. It also fails where a few are too long.
func unlistable(err error) bool {
	var e *graph.Error
	return errors.Is(err, graph.ErrUnconvertible) || errors.Is(err, graph.ErrTooLarge) || errors.As(err, &e) && e.Status == 500 && !later(err)
}
