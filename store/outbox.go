package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Keys: out/<lane>/<number> holds a message to be posted; card/<run>/<channel>
// the message of a run; live/<run>/<channel> is there while that card is not
// final; last/<channel> the reference of the newest message that the platform has
// confirmed there; dead/<number> a message that was refused for good;
// refused/<channel> since when a channel refuses.

const outCounter = "counter/out"

func outKey(o keepwatch.Outgoing) string { return fmt.Sprintf("out/%s/%016d", o.Lane, o.Seq) }
func cardKey(run int64, channel string) string {
	return fmt.Sprintf("card/%012d/%s", run, channel)
}
func liveKey(run int64, channel string) string {
	return fmt.Sprintf("live/%012d/%s", run, channel)
}

// text is a record of one value.
type text struct {
	Version int       `json:"v"`
	Value   string    `json:"value"`
	At      time.Time `json:"at,omitzero"`
}

// PostMessages saves messages to be posted, and gives the lanes that have
// something to send.
func (r *Records) PostMessages(out []keepwatch.Outgoing) (lanes []string, err error) {
	err = r.store.Update(func(tx Tx) (err error) {
		lanes, err = r.post(tx, out)
		return err
	})
	return lanes, err
}

// PostCard saves that the card of a run is to be posted in a channel, unless
// there is one already.
func (r *Records) PostCard(out keepwatch.Outgoing) (lanes []string, err error) {
	err = r.store.Update(func(tx Tx) (err error) {
		lanes = nil
		var c keepwatch.Card
		if found, err := get(tx, cardKey(out.Run, out.Channel), &c); err != nil || found {
			return err
		}
		lanes, err = r.post(tx, []keepwatch.Outgoing{out})
		return err
	})
	return lanes, err
}

// post gives each message its place in its lane, saves it with its buttons, and
// for a card the record of it.
func (r *Records) post(tx Tx, out []keepwatch.Outgoing) ([]string, error) {
	var lanes []string
	for _, o := range out {
		if err := validLane(o.Lane); err != nil {
			return nil, err
		}
		var err error
		if o.Seq, err = nextNumber(tx, outCounter); err != nil {
			return nil, err
		}
		o.Version = version
		if err := r.keep(tx, o.Message.AllButtons()); err != nil {
			return nil, err
		}
		if err := put(tx, outKey(o), o); err != nil {
			return nil, err
		}
		if o.Run > 0 {
			if err := putCard(tx, keepwatch.Card{Run: o.Run, Channel: o.Channel, Reply: o.Reply, Made: o.Made}); err != nil {
				return nil, err
			}
		}
		if !slices.Contains(lanes, o.Lane) {
			lanes = append(lanes, o.Lane)
		}
	}
	return lanes, nil
}

// putCard saves a card, and lists it as live while it is not final.
func putCard(tx Tx, c keepwatch.Card) error {
	c.Version = version
	if err := put(tx, cardKey(c.Run, c.Channel), c); err != nil {
		return err
	}
	if c.Final {
		return tx.Delete(liveKey(c.Run, c.Channel))
	}
	return tx.Put(liveKey(c.Run, c.Channel), []byte("{}"))
}

// Lanes gives those that have something to send.
func (r *Records) Lanes() ([]string, error) {
	var lanes []string
	err := r.store.View(func(rd Reader) error {
		from := ""
		for { // from lane to lane, however much waits in each
			next := ""
			err := rd.Scan(Range{Prefix: "out/", From: from}, func(key string, _ []byte) error {
				next = key[len("out/"):strings.LastIndexByte(key, '/')]
				return ErrStop
			})
			if err != nil || next == "" {
				return err
			}
			lanes = append(lanes, next)
			from = "out/" + next + "0" // "0" comes right behind "/"
		}
	})
	return lanes, err
}

// NextMessage gives the first message of a lane, and false where there is none.
func (r *Records) NextMessage(lane string) (out keepwatch.Outgoing, found bool, err error) {
	err = scan(r.store, Range{Prefix: "out/" + lane + "/"}, func(o keepwatch.Outgoing) error {
		out, found = o, true
		return ErrStop
	})
	return out, found, err
}

// TryMessage saves that an attempt begins, with what is known of the channel.
func (r *Records) TryMessage(o keepwatch.Outgoing, at time.Time) (keepwatch.Outgoing, error) {
	err := r.store.Update(func(tx Tx) error {
		var last text
		if _, err := get(tx, "last/"+o.Channel, &last); err != nil {
			return err
		}
		o.Tried, o.After = at.UTC(), last.Value
		return put(tx, outKey(o), o)
	})
	return o, err
}

// MessageDelivered lets go of a message that the platform has confirmed under
// ref, and keeps what the card of a run shows.
func (r *Records) MessageDelivered(o keepwatch.Outgoing, ref, shown string, final bool) error {
	return r.store.Update(func(tx Tx) error {
		if err := tx.Delete(outKey(o)); err != nil {
			return err
		}
		if ref != "" && (o.Reply == nil || !o.Reply.Private) {
			if err := put(tx, "last/"+o.Channel, text{version, ref, r.now().UTC()}); err != nil {
				return err
			}
			if err := tx.Delete("refused/" + o.Channel); err != nil {
				return err
			}
		}
		if o.Run == 0 {
			return nil
		}
		return changeCard(tx, o.Run, o.Channel, func(c *keepwatch.Card) {
			c.Ref, c.Shown, c.Final = ref, shown, final || ref == ""
		})
	})
}

// RefuseMessage takes a message that its platform refuses for good out of its
// lane and keeps it apart. first reports whether the channel worked until now.
func (r *Records) RefuseMessage(o keepwatch.Outgoing, why string) (first bool, err error) {
	o.Refused, o.RefusedAt = why, r.now().UTC()
	if o.Reply != nil {
		reply := *o.Reply
		reply.Token = "" // of no more use, and as good as a password
		o.Reply = &reply
	}
	err = r.store.Update(func(tx Tx) error {
		if err := tx.Delete(outKey(o)); err != nil {
			return err
		}
		if err := put(tx, fmt.Sprintf("dead/%016d", o.Seq), o); err != nil {
			return err
		}
		if o.Run > 0 {
			if err := changeCard(tx, o.Run, o.Channel, func(c *keepwatch.Card) { c.Final = true }); err != nil {
				return err
			}
		}
		var since text
		found, err := get(tx, "refused/"+o.Channel, &since)
		if first = !found; err != nil || found {
			return err
		}
		return put(tx, "refused/"+o.Channel, text{version, why, o.RefusedAt})
	})
	return first && err == nil, err
}

// RefusedMessages gives those that were refused for good, newest first.
func (r *Records) RefusedMessages(limit int) ([]keepwatch.Outgoing, error) {
	return all[keepwatch.Outgoing](r.store, Range{Prefix: "dead/", Reverse: true}, limit)
}

// LiveCards gives the cards that do not show yet how their run ended.
func (r *Records) LiveCards() ([]keepwatch.Card, error) {
	var cards []keepwatch.Card
	err := r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: "live/"}, func(key string, _ []byte) error {
			var c keepwatch.Card
			found, err := get(rd, "card/"+key[len("live/"):], &c)
			if err == nil && found {
				cards = append(cards, c)
			}
			return err
		})
	})
	return cards, err
}

// RunCards gives the cards of one run, final ones too.
func (r *Records) RunCards(run int64) ([]keepwatch.Card, error) {
	return all[keepwatch.Card](r.store, Range{Prefix: fmt.Sprintf("card/%012d/", run)}, 0)
}

// CardShown saves what a card shows now.
func (r *Records) CardShown(c keepwatch.Card, shown string, final bool) error {
	return r.store.Update(func(tx Tx) error {
		return changeCard(tx, c.Run, c.Channel, func(now *keepwatch.Card) {
			if now.Ref == c.Ref {
				now.Shown, now.Final = shown, final
			}
		})
	})
}

// changeCard changes a card that is there; one that is not stays so.
func changeCard(tx Tx, run int64, channel string, change func(*keepwatch.Card)) error {
	data, err := tx.Get(cardKey(run, channel))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var c keepwatch.Card
	if err := decode(cardKey(run, channel), data, &c); err != nil {
		return err
	}
	change(&c)
	return putCard(tx, c)
}
