package slacktest

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"
)

// still is a clock that does not go: on a busy machine node may need more than the
// 3 s. It shows the real time, since bolt compares the signature's with its own.
func still() *ManualClock { return NewClock(time.Now()) }

func TestOfficialSocketMode(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{Clock: still(), Rates: Rates{Mode: RatesOff}})
	app := drive(t, s, "socket")
	app.wait(t, "connected", 1, nil)
	ctx := within(t)

	if err := s.Command(Alis, Ops, "/backup", "start notes").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitEphemeral(ctx, Alis, Ops, Saying("got start notes")); err != nil {
		t.Fatal(err)
	}
	if l := app.wait(t, "command", 1, nil); l.str("text") != "start notes" || l.str("user") != Alis || l["accepts"] != true {
		t.Errorf("the command arrived as %v", l)
	}

	event := s.Mention(Bram, Ops, "status")
	if err := event.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if l := app.wait(t, "event", 1, nil); l.str("event_id") != event.EventID || l.str("type") != "app_mention" {
		t.Errorf("the event arrived as %v", l)
	}
	if l := app.wait(t, "event", 1, nil); l["retry"] != 0.0 {
		t.Errorf("the first try is called %v", l["retry"])
	}
	if err := s.SendEnvelope("telepathy", map[string]any{"text": "?"}).Wait(ctx); err != nil {
		t.Errorf("an unknown envelope: %v", err)
	}
}

func TestOfficialRetryBySocket(t *testing.T) {
	t.Parallel() // node takes its time to start
	clock := NewClock(time.Unix(1_700_000_000, 0))
	s := New(t, Config{Clock: clock})
	app := drive(t, s, "socket")
	app.wait(t, "connected", 1, nil)
	event := s.DM(Bram, "ignore the first")
	app.wait(t, "event", 1, nil)
	clock.Advance(4 * time.Second)
	if err := event.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	if l := app.wait(t, "event", 2, nil); l["retry"] != 1.0 || l.str("reason") != "timeout" || l.str("event_id") != event.EventID {
		t.Errorf("the retry arrived as %v", l)
	}
}

func TestOfficialInteraction(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{Clock: still()})
	app := drive(t, s, "socket")
	app.wait(t, "connected", 1, nil)
	interact(t, s, app)
	ctx := within(t)
	m, err := s.WaitMessage(ctx, Ops, func(m Message) bool { return len(m.Buttons()) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	d := s.Suggest(Alis, m, "pick", "notes")
	if err := d.Wait(ctx); err != nil || fmt.Sprint(d.Options()) != "[NOTES]" {
		t.Errorf("the options are %v, %v", d.Options(), err)
	}
}

// interact has the app post a button, and clicks through a modal to its end.
func interact(t *testing.T, s *Server, app *driver) {
	t.Helper()
	ctx := within(t)
	app.call(t, "chat.postMessage", map[string]any{"channel": Ops, "text": "run 7", "blocks": []any{
		map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "run 7"}},
		map[string]any{"type": "actions", "elements": []any{
			map[string]any{"type": "button", "action_id": "cancel", "text": map[string]any{"type": "plain_text", "text": "Cancel"}},
			map[string]any{"type": "external_select", "action_id": "pick", "placeholder": map[string]any{"type": "plain_text", "text": "Source"}, "min_query_length": 1},
		}}}})
	m := s.Messages(Ops)[0]
	if err := s.Click(Alis, m, "Cancel").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if l := app.wait(t, "block_actions", 1, nil); l.str("action") != "cancel" {
		t.Errorf("the click arrived as %v", l)
	}
	if _, err := s.WaitView(ctx, Alis, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Submit(Alis, map[string]any{"Text": "bad"}).Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if v, ok := s.View(Alis); !ok || v.Errors["text"] != "not that" {
		t.Fatalf("after a bad submission the person sees %+v", v)
	}
	if err := s.Submit(Alis, map[string]any{"Text": "good"}).Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if v, ok := s.View(Alis); ok {
		t.Errorf("after a good submission %+v is open", v)
	}
}

func TestOfficialWebClient(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{Clock: still(), Rates: Rates{Mode: RatesOff}})
	app := drive(t, s, "http")
	app.wait(t, "listening", 1, nil)
	posted := app.call(t, "chat.postMessage", map[string]any{"channel": Ops, "text": "10 %", "metadata": map[string]any{"event_type": "run", "event_payload": map[string]any{"id": "7"}}})
	app.call(t, "chat.update", map[string]any{"channel": Ops, "ts": posted["ts"], "text": "100 %"})
	h := app.call(t, "conversations.history", map[string]any{"channel": Ops, "include_all_metadata": true, "oldest": posted["ts"], "inclusive": true})
	if field(h, "messages", 0, "metadata", "event_payload", "id") != "7" || field(h, "messages", 0, "text") != "100 %" || field(h, "messages", 0, "edited") == nil {
		t.Errorf("the history is %v", h)
	}
	r := app.call(t, "conversations.replies", map[string]any{"channel": Ops, "ts": posted["ts"]})
	if field(r, "messages", 0, "ts") != posted["ts"] {
		t.Errorf("the replies are %v", r)
	}
	for i := range 4 {
		s.Say(Bram, Ops, fmt.Sprint(i))
	}
	pages := app.order(t, "page", "", map[string]any{"channel": Ops, "limit": 2})
	if got := fmt.Sprint(field(pages, "answer", "texts")); got != "[3 2 1 0 100 %]" {
		t.Errorf("paging gives %s: %v", got, pages)
	}
	dm := app.call(t, "conversations.open", map[string]any{"users": Alis})
	app.call(t, "chat.postMessage", map[string]any{"channel": field(dm, "channel", "id"), "text": "hello"})
	if got := s.Messages(DirectID(Alis)); len(got) != 1 {
		t.Errorf("the direct messages are %+v", got)
	}
	if l := app.order(t, "upload", "", map[string]any{"channel_id": Ops, "filename": "list.txt", "file": "one\ntwo\n", "initial_comment": "the list"}); l.str("what") != "done" {
		t.Fatalf("the upload: %v", l)
	}
	if f := s.Files(Ops); len(f) != 1 || string(f[0].Content) != "one\ntwo\n" || f[0].Name != "list.txt" || f[0].Comment != "the list" {
		t.Errorf("the files are %+v", f)
	}
	// A picture that is shared nowhere, and shown by a message.
	var pixel bytes.Buffer
	if err := png.Encode(&pixel, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	bytesOf := make([]int, 0, pixel.Len())
	for _, b := range pixel.Bytes() {
		bytesOf = append(bytesOf, int(b))
	}
	s.SlowFiles(1)
	brought := app.order(t, "upload", "", map[string]any{"filename": "report.png", "file": map[string]any{"type": "Buffer", "data": bytesOf}})
	id := field(brought, "answer", "files", 0, "files", 0, "id")
	shown := map[string]any{"channel": Ops, "text": "x", "blocks": []any{map[string]any{"type": "image", "alt_text": "a picture", "slack_file": map[string]any{"id": id}}}}
	if l := app.order(t, "call", "chat.postMessage", shown); l.str("error") != "invalid_blocks" {
		t.Errorf("a file that Slack still works on is taken: %v", l)
	}
	app.call(t, "chat.postMessage", shown)
	if all := s.Messages(Ops); len(all[len(all)-1].Images()) != 1 || len(s.Files(Ops)) != 1 {
		t.Errorf("the picture is not shown: %+v; brought: %v", all[len(all)-1], brought)
	}
	if f, there := s.Uploaded(fmt.Sprint(id)); !there || !bytes.Equal(f.Content, pixel.Bytes()) {
		t.Errorf("the file is %+v", f)
	}
	s.SetScopes("users:read")
	if l := app.order(t, "call", "chat.postMessage", map[string]any{"channel": Ops, "text": "x"}); l.str("error") != "missing_scope" || field(l, "data", "needed") != "chat:write" {
		t.Errorf("without the scope: %v", l)
	}
}

func TestOfficialObeysRateLimit(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{})
	app := drive(t, s, "http")
	app.wait(t, "listening", 1, nil)
	s.Fail(Fault{Method: "chat.postMessage", RetryAfter: 1})
	app.call(t, "chat.postMessage", map[string]any{"channel": Ops, "text": "once"})
	if n := len(s.Calls("chat.postMessage")); n != 2 || len(s.Messages(Ops)) != 1 || len(s.Violations()) != 0 {
		t.Errorf("%d calls, %d messages, violations %v", n, len(s.Messages(Ops)), s.Violations())
	}
	// The official client repeats after a 5xx, done or not: this is the double post
	// that our own outbox must not make.
	s.Fail(Fault{Method: "chat.postMessage", Status: 503, Done: true})
	app.call(t, "chat.postMessage", map[string]any{"channel": Ops, "text": "twice"})
	if n := len(s.Messages(Ops)); n != 3 {
		t.Errorf("after a lost answer there are %d messages, there should be 3: the work was done", n)
	}
}

func TestOfficialSurvivesDisconnects(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{Clock: still(), Rates: Rates{Mode: RatesOff}})
	app := drive(t, s, "socket")
	app.wait(t, "connected", 1, nil)
	for i, end := range []func(*Socket){
		func(c *Socket) { c.Disconnect("warning") },
		func(c *Socket) { c.Disconnect("refresh_requested"); c.Close() },
		func(c *Socket) { c.Kill() },
	} {
		end(s.Sockets()[0])
		app.wait(t, "connected", i+2, nil)
		ctx := within(t)
		if err := s.Wait(ctx, func() bool { c := s.Sockets(); return len(c) == 1 && c[0].ID == i+2 }); err != nil {
			t.Fatal(err)
		}
		if err := s.Command(Alis, Ops, "/backup", fmt.Sprint("after ", i)).Wait(ctx); err != nil {
			t.Fatalf("after end %d: %v", i, err)
		}
	}
}

func TestOfficialHTTP(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{Clock: still()})
	app := drive(t, s, "http")
	port := app.wait(t, "listening", 1, nil)["port"]
	s.UseHTTP(fmt.Sprintf("http://127.0.0.1:%v", port))
	ctx := within(t)
	if status, body, err := s.Challenge(ctx, "echo me"); err != nil || status != 200 || !strings.Contains(string(body), "echo me") {
		t.Errorf("the challenge is answered %d %s, %v", status, body, err)
	}
	d := s.Command(Alis, Ops, "/backup", "status")
	if err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitMessage(ctx, Ops, Saying("later: status")); err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string]Option{"tampered": TamperedBody(), "wrong": WithSignature("v0=00"), "none": Unsigned(), "old": SignedAgo(10 * time.Minute)} {
		if err := s.Command(Alis, Ops, "/backup", "evil", opt).Wait(ctx); err == nil {
			t.Errorf("%s signature: bolt took it", name)
		}
	}
	if err := s.Mention(Alis, Ops, "hello").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.OpenHome(Alis).Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitHome(ctx, Alis, func(v View) bool { return v.Plain() == "Sources" }); err != nil {
		t.Fatal(err)
	}
}

func TestOfficialHTTPInteraction(t *testing.T) {
	t.Parallel() // node takes its time to start
	s := New(t, Config{Clock: still()})
	app := drive(t, s, "http")
	s.UseHTTP(fmt.Sprintf("http://127.0.0.1:%v", app.wait(t, "listening", 1, nil)["port"]))
	interact(t, s, app)
	if m := s.Messages(Ops)[0]; m.Plain() != "replaced" || m.Edits != 1 {
		t.Errorf("the message is %q after %d edits", m.Plain(), m.Edits)
	}
}
