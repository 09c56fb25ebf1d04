package discord

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch/handlers/discord/discordtest"
)

// overHTTP makes a rig whose interactions come by HTTP.
func overHTTP(t *testing.T) (*rig, string) {
	t.Helper()
	r := start(t, func(_ *discordtest.Config, c *Config) { c.PublicKey = "the fake's" })
	mux := http.NewServeMux()
	mux.Handle(Path, r.Handler())
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	if err := r.srv.SetInteractionsURL(soon(t), web.URL+Path); err != nil {
		t.Fatal(err)
	}
	return r, web.URL + Path
}

func TestSignedHTTP(t *testing.T) {
	r, url := overHTTP(t)
	r.alive()
	r.counter.mu.Lock()
	r.counter.answer = card
	r.counter.mu.Unlock()
	if m := r.reply(r.command("backup start", map[string]any{"source": "x"})); m.Ephemeral || !strings.Contains(m.Text(), "under way") {
		t.Errorf("the card is %s", m)
	}
	i, err := r.srv.Click(r.alis, r.srv.Messages(r.srv.ChannelID())[0].ID, "Details")
	if err != nil {
		t.Fatal(err)
	}
	r.counter.wait(t, 3)
	a, err := r.srv.Replay(soon(t), i)
	if err != nil || a.Status != http.StatusOK {
		t.Errorf("a replay is answered %d %s %v", a.Status, a.Body, err)
	}
	if n := len(r.counter.wait(t, 3)); n != 3 {
		t.Errorf("a replay was taken: %d", n)
	}
	for tamper, want := range map[discordtest.Tamper]int{discordtest.BadSignature: 401, discordtest.TamperedBody: 401, discordtest.OldTimestamp: 401, discordtest.Unsigned: 401, discordtest.Honest: 200} {
		if a, err := r.srv.Forge(soon(t), r.alis, r.srv.ChannelID(), "backup sources", nil, tamper); err != nil || a.Status != want {
			t.Errorf("%q is answered %d, %v", tamper, a.Status, err)
		}
		if a, err := r.srv.Probe(soon(t), url, tamper); err != nil || a.Status != want {
			t.Errorf("a PING with %q is answered %d, %v", tamper, a.Status, err)
		}
	}
	if n := len(r.counter.wait(t, 4)); n != 4 {
		t.Errorf("%d were taken", n)
	}
	if _, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "backup status"); err != nil {
		t.Fatal(err)
	}
	r.counter.wait(t, 5) // mentions come by the gateway all the same
}

// signed makes a request as Discord does.
func signed(key ed25519.PrivateKey, at time.Time, body []byte) *http.Request {
	stamp := strconv.FormatInt(at.Unix(), 10)
	req := httptest.NewRequest(http.MethodPost, Path, bytes.NewReader(body))
	req.Header.Set("X-Signature-Timestamp", stamp)
	req.Header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(key, append([]byte(stamp), body...))))
	return req
}

func TestVerification(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := assemble(t, nil)
	w := &Web{key: public, talk: r.talk, now: func() time.Time { return noon }, log: r.Frontend.log}
	ping := []byte(`{"type":1}`)
	change := func(f func(*http.Request)) *http.Request {
		req := signed(private, noon, ping)
		f(req)
		return req
	}
	for name, c := range map[string]struct {
		req  *http.Request
		want int
	}{
		"right":            {signed(private, noon, ping), 200},
		"4:59 old":         {signed(private, noon.Add(-299*time.Second), ping), 200},
		"5:01 old":         {signed(private, noon.Add(-301*time.Second), ping), 401},
		"5:01 ahead":       {signed(private, noon.Add(301*time.Second), ping), 401},
		"no signature":     {change(func(r *http.Request) { r.Header.Del("X-Signature-Ed25519") }), 401},
		"short signature":  {change(func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", "00ff") }), 401},
		"no hex":           {change(func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", "zz") }), 401},
		"another time":     {change(func(r *http.Request) { r.Header.Set("X-Signature-Timestamp", strconv.FormatInt(noon.Unix()+1, 10)) }), 401},
		"time no number":   {signedText(private, "now", ping), 401},
		"too long":         {signed(private, noon, bytes.Repeat([]byte(" "), maxBody+1)), 413},
		"no JSON":          {signed(private, noon, []byte("{")), 400},
		"GET":              {httptest.NewRequest(http.MethodGet, Path, nil), 405},
		"somebody unnamed": {signed(private, noon, []byte(`{"type":2,"id":"12345","token":"t","data":{"name":"backup"}}`)), 200},
		"type unknown":     {signed(private, noon, []byte(`{"type":77,"id":"12345","channel_id":"23456","token":"t","user":{"id":"34567"}}`)), 200},
	} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, c.req)
		if rec.Code != c.want {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	if len(r.counter.taken) > 0 {
		t.Error("something was taken")
	}
}

func signedText(key ed25519.PrivateKey, stamp string, body []byte) *http.Request {
	req := httptest.NewRequest(http.MethodPost, Path, bytes.NewReader(body))
	req.Header.Set("X-Signature-Timestamp", stamp)
	req.Header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(key, append([]byte(stamp), body...))))
	return req
}

func TestConfiguration(t *testing.T) {
	r := assemble(t, nil)
	good := r.cfg
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no key":     {func(c *Config) { c.PublicKey = "abc" }, "DISCORD_PUBLIC_KEY"},
		"no guild":   {func(c *Config) { c.GuildID = "my server" }, "DISCORD_GUILD_ID"},
		"no address": {func(c *Config) { c.APIURL = "discord.example" }, "DISCORD_API_URL"},
		"no counter": {func(c *Config) { c.Counter = nil }, "Counter"},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r.Handler() != nil {
		t.Error("there is an endpoint without a key")
	}
}
