package store

import (
	"fmt"
	"time"

	"keepwatch"
)

// Keys: dead/<number> holds a message that was refused for good; refused/<channel>
// since when a channel refuses; tell/<number> is there until people were told.

const deadTime = 90 * 24 * time.Hour

func deadKey(seq int64) string { return fmt.Sprintf("dead/%016d", seq) }
func tellKey(seq int64) string { return fmt.Sprintf("tell/%016d", seq) }

// RefuseMessage takes a message that its platform refuses for good out of its
// lane and keeps it apart. first reports whether the channel worked until now, so
// that people are to be told: until [Records.RefusalTold] it is one of
// [Records.Untold]. An answer that only one person was to see says nothing about
// a channel, and neither does a notice.
func (r *Records) RefuseMessage(o keepwatch.Outgoing, why string) (first bool, err error) {
	o.Refused, o.RefusedAt = why, r.now().UTC()
	o.Reply = withoutToken(o.Reply)
	err = r.store.Update(func(tx Tx) error {
		first = false
		if err := tx.Delete(outKey(o)); err != nil {
			return err
		}
		if err := put(tx, deadKey(o.Seq), o); err != nil {
			return err
		}
		if o.Run > 0 {
			if err := changeCard(tx, o.Run, o.Channel, o.ID, func(c *keepwatch.Card) { c.Final = true }); err != nil {
				return err
			}
		}
		if o.Notice || o.Reply != nil && o.Reply.Private {
			return nil
		}
		var since text
		if found, err := get(tx, "refused/"+o.Channel, &since); err != nil || found {
			return err
		}
		first = true
		if err := tx.Put(tellKey(o.Seq), []byte("{}")); err != nil {
			return err
		}
		return put(tx, "refused/"+o.Channel, text{version, why, o.RefusedAt})
	})
	return first && err == nil, err
}

// Untold gives the refused messages that people were to be told about and perhaps
// were not, oldest first.
func (r *Records) Untold() ([]keepwatch.Outgoing, error) {
	var list []keepwatch.Outgoing
	err := r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: "tell/"}, func(key string, _ []byte) error {
			var o keepwatch.Outgoing
			found, err := get(rd, "dead/"+key[len("tell/"):], &o)
			if err == nil && found {
				list = append(list, o)
			}
			return err
		})
	})
	return list, err
}

// RefusalTold saves that people were told about a refused message.
func (r *Records) RefusalTold(o keepwatch.Outgoing) error {
	return r.store.Update(func(tx Tx) error { return tx.Delete(tellKey(o.Seq)) })
}

// RefusedMessages gives those that were refused for good, newest first.
func (r *Records) RefusedMessages(limit int) ([]keepwatch.Outgoing, error) {
	return all[keepwatch.Outgoing](r.store, Range{Prefix: "dead/", Reverse: true}, limit)
}
