package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

func about(channel, topic, text string) keepwatch.Outgoing {
	out := message(channel, text)
	out.Topic = topic
	return out
}

func editOf(channel, topic, text string) keepwatch.Outgoing {
	out := about(channel, topic, text)
	out.Edit = true
	return out
}

// target gives what an edit would change, as text.
func (o *office) target(t *testing.T, channel, topic string) string {
	t.Helper()
	ref, shown, late, err := o.EditTarget(editOf(channel, topic, ""))
	if err != nil || late {
		t.Fatal(late, err)
	}
	return ref + " " + shown
}

func topics(t *testing.T, o *office) {
	private := about("a", "t", "private")
	private.Lane, private.Reply = "re:1", &keepwatch.Reply{Private: true, To: keepwatch.Account{Platform: "a", ID: "7"}}
	deliver := func(out keepwatch.Outgoing, ref, shown string) {
		t.Helper()
		o.post(t, out)
		if err := o.MessageDelivered(o.next(t, out.Lane), ref, shown, false); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "none", o.target(t, "a", "t"), " ")
	deliver(about("a", "t", "one"), "ref1", "s1")
	deliver(about("b", "t", "in b"), "refB", "sB")
	deliver(about("a", "t/u", "another"), "refU", "sU")
	deliver(message("a", "about nothing"), "ref2", "s2")
	o.reopen()
	same(t, "kept", []string{o.target(t, "a", "t"), o.target(t, "b", "t"), o.target(t, "a", "t/u"), o.target(t, "a", "u")}, []string{"ref1 s1", "refB sB", "refU sU", " "})
	deliver(about("a", "t", "two"), "ref3", "s3")
	same(t, "the newest", o.target(t, "a", "t"), "ref3 s3")
	o.post(t, about("a", "t", "three"))
	if _, err := o.RefuseMessage(o.next(t, "a"), "archived"); err != nil {
		t.Fatal(err)
	}
	same(t, "after one that was refused", o.target(t, "a", "t"), "ref3 s3")
	deliver(private, "ref4", "s4")
	same(t, "after one that nobody else sees", o.target(t, "a", "t"), " ")
	deliver(about("b", "t", "nameless"), "", "s5")
	same(t, "after one without a name", o.target(t, "b", "t"), " ")
	if topics, listed := o.count(t, "topic/"), o.count(t, "past/topic/"); topics != 1 || listed != 1 {
		t.Errorf("%d topics, %d listed", topics, listed)
	}
}

func edits(t *testing.T, o *office) {
	first := editOf("a", "t", "1")
	first.Message.Buttons = []keepwatch.Button{longButton("of an edit")}
	o.post(t, about("a", "t", "due"), first, editOf("a", "t", "2"), message("a", "between"), editOf("a", "t", "3"), editOf("a", "u", "4"))
	token, _ := longButton("of an edit").Token()
	same(t, "a button of an edit", must[keepwatch.Button](t)(o.KeptButton(token)), longButton("of an edit"))
	look := func(want string) keepwatch.Outgoing {
		t.Helper()
		out := o.next(t, "a")
		ref, shown, late, err := o.EditTarget(out)
		if got := fmt.Sprint(out.Message.Title, " ", ref, " ", shown, " ", late); err != nil || got != want || !out.Edit {
			t.Errorf("%v, %q, want %q", err, got, want)
		}
		return out
	}
	done := func(out keepwatch.Outgoing, ref, shown string) {
		t.Helper()
		if err := o.EditDone(out, ref, shown); err != nil {
			t.Fatal(err)
		}
		if err := o.EditDone(out, ref, shown); err != nil { // once more is harmless
			t.Fatal(err)
		}
	}
	if err := o.MessageDelivered(o.next(t, "a"), "ref1", "s0", false); err != nil {
		t.Fatal(err)
	}
	done(look("1 ref1 s0 true"), "ref1", "")
	done(look("2 ref1  false"), "ref1", "s2")
	if err := o.MessageDelivered(o.next(t, "a"), "ref2", "", false); err != nil {
		t.Fatal(err)
	}
	o.reopen()
	third := look("3 ref1 s2 false")
	done(third, "another", "sX")
	same(t, "an edit of what was there before", o.target(t, "a", "t"), "ref1 s2")
	done(third, "ref1", "s3")
	same(t, "edited", o.target(t, "a", "t"), "ref1 s3")
	done(third, "ref1", "")
	same(t, "not edited, perhaps", o.target(t, "a", "t"), "ref1 ")
	done(look("4   false"), "", "")
	if lanes := must[[]string](t)(o.Lanes()); len(lanes) != 0 || o.count(t, "topic/") != 1 || o.count(t, "past/") != 1 {
		t.Errorf("left: %q, %v", lanes, o.dump(t))
	}
}

func badEdits(t *testing.T, o *office) {
	card := about("a", "t", "x")
	card.Run = 1
	answer := editOf("a", "t", "x")
	answer.Reply = &keepwatch.Reply{}
	aside := editOf("a", "t", "x")
	aside.Lane = "re:1"
	for _, out := range []keepwatch.Outgoing{editOf("a", "", "x"), card, answer, aside, about("a", "a\x00", "x"), about("a", strings.Repeat("x", 401), "x"),
		{ID: "x", Lane: "a", Topic: "t"}, {ID: "x", Lane: "re:1", Channel: "a/b", Topic: "t"}} {
		if _, err := o.PostMessages([]keepwatch.Outgoing{out}); err == nil {
			t.Errorf("%+v was taken", out)
		}
	}
	if n := o.count(t, ""); n != 0 {
		t.Errorf("%d keys of what was refused", n)
	}
}

const day = 24 * time.Hour

// oldThings: what came due over 400 days ago goes, with its digests and where its
// messages are; more of it than one transaction takes.
func oldThings(t *testing.T, o *office) {
	const each, days = 130, 10
	for d := range days {
		at := o.now().Add(time.Duration(d) * day)
		o.change(t, func(c *store.Change) error {
			dig := keepwatch.Digest{ID: fmt.Sprint("d", d), At: at}
			for i := range each {
				oc := occurrence(fmt.Sprint(i), at, keepwatch.OccurrenceDone)
				dig.Occurrences = append(dig.Occurrences, oc.ID)
				if err := c.PutOccurrence(oc); err != nil {
					return err
				}
			}
			return c.PutDigest(dig)
		})
	}
	for _, topic := range []string{"t", "u"} {
		o.post(t, about("a", topic, topic))
		if err := o.MessageDelivered(o.next(t, "a"), "ref-"+topic, "s", false); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(5 * day)
	o.post(t, editOf("a", "u", "v"))
	if err := o.EditDone(o.next(t, "a"), "ref-u", "v"); err != nil {
		t.Fatal(err)
	}
	left := func(after time.Duration, occs, digests, topics int) {
		t.Helper()
		time.Sleep(after)
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
		got := []int{o.count(t, "occ/"), o.count(t, "past/occ/"), o.count(t, "digest/"), o.count(t, "past/digest/"), o.count(t, "topic/"), o.count(t, "past/topic/")}
		same(t, fmt.Sprint("left after ", after), got, []int{occs, occs, digests, digests, topics, topics})
	}
	left(395*day, each*days, days, 2) // 400 days after the first of them, to the nanosecond
	left(time.Nanosecond, each*(days-1), days-1, 1)
	left(4*day, each*(days-5), days-5, 1)
	left(2*day, each*(days-7), days-7, 0)
	left(10*day, 0, 0, 0)
}

// oldOpen: what is open stays, however old it is, and so does its digest; what is
// put anew is not old.
func oldOpen(t *testing.T, o *office) {
	at := o.now()
	open, settled := occurrence("1", at, keepwatch.OccurrenceEscalated), occurrence("2", at, keepwatch.OccurrenceDone)
	o.putOccurrences(t, open, settled)
	o.change(t, func(c *store.Change) error {
		return c.PutDigest(keepwatch.Digest{ID: "d", At: at, Occurrences: []string{open.ID, settled.ID}})
	})
	for range 2 {
		time.Sleep(401 * day)
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
		same(t, "stays", []int{o.count(t, "occ/"), o.count(t, "past/occ/"), o.count(t, "unsettled/"), o.count(t, "digest/")}, []int{1, 1, 1, 1})
	}
	var crowd []keepwatch.Occurrence // more than one transaction looks at, and older than what goes
	for i := range 600 {
		crowd = append(crowd, occurrence("9", at.Add(-time.Duration(i)*time.Minute), keepwatch.OccurrencePosted))
	}
	o.putOccurrences(t, append(crowd, settled)...)
	if err := o.Tidy(); err != nil {
		t.Fatal(err)
	}
	same(t, "behind many that stay", []int{o.count(t, "occ/"), o.count(t, "past/occ/")}, []int{601, 601})
	for i := range crowd {
		crowd[i].State = keepwatch.OccurrencePassed
	}
	o.putOccurrences(t, crowd...)
	open.State = keepwatch.OccurrenceAcknowledged
	o.putOccurrences(t, open)
	beside := &between{Store: o.Store} // somebody opens it again between the look and the removal
	beside.after = func() error {
		again := open
		again.State = keepwatch.OccurrencePosted
		_, err := o.Change(func(c *store.Change) error { return c.PutOccurrence(again) })
		return err
	}
	if err := store.NewRecords(beside, o.now).Tidy(); err != nil {
		t.Fatal(err)
	}
	same(t, "opened again", []int{o.count(t, "occ/"), o.count(t, "past/occ/"), o.count(t, "unsettled/")}, []int{1, 1, 1})
	o.putOccurrences(t, open)
	if err := o.Tidy(); err != nil {
		t.Fatal(err)
	}
	same(t, "left", []int{o.count(t, "occ/"), o.count(t, "past/"), o.count(t, "digest/")}, []int{0, 0, 0})
}
