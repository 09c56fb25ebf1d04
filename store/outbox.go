package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Keys: out/<lane>/<number> holds a message to be posted; card/<run>/<channel>
// the message of a run, and card/<run>/<channel>/<message id> another one beside
// it; live/<the same> is there while that card is not final; last/<place> the
// reference of the newest message that the platform has confirmed there: in a
// channel, or among what one person alone sees.

const outCounter = "counter/out"

func outKey(o keepwatch.Outgoing) string { return fmt.Sprintf("out/%s/%016d", o.Lane, o.Seq) }
func cardKey(run int64, channel string) string {
	return fmt.Sprintf("card/%012d/%s", run, channel)
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
	for _, o := range out {
		if err := errors.Join(validLane(o.Lane), validTopic(o)); err != nil {
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
			if err := newCard(tx, keepwatch.Card{ID: o.ID, Run: o.Run, Channel: o.Channel, Reply: o.Reply, Made: o.Made}); err != nil {
				return nil, err
			}
		}
	}
	return lanesOf(out), nil
}

// lanesOf gives the lanes of messages, each once.
func lanesOf(out []keepwatch.Outgoing) (lanes []string) {
	for _, o := range out {
		if !slices.Contains(lanes, o.Lane) {
			lanes = append(lanes, o.Lane)
		}
	}
	return lanes
}

// newCard saves a card that is going to be posted. One that is there already is
// not forgotten while it is live: it is to get its last state too.
func newCard(tx Tx, c keepwatch.Card) error {
	key := cardKey(c.Run, c.Channel)
	var there keepwatch.Card
	found, err := get(tx, key, &there)
	if err != nil {
		return err
	}
	if found && !there.Final {
		key += "/" + c.ID
	}
	return putCard(tx, key, c)
}

// putCard saves a card, and lists it as live while it is not final.
func putCard(tx Tx, key string, c keepwatch.Card) error {
	c.Version = version
	if c.Final {
		c.Reply = withoutToken(c.Reply)
	}
	if err := put(tx, key, c); err != nil {
		return err
	}
	live := "live/" + key[len("card/"):]
	if c.Final {
		return tx.Delete(live)
	}
	return tx.Put(live, []byte("{}"))
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

// TryMessage saves that an attempt begins, with what is known of where the message
// goes. What it comes after, and since when it was tried, is what held at the first
// attempt: any of them may be the one that arrived.
func (r *Records) TryMessage(o keepwatch.Outgoing, at time.Time) (keepwatch.Outgoing, error) {
	err := r.store.Update(func(tx Tx) error {
		var last text
		if _, err := get(tx, "last/"+o.Place(), &last); err != nil {
			return err
		}
		if o.Tried.IsZero() {
			o.After, o.FirstTried = last.Value, at.UTC()
		}
		o.Tried, o.FirstTried = at.UTC(), o.Since()
		return put(tx, outKey(o), o)
	})
	return o, err
}

// MessageDelivered lets go of a message that the platform has confirmed under
// ref, and keeps what the card of a run shows, and where the message of a topic is.
func (r *Records) MessageDelivered(o keepwatch.Outgoing, ref, shown string, final bool) error {
	return r.store.Update(func(tx Tx) error {
		if err := tx.Delete(outKey(o)); err != nil {
			return err
		}
		if place := o.Place(); ref != "" && place != "" {
			if err := put(tx, "last/"+place, text{version, ref, r.now().UTC()}); err != nil {
				return err
			}
			if place == o.Channel { // what one person alone was sent says nothing about a channel
				if err := tx.Delete("refused/" + o.Channel); err != nil {
					return err
				}
			}
		}
		if o.Run == 0 {
			return r.keepTopic(tx, o, ref, shown)
		}
		return changeCard(tx, o.Run, o.Channel, o.ID, func(c *keepwatch.Card) {
			c.Ref, c.Shown, c.Final = ref, shown, final
			if ref == "" && shown == "" {
				c.Shown = "-" // posted, and nobody knows how it looks
			}
		})
	})
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
		return changeCard(tx, c.Run, c.Channel, c.ID, func(now *keepwatch.Card) { now.Shown, now.Final = shown, final })
	})
}

// CardStuck saves that a card can no longer be edited: it has no Ref any more, and
// shows what it was last known to.
func (r *Records) CardStuck(c keepwatch.Card) error {
	return r.store.Update(func(tx Tx) error {
		return changeCard(tx, c.Run, c.Channel, c.ID, func(now *keepwatch.Card) {
			now.Ref = ""
			if now.Shown == "" {
				now.Shown = "-" // posted, and nobody knows how it looks
			}
		})
	})
}

// ReplaceCard saves that a new message takes the place of a card that cannot be
// edited.
func (r *Records) ReplaceCard(c keepwatch.Card) (lanes []string, err error) {
	out := keepwatch.Outgoing{ID: newMessageID(), Lane: c.Channel, Channel: c.Channel, Run: c.Run, Made: r.now().UTC()}
	if c.Reply != nil {
		reply := *c.Reply
		reply.Private, reply.Replace = false, false
		out.Reply = &reply
	}
	err = r.store.Update(func(tx Tx) (err error) {
		if err := changeCard(tx, c.Run, c.Channel, c.ID, func(now *keepwatch.Card) { now.Final = true }); err != nil {
			return err
		}
		lanes, err = r.post(tx, []keepwatch.Outgoing{out})
		return err
	})
	return lanes, err
}

// newMessageID gives 100 random bits in small letters and digits.
func newMessageID() string { return strings.ToLower(rand.Text()[:keepwatch.MessageID]) }

// changeCard changes the card that a message posted; one that is not there stays
// so.
func changeCard(tx Tx, run int64, channel, id string, change func(*keepwatch.Card)) error {
	for _, key := range []string{cardKey(run, channel), cardKey(run, channel) + "/" + id} {
		var c keepwatch.Card
		found, err := get(tx, key, &c)
		if err != nil {
			return err
		}
		if found && c.ID == id {
			change(&c)
			return putCard(tx, key, c)
		}
	}
	return nil
}
