package slacktest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keepwatch/handlers/slack/slacktest"
)

func TestErrors(t *testing.T) {
	many := make([]args, 101)
	for _, c := range []struct {
		name, method string
		args         args
		want         string
	}{
		{"a channel that is not there", "chat.postMessage", args{"channel": "C0NONE", "text": "x"}, "channel_not_found"},
		{"an archived one", "chat.postMessage", args{"channel": "C0OLD", "text": "x"}, "is_archived"},
		{"a private one without the bot", "chat.postMessage", args{"channel": "G0OTHER", "text": "x"}, "channel_not_found"},
		{"nothing to say", "chat.postMessage", args{"channel": slacktest.Ops, "text": ""}, "no_text"},
		{"no blocks, no text", "chat.postMessage", args{"channel": slacktest.Ops, "blocks": []args{}}, "no_text"},
		{"blocks that are no list", "chat.postMessage", args{"channel": slacktest.Ops, "blocks": "hello"}, "invalid_blocks_format"},
		{"an empty section", "chat.postMessage", args{"channel": slacktest.Ops, "blocks": []args{{"type": "section"}}}, "invalid_blocks"},
		{"too many attachments", "chat.postMessage", args{"channel": slacktest.Ops, "attachments": many}, "too_many_attachments"},
		{"half a metadata", "chat.postMessage", args{"channel": slacktest.Ops, "text": "x", "metadata": args{"event_type": "run"}}, "invalid_metadata_format"},
		{"somebody outside", "chat.postEphemeral", args{"channel": slacktest.Secret, "user": slacktest.Bram, "text": "x"}, "user_not_in_channel"},
		{"no such message", "chat.update", args{"channel": slacktest.Ops, "ts": "1.000001", "text": "x"}, "message_not_found"},
		{"not the bot's", "chat.update", args{"channel": slacktest.Ops, "ts": "BRAM", "text": "x"}, "cant_update_message"},
		{"not the bot's to delete", "chat.delete", args{"channel": slacktest.Ops, "ts": "BRAM"}, "cant_delete_message"},
		{"an update that is too long", "chat.update", args{"channel": slacktest.Ops, "ts": "BOT", "text": strings.Repeat("x", 4001)}, "msg_too_long"},
		{"an update of nothing", "chat.update", args{"channel": slacktest.Ops, "ts": "BOT"}, "no_text"},
		{"an ephemeral message to update", "chat.update", args{"channel": slacktest.Ops, "ts": "WHISPER", "text": "x"}, "message_not_found"},
		{"history without the bot", "conversations.history", args{"channel": slacktest.Random}, "not_in_channel"},
		{"a limit of none", "conversations.history", args{"channel": slacktest.Ops, "limit": 0}, "invalid_limit"},
		{"a cursor of nobody's", "conversations.history", args{"channel": slacktest.Ops, "cursor": "?"}, "invalid_cursor"},
		{"a thread that is not there", "conversations.replies", args{"channel": slacktest.Ops, "ts": "1.000001"}, "thread_not_found"},
		{"nobody to write to", "conversations.open", args{"users": "U0NONE"}, "user_not_found"},
		{"a bot to write to", "conversations.open", args{"users": slacktest.BotUser}, "cannot_dm_bot"},
		{"a private channel's particulars", "conversations.info", args{"channel": "G0OTHER"}, "channel_not_found"},
		{"nobody", "users.info", args{"user": "U0NONE"}, "user_not_found"},
		{"no such group", "usergroups.users.list", args{"usergroup": "S0NONE"}, "no_such_subteam"},
		{"no such method", "chat.shout", args{}, "unknown_method"},
		{"a file of no length", "files.getUploadURLExternal", args{"filename": "x", "length": 0}, "invalid_arguments"},
		{"a file that never came", "files.completeUploadExternal", args{"files": []args{{"id": "F1"}}}, "file_not_found"},
		{"the wrong token", "apps.connections.open", args{}, "not_allowed_token_type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := slacktest.New(t, slacktest.Config{})
			s.AddChannel(slacktest.Channel{ID: "C0OLD", Name: "old", Archived: true, Members: []string{slacktest.BotUser}})
			s.AddChannel(slacktest.Channel{ID: "G0OTHER", Name: "other", Members: []string{slacktest.Alis}})
			ts := map[string]string{
				"BRAM":    s.Say(slacktest.Bram, slacktest.Ops, "hello").TS,
				"BOT":     must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "mine"}).str("ts"),
				"WHISPER": must(t, s, "chat.postEphemeral", args{"channel": slacktest.Ops, "user": slacktest.Alis, "text": "psst"}).str("message_ts"),
			}
			if name, _ := c.args["ts"].(string); ts[name] != "" {
				c.args["ts"] = ts[name]
			}
			a := call(t, s, c.method, c.args)
			if a.err() != c.want || a.Status != http.StatusOK || a.Raw["ok"] != false {
				t.Errorf("HTTP %d %v, not %s", a.Status, a.Raw, c.want)
			}
			log := s.Calls(c.method)
			if got := log[len(log)-1].Error; got != c.want {
				t.Errorf("the log has %q", got)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	if a, err := try(s, "xoxb-other", "auth.test", args{}); err != nil || a.err() != "invalid_auth" {
		t.Errorf("an unknown token: %v, %v", a.Raw, err)
	}
	for _, code := range []string{"token_revoked", "token_expired", "account_inactive", "invalid_auth"} {
		s.BreakToken(slacktest.BotToken, code)
		if a := call(t, s, "auth.test", args{}); a.err() != code {
			t.Errorf("a token with %s: %v", code, a.Raw)
		}
	}
	s.BreakToken(slacktest.BotToken, "")
	if a := must(t, s, "auth.test", args{}); a.str("user_id") != slacktest.BotUser {
		t.Errorf("the mended token: %v", a.Raw)
	}
	if a, err := try(s, slacktest.AppToken, "chat.postMessage", args{"channel": slacktest.Ops, "text": "x"}); err != nil || a.err() != "not_allowed_token_type" {
		t.Errorf("the app's token for a message: %v, %v", a.Raw, err)
	}
	// With JSON the token counts in the header only; for apps.connections.open always.
	if a, err := try(s, "", "auth.test", args{"token": slacktest.BotToken}); err != nil || a.err() == "" {
		t.Errorf("a token inside JSON: %v, %v", a.Raw, err)
	}
	form := url.Values{"token": {slacktest.AppToken}}.Encode()
	r, _ := http.NewRequest(http.MethodPost, s.APIURL()+"apps.connections.open", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a, err := do(r); err != nil || a.err() != "not_authed" {
		t.Errorf("the app's token as a parameter: %v, %v", a.Raw, err)
	}
}

func TestScopes(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Scopes: []string{"chat:write", "groups:history"}})
	for method, c := range map[string]struct {
		args args
		want string
	}{
		"conversations.history":      {args{"channel": slacktest.Ops}, "channels:history"},
		"conversations.info":         {args{"channel": slacktest.Secret}, "groups:read"},
		"conversations.open":         {args{"users": slacktest.Alis}, "im:write"},
		"users.info":                 {args{"user": slacktest.Alis}, "users:read"},
		"usergroups.list":            {args{}, "usergroups:read"},
		"files.getUploadURLExternal": {args{"filename": "x", "length": 1}, "files:write"},
	} {
		if a := call(t, s, method, c.args); a.err() != "missing_scope" || a.str("needed") != c.want || a.str("provided") != "chat:write,groups:history" {
			t.Errorf("%s: %v", method, a.Raw)
		}
	}
	must(t, s, "conversations.history", args{"channel": slacktest.Secret})
	if a := call(t, s, "chat.postMessage", args{"channel": slacktest.Random, "text": "x"}); a.err() != "not_in_channel" {
		t.Errorf("a public channel without chat:write.public: %v", a.Raw)
	}
	s.SetScopes("chat:write", "chat:write.public")
	must(t, s, "chat.postMessage", args{"channel": slacktest.Random, "text": "x"})
	must(t, s, "chat.postMessage", args{"channel": "#random", "text": "x"})
}

func TestLongTextIsCutOff(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": strings.Repeat("é", 40001)})
	if got := len([]rune(s.Messages(slacktest.Ops)[0].Text)); got != 40000 {
		t.Errorf("%d characters are kept", got)
	}
}

func TestUpdateKeepsOrRemoves(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	section := []args{{"type": "section", "text": args{"type": "mrkdwn", "text": "blocks"}}}
	meta := args{"event_type": "run", "event_payload": args{"id": "7"}}
	ts := must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "text", "blocks": section, "metadata": meta}).str("ts")
	now := func() slacktest.Message { return s.Messages(slacktest.Ops)[0] }
	must(t, s, "chat.update", args{"channel": slacktest.Ops, "ts": ts, "attachments": []args{{"text": "more"}}})
	if m := now(); m.Plain() != "blocks" || m.Text != "text" || len(m.Metadata) == 0 {
		t.Errorf("an update without text and blocks leaves %+v", m)
	}
	must(t, s, "chat.update", args{"channel": slacktest.Ops, "ts": ts, "text": "new"})
	if m := now(); m.Plain() != "new" || m.Blocks != nil || len(m.Attachments) == 0 || len(m.Metadata) == 0 {
		t.Errorf("an update with text alone leaves %+v", m)
	}
	must(t, s, "chat.update", args{"channel": slacktest.Ops, "ts": ts, "text": "new", "metadata": args{}, "attachments": []args{}})
	h := must(t, s, "conversations.history", args{"channel": slacktest.Ops, "include_all_metadata": true})
	first, _ := json.Marshal(h.Raw["messages"])
	if got := string(first); strings.Contains(got, "metadata") || strings.Contains(got, "attachments") || !strings.Contains(got, "edited") {
		t.Errorf("after removing them the history shows %s", got)
	}
}

func TestHistoryWindow(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	var ts []string
	for i := range 5 {
		ts = append(ts, s.Say(slacktest.Bram, slacktest.Ops, fmt.Sprint(i)).TS)
	}
	s.SayInThread(slacktest.Bram, slacktest.Ops, ts[1], "in a thread")
	texts := func(a answer) string {
		var all []string
		for _, m := range a.Raw["messages"].([]any) {
			all = append(all, inner(m.(map[string]any), "text").(string))
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct {
		args args
		want string
	}{
		{args{}, "4 3 2 1 0"},
		{args{"oldest": ts[1], "latest": ts[3]}, "2"},
		{args{"oldest": ts[1], "latest": ts[3], "inclusive": true}, "3 2 1"},
		{args{"limit": 2}, "4 3"},
	} {
		c.args["channel"] = slacktest.Ops
		if got := texts(must(t, s, "conversations.history", c.args)); got != c.want {
			t.Errorf("%v gives %s, not %s", c.args, got, c.want)
		}
	}
	first := must(t, s, "conversations.history", args{"channel": slacktest.Ops, "limit": 4})
	cursor := inner(first.Raw, "response_metadata", "next_cursor")
	if last := must(t, s, "conversations.history", args{"channel": slacktest.Ops, "limit": 4, "cursor": cursor}); texts(last) != "0" || last.Raw["has_more"] != false {
		t.Errorf("the last page is %v", last.Raw)
	}
	if got := texts(must(t, s, "conversations.replies", args{"channel": slacktest.Ops, "ts": ts[1]})); got != "1 in a thread" {
		t.Errorf("the thread is %s", got)
	}
}

func TestDirectory(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	s.AddGroup(slacktest.Group{ID: "S0ADM", Handle: "admins", Name: "Admins", Users: []string{slacktest.Alis}})
	s.AddGroup(slacktest.Group{ID: "S0OLD", Handle: "old", Disabled: true})
	s.AddUser(slacktest.User{ID: "U0CERI", Name: "ceri", Deleted: true})
	if a := must(t, s, "usergroups.list", args{"include_users": true}); fmt.Sprint(inner(a.Raw["usergroups"].([]any)[0].(map[string]any), "users")) != "[U0ALIS]" || len(a.Raw["usergroups"].([]any)) != 1 {
		t.Errorf("the groups are %v", a.Raw)
	}
	if a := must(t, s, "usergroups.users.list", args{"usergroup": "S0ADM"}); fmt.Sprint(a.Raw["users"]) != "[U0ALIS]" {
		t.Errorf("its users are %v", a.Raw)
	}
	if a := must(t, s, "users.info", args{"user": slacktest.Bram}); inner(a.Raw, "user", "tz") != "Europe/Amsterdam" {
		t.Errorf("the user is %v", a.Raw)
	}
	if a := call(t, s, "conversations.open", args{"users": "U0CERI"}); a.err() != "user_disabled" {
		t.Errorf("a message to somebody who left: %v", a.Raw)
	}
	dm := must(t, s, "conversations.open", args{"users": slacktest.Alis})
	if inner(dm.Raw, "channel", "id") != slacktest.DirectID(slacktest.Alis) {
		t.Errorf("the direct messages are %v", dm.Raw)
	}
	must(t, s, "chat.postMessage", args{"channel": slacktest.Alis, "text": "by the person's id"})
	if got := s.Messages(slacktest.DirectID(slacktest.Alis)); len(got) != 1 {
		t.Errorf("a message to a person's id lands in %v", got)
	}
	if a := must(t, s, "conversations.info", args{"channel": slacktest.Random}); inner(a.Raw, "channel", "is_member") != false {
		t.Errorf("the channel is %v", a.Raw)
	}
	s.RemoveChannel(slacktest.Random)
	if a := call(t, s, "conversations.info", args{"channel": slacktest.Random}); a.err() != "channel_not_found" {
		t.Errorf("the removed channel is %v", a.Raw)
	}
}
