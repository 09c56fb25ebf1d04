package slack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/slack/slacktest"
)

// taker takes everything and keeps nothing.
type taker struct {
	handlers.Counter
	n atomic.Int64
}

func (k *taker) Take(context.Context, keepwatch.Delivery) (bool, error) {
	k.n.Add(1)
	return true, nil
}

// BenchmarkSlash is a signed slash command over real HTTP on loopback, from many
// clients at once, until it is acknowledged. Nothing is saved here: it is what
// this package costs. The one with the disk is in cmd/bot.
func BenchmarkSlash(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			k := &taker{}
			f, err := New(Config{BotToken: keepwatch.NewSecret(slacktest.BotToken), SigningSecret: keepwatch.NewSecret(slacktest.SigningSecret), Counter: k})
			if err != nil {
				b.Fatal(err)
			}
			server := httptest.NewServer(f.Handler())
			defer server.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: clients}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			took := make([]time.Duration, b.N)
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			var group sync.WaitGroup
			for range clients {
				group.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						begun := time.Now()
						if err := slashOnce(client, server.URL, i); err != nil {
							b.Error(err)
							return
						}
						took[i] = time.Since(begun)
					}
				})
			}
			group.Wait()
			b.StopTimer()
			if n := k.n.Load(); n != int64(b.N) {
				b.Errorf("%d of %d were taken", n, b.N)
			}
			slices.Sort(took)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

func slashOnce(client *http.Client, base string, i int64) error {
	body := []byte(url.Values{
		"command": {"/backup"}, "text": {"start ruthin-web"}, "user_id": {"U0123"}, "user_name": {"alis"}, "channel_id": {"C0OPS"}, "channel_name": {"ops"},
		"team_id": {"T01"}, "response_url": {"https://hooks.slack.com/commands/T01/1/x"}, "trigger_id": {"13.37." + strconv.FormatInt(i, 10)},
	}.Encode())
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req, err := http.NewRequest(http.MethodPost, base+"/slack/commands", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", slacktest.Sign(slacktest.SigningSecret, stamp, body))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || len(text) > 0 {
		return fmt.Errorf("%d %s %v", resp.StatusCode, text, err)
	}
	return nil
}
