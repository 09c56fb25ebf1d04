package slack

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// The example that Slack publishes
// (docs.slack.dev/authentication/verifying-requests-from-slack).
const (
	exampleSecret    = "8f742231b10e8888abcd99yyyzzz85a5"
	exampleStamp     = "1531420618"
	exampleSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	exampleBody      = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)

var exampleTime = time.Unix(1531420618, 0)

func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		stamp, signature, body string
		now                    time.Duration
		ok                     bool
	}{
		"the published example":  {exampleStamp, exampleSignature, exampleBody, 0, true},
		"five minutes old":       {exampleStamp, exampleSignature, exampleBody, window, true},
		"older":                  {exampleStamp, exampleSignature, exampleBody, window + time.Second, false},
		"five minutes early":     {exampleStamp, exampleSignature, exampleBody, -window, true},
		"earlier":                {exampleStamp, exampleSignature, exampleBody, -window - time.Second, false},
		"a changed body":         {exampleStamp, exampleSignature, exampleBody + "&", 0, false},
		"a changed signature":    {exampleStamp, exampleSignature[:len(exampleSignature)-1] + "4", exampleBody, 0, false},
		"a shortened signature":  {exampleStamp, exampleSignature[:20], exampleBody, 0, false},
		"no signature":           {exampleStamp, "", exampleBody, 0, false},
		"no timestamp":           {"", exampleSignature, exampleBody, 0, false},
		"a timestamp of words":   {"now", exampleSignature, exampleBody, 0, false},
		"another timestamp":      {"1531420619", exampleSignature, exampleBody, 0, false},
		"a timestamp with blank": {" 1531420618", exampleSignature, exampleBody, 0, false},
	} {
		h := http.Header{}
		h.Set("X-Slack-Request-Timestamp", c.stamp)
		h.Set("X-Slack-Signature", c.signature)
		if reason := verify(keepwatch.NewSecret(exampleSecret), h, []byte(c.body), exampleTime.Add(c.now)); (reason == "") != c.ok {
			t.Errorf("%s: %q", name, reason)
		}
	}
}

// stage is a backstage that remembers.
type stage struct {
	mu       sync.Mutex
	whispers []whisper
	forms    []slack.ModalViewRequest
	formErr  error
	homes    []keepwatch.Account
}

func (s *stage) openForm(_ context.Context, _ string, view slack.ModalViewRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, view)
	return s.formErr
}

func (s *stage) whisper(_ context.Context, w whisper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whispers = append(s.whispers, w)
}

func (s *stage) showHome(_ context.Context, a keepwatch.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.homes = append(s.homes, a)
}

func (s *stage) openDirect(context.Context, string) {}

func (s *stage) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	for _, w := range s.whispers {
		texts = append(texts, w.text)
	}
	return texts
}

// talk makes a conversation with a counter and a stage.
func talk(c *counter) (*Conversation, *stage) {
	s := &stage{}
	return &Conversation{counter: c, desk: s, groups: newGroups(nil, Config{}), directs: newDirects(), log: slog.New(slog.DiscardHandler), now: time.Now, patience: patience, end: endLimit}, s
}

// post sends a signed request to a Web.
func post(w *Web, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	stamp := strconv.FormatInt(w.now().Unix(), 10)
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", slacktest.Sign(slacktest.SigningSecret, stamp, []byte(body)))
	if change != nil {
		change(req)
	}
	out := httptest.NewRecorder()
	w.ServeHTTP(out, req)
	return out
}

func newWeb(c *counter) (*Web, *stage) {
	conversation, s := talk(c)
	return &Web{secret: keepwatch.NewSecret(slacktest.SigningSecret), talk: conversation, log: slog.New(slog.DiscardHandler), now: time.Now}, s
}

func slash(trigger, text string) string {
	return url.Values{"command": {"/backup"}, "text": {text}, "user_id": {"U1"}, "user_name": {"alis"}, "channel_id": {"C0OPS"}, "trigger_id": {trigger}, "response_url": {"https://hooks.slack.com/commands/1"}}.Encode()
}

func TestWebRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		body   string
		change func(*http.Request)
		status int
	}{
		"an unsigned request":     {"/slack/commands", slash("1", "x"), func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, 401},
		"a body that is too big":  {"/slack/events", strings.Repeat("x", bodyLimit+1), nil, 413},
		"another method":          {"/slack/events", "", func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"another path":            {"/slack/else", "", nil, 404},
		"no JSON":                 {"/slack/events", "{", nil, 400},
		"an interaction of noise": {"/slack/interactions", "payload=%7B", nil, 400},
		"a command of nobody":     {"/slack/commands", "command=%2Fbackup", nil, 400},
		"a form that is none":     {"/slack/commands", "%zz", nil, 400},
		"a certificate check":     {"/slack/commands", "ssl_check=1", nil, 200},
	} {
		counter := newCounter()
		w, _ := newWeb(counter)
		if out := post(w, c.path, c.body, c.change); out.Code != c.status {
			t.Errorf("%s is answered with %d %s", name, out.Code, out.Body)
		}
		if n := len(counter.deliveries()); n != 0 {
			t.Errorf("%s: %d requests were taken", name, n)
		}
	}
}

func TestWebChallenge(t *testing.T) {
	w, _ := newWeb(newCounter())
	out := post(w, "/slack/events", `{"type":"url_verification","challenge":"3eZbrw1aB"}`, nil)
	if out.Code != 200 || !strings.Contains(out.Body.String(), `"challenge":"3eZbrw1aB"`) {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	if out := post(w, "/slack/events", `{"type":"url_verification","challenge":"x"}`, func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0=00") }); out.Code != 401 {
		t.Errorf("an unsigned challenge is answered with %d", out.Code)
	}
}

func TestWebCommand(t *testing.T) {
	counter := newCounter()
	w, _ := newWeb(counter)
	for range 2 {
		if out := post(w, "/slack/commands", slash("13.37", "start “my notes” &amp; more"), nil); out.Code != 200 || out.Body.Len() != 0 {
			t.Fatalf("%d %s", out.Code, out.Body)
		}
	}
	got := counter.wait(t, 1, 1)[0]
	got.Request.At, got.Reply.Until = time.Time{}, time.Time{}
	want := keepwatch.Delivery{
		Version: 1, Key: "slack:command:13.37", Quiet: true,
		Request: keepwatch.Request{Text: "/backup start “my notes” & more", Account: keepwatch.Account{Platform: "slack", ID: "U1", Name: "alis"}, Channel: "slack:C0OPS"},
		Reply:   keepwatch.Reply{Token: "https://hooks.slack.com/commands/1", Private: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNotSaved(t *testing.T) {
	counter := newCounter()
	counter.fail = errors.New("no space left on device")
	w, stage := newWeb(counter)
	if out := post(w, "/slack/commands", slash("1", "x"), nil); out.Code != 200 || !strings.Contains(out.Body.String(), notSaved) || !strings.Contains(out.Body.String(), "ephemeral") {
		t.Errorf("a command: %d %s", out.Code, out.Body)
	}
	if out := post(w, "/slack/events", `{"event_id":"Ev1","event":{"type":"app_mention","user":"U1","text":"<@B> help","channel":"C1","ts":"1.2"}}`, nil); out.Code != 503 {
		t.Errorf("an event that was not saved is answered with %d, and must be delivered again", out.Code)
	}
	click := `payload=` + url.QueryEscape(`{"type":"block_actions","user":{"id":"U1"},"channel":{"id":"C1"},"trigger_id":"1","response_url":"https://hooks/1","actions":[{"action_ts":"1","value":"=help"}]}`)
	if out := post(w, "/slack/interactions", click, nil); out.Code != 200 || out.Body.Len() > 0 {
		t.Errorf("a click: %d %s", out.Code, out.Body)
	}
	w.talk.wait()
	if diff := cmp.Diff([]string{notSaved}, stage.said()); diff != "" {
		t.Error(diff)
	}
	counter.set(func() {
		counter.fail = keepwatch.Errorf(keepwatch.KindConflict, "Keepwatch is stopping and takes nothing new.")
	})
	if out := post(w, "/slack/commands", slash("2", "x"), nil); !strings.Contains(out.Body.String(), "Nothing was done. Keepwatch is stopping") {
		t.Errorf("a refusal with a reason: %s", out.Body)
	}
}

// TestSlow: a request that is saved too late for Slack is acknowledged with what
// is known, and its end is told.
func TestSlow(t *testing.T) {
	for name, c := range map[string]struct {
		fail  error
		after []string
	}{
		"saved later":  {nil, nil}, // its answer is the end
		"failed later": {errors.New("disk"), []string{notSaved}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counter := newCounter()
				counter.fail, counter.hold = c.fail, make(chan struct{})
				w, stage := newWeb(counter)
				begun := time.Now()
				out := post(w, "/slack/commands", slash("1", "start x"), nil)
				if took := time.Since(begun); took >= 3*time.Second {
					t.Errorf("acknowledged after %v", took)
				}
				if out.Code != 200 || !strings.Contains(out.Body.String(), tooSlow) {
					t.Errorf("%d %s", out.Code, out.Body)
				}
				event := post(w, "/slack/events", `{"event_id":"Ev1","event":{"type":"app_mention","user":"U1","text":"help","channel":"C1","ts":"1.2"}}`, nil)
				if event.Code != 503 {
					t.Errorf("an event that is not saved in time is answered with %d", event.Code)
				}
				close(counter.hold)
				w.talk.wait()
				if diff := cmp.Diff(c.after, stage.said()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestSlowTwice: the first request after a start waits for the user groups, and
// is acknowledged in time although it is also saved late.
func TestSlowTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counter := newCounter()
		counter.hold = make(chan struct{})
		w, _ := newWeb(counter)
		w.talk.groups = newGroups(nil, Config{Groups: []string{"S01"}}) // never asked for
		begun := time.Now()
		out := post(w, "/slack/commands", slash("1", "start x"), nil)
		if took := time.Since(begun); took >= 3*time.Second || took < groupsCold || !strings.Contains(out.Body.String(), tooSlow) {
			t.Errorf("acknowledged after %v with %s", took, out.Body)
		}
		close(counter.hold)
		w.talk.wait()
	})
}

func TestPanicEndsThatRequestOnly(t *testing.T) {
	counter := newCounter()
	counter.crash = true
	w, _ := newWeb(counter)
	if out := post(w, "/slack/commands", slash("1", "x"), nil); out.Code != 200 || !strings.Contains(out.Body.String(), broke) {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	counter.set(func() { counter.crash = false })
	if out := post(w, "/slack/commands", slash("2", "x"), nil); out.Code != 200 || out.Body.Len() > 0 {
		t.Errorf("the one after it: %d %s", out.Code, out.Body)
	}
	w.talk.counter = nil // breaks in the handler itself
	if out := post(w, "/slack/interactions", "payload="+url.QueryEscape(`{"type":"block_actions","user":{"id":"U1"},"actions":[{"value":"=x"}]}`), nil); out.Code != 500 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

func TestEvents(t *testing.T) {
	for name, c := range map[string]struct {
		event   string
		text    string // "": it is no request
		private bool
		thread  string
	}{
		"a mention":             {`{"type":"app_mention","user":"U1","text":"<@UBOT> backup start notes","channel":"C1","ts":"1.2"}`, "backup start notes", false, "1.2"},
		"with a comma":          {`{"type":"app_mention","user":"U1","text":" <@UBOT|keepwatch>, help","channel":"C1","ts":"1.2"}`, "help", false, "1.2"},
		"at the end":            {`{"type":"app_mention","user":"U1","text":"backup status <@UBOT>","channel":"C1","ts":"1.2","thread_ts":"1.0"}`, "backup status", false, "1.0"},
		"a mention alone":       {`{"type":"app_mention","user":"U1","text":"<@UBOT>","channel":"C1","ts":"1.2"}`, "/keepwatch help", false, "1.2"},
		"links and entities":    {`{"type":"message","channel_type":"im","user":"U1","text":"show <http://a.example|a.example> &amp; <mailto:a@b.example|a@b.example> <#C2|ops> <@U2> 1 &lt; 2","channel":"D1","ts":"1.2"}`, "show a.example & a@b.example slack:C2 slack:@U2 1 < 2", true, ""},
		"a direct message":      {`{"type":"message","channel_type":"im","user":"U1","text":"help","channel":"D1","ts":"1.2"}`, "help", true, ""},
		"one in a channel":      {`{"type":"message","channel_type":"channel","user":"U1","text":"help","channel":"C1","ts":"1.2"}`, "", false, ""},
		"the bot itself":        {`{"type":"message","channel_type":"im","user":"UBOT","text":"help","channel":"D1","ts":"1.2"}`, "", false, ""},
		"another bot":           {`{"type":"app_mention","bot_id":"B2","user":"U9","text":"<@UBOT> help","channel":"C1","ts":"1.2"}`, "", false, ""},
		"an edit":               {`{"type":"message","subtype":"message_changed","channel_type":"im","channel":"D1","ts":"1.2"}`, "", false, ""},
		"an edited mention":     {`{"type":"app_mention","user":"U1","text":"<@UBOT> help","channel":"C1","ts":"1.2","edited":{"user":"U1","ts":"1.3"}}`, "", false, ""},
		"something else":        {`{"type":"reaction_added","user":"U1"}`, "", false, ""},
		"nothing of it is left": {`{"type":"message","channel_type":"im","user":"U1","text":"   ","channel":"D1","ts":"1.2"}`, "/keepwatch help", true, ""},
	} {
		counter := newCounter()
		w, _ := newWeb(counter)
		w.talk.setSelf("UBOT")
		for range 2 { // delivered again
			body := `{"type":"event_callback","event_id":"Ev1","event":` + c.event + `}`
			if out := post(w, "/slack/events", body, func(r *http.Request) { r.Header.Set("X-Slack-Retry-Num", "1") }); out.Code != 200 {
				t.Errorf("%s: %d", name, out.Code)
			}
		}
		got := counter.deliveries()
		if c.text == "" {
			if len(got) != 0 {
				t.Errorf("%s is taken for %q", name, got[0].Request.Text)
			}
			continue
		}
		if len(got) != 1 {
			t.Errorf("%s: %d requests", name, len(got))
			continue
		}
		d := got[0]
		if d.Request.Text != c.text || d.Request.Private != c.private || d.Reply.Thread != c.thread || d.Key != "slack:event:Ev1" || d.Reply.Token != "" || d.Reply.Private {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestUnsignedFlood: whoever sends many requests that are not signed does not fill
// the log.
func TestUnsignedFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWeb(newCounter())
		var log bytes.Buffer
		w.log = slog.New(slog.NewTextHandler(&log, nil))
		send := func(n int) {
			for range n {
				if got := post(w, "/slack/commands", "x=1", func(r *http.Request) { r.Header.Del("X-Slack-Signature") }); got.Code != http.StatusUnauthorized {
					t.Fatalf("%d", got.Code)
				}
			}
		}
		send(1000)
		if n := strings.Count(log.String(), "not signed"); n != 1 {
			t.Errorf("%d lines", n)
		}
		time.Sleep(unsignedEvery)
		send(5)
		if n := strings.Count(log.String(), "not signed"); n != 2 || !strings.Contains(log.String(), "requests=1000") {
			t.Errorf("%d lines: %s", n, log.String())
		}
	})
}
