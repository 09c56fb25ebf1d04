package store

import (
	"strings"
	"time"

	"keepwatch"
)

// withoutToken gives a reply without what it was answered by.
func withoutToken(r *keepwatch.Reply) *keepwatch.Reply {
	if r == nil || r.Token == "" {
		return r
	}
	reply := *r
	reply.Token = ""
	return &reply
}

// spent reports whether a reply still holds a token that works no more. Until it
// runs out it is as good as a password, and afterwards of no use to anybody.
func spent(r *keepwatch.Reply, now time.Time) bool {
	return r != nil && r.Token != "" && !r.Alive(now)
}

// forgetTokens takes tokens that have run out from the messages that still wait,
// and from the cards.
func (r *Records) forgetTokens(now time.Time) error {
	var cards, messages []string
	err := r.store.View(func(rd Reader) error {
		err := rd.Scan(Range{Prefix: "card/"}, func(key string, data []byte) error {
			var c keepwatch.Card
			err := decode(key, data, &c)
			if err == nil && spent(c.Reply, now) {
				cards = append(cards, key)
			}
			return err
		})
		if err != nil {
			return err
		}
		return rd.Scan(Range{Prefix: "out/"}, func(key string, data []byte) error {
			var o keepwatch.Outgoing
			err := decode(key, data, &o)
			if err == nil && spent(o.Reply, now) {
				messages = append(messages, key)
			}
			return err
		})
	})
	if err != nil || len(cards)+len(messages) == 0 {
		return err
	}
	return r.store.Update(func(tx Tx) error {
		for _, key := range cards {
			var c keepwatch.Card
			found, err := get(tx, key, &c)
			if err != nil {
				return err
			}
			if !found { // it went meanwhile
				continue
			}
			c.Reply = withoutToken(c.Reply)
			if err := putCard(tx, key, c); err != nil {
				return err
			}
		}
		for _, key := range messages {
			var o keepwatch.Outgoing
			found, err := get(tx, key, &o)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			o.Reply = withoutToken(o.Reply)
			if err := put(tx, key, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// OldestWaiting gives, of the messages that are next in their lanes, since when the
// oldest waits and for which channel; the zero time where none waits. One that
// waits for long is refused again and again, and holds up what is behind it.
func (r *Records) OldestWaiting() (since time.Time, channel string, err error) {
	err = r.store.View(func(rd Reader) error {
		for from := ""; ; {
			next := ""
			err := rd.Scan(Range{Prefix: "out/", From: from}, func(key string, data []byte) error {
				var o keepwatch.Outgoing
				if err := decode(key, data, &o); err != nil {
					return err
				}
				if since.IsZero() || o.Made.Before(since) {
					since, channel = o.Made, o.Channel
				}
				next = key[:strings.LastIndexByte(key, '/')]
				return ErrStop
			})
			if err != nil || next == "" {
				return err
			}
			from = next + "0" // "0" comes right behind "/"
		}
	})
	return since, channel, err
}
