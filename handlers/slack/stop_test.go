package slack

import (
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

// TestStopUnderPings: a ping that comes in while Run ends does not put its end off.
func TestStopUnderPings(t *testing.T) {
	for n := range 40 {
		w := start(t, overSocket, slacktest.Config{PingEvery: time.Millisecond, Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
		begun := time.Now()
		w.stop()
		select {
		case err := <-w.done:
			if w.done <- err; err != nil {
				t.Fatal(err)
			}
		case <-w.ctx.Done():
			for _, s := range w.Sockets() {
				s.Kill()
			}
			t.Fatalf("stop %d: Run has not ended after %v", n, time.Since(begun))
		}
	}
}

// TestStoppedLink: what was stopped is not put off, whatever comes in.
func TestStoppedLink(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{Clock: slacktest.NewClock(time.Now())}, nil)
	l, err := w.f.socket.open(w.ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.hello()
	l.stop()
	l.alive()
	l.leave("warning")
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := l.next(); err != nil {
				ended <- err
				return
			}
		}
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = l.conn.Close()
		t.Error("it is still read")
	}
}

// TestStopWhileTheStoreHangs: Run ends though a request is not saved and not
// refused.
func TestStopWhileTheStoreHangs(t *testing.T) {
	w := prepare(t, overSocket, slacktest.Config{Clock: slacktest.NewClock(time.Now())}, nil)
	w.f.talk.patience, w.f.talk.end = 300*time.Millisecond, 200*time.Millisecond
	w.run(t)
	if err := w.WaitSockets(w.ctx, sockets); err != nil {
		t.Fatal(err)
	}
	hold := make(chan struct{})
	defer close(hold)
	w.c.set(func() { w.c.hold = hold })
	w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status")
	w.wait(t, "it is being taken", func() bool {
		w.f.talk.after.mu.Lock()
		defer w.f.talk.after.mu.Unlock()
		return w.f.talk.after.n > 0
	})
	begun := time.Now()
	w.stop()
	select {
	case err := <-w.done:
		w.done <- err
	case <-w.ctx.Done():
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Run ended after %v", took)
	}
}
