package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

func (o *office) delivery(key, id string) (keepwatch.Delivery, keepwatch.AuditEntry) {
	req := keepwatch.Request{ID: id, Text: "/backup status", At: o.now(), Channel: "slack:A", Groups: []string{"slack:S1"}, Account: keepwatch.Account{Platform: "slack", ID: "U1"}}
	return keepwatch.Delivery{Key: key, Request: req, Reply: keepwatch.Reply{Token: "t", Until: o.now().Add(time.Hour)}, Quiet: true},
		keepwatch.AuditEntry{ID: id, At: req.At.UTC(), Text: req.Text, Outcome: keepwatch.OutcomeStarted}
}

// take delivers a key, and gives whether it was fresh.
func (o *office) take(t *testing.T, key string) bool {
	t.Helper()
	return must[bool](t)(o.TakeDelivery(o.delivery(key, fmt.Sprint(key, "-", o.count(t, "asked/")))))
}

func takenOnce(t *testing.T, o *office) {
	d, e := o.delivery("slack:trigger:1", "r1")
	if !must[bool](t)(o.TakeDelivery(d, e)) {
		t.Error("the first is not fresh")
	}
	before := o.everything(t)
	again, entry := o.delivery("slack:trigger:1", "r2")
	if must[bool](t)(o.TakeDelivery(again, entry)) {
		t.Error("a repetition is fresh")
	}
	same(t, "what a repetition changes", o.everything(t), before)
	o.reopen()
	d.Version = 1
	same(t, "taken", must[[]keepwatch.Delivery](t)(o.Deliveries()), []keepwatch.Delivery{d})
	if lines := must[[]keepwatch.AuditEntry](t)(o.Audits(keepwatch.AuditFilter{})); len(lines) != 1 || lines[0].ID != "r1" || lines[0].Outcome != keepwatch.OutcomeStarted {
		t.Errorf("%+v", lines)
	}
	var fresh atomic.Int64
	crowd(t, 16, func(i int) error {
		ok, err := o.TakeDelivery(o.delivery("slack:trigger:2", fmt.Sprint(i)))
		if ok {
			fresh.Add(1)
		}
		return err
	})
	if fresh.Load() != 1 {
		t.Errorf("%d of 16 at once were fresh", fresh.Load())
	}
}

// takenByAnyClock: for an hour at least, whatever the wall clock is set to, with
// restarts and with tidying, from wherever in an hour it begins.
func takenByAnyClock(t *testing.T, o *office) {
	for i, wall := range []time.Duration{0, time.Hour, -time.Hour, 3 * time.Hour, -3 * time.Hour, 48 * time.Hour, -48 * time.Hour, 365 * 24 * time.Hour} {
		time.Sleep(17 * time.Minute)
		key := fmt.Sprint("k", i)
		*o.wall = 0
		if !o.take(t, key) {
			t.Errorf("%s is not fresh", key)
		}
		for minute := range 60 {
			if minute == 20 {
				*o.wall = wall
			}
			if err := o.Tidy(); err != nil {
				t.Fatal(err)
			}
			if minute%7 == 0 && o.take(t, key) {
				t.Errorf("with the clock set by %v it was taken again after %d minutes", wall, minute)
			}
			if i%2 == 1 && minute == 30 {
				o.reopen()
			}
			time.Sleep(time.Minute)
		}
		if o.take(t, key) {
			t.Errorf("with the clock set by %v it was taken again after an hour", wall)
		}
	}
}

func forgotten(t *testing.T, o *office) {
	crowd(t, 600, func(i int) error { // more than one transaction's worth
		_, err := o.TakeDelivery(o.delivery(fmt.Sprint("k", i), fmt.Sprint("r", i)))
		return err
	})
	for range 5 {
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
	}
	if n := o.count(t, "given/"); n != 0 {
		t.Errorf("%d deliveries are remembered after five hours", n)
	}
	if !o.take(t, "k1") {
		t.Error("a key that was forgotten is not fresh")
	}
}

// forgottenInPieces: no process lives for an hour, and each tidies when it starts.
func forgottenInPieces(t *testing.T, o *office) {
	for i := range 60 {
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		o.take(t, fmt.Sprint("k", i))
		o.reopen()
	}
	if n := o.count(t, "given/"); n > 20 {
		t.Errorf("%d of 60 deliveries of ten hours are remembered", n)
	}
	for i := range 7 {
		if o.take(t, fmt.Sprint("k", 59-i)) {
			t.Errorf("what was taken %d minutes ago is fresh", 10*i)
		}
	}
}

func finished(t *testing.T, o *office) {
	first, e := o.delivery("k1", "r1")
	must[bool](t)(o.TakeDelivery(first, e))
	time.Sleep(time.Nanosecond)
	second, e2 := o.delivery("k2", "r2")
	must[bool](t)(o.TakeDelivery(second, e2))
	run := backupOf("notes")
	run.Request = "r1"
	made := must[keepwatch.Run](t)(o.CreateRun(run))
	if again := must[keepwatch.Run](t)(o.CreateRun(run)); again.ID != made.ID {
		t.Errorf("a request started the runs %d and %d", made.ID, again.ID)
	}
	if found, ok, err := o.RequestRun("r1"); err != nil || !ok || found.ID != made.ID {
		t.Errorf("%+v, %v, %v", found, ok, err)
	}
	if _, ok, err := o.RequestRun("r2"); err != nil || ok {
		t.Errorf("%v, %v", ok, err)
	}
	e.Outcome = keepwatch.OutcomeDone
	before := o.everything(t)
	if _, err := o.FinishDelivery(first, e, []keepwatch.Outgoing{message("slack:A", "answer"), message("a/b", "bad")}); err == nil {
		t.Error("an answer without a lane was taken")
	}
	same(t, "what a finish that failed changes", o.everything(t), before)
	same(t, "lanes", must[[]string](t)(o.FinishDelivery(first, e, []keepwatch.Outgoing{message("re:1", "answer"), message("slack:A", "card")})), []string{"re:1", "slack:A"})
	if left := must[[]keepwatch.Delivery](t)(o.Deliveries()); len(left) != 1 || left[0].Request.ID != "r2" {
		t.Errorf("%+v", left)
	}
	if lines := must[[]keepwatch.AuditEntry](t)(o.Audits(keepwatch.AuditFilter{})); len(lines) != 2 || lines[1].Outcome != keepwatch.OutcomeDone {
		t.Errorf("%+v", lines)
	}
	before = o.everything(t)
	same(t, "lanes, a second time", must[[]string](t)(o.FinishDelivery(first, e, []keepwatch.Outgoing{message("re:2", "again")})), []string{"re:2"})
	same(t, "what a second finish changes", o.everything(t), before)
	if n := o.count(t, "request/"); n != 0 {
		t.Errorf("%d requests are remembered", n)
	}
	if o.take(t, "k1") {
		t.Error("what is finished was taken again")
	}
}

func longButton(text string) keepwatch.Button {
	return keepwatch.Button{Label: text, Command: "backup restore", Form: &keepwatch.Form{Title: text}}
}

func buttons(t *testing.T, o *office) {
	short, long := keepwatch.Button{Label: "Yes", Command: "backup status 1"}, longButton("one")
	out := message("a", "x")
	out.Message.Buttons, out.Message.Menus = []keepwatch.Button{short, long}, []keepwatch.Menu{{Options: []keepwatch.Button{longButton("in a menu")}}}
	o.post(t, out)
	o.reopen()
	for _, b := range []keepwatch.Button{long, longButton("in a menu")} {
		token, kept := b.Token()
		if !kept || len(token) > keepwatch.MaxToken {
			t.Errorf("%q, %v", token, kept)
		}
		same(t, "kept", must[keepwatch.Button](t)(o.KeptButton(token)), b)
	}
	if n := o.count(t, "press/"); n != 2 {
		t.Errorf("%d buttons kept", n)
	}
	_, err := o.KeptButton("#0123")
	wantKind(t, err, keepwatch.KindNotFound, "too old")
	// an edit in which nothing has to be kept costs no commit
	counted := &commits{Store: o.Store}
	if err := store.NewRecords(counted, o.now).KeepButtons([]keepwatch.Button{short, short}); err != nil || counted.updates != 0 {
		t.Errorf("%v, %d commits", err, counted.updates)
	}
	before := o.dump(t)
	time.Sleep(time.Hour)
	if err := o.KeepButtons([]keepwatch.Button{long}); err != nil {
		t.Fatal(err)
	}
	same(t, "shown again an hour later", o.dump(t), before) // nothing is written
	token, _ := long.Token()
	for day := range 405 {
		time.Sleep(24 * time.Hour)
		if day == 50 { // shown again
			if err := o.KeepButtons([]keepwatch.Button{long}); err != nil {
				t.Fatal(err)
			}
		}
		if day%10 == 4 || day > 395 {
			if err := o.Tidy(); err != nil {
				t.Fatal(err)
			}
		}
	}
	same(t, "shown again", must[keepwatch.Button](t)(o.KeptButton(token)), long)
	if n := o.count(t, "press/"); n != 1 {
		t.Errorf("%d buttons kept after 405 days", n)
	}
}

// commits counts commits.
type commits struct {
	store.Store
	updates int
}

func (c *commits) Update(fn func(store.Tx) error) error {
	c.updates++
	return c.Store.Update(fn)
}

func tidy(t *testing.T, o *office) {
	const refusals = 600 // more than one transaction's worth
	crowd(t, refusals, func(i int) error {
		lane := fmt.Sprint("a", i)
		if _, err := o.PostMessages([]keepwatch.Outgoing{message(lane, "x")}); err != nil {
			return err
		}
		out, _, err := o.NextMessage(lane)
		if err == nil {
			_, err = o.RefuseMessage(out, "archived")
		}
		return err
	})
	files := []string{"0", "2020-photos", "zoo"} // what was taken from drop folders is another thing
	for _, source := range files {
		if err := o.MarkSeen(source, "p", 1, noon); err != nil {
			t.Fatal(err)
		}
	}
	for i, channel := range []string{"b", "c"} {
		card := cardOf(1, channel, "id"+channel)
		card.Made = o.now()
		o.post(t, card)
		if err := o.MessageDelivered(o.next(t, channel), "ref", "", i == 0); err != nil {
			t.Fatal(err)
		}
	}
	o.post(t, message("d", "waits"))
	left := func(after time.Duration, dead, cards int) {
		t.Helper()
		time.Sleep(after)
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
		if d, c, w, told := o.count(t, "dead/"), o.count(t, "card/"), o.count(t, "out/"), o.count(t, "tell/"); d != dead || c != cards || w != 1 || told > dead {
			t.Errorf("after %v more: %d refused, %d cards, %d waiting, %d untold", after, d, c, w, told)
		}
	}
	left(6*24*time.Hour, refusals, 2)
	left(2*24*time.Hour, refusals, 1)
	left(80*24*time.Hour, refusals, 1)
	left(4*24*time.Hour, 0, 1)
	same(t, "live", o.refs(t), []string{"1 c ref "})
	*o.wall = 50 * 365 * 24 * time.Hour
	left(0, 0, 1)
	for _, source := range files {
		if !must[bool](t)(o.Seen(source, "p", 1, noon)) {
			t.Errorf("a file of %s is new again", source)
		}
	}
	if untold := must[[]keepwatch.Outgoing](t)(o.Untold()); len(untold) != 0 || o.count(t, "tell/") != 0 {
		t.Errorf("%d untold", len(untold))
	}
}

// tidyBeside: what is written anew between the look and the removal stays.
func tidyBeside(t *testing.T, o *office) {
	if err := o.KeepButtons([]keepwatch.Button{longButton("x"), longButton("y")}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(401 * 24 * time.Hour)
	beside := &between{Store: o.Store}
	beside.after = func() error { return o.KeepButtons([]keepwatch.Button{longButton("x")}) }
	if err := store.NewRecords(beside, o.now).Tidy(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"x": true, "y": false} {
		token, _ := longButton(text).Token()
		if _, err := o.KeptButton(token); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// between does something after each view.
type between struct {
	store.Store
	after func() error
}

func (b *between) View(fn func(store.Reader) error) error {
	return errors.Join(b.Store.View(fn), b.after())
}
