package discord

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/discord/discordtest"
)

// step posts a message with a button that is answered in place, as a direct one.
func step(r *rig) discordtest.Message {
	r.t.Helper()
	ref, err := r.Post(context.Background(), keepwatch.Outgoing{ID: "stepstepstepstepstep", Channel: "discord:@" + r.alis,
		Message: keepwatch.Message{Title: "Step 1", Buttons: []keepwatch.Button{{Label: "Done", Command: "keepwatch help 2"}}}})
	if err != nil {
		r.t.Fatal(err)
	}
	m, _ := r.srv.Message(ref)
	return m
}

// TestInPlaceTooLate: an answer that was to take a message's place, and whose token
// works no more, comes as a message.
func TestInPlaceTooLate(t *testing.T) {
	r := start(t, nil)
	m := step(r)
	if _, err := r.srv.Click(r.alis, m.ID, "Done"); err != nil {
		t.Fatal(err)
	}
	d := r.counter.wait(t, 1)[0]
	if !d.Reply.Replace || d.Reply.Private || d.Reply.Open || !d.Request.Private {
		t.Fatalf("taken: %+v", d.Reply)
	}
	late := out(d, keepwatch.Message{Title: "Step 2"})
	d.Reply.Until = r.clock.Now().Add(time.Hour) // our clock is wrong
	r.clock.Advance(16 * time.Minute)
	if _, err := r.Post(context.Background(), *late); err != nil {
		t.Fatal(err)
	}
	all := r.srv.Messages(r.srv.DMChannel(r.alis))
	if len(all) != 2 || !strings.Contains(all[0].Text(), "Step 1") || !strings.Contains(all[1].Text(), "Step 2") {
		t.Errorf("there is %v", all)
	}
}

// TestInPlaceUnrecorded: a press that cannot be recorded, as turns out after its
// deferral, leaves the message with its buttons where it is.
func TestInPlaceUnrecorded(t *testing.T) {
	r := start(t, nil)
	hold := make(chan struct{})
	r.counter.take = func() error { <-hold; return errors.New("the disk is full") }
	m := step(r)
	i, err := r.srv.Click(r.alis, m.ID, "Done")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.WaitAcknowledged(soon(t)); err != nil {
		t.Fatal(err)
	}
	close(hold)
	r.until("the sentence", func() bool { return len(i.Followups()) == 1 })
	if f := i.Followups()[0]; !f.Ephemeral || !strings.Contains(f.Text(), "could not be recorded") {
		t.Errorf("it says %s", f)
	}
	if now, _ := r.srv.Message(m.ID); !strings.Contains(now.Text(), "Step 1") || len(now.Labels()) != 1 {
		t.Errorf("the message is %s", now)
	}
}
