package store

import (
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Keys: topic/<channel>/<topic> holds the reference of the newest message about a
// topic in a channel, and what that message shows; see keepwatch.Outgoing.Topic.

func topicKey(channel, topic string) string { return "topic/" + channel + "/" + topic }

// topicRecord is where the message about a topic is.
type topicRecord struct {
	Version int       `json:"v"`
	Ref     string    `json:"ref"`
	Shown   string    `json:"shown,omitempty"` // Fingerprint of what it shows; "": nobody knows
	Changed time.Time `json:"changed"`
}

// longestTopic bounds a topic and its channel within a key.
const longestTopic = 400

// validTopic sees that what a message is about can be kept, and that an edit can be
// carried out: it is an edit of a topic, and waits among what goes into its channel.
func validTopic(o keepwatch.Outgoing) error {
	switch {
	case o.Topic == "" && !o.Edit:
		return nil
	case o.Topic == "" || len(o.Topic) > longestTopic || strings.ContainsRune(o.Topic, 0):
		return fmt.Errorf("store: %q cannot be the topic of a message", o.Topic)
	case o.Channel == "" || len(o.Channel) > longestTopic || strings.ContainsAny(o.Channel, "/\x00"):
		return fmt.Errorf("store: %q cannot be the channel of a message about %s", o.Channel, o.Topic)
	case o.Run > 0:
		return fmt.Errorf("store: the card of run %d cannot be about %s: it is kept up to date by itself", o.Run, o.Topic)
	case o.Edit && (o.Lane != o.Channel || o.Reply != nil):
		return fmt.Errorf("store: an edit of the message about %s in %s cannot wait in the lane %s", o.Topic, o.Channel, o.Lane)
	}
	return nil
}

// keepTopic keeps where the message about its topic is. Where the platform gives no
// name for it, or only one person sees it, there is no such message any more that
// could be edited.
func (r *Records) keepTopic(tx Tx, o keepwatch.Outgoing, ref, shown string) error {
	if o.Topic == "" || o.Edit {
		return nil
	}
	if ref == "" || o.Place() != o.Channel {
		return forgetTopic(tx, o)
	}
	return r.putTopic(tx, o, topicRecord{Ref: ref, Shown: shown})
}

// putTopic saves where the message about a topic is, and that this is young.
func (r *Records) putTopic(tx Tx, o keepwatch.Outgoing, rec topicRecord) error {
	key := topicKey(o.Channel, o.Topic)
	var old topicRecord
	if _, err := get(tx, key, &old); err != nil {
		return err
	}
	rec.Version, rec.Changed = version, r.now().UTC()
	if err := list(tx, pastTopics, o.Channel+"/"+o.Topic, old.Changed, rec.Changed); err != nil {
		return err
	}
	return put(tx, key, rec)
}

// forgetTopic forgets where the message about a topic is.
func forgetTopic(tx Tx, o keepwatch.Outgoing) error {
	key := topicKey(o.Channel, o.Topic)
	var old topicRecord
	if found, err := get(tx, key, &old); err != nil || !found {
		return err
	}
	if err := list(tx, pastTopics, o.Channel+"/"+o.Topic, old.Changed, time.Time{}); err != nil {
		return err
	}
	return tx.Delete(key)
}

// EditTarget gives what an edit is to change: the reference of the message about its
// topic, "" where there is none, and the Fingerprint of what that shows, "" where
// nobody knows. late says that another edit of the same topic waits right behind it,
// so that this one need not be made.
func (r *Records) EditTarget(o keepwatch.Outgoing) (ref, shown string, late bool, err error) {
	err = r.store.View(func(rd Reader) error {
		var rec topicRecord
		if _, err := get(rd, topicKey(o.Channel, o.Topic), &rec); err != nil {
			return err
		}
		ref, shown = rec.Ref, rec.Shown
		return rd.Scan(Range{Prefix: "out/" + o.Lane + "/", From: outKey(o) + "\x00"}, func(key string, data []byte) error {
			var next keepwatch.Outgoing
			if err := decode(key, data, &next); err != nil {
				return err
			}
			late = next.Edit && next.Topic == o.Topic && next.Channel == o.Channel
			return ErrStop
		})
	})
	return ref, shown, late, err
}

// EditDone lets go of an edit, and keeps what the message under ref shows now, as a
// Fingerprint; "" where nobody knows. Where another message has taken the place of
// that one, nothing is kept of it. A message that could not be edited is not
// forgotten: what a platform says of one that is gone it also says where a right is
// missing, which somebody may give back.
func (r *Records) EditDone(o keepwatch.Outgoing, ref, shown string) error {
	return r.store.Update(func(tx Tx) error {
		if err := tx.Delete(outKey(o)); err != nil {
			return err
		}
		if ref == "" {
			return nil
		}
		var rec topicRecord
		found, err := get(tx, topicKey(o.Channel, o.Topic), &rec)
		if err != nil || !found || rec.Ref != ref || rec.Shown == shown {
			return err
		}
		rec.Shown = shown
		return r.putTopic(tx, o, rec)
	})
}
