package discordtest

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPlaces(t *testing.T) {
	s := serve(t, Config{})
	alis := s.AddUser("alis", s.AddRole(s.GuildID(), "ops", 0))
	for _, c := range []struct {
		path, field string
		want        any
	}{
		{"/users/@me", "id", s.BotID()},
		{"/gateway", "url", s.GatewayURL()},
		{"/gateway/bot", "shards", 1.0},
		{"/applications/@me", "verify_key", s.PublicKey()},
		{"/oauth2/applications/@me", "id", s.ApplicationID()},
		{"/channels/" + s.ChannelID(), "name", "ops"},
		{"/channels/" + s.DMChannel(alis), "type", 1.0},
		{"/guilds/" + s.GuildID(), "name", "Ops"},
		{"/guilds/" + s.GuildID() + "?with_counts=true", "approximate_member_count", 3.0},
		{"/guilds/" + s.GuildID() + "/members/" + alis, "deaf", false},
	} {
		if a := call(t, s, http.MethodGet, c.path, nil); a.status != http.StatusOK || a.object()[c.field] != c.want {
			t.Errorf("GET %s: %d, %s is %v, not %v", c.path, a.status, c.field, a.object()[c.field], c.want)
		}
	}
	if a := call(t, s, http.MethodGet, "/guilds/"+s.GuildID()+"/roles", nil); len(array(a.body)) != 2 {
		t.Errorf("the roles are %v", a.body)
	}
	if a := call(t, s, http.MethodPost, "/users/@me/channels", object{"recipient_id": alis}); a.id() != s.DMChannel(alis) {
		t.Errorf("the direct channel is %v", a.body)
	}
	v9, err := http.NewRequestWithContext(within(t), http.MethodGet, s.APIURL(9)+"/gateway", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := do(t, s, v9); err != nil || a.object()["url"] != s.GatewayURL() {
		t.Errorf("version 9 says %v, %v", a.body, err)
	}
}

// places are where a bot has no luck.
type places struct {
	gone, blind, mute, plain, amnesic, there, mail, elsewhere, outsider string
	theirs, said                                                        string // messages of a person, in the first channel and in the amnesic one
}

func unlucky(t *testing.T, s *Server) places {
	t.Helper()
	channel := func(name string, p Permissions) string {
		id := s.AddChannel(s.GuildID(), name)
		s.SetPermissions(id, p)
		return id
	}
	w := places{
		gone: channel("gone", AllPermissions()), blind: channel("blind", Permissions{}), mute: channel("mute", Permissions{View: true, ReadHistory: true}),
		plain: channel("plain", Permissions{View: true, Send: true, ReadHistory: true}), amnesic: channel("amnesic", Permissions{View: true, Send: true}),
		mail: s.AddUser("mail"), outsider: s.AddUser("outsider"), elsewhere: s.AddGuild("Elsewhere"),
	}
	w.there = s.AddChannel(w.elsewhere, "there")
	s.DeleteChannel(w.gone)
	s.BlockDM(w.mail)
	s.Kick(w.elsewhere)
	alis := s.AddUser("alis")
	for id, at := range map[*string]string{&w.theirs: s.ChannelID(), &w.said: w.amnesic} {
		m, err := s.Say(alis, at, "hello")
		if err != nil {
			t.Fatal(err)
		}
		*id = m.ID
	}
	return w
}

func TestErrors(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	w := unlucky(t, s)
	hi := object{"content": "hi"}
	for _, c := range []struct {
		method, path string
		body         any
		status, code int
	}{
		{"GET", "/nowhere", nil, 404, 0},
		{"GET", "/channels/1", nil, 404, 10003},
		{"POST", "/channels/" + w.gone + "/messages", hi, 404, 10003},
		{"POST", "/channels/" + w.blind + "/messages", hi, 403, 50001},
		{"POST", "/channels/" + w.there + "/messages", hi, 403, 50001},
		{"POST", "/channels/" + w.mute + "/messages", hi, 403, 50013},
		{"POST", "/channels/" + w.plain + "/messages", object{"embeds": []any{object{"title": "x"}}}, 403, 50013},
		{"POST", "/channels/" + s.DMChannel(w.mail) + "/messages", hi, 403, 50007},
		{"POST", "/channels/" + s.ChannelID() + "/messages", object{}, 400, 50006},
		{"POST", "/channels/" + s.ChannelID() + "/messages", object{"content": " \n"}, 400, 50006},
		{"POST", "/channels/" + s.ChannelID() + "/messages", "{", 400, 50109},
		{"GET", "/channels/" + s.ChannelID() + "/messages/1", nil, 404, 10008},
		{"GET", "/channels/" + w.amnesic + "/messages/" + w.said, nil, 403, 50013},
		{"GET", "/channels/" + s.ChannelID() + "/messages?limit=101", nil, 400, 50035},
		{"PATCH", "/channels/" + s.ChannelID() + "/messages/" + w.theirs, hi, 403, 50005},
		{"PATCH", "/channels/" + s.ChannelID() + "/messages/1", hi, 404, 10008},
		{"DELETE", "/channels/" + s.ChannelID() + "/messages/" + w.theirs, nil, 403, 50013},
		{"POST", "/users/@me/channels", object{"recipient_id": "1"}, 400, 50035},
		{"POST", "/users/@me/channels", object{"recipient_id": s.BotID()}, 400, 50007},
		{"GET", "/guilds/" + w.elsewhere, nil, 404, 10004},
		{"GET", "/guilds/" + s.GuildID() + "/members/1", nil, 404, 10013},
		{"GET", "/guilds/" + s.GuildID() + "/members/" + s.world.guilds[w.elsewhere].owner, nil, 404, 10007},
		{"PUT", "/applications/1/commands", []any{}, 403, 20012},
		{"PUT", "/applications/" + s.ApplicationID() + "/guilds/" + w.elsewhere + "/commands", []any{}, 403, 50001},
		{"PATCH", "/webhooks/1/token/messages/@original", hi, 404, 10015},
		{"PATCH", "/webhooks/" + s.ApplicationID() + "/token/messages/@original", hi, 401, 50027},
		{"POST", "/interactions/1/token/callback", object{"type": 5}, 404, 10062},
	} {
		if a := call(t, s, c.method, c.path, c.body); a.status != c.status || a.code() != c.code {
			t.Errorf("%s %s: %d %d, not %d %d: %s", c.method, c.path, a.status, a.code(), c.status, c.code, a.raw)
		}
	}
	if a := call(t, s, "GET", "/channels/"+w.amnesic+"/messages", nil); a.status != 200 || len(array(a.body)) != 0 {
		t.Errorf("without the history permission: %d %s", a.status, a.raw)
	}
	if _, err := s.Say(w.outsider, w.there, "hi"); err == nil {
		t.Error("who is not in a guild writes there")
	}
}

func TestWrongToken(t *testing.T) {
	s := serve(t, Config{})
	old := s.Token()
	for _, auth := range []string{"", "Bot wrong", old, "Bearer " + old} {
		if a, err := tryCall(t, s, "GET", "/users/@me", nil, auth); err != nil || a.status != 401 || a.raw != `{"code":0,"message":"401: Unauthorized"}`+"\n" {
			t.Errorf("with %q: %d %s %v", auth, a.status, a.raw, err)
		}
	}
	if s.ResetToken() == old {
		t.Error("the token is the same after a reset")
	}
	if a, _ := tryCall(t, s, "GET", "/users/@me", nil, "Bot "+old); a.status != 401 {
		t.Errorf("the old token is answered %d", a.status)
	}
	if got := s.Limits().Invalid; got != 5 {
		t.Errorf("%d invalid requests are counted", got)
	}
}

func TestNonce(t *testing.T) {
	clock := NewClock(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))
	s := serve(t, Config{Clock: clock, NoRateLimits: true})
	other := s.AddChannel(s.GuildID(), "other")
	post := func(channel string, enforce bool) string {
		t.Helper()
		a := call(t, s, "POST", "/channels/"+channel+"/messages", object{"content": "x", "nonce": "7", "enforce_nonce": enforce})
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		return a.id()
	}
	first := post(s.ChannelID(), true)
	if again := post(s.ChannelID(), true); again != first {
		t.Error("an enforced nonce made two messages")
	}
	if post(other, true) == first {
		t.Error("a nonce of another channel gave this channel's message")
	}
	if post(s.ChannelID(), false) == first {
		t.Error("without enforce_nonce no second message was made")
	}
	clock.Advance(4 * time.Minute)
	if post(s.ChannelID(), true) == first {
		t.Error("a nonce is remembered for ever")
	}
	if n := len(s.Messages(s.ChannelID())); n != 3 {
		t.Errorf("there are %d messages", n)
	}
}

func TestFilesAndEdits(t *testing.T) {
	s := serve(t, Config{})
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.WriteField("payload_json", `{"content":"the list","attachments":[{"id":0,"filename":"list.txt"}]}`); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateFormFile("files[0]", "list.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := "/channels/" + s.ChannelID() + "/messages"
	req, err := http.NewRequestWithContext(within(t), "POST", s.APIURL(10)+path, &form)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Authorization", "Bot "+s.Token())
	a, err := do(t, s, req)
	if err != nil || a.status != 200 {
		t.Fatalf("%d %s %v", a.status, a.raw, err)
	}
	url := fmt.Sprint(asObject(array(a.object()["attachments"])[0])["url"])
	get, err := http.NewRequestWithContext(within(t), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if file, err := do(t, s, get); err != nil || file.raw != "one\n" {
		t.Errorf("the file is %q, %v", file.raw, err)
	}
	e := call(t, s, "PATCH", path+"/"+a.id(), object{"content": "no list", "attachments": []any{}})
	m, _ := s.Message(a.id())
	if e.status != 200 || e.object()["edited_timestamp"] == nil || len(m.Files) != 0 || len(m.Edits) != 1 || m.Edits[0].Text != "no list" || m.Edits[0].At.IsZero() {
		t.Errorf("edited to %+v by %s", m, e.raw)
	}
	if d := call(t, s, "DELETE", path+"/"+a.id(), nil); d.status != 204 {
		t.Errorf("delete: %d", d.status)
	}
	if m, _ := s.Message(a.id()); !m.Deleted || len(s.Messages(s.ChannelID())) != 0 {
		t.Error("it is not deleted")
	}
	calls := s.CallsTo("POST /channels/{channel}/messages")
	if len(calls) != 1 || calls[0].Status != 200 || string(calls[0].Files[0].Data) != "one\n" || asObject(calls[0].Body)["content"] != "the list" || calls[0].Path != path {
		t.Errorf("the log has %+v", calls)
	}
}

func TestPages(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	path := "/channels/" + s.ChannelID() + "/messages"
	var ids []string
	for n := range 6 {
		ids = append(ids, call(t, s, "POST", path, object{"content": fmt.Sprint(n)}).id())
	}
	for _, c := range []struct{ query, want string }{
		{"", "5 4 3 2 1 0"}, {"?limit=2", "5 4"}, {"?limit=2&before=" + ids[3], "2 1"}, {"?limit=2&after=" + ids[3], "5 4"},
		{"?limit=2&after=" + ids[1], "3 2"}, {"?limit=3&around=" + ids[2], "3 2 1"}, {"?after=" + ids[5], ""}, {"?before=" + ids[0], ""},
	} {
		var got []string
		for _, m := range array(call(t, s, "GET", path+c.query, nil).body) {
			got = append(got, fmt.Sprint(asObject(m)["content"]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s gives %v, not %s", c.query, got, c.want)
		}
	}
}

// TestLogHasNoTokens: neither the bot's nor an interaction's.
func TestLogHasNoTokens(t *testing.T) {
	s := serve(t, Config{})
	i, _ := ask(t, s)
	respond(t, s, i, object{"type": 5})
	call(t, s, "PATCH", hookPath(s, i, "@original"), object{"content": "x"})
	all := fmt.Sprint(s.Calls())
	for _, secret := range []string{s.Token(), i.token} {
		if strings.Contains(all, secret) {
			t.Errorf("the log has a token: %s", all)
		}
	}
	if diff := cmp.Diff("/interactions/"+i.ID+"/…/callback", s.CallsTo("POST /interactions/{interaction}/{token}/callback")[0].Path); diff != "" {
		t.Error(diff)
	}
}

func TestPings(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	alis, role := s.AddUser("alis"), s.AddRole(s.GuildID(), "ops", 0)
	text := "<@" + alis + "> <@&" + role + "> @everyone"
	for _, c := range []struct {
		allowed any
		want    []string
	}{
		{nil, []string{alis, role, "everyone"}},
		{object{"parse": []any{}}, nil},
		{object{"parse": []any{"roles"}}, []string{role}},
		{object{"parse": []any{}, "users": []any{alis}}, []string{alis}},
	} {
		body := object{"content": text}
		if c.allowed != nil {
			body["allowed_mentions"] = c.allowed
		}
		a := call(t, s, "POST", "/channels/"+s.ChannelID()+"/messages", body)
		m, _ := s.Message(a.id())
		if diff := cmp.Diff(c.want, m.Pings, cmp.Transformer("nil", func(in []string) string { return strings.Join(in, " ") })); diff != "" {
			t.Errorf("%v: %s", c.allowed, diff)
		}
	}
}
