package slacktest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"keepwatch/handlers/slack/slacktest"
)

// deadline is a context that ends a test which would wait for ever.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// answer is what came back from the Web API.
type answer struct {
	Status int
	After  int
	Raw    map[string]any
}

func (a answer) err() string { s, _ := a.Raw["error"].(string); return s }

func (a answer) str(name string) string { s, _ := a.Raw[name].(string); return s }

// try calls a method with a JSON body.
func try(s *slacktest.Server, token, method string, args any) (answer, error) {
	body, err := json.Marshal(args)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequest(http.MethodPost, s.APIURL()+method, strings.NewReader(string(body)))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return do(r)
}

func do(r *http.Request) (answer, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode}
	a.After, _ = strconv.Atoi(resp.Header.Get("Retry-After"))
	return a, json.NewDecoder(resp.Body).Decode(&a.Raw)
}

type args map[string]any

func call(t *testing.T, s *slacktest.Server, method string, a args) answer {
	t.Helper()
	got, err := try(s, slacktest.BotToken, method, a)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return got
}

// must is call for what has to work.
func must(t *testing.T, s *slacktest.Server, method string, a args) answer {
	t.Helper()
	got := call(t, s, method, a)
	if got.Raw["ok"] != true {
		t.Fatalf("%s: %v", method, got.Raw)
	}
	return got
}

// app is a Socket Mode client that a test leads by the hand.
type app struct {
	conn   *websocket.Conn
	frames chan map[string]any // closed when the socket ends
}

func connect(t *testing.T, s *slacktest.Server) *app {
	t.Helper()
	a, err := try(s, slacktest.AppToken, "apps.connections.open", args{})
	if err != nil || a.err() != "" {
		t.Fatal(a, err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), a.str("url"), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &app{conn: conn, frames: make(chan map[string]any, 100)}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		defer close(c.frames)
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			var frame map[string]any
			if json.Unmarshal(data, &frame) != nil {
				frame = map[string]any{"malformed": string(data)}
			}
			c.frames <- frame
		}
	}()
	return c
}

// online is connect with the hello taken and the socket known.
func online(t *testing.T, s *slacktest.Server) *app {
	t.Helper()
	n := len(s.Sockets())
	c := connect(t, s)
	if f := c.next(t); f["type"] != "hello" {
		t.Fatalf("the first frame is %v", f)
	}
	if err := s.WaitSockets(deadline(t), n+1); err != nil {
		t.Fatal(err)
	}
	return c
}

// next is the next frame, nil when the socket has ended.
func (c *app) next(t *testing.T) map[string]any {
	t.Helper()
	select {
	case f := <-c.frames:
		return f
	case <-deadline(t).Done():
		t.Fatal("no frame comes")
		return nil
	}
}

func (c *app) ack(t *testing.T, frame map[string]any, payload any) {
	t.Helper()
	out := map[string]any{"envelope_id": frame["envelope_id"]}
	if payload != nil {
		out["payload"] = payload
	}
	if err := c.conn.WriteJSON(out); err != nil {
		t.Fatal(err)
	}
}

func inner(frame map[string]any, path ...string) any {
	v := any(frame)
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func TestSlashCommandBySocket(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "start notes")
	f := c.next(t)
	if f["type"] != "slash_commands" || f["accepts_response_payload"] != true || inner(f, "payload", "text") != "start notes" || inner(f, "payload", "user_id") != slacktest.Alis {
		t.Fatalf("the envelope is %v", f)
	}
	c.ack(t, f, map[string]any{"text": "on its way"})
	if err := d.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	m, err := s.WaitEphemeral(deadline(t), slacktest.Alis, slacktest.Ops, slacktest.Saying("on its way"))
	if err != nil || m.To != slacktest.Alis {
		t.Fatal(m, err)
	}
	if got := s.Stats(); got.Acks != 1 || got.Timeouts != 0 {
		t.Errorf("the acknowledgements are counted as %+v", got)
	}
}

func TestPostUpdateDelete(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	a := must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "10 %", "metadata": args{"event_type": "run", "event_payload": args{"id": "7"}}})
	must(t, s, "chat.update", args{"channel": slacktest.Ops, "ts": a.str("ts"), "text": "100 %"})
	got := s.Messages(slacktest.Ops)
	if len(got) != 1 || got[0].Text != "100 %" || got[0].Edits != 1 || got[0].History[0].Text != "10 %" {
		t.Fatalf("the channel shows %+v", got)
	}
	h := must(t, s, "conversations.history", args{"channel": slacktest.Ops, "include_all_metadata": true})
	first := h.Raw["messages"].([]any)[0].(map[string]any)
	if inner(first, "metadata", "event_payload", "id") != "7" {
		t.Errorf("the history shows %v", first)
	}
	h = must(t, s, "conversations.history", args{"channel": slacktest.Ops})
	if first := h.Raw["messages"].([]any)[0].(map[string]any); first["metadata"] != nil {
		t.Errorf("metadata comes without being asked for: %v", first)
	}
	must(t, s, "chat.delete", args{"channel": slacktest.Ops, "ts": a.str("ts")})
	if got := s.Messages(slacktest.Ops); len(got) != 0 {
		t.Errorf("after deleting: %+v", got)
	}
	if a := call(t, s, "chat.update", args{"channel": slacktest.Ops, "ts": a.str("ts"), "text": "again"}); a.err() != "message_not_found" {
		t.Errorf("updating a deleted message: %v", a.Raw)
	}
}

func TestFormBodies(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	form := url.Values{"token": {slacktest.BotToken}, "channel": {"#ops"}, "blocks": {`[{"type":"section","text":{"type":"mrkdwn","text":"*x* &amp; <http://a|b>"}}]`}}
	r, _ := http.NewRequest(http.MethodPost, s.APIURL()+"chat.postMessage", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := do(r)
	if err != nil || a.Raw["ok"] != true {
		t.Fatal(a, err)
	}
	if got := s.Messages(slacktest.Ops)[0].Plain(); got != "*x* & b" {
		t.Errorf("the message reads %q", got)
	}
	if log := s.Calls("chat.postMessage"); len(log) != 1 || log[0].Args["token"] != nil || log[0].Status != 200 {
		t.Errorf("the log is %+v", log)
	}
}
