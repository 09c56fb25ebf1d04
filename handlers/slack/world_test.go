package slack

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// world is a front-end at work against the fake.
type world struct {
	*slacktest.Server
	f    *Frontend
	c    *counter
	log  *logged
	ctx  context.Context
	done chan error // what Run gave
	stop context.CancelFunc
}

// logged collects the log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const (
	overSocket = "socket"
	overHTTP   = "http"
)

// start makes a world, with the front-end connected.
func start(t testing.TB, transport string, server slacktest.Config, change func(*Config)) *world {
	t.Helper()
	w := prepare(t, transport, server, change)
	w.run(t)
	if transport == overSocket {
		if err := w.WaitSockets(w.ctx, sockets); err != nil {
			t.Fatal(err)
		}
	}
	w.wait(t, "it is ready", func() bool { return w.f.Ready() == nil })
	return w
}

func prepare(t testing.TB, transport string, server slacktest.Config, change func(*Config)) *world {
	t.Helper()
	if server.Scopes == nil { // those that the manifest asks for, and no more
		for _, s := range scopes(true) {
			server.Scopes = append(server.Scopes, s.Name)
		}
	}
	w := &world{Server: slacktest.New(t, server), c: newCounter(), log: &logged{}, done: make(chan error, 1)}
	cfg := Config{
		BotToken: keepwatch.NewSecret(slacktest.BotToken), APIURL: w.APIURL(), Counter: w.c,
		Apart: time.Millisecond, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if transport == overSocket {
		cfg.AppToken = keepwatch.NewSecret(slacktest.AppToken)
	} else {
		cfg.SigningSecret = keepwatch.NewSecret(slacktest.SigningSecret)
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.f, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w.f.retry = time.Millisecond
	if w.f.socket != nil {
		w.f.socket.retry = time.Millisecond
	}
	if transport == overHTTP {
		front := httptest.NewServer(w.f.Handler())
		t.Cleanup(front.Close)
		w.UseHTTP(front.URL)
	}
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		for _, secret := range []string{slacktest.BotToken, slacktest.AppToken, slacktest.SigningSecret, "/commands/", "/actions/"} {
			if strings.Contains(w.log.String(), secret) {
				t.Errorf("the log holds the secret %s", secret)
			}
		}
	})
	return w
}

func (w *world) run(t testing.TB) {
	ctx, stop := context.WithCancel(w.ctx)
	w.stop = stop
	var once sync.WaitGroup
	once.Go(func() { w.done <- w.f.Run(ctx) })
	t.Cleanup(func() {
		w.c.busy.Wait()
		stop()
		once.Wait()
		w.f.talk.wait()
		w.f.http.CloseIdleConnections()
	})
}

// wait waits for something that the fake's condition variable does not tell of.
func (w *world) wait(t testing.TB, what string, cond func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !cond() {
		select {
		case <-ticker.C:
		case <-w.ctx.Done():
			t.Fatalf("waited in vain: %s\n%s", what, w.log)
		}
	}
}

// acked waits for the acknowledgement of a delivery.
func (w *world) acked(t testing.TB, d *slacktest.Delivery) {
	t.Helper()
	if err := d.Wait(w.ctx); err != nil {
		t.Fatalf("not acknowledged: %v\n%s", err, w.log)
	}
}

// answers has every request answered, as the desk and the outbox would.
func (w *world) answers(t testing.TB, answer func(d keepwatch.Delivery) (msg keepwatch.Message, run int64)) {
	w.c.set(func() {
		w.c.answer = func(d keepwatch.Delivery) {
			msg, run := answer(d)
			w.c.keep(msg)
			reply := d.Reply
			reply.To = d.Request.Account
			if run > 0 {
				reply.Private, reply.Replace = false, false
			}
			out := keepwatch.Outgoing{ID: "id" + strings.ReplaceAll(d.Key, ":", ""), Channel: d.Request.Channel, Reply: &reply, Run: run, Message: msg, Made: time.Now()}
			if _, err := w.f.Post(w.ctx, out); err != nil {
				t.Errorf("the answer to %q: %v", d.Request.Text, err)
			}
		}
	})
}

func eachTransport(t *testing.T, fn func(t *testing.T, transport string)) {
	for _, transport := range []string{overSocket, overHTTP} {
		t.Run(transport, func(t *testing.T) { fn(t, transport) })
	}
}
