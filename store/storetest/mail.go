package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/store"
)

// office is a store with the records over it and a wall clock that can be set. It
// lives in a bubble of synctest, where hours pass at once.
type office struct {
	store.Store
	*store.Records
	wall *time.Duration
}

func (o *office) now() time.Time { return time.Now().Round(0).Add(*o.wall) }

// reopen gives the records as the next process has them.
func (o *office) reopen() { o.Records = store.NewRecords(o.Store, o.now) }

// RunMail holds what requests and messages on their way are kept by to its
// promises, plainly and with every update's function running twice. open gives a
// new, empty store.
func RunMail(t *testing.T, open func(t *testing.T) store.Store) {
	for how, wrap := range map[string]func(store.Store) store.Store{"once": func(s store.Store) store.Store { return s }, "twice": Twice} {
		for name, test := range map[string]func(*testing.T, *office){
			"lanes": lanes, "lanes that cannot be": badLanes, "attempts": attempts, "what one person sees": asides, "refused": refused, "cards": cards, "two cards": twoCards, "one card of many that ask": oneCard,
			"taken once": takenOnce, "taken once, whatever the clock says": takenByAnyClock, "forgotten in the end": forgotten, "forgotten by processes that live shortly": forgottenInPieces, "finished": finished,
			"buttons": buttons, "tidy": tidy, "tidy beside a writer": tidyBeside, "newer mail": newerMail,
			"spent tokens": spentTokens, "what waits": waiting, "fences": fences,
		} {
			t.Run(how+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := open(t)
					defer func() { _ = s.Close() }()
					o := &office{Store: wrap(s), wall: new(time.Duration)}
					o.reopen()
					test(t, o)
				})
			})
		}
	}
}

// message makes one for a lane.
func message(lane, text string) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: "id-" + text, Lane: lane, Channel: lane, Message: keepwatch.Message{Title: text}}
}

func (o *office) post(t *testing.T, out ...keepwatch.Outgoing) []string {
	t.Helper()
	return must[[]string](t)(o.PostMessages(out))
}

// next gives the first of a lane, which must be there.
func (o *office) next(t *testing.T, lane string) keepwatch.Outgoing {
	t.Helper()
	out, found, err := o.NextMessage(lane)
	if err != nil || !found {
		t.Fatalf("%s: %v, %v", lane, found, err)
	}
	return out
}

func (o *office) count(t *testing.T, prefix string) (n int) {
	t.Helper()
	err := o.View(func(r store.Reader) error {
		return r.Scan(store.Range{Prefix: prefix}, func(string, []byte) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// lanes has thousands of messages in hundreds of lanes whose names begin alike.
func lanes(t *testing.T, o *office) {
	names := []string{"a", "a-", "a.", "a0", "a00", "a:b", "a ", "a~", "re:1", "re:10", "slack:C0OPS", "discord:@445566", "ä"}
	for i := range 200 {
		names = append(names, fmt.Sprintf("slack:%d", i))
	}
	const each = 15
	for i := range each {
		var out []keepwatch.Outgoing
		for _, lane := range names {
			out = append(out, message(lane, fmt.Sprint(lane, " ", i)))
		}
		same(t, "lanes with something to send", o.post(t, out...), names)
	}
	got := must[[]string](t)(o.Lanes())
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	slices.Sort(got)
	same(t, "lanes", got, sorted)
	var last int64
	for _, lane := range []string{"a", "a-", "a0", "re:1", "slack:1"} {
		last = 0
		for i := range each {
			out := o.next(t, lane)
			if out.Message.Title != fmt.Sprint(lane, " ", i) || out.Lane != lane || out.Seq <= last {
				t.Fatalf("%s: %q has the place %d, after %d", lane, out.Message.Title, out.Seq, last)
			}
			last = out.Seq
			if err := o.MessageDelivered(out, "", "", false); err != nil {
				t.Fatal(err)
			}
		}
		if out, found, err := o.NextMessage(lane); found || err != nil {
			t.Errorf("%s still has %+v, %v", lane, out, err)
		}
	}
	if n := len(must[[]string](t)(o.Lanes())); n != len(names)-5 {
		t.Errorf("%d lanes", n)
	}
}

func badLanes(t *testing.T, o *office) {
	for _, lane := range []string{"", "a/b", "/", "a\x00", strings.Repeat("a", 201)} {
		if _, err := o.PostMessages([]keepwatch.Outgoing{message("a", "good"), message(lane, "bad")}); err == nil {
			t.Errorf("the lane %q was taken", lane)
		}
	}
	if n := o.count(t, ""); n != 0 {
		t.Errorf("%d keys of what was refused", n)
	}
}

func attempts(t *testing.T, o *office) {
	o.post(t, message("a", "1"), message("a", "2"), message("a", "3"))
	first := must[keepwatch.Outgoing](t)(o.TryMessage(o.next(t, "a"), o.now()))
	if !first.Tried.Equal(o.now()) || !first.FirstTried.Equal(o.now()) || first.After != "" {
		t.Errorf("%+v", first)
	}
	if err := o.MessageDelivered(first, "ref1", "", false); err != nil {
		t.Fatal(err)
	}
	begun := o.now()
	second := must[keepwatch.Outgoing](t)(o.TryMessage(o.next(t, "a"), begun))
	o.reopen()
	if again := o.next(t, "a"); again.After != "ref1" || again.Tried.IsZero() || again.Message.Title != "2" {
		t.Errorf("after a restart: %+v", again)
	}
	private := message("re:x", "private")
	private.Channel, private.Reply = "a", &keepwatch.Reply{Private: true}
	between := message("re:y", "between")
	between.Channel = "a"
	o.post(t, private, between)
	for lane, ref := range map[string]string{"re:x": "seen by one", "re:y": ""} {
		if err := o.MessageDelivered(o.next(t, lane), ref, "", false); err != nil {
			t.Fatal(err)
		}
	}
	third := o.next(t, "a")
	third.Seq++
	if third = must[keepwatch.Outgoing](t)(o.TryMessage(third, o.now())); third.After != "ref1" {
		t.Errorf("what nobody else saw is looked behind: %+v", third)
	}
	if err := o.MessageDelivered(third, "ref3", "", false); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if second = must[keepwatch.Outgoing](t)(o.TryMessage(second, o.now())); second.After != "ref1" || !second.Tried.Equal(o.now()) || !second.FirstTried.Equal(begun) {
		t.Errorf("a second attempt: %+v", second)
	}
	second.FirstTried = time.Time{} // as an older version left it
	if again := must[keepwatch.Outgoing](t)(o.TryMessage(second, o.now().Add(time.Hour))); !again.FirstTried.Equal(o.now()) {
		t.Errorf("tried before FirstTried was kept: %+v", again)
	}
}

// asides: what one person alone sees has an order of its own, wherever it was
// asked for.
func asides(t *testing.T, o *office) {
	private := func(lane, channel, to string) keepwatch.Outgoing {
		out := message(lane, "Not allowed")
		out.Channel, out.Reply = channel, &keepwatch.Reply{Private: true, To: keepwatch.Account{Platform: "x", ID: to}}
		return out
	}
	o.post(t, private("re:1", "x:c", "7"), private("re:2", "x:d", "7"), private("re:3", "x:c", "8"), message("x:c", "for all"))
	if err := o.MessageDelivered(o.next(t, "re:1"), "ref1", "", false); err != nil {
		t.Fatal(err)
	}
	for lane, after := range map[string]string{"re:2": "ref1", "re:3": "", "x:c": ""} {
		if out := must[keepwatch.Outgoing](t)(o.TryMessage(o.next(t, lane), o.now())); out.After != after {
			t.Errorf("%s is looked for behind %q, want %q", lane, out.After, after)
		}
	}
}

func refused(t *testing.T, o *office) {
	refuse := func(what string, want bool, change func(*keepwatch.Outgoing)) {
		t.Helper()
		out := message("a", what)
		if change != nil {
			change(&out)
		}
		o.post(t, out)
		if first := must[bool](t)(o.RefuseMessage(o.next(t, out.Lane), "It is archived.")); first != want {
			t.Errorf("%s: first is %v", what, first)
		}
	}
	work := func(ref string, reply *keepwatch.Reply) {
		t.Helper()
		out := message("a", "works")
		out.Reply = reply
		o.post(t, out)
		if err := o.MessageDelivered(o.next(t, "a"), ref, "", false); err != nil {
			t.Fatal(err)
		}
	}
	untold := func(want ...string) {
		t.Helper()
		var got []string
		for _, out := range must[[]keepwatch.Outgoing](t)(o.Untold()) {
			got = append(got, out.Message.Title)
		}
		same(t, "untold", got, want)
	}
	refuse("a private answer", false, func(out *keepwatch.Outgoing) { out.Reply = &keepwatch.Reply{Private: true, Token: "hush"} })
	refuse("a notice", false, func(out *keepwatch.Outgoing) { out.Notice = true })
	refuse("the first", true, func(out *keepwatch.Outgoing) { out.Reply = &keepwatch.Reply{Token: "hush"} })
	refuse("again", false, nil)
	refuse("another channel", true, func(out *keepwatch.Outgoing) { out.Lane, out.Channel = "b", "b" })
	o.reopen()
	refuse("again, after a restart", false, nil)
	untold("the first", "another channel")
	work("ref", &keepwatch.Reply{Private: true})
	refuse("after a private answer", false, nil)
	work("ref", nil)
	refuse("after it worked", true, nil)
	for _, out := range must[[]keepwatch.Outgoing](t)(o.Untold())[:2] {
		if err := o.RefusalTold(out); err != nil {
			t.Fatal(err)
		}
	}
	untold("after it worked")
	dead := must[[]keepwatch.Outgoing](t)(o.RefusedMessages(0))
	if len(dead) != 8 || dead[0].Message.Title != "after it worked" || dead[0].Refused != "It is archived." || !dead[0].RefusedAt.Equal(o.now()) {
		t.Errorf("%d kept: %+v", len(dead), dead)
	}
	if some := must[[]keepwatch.Outgoing](t)(o.RefusedMessages(2)); len(some) != 2 || some[1].Message.Title != "after a private answer" {
		t.Errorf("%+v", some)
	}
	for key, value := range o.everything(t) {
		if strings.Contains(value, "hush") {
			t.Errorf("%s keeps a token that is of no more use: %s", key, value)
		}
	}
	if got := must[[]string](t)(o.Lanes()); len(got) != 0 {
		t.Errorf("left in the lanes: %q", got)
	}
}

func (o *office) everything(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := o.View(func(r store.Reader) error {
		return r.Scan(store.Range{}, func(key string, value []byte) error { all[key] = string(value); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func newerMail(t *testing.T, o *office) {
	raw := `{"v":2,"moon":"full"}`
	put(t, o.Store, "out/a/0000000000000001", raw, "dead/0000000000000001", raw, "tell/0000000000000001", "{}", "card/000000000001/a", raw, "live/000000000001/a", "{}",
		"asked/2026-11-24T12:00:00.000000000Z/x", raw, "press/#x", raw, "last/a", raw, "refused/a", raw)
	out := message("a", "x")
	out.Seq, out.Run = 1, 1
	_, _, errNext := o.NextMessage("a")
	_, errTry := o.TryMessage(out, o.now())
	_, errDead := o.RefusedMessages(0)
	_, errTold := o.Untold()
	_, errLive := o.LiveCards()
	_, errCards := o.RunCards(1)
	_, errCard := o.PostCard(out)
	_, errAsked := o.Deliveries()
	_, errPress := o.KeptButton("#x")
	_, errRefuse := o.RefuseMessage(out, "")
	errs := []error{errNext, errTry, errDead, errTold, errLive, errCards, errCard, errAsked, errPress, errRefuse, o.Tidy(), o.MessageDelivered(out, "ref", "", true), o.CardShown(keepwatch.Card{Run: 1, Channel: "a"}, "", true)}
	for i, err := range errs {
		if !strings.Contains(fmt.Sprint(err), "newer Keepwatch") {
			t.Errorf("%d: %v", i, err)
		}
	}
	if v, _ := get(t, o.Store, "out/a/0000000000000001"); v != raw {
		t.Errorf("the newer record became %q", v)
	}
}

// crowd does the same from many sides at once.
func crowd(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
