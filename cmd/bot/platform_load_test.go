package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// loadYAML is the configuration of the program that is put under load: one
// person, one source. Archives are sealed to somebody else's key, so that nobody is
// asked where a copy of ours is kept.
const loadYAML = `
people:
  - {name: Alis, slack: U0ALIS, discord: "4567890", role: admin}
sources:
  - {name: notes, kind: files, path: %s}
vault:
  recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
`

// loaded is the program as `bot serve` joins it, on a disk and a port of its
// own, and a place that takes the answers.
type loaded struct {
	app     *app
	addr    string
	sink    *sink
	discord ed25519.PrivateKey
	close   func()
}

// load starts the program for a platform. Its log is written, to nowhere.
func load(tb testing.TB, platform string) *loaded {
	tb.Helper()
	dir, l := tb.TempDir(), &loaded{sink: newSink(tb), addr: freePort(tb)}
	notes, file := filepath.Join(dir, "notes"), filepath.Join(dir, "keepwatch.yaml")
	if err := errors.Join(os.Mkdir(notes, 0o700), os.WriteFile(file, fmt.Appendf(nil, loadYAML, notes), 0o600)); err != nil {
		tb.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	l.discord = private
	environ := []string{"BOT_LISTEN=" + l.addr}
	switch platform {
	case "slack":
		environ = append(environ, "SLACK_BOT_TOKEN="+slacktest.BotToken, "SLACK_SIGNING_SECRET="+slacktest.SigningSecret, "SLACK_API_URL=http://"+l.sink.addr+"/api/")
	case "discord":
		environ = append(environ, "DISCORD_BOT_TOKEN=MTIzNDU2Nw.t.t", "DISCORD_PUBLIC_KEY="+hex.EncodeToString(public), "DISCORD_API_URL=http://"+l.sink.addr)
	}
	p := process{Environ: environ, Now: time.Now}
	s, err := loadSettings(p, options{Config: file, EnvFile: filepath.Join(dir, "none.env"), DataDir: filepath.Join(dir, "data"), given: map[string]bool{"config": true}})
	if err != nil {
		tb.Fatal(err)
	}
	log, err := newLog(io.Discard, "", false)
	if err != nil {
		tb.Fatal(err)
	}
	if l.app, err = openApp(p, s, log); err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l.close = sync.OnceFunc(func() {
		stop()
		if err := l.app.close(); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(l.close)
	if _, err := l.app.start(ctx); err != nil {
		tb.Fatal(err)
	}
	l.app.serving = true
	if err := l.app.connect(ctx); err != nil {
		tb.Fatal(err)
	}
	return l
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// audited looks whether every one of the commands from..to-1 has its audit line.
// Each came from a channel of its own.
func (l *loaded) audited(tb testing.TB, platform string, from, to int) {
	tb.Helper()
	lines, err := l.app.records.Audits(keepwatch.AuditFilter{Limit: 1 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	seen := make(map[string]bool, len(lines))
	for _, e := range lines {
		if e.Text != "/backup list" || e.Person != "Alis" {
			tb.Fatalf("an audit line nobody asked for: %+v", e)
		}
		seen[e.Channel] = true
	}
	for i := from; i < to; i++ {
		if channel := platform + ":" + channelOf(platform, i); !seen[channel] {
			tb.Fatalf("command %d was acknowledged and is not in the audit", i)
		}
	}
}

func channelOf(platform string, i int) string {
	if platform == "discord" {
		return strconv.Itoa(30_000_000 + i)
	}
	return fmt.Sprintf("C%09d", i)
}

// drive has so many clients send the commands from..to-1 at an address, each
// the next one as soon as it has its acknowledgement, on a connection that
// stays. It gives how long each took. The client is as lean as it can be,
// because it runs on the processors that it measures.
func drive(tb testing.TB, addr string, clients, from, to int, request func(i int) []byte) []time.Duration {
	tb.Helper()
	took := make([]time.Duration, to-from)
	var next atomic.Int64
	next.Store(int64(from))
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			if err := oneClient(addr, func() (body []byte, done func(time.Duration)) {
				i := int(next.Add(1)) - 1
				if i >= to {
					return nil, nil
				}
				return request(i), func(d time.Duration) { took[i-from] = d }
			}); err != nil {
				tb.Error(err)
			}
		})
	}
	all.Wait()
	return took
}

func oneClient(addr string, next func() (request []byte, done func(time.Duration))) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for request, done := next(); request != nil; request, done = next() {
		begun := time.Now()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`"text"`)) || bytes.Contains(body, []byte(`"content"`)) {
			return fmt.Errorf("not acknowledged: %d %s %v", resp.StatusCode, body, err)
		}
		done(time.Since(begun))
	}
	return nil
}

// slackCommand is a slash command with all the fields that Slack sends, signed.
func slackCommand(i int) []byte {
	id := strconv.Itoa(i)
	body := []byte(url.Values{
		"token": {"gIkuvaNzQIHg97ATvDxqgjtO"}, "team_id": {"T0KEEP"}, "team_domain": {"example"}, "channel_id": {channelOf("slack", i)}, "channel_name": {"ops"},
		"user_id": {"U0ALIS"}, "user_name": {"alis"}, "command": {"/backup"}, "text": {"list"}, "api_app_id": {"A0KEEP"}, "is_enterprise_install": {"false"},
		"response_url": {"https://hooks.slack.com/commands/T0KEEP/" + id + "/hooks"}, "trigger_id": {"13345224609.738474920." + id},
	}.Encode())
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	return posted("/slack/commands", "application/x-www-form-urlencoded", body,
		"X-Slack-Request-Timestamp: "+stamp, "X-Slack-Signature: "+slacktest.Sign(slacktest.SigningSecret, stamp, body))
}

// discordCommand is a slash command of Discord, signed.
func discordCommand(key ed25519.PrivateKey) func(i int) []byte {
	return func(i int) []byte {
		body := fmt.Appendf(nil, `{"id":"%d","application_id":"1234567","type":2,"token":"token-%d","version":1,"guild_id":"2345678","channel_id":"%s","member":{"user":{"id":"4567890","username":"alis"},"roles":["111111"]},"data":{"id":"5678901","name":"backup","type":1,"options":[{"name":"list","type":1,"options":[]}]}}`,
			90_000_000+i, i, channelOf("discord", i))
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		return posted("/discord/interactions", "application/json", body,
			"X-Signature-Timestamp: "+stamp, "X-Signature-Ed25519: "+hex.EncodeToString(ed25519.Sign(key, append([]byte(stamp), body...))))
	}
}

func posted(path, kind string, body []byte, headers ...string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bot.example\r\nUser-Agent: load\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n\r\n%s", path, kind, len(body), strings.Join(headers, "\r\n"), body)
}

// await waits until so many answers have come and nothing waits to be sent.
func (l *loaded) await(tb testing.TB, answers int) {
	tb.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; <-time.After(time.Millisecond) {
		lanes, err := l.app.records.Lanes()
		if err != nil {
			tb.Fatal(err)
		}
		if n := int(l.sink.answers.Load()); n >= answers && len(lanes) == 0 {
			if n > answers {
				tb.Fatalf("%d answers to %d commands", n, answers)
			}
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%d of %d answers came, and %d wait", l.sink.answers.Load(), answers, len(lanes))
		}
	}
}

// percentile gives the time within which so many hundredths were acknowledged,
// in milliseconds.
func percentile(took []time.Duration, hundredths int) float64 {
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[min(len(sorted)*hundredths/100, len(sorted)-1)].Microseconds()) / 1000
}
