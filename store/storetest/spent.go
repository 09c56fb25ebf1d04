package storetest

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// spentTokens: what an answer was sent by is forgotten with the card that shows the
// end of its run, and otherwise once it works no more.
func spentTokens(t *testing.T, o *office) {
	reply := func() *keepwatch.Reply {
		return &keepwatch.Reply{Token: "https://hooks.example/secret", Until: o.now().Add(30 * time.Minute), Thread: "1.1"}
	}
	ended, goesOn, waits := cardOf(1, "slack:A", "ended"), cardOf(2, "slack:B", "goes on"), message("slack:C", "waits")
	ended.Reply, goesOn.Reply, waits.Reply = reply(), reply(), reply()
	o.post(t, ended, goesOn, waits)
	for _, lane := range []string{"slack:A", "slack:B"} {
		if err := o.MessageDelivered(o.next(t, lane), lane+":1", "x", lane == "slack:A"); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(want ...string) {
		t.Helper()
		var got []string
		for key, value := range o.everything(t) {
			if strings.Contains(value, "secret") {
				got = append(got, key[:strings.LastIndexByte(key, '/')])
			}
		}
		if len(got) != len(want) {
			t.Errorf("tokens are held by %q, want %q", got, want)
		}
	}
	holds("card of the run that goes on", "message that waits")
	tidy := func() {
		t.Helper()
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
	}
	tidy()
	holds("card of the run that goes on", "message that waits")
	*o.wall += 31 * time.Minute
	tidy()
	holds()
	cards, err := o.LiveCards()
	if err != nil || len(cards) != 1 || cards[0].Reply == nil || cards[0].Reply.Thread != "1.1" || cards[0].Ref != "slack:B:1" {
		t.Errorf("%+v %v", cards, err)
	}
	if got := o.next(t, "slack:C"); got.Reply == nil || got.Reply.Thread != "1.1" || got.Message.Title != "waits" {
		t.Errorf("%+v", got)
	}
}

// waiting: the oldest of what is next in its lane is told.
func waiting(t *testing.T, o *office) {
	check := func(want time.Duration, channel string) {
		t.Helper()
		since, got, err := o.OldestWaiting()
		if err != nil || got != channel || channel != "" && o.now().Sub(since) != want || channel == "" && !since.IsZero() {
			t.Errorf("since %v in %q, %v; want %v ago in %q", since, got, err, want, channel)
		}
	}
	check(0, "")
	made := func(lane, channel, text string, ago time.Duration) keepwatch.Outgoing {
		m := message(lane, text)
		m.Channel, m.Made = channel, o.now().Add(-ago).UTC()
		return m
	}
	o.post(t, made("slack:A", "slack:A", "a1", time.Minute), made("re:x", "slack:B", "re", time.Hour), made("slack:A0", "slack:A0", "b", 2*time.Minute), made("slack:A", "slack:A", "a2", 0))
	check(time.Hour, "slack:B")
	if err := o.MessageDelivered(o.next(t, "re:x"), "", "x", false); err != nil {
		t.Fatal(err)
	}
	check(2*time.Minute, "slack:A0")
	if _, err := o.RefuseMessage(o.next(t, "slack:A0"), "no"); err != nil {
		t.Fatal(err)
	}
	check(time.Minute, "slack:A")
}
