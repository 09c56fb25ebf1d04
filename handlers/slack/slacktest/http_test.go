package slacktest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

// The example that Slack publishes under "Verifying requests".
func TestSignPublishedVector(t *testing.T) {
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	if got := slacktest.Sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", []byte(body)); got != "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" {
		t.Error(got)
	}
}

// post is a request that the app got.
type post struct {
	path, body string
	header     http.Header
}

// signed says whether the signature fits, at a time.
func (p post) signed(now time.Time) bool {
	ts := p.header.Get("X-Slack-Request-Timestamp")
	sec, _ := strconv.ParseInt(ts, 10, 64)
	return p.header.Get("X-Slack-Signature") == slacktest.Sign(slacktest.SigningSecret, ts, []byte(p.body)) && now.Sub(time.Unix(sec, 0)).Abs() <= 5*time.Minute
}

// server is an app in HTTP mode.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	posts []post
	reply func(w http.ResponseWriter, p post)
}

func serve(t *testing.T, s *slacktest.Server, reply func(w http.ResponseWriter, p post)) *server {
	t.Helper()
	a := &server{reply: reply}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p := post{r.URL.Path, string(body), r.Header.Clone()}
		a.mu.Lock()
		a.posts = append(a.posts, p)
		a.mu.Unlock()
		if a.reply != nil {
			a.reply(w, p)
		}
	}))
	t.Cleanup(a.Close)
	t.Cleanup(s.Close) // before the app: it ends what is on its way
	s.UseHTTP(a.URL)
	return a
}

func (a *server) got() []post {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]post(nil), a.posts...)
}

func TestSignedPosts(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	a := serve(t, s, nil)
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": []args{{"type": "actions", "elements": []args{button("Cancel")}}}})
	ctx := deadline(t)
	if err := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "start a & b").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Click(slacktest.Bram, s.Messages(slacktest.Ops)[0], "Cancel").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Mention(slacktest.Alis, slacktest.Ops, "hi").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	got := a.got()
	form, _ := url.ParseQuery(got[0].body)
	if got[0].path != "/slack/commands" || form.Get("text") != "start a & b" || form.Get("command") != "/backup" || form.Get("response_url") == "" {
		t.Errorf("the command is %+v", got[0])
	}
	form, _ = url.ParseQuery(got[1].body)
	if got[1].path != "/slack/interactions" || !strings.Contains(form.Get("payload"), `"block_actions"`) {
		t.Errorf("the click is %+v", got[1])
	}
	if got[2].path != "/slack/events" || got[2].header.Get("Content-Type") != "application/json" || !strings.Contains(got[2].body, `"app_mention"`) {
		t.Errorf("the event is %+v", got[2])
	}
	for _, p := range got {
		if !p.signed(clock.Now()) {
			t.Errorf("%s is not signed", p.path)
		}
	}
}

func TestBadSignatures(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	a := serve(t, s, func(w http.ResponseWriter, p post) {
		if !p.signed(clock.Now()) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	ctx := deadline(t)
	for name, opt := range map[string]slacktest.Option{
		"a tampered body": slacktest.TamperedBody(), "another signature": slacktest.WithSignature("v0=" + strings.Repeat("0", 64)), "none": slacktest.Unsigned(),
		"an old one": slacktest.SignedAgo(301 * time.Second), "one of the future": slacktest.SignedAgo(-301 * time.Second),
	} {
		d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "start", opt)
		if err := d.Wait(ctx); !errors.Is(err, slacktest.ErrDispatchFailed) || d.Attempts()[0].Status != 401 {
			t.Errorf("%s: %v, %+v", name, err, d.Attempts())
		}
	}
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "start", slacktest.SignedAgo(299*time.Second))
	if err := d.Wait(ctx); err != nil {
		t.Error(err)
	}
	if status, _, err := d.Replay(ctx); err != nil || status != 200 {
		t.Errorf("the replay: %d, %v", status, err)
	}
	got := a.got()
	first, again := got[len(got)-2], got[len(got)-1]
	if first.body != again.body || first.header.Get("X-Slack-Signature") != again.header.Get("X-Slack-Signature") {
		t.Error("the replay is not the same request")
	}
	if _, _, err := s.SendEnvelope("x", nil, slacktest.After(time.Hour)).Replay(ctx); err == nil {
		t.Error("what was not sent is replayed")
	}
	s.Command(slacktest.Alis, slacktest.Ops, "/backup", "double", slacktest.Twice())
	if err := s.Wait(ctx, func() bool { return s.Stats().Repeated == 1 }); err != nil {
		t.Fatal(err)
	}
	if got := a.got(); got[len(got)-1].body != got[len(got)-2].body {
		t.Error("the duplicate is another request")
	}
}

func TestHTTPRetries(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	a := serve(t, s, func(w http.ResponseWriter, _ post) { w.WriteHeader(http.StatusInternalServerError) })
	d := s.Mention(slacktest.Alis, slacktest.Ops, "hi")
	ctx := deadline(t)
	for i, wait := range []time.Duration{time.Minute, 5 * time.Minute} {
		failed := func() bool { n := d.Attempts(); return len(n) == i+2 && n[i+1].Err != nil }
		if err := s.Wait(ctx, failed); err != nil {
			t.Fatalf("retry %d: %v, %+v", i+1, err, d.Attempts())
		}
		clock.Advance(wait)
	}
	if err := d.Wait(ctx); !errors.Is(err, slacktest.ErrDispatchFailed) {
		t.Errorf("after the last retry: %v", err)
	}
	for i, p := range a.got() {
		num, reason := p.header.Get("X-Slack-Retry-Num"), p.header.Get("X-Slack-Retry-Reason")
		if i == 0 && (num != "" || reason != "") || i > 0 && (num != strconv.Itoa(i) || reason != "http_error") {
			t.Errorf("attempt %d is called %q for %q", i, num, reason)
		}
	}
	if n := len(a.got()); n != 4 {
		t.Errorf("there were %d attempts", n)
	}
}

func TestNoRetryHeader(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Clock: slacktest.NewClock(start())})
	a := serve(t, s, func(w http.ResponseWriter, _ post) {
		w.Header().Set("X-Slack-No-Retry", "1")
		w.WriteHeader(http.StatusInternalServerError)
	})
	if err := s.Mention(slacktest.Alis, slacktest.Ops, "hi").Wait(deadline(t)); err == nil {
		t.Error("500 counts as acknowledged")
	}
	if n := len(a.got()); n != 1 {
		t.Errorf("there were %d attempts", n)
	}
}

func TestHTTPTimeoutAndRefusal(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	arrived, release := make(chan struct{}), make(chan struct{})
	a := serve(t, s, func(http.ResponseWriter, post) { close(arrived); <-release })
	defer close(release)
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "slow")
	<-arrived
	clock.Advance(4 * time.Second)
	if err := d.Wait(deadline(t)); !errors.Is(err, slacktest.ErrOperationTimeout) || s.Stats().Timeouts != 1 {
		t.Errorf("a slow app: %v, %+v", err, s.Stats())
	}
	dead := httptest.NewServer(nil)
	dead.Close()
	s.UseHTTP(dead.URL)
	if err := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "").Wait(deadline(t)); !errors.Is(err, slacktest.ErrDispatchFailed) {
		t.Errorf("no app: %v", err)
	}
	s.UseHTTP("")
	if err := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "").Wait(deadline(t)); !errors.Is(err, slacktest.ErrDispatchFailed) || len(a.got()) != 1 {
		t.Errorf("back to sockets, with none: %v", err)
	}
}

func TestHTTPAnswers(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	serve(t, s, func(w http.ResponseWriter, p post) {
		switch {
		case strings.Contains(p.body, "url_verification"):
			_, _ = w.Write([]byte("the challenge"))
		case strings.Contains(p.body, "text=plain"):
			_, _ = w.Write([]byte("plain words"))
		case strings.Contains(p.body, "text=json"):
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"response_type":"in_channel","text":"for all"}`))
		}
	})
	ctx := deadline(t)
	for _, text := range []string{"plain", "json", "none"} {
		if err := s.Command(slacktest.Alis, slacktest.Ops, "/backup", text).Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Ephemerals(slacktest.Alis, slacktest.Ops); len(got) != 1 || got[0].Text != "plain words" {
		t.Errorf("the person sees %+v", got)
	}
	if got := s.Messages(slacktest.Ops); len(got) != 1 || got[0].Text != "for all" {
		t.Errorf("the channel shows %+v", got)
	}
	if status, body, err := s.Challenge(ctx, "the challenge"); err != nil || status != 200 || string(body) != "the challenge" {
		t.Errorf("the challenge: %d %s, %v", status, body, err)
	}
}
