package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"keepwatch"
)

func cardOf(run int64, channel, id string) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: id, Lane: channel, Channel: channel, Run: run}
}

func (o *office) refs(t *testing.T) (refs []string) {
	t.Helper()
	for _, c := range must[[]keepwatch.Card](t)(o.LiveCards()) {
		refs = append(refs, fmt.Sprintf("%d %s %s %s", c.Run, c.Channel, c.Ref, c.Shown))
	}
	return refs
}

func cards(t *testing.T, o *office) {
	for _, channel := range []string{"a", "b", "c"} {
		if lanes := must[[]string](t)(o.PostCard(cardOf(1, channel, "id"+channel))); len(lanes) != 1 || lanes[0] != channel {
			t.Errorf("%q", lanes)
		}
		if lanes := must[[]string](t)(o.PostCard(cardOf(1, channel, "other"))); len(lanes) != 0 {
			t.Errorf("a second card in %q", lanes)
		}
	}
	same(t, "before they are posted", o.refs(t), []string{"1 a  ", "1 b  ", "1 c  "})
	for channel, ref := range map[string]string{"a": "refA", "b": "", "c": "refC"} {
		if err := o.MessageDelivered(o.next(t, channel), ref, "begins", channel == "c"); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "what has ended is not live", o.refs(t), []string{"1 a refA begins", "1 b  begins"})
	o.reopen()
	b := must[[]keepwatch.Card](t)(o.LiveCards())[1]
	if lanes := must[[]string](t)(o.ReplaceCard(b)); len(lanes) != 1 || lanes[0] != "b" {
		t.Errorf("%q", lanes)
	}
	same(t, "one that takes another's place", o.refs(t), []string{"1 a refA begins", "1 b  "})
	if err := o.MessageDelivered(o.next(t, "b"), "refB", "half", false); err != nil {
		t.Fatal(err)
	}
	if err := o.CardStuck(must[[]keepwatch.Card](t)(o.LiveCards())[1]); err != nil {
		t.Fatal(err)
	}
	same(t, "stuck", o.refs(t), []string{"1 a refA begins", "1 b  half"})
	if err := o.CardShown(must[[]keepwatch.Card](t)(o.LiveCards())[1], "half", true); err != nil {
		t.Fatal(err)
	}
	a := must[[]keepwatch.Card](t)(o.LiveCards())[0]
	if err := o.CardShown(a, "half", false); err != nil {
		t.Fatal(err)
	}
	same(t, "edited", o.refs(t), []string{"1 a refA half"})
	if err := o.CardShown(a, "done", true); err != nil {
		t.Fatal(err)
	}
	same(t, "ended", o.refs(t), []string(nil))
	if all := must[[]keepwatch.Card](t)(o.RunCards(1)); len(all) != 3 || !all[0].Final || all[0].Shown != "done" {
		t.Errorf("%+v", all)
	}
	if lanes := must[[]string](t)(o.PostCard(cardOf(1, "a", "late"))); len(lanes) != 0 {
		t.Error("a card of a run whose card has ended was posted again unasked")
	}
	if _, err := o.PostCard(cardOf(11, "a", "eleven")); err != nil {
		t.Fatal(err)
	}
	must[bool](t)(o.RefuseMessage(o.next(t, "a"), "archived"))
	same(t, "one that is refused is not live", o.refs(t), []string(nil))
	// one that is not there stays so
	if err := o.CardShown(keepwatch.Card{ID: "x", Run: 99, Channel: "a"}, "x", false); err != nil || len(must[[]keepwatch.Card](t)(o.RunCards(99))) != 0 {
		t.Errorf("%v", err)
	}
}

// twoCards: somebody asks about a run where its card stands already.
func twoCards(t *testing.T, o *office) {
	o.post(t, cardOf(1, "a", "one"))
	if err := o.MessageDelivered(o.next(t, "a"), "ref1", "x", false); err != nil {
		t.Fatal(err)
	}
	o.post(t, cardOf(1, "a", "two"))
	same(t, "both live", o.refs(t), []string{"1 a ref1 x", "1 a  "})
	if err := o.MessageDelivered(o.next(t, "a"), "ref2", "y", false); err != nil {
		t.Fatal(err)
	}
	same(t, "both live", o.refs(t), []string{"1 a ref1 x", "1 a ref2 y"})
	for i, c := range must[[]keepwatch.Card](t)(o.LiveCards()) {
		if err := o.CardShown(c, "done", true); err != nil {
			t.Fatal(err)
		}
		if left := len(o.refs(t)); left != 1-i {
			t.Errorf("%d live", left)
		}
	}
	if all := must[[]keepwatch.Card](t)(o.RunCards(1)); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}

func oneCard(t *testing.T, o *office) {
	var posted atomic.Int64
	crowd(t, 16, func(i int) error {
		lanes, err := o.PostCard(cardOf(7, "a", fmt.Sprint(i)))
		posted.Add(int64(len(lanes)))
		return err
	})
	if n := o.count(t, "out/"); n != 1 || posted.Load() != 1 {
		t.Errorf("%d saved, %d told", n, posted.Load())
	}
}
