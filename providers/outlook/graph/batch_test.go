package graph

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// TestBatch: answers in any order, MIME as base64, refusals within waited for and made
// again alone, and each call counted.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, rounds := time.Now(), [][]string{}
		f := &fake{latency: 100 * time.Millisecond}
		f.serve = func(w http.ResponseWriter, r *http.Request) {
			var in struct {
				Requests []batchCall `json:"requests"`
			}
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/v1.0/$batch" {
				t.Errorf("%s: %v", r.URL, err)
			}
			var round []string
			var out []batchAnswer
			for i := range in.Requests {
				call := in.Requests[len(in.Requests)-1-i]
				round = append(round, call.URL)
				if call.Headers["Prefer"] != immutable || call.Headers["Authorization"] != "" {
					t.Errorf("headers of a call: %v", call.Headers)
				}
				answer := batchAnswer{ID: call.ID, Status: 200, Headers: map[string]string{"Content-Type": "text/plain"}}
				answer.Body, _ = json.Marshal(base64.URLEncoding.EncodeToString([]byte("MIME ÿÿÿ of " + call.URL)))
				switch {
				case call.URL == "/gone":
					answer = batchAnswer{ID: call.ID, Status: 404, Headers: map[string]string{"Content-Type": "application/json"}, Body: []byte(`{"error":{"code":"ErrorItemNotFound","message":"m"}}`)}
				case call.URL == "/json":
					answer.Headers["Content-Type"], answer.Body = "application/json; charset=utf-8", []byte(`{"a":1}`)
				case call.URL == "/busy" && len(rounds) < 2, call.URL == "/post" && len(rounds) < 1:
					answer = batchAnswer{ID: call.ID, Status: 429, Headers: map[string]string{"Retry-After": "20"}, Body: []byte(`{"error":{"code":"ApplicationThrottled","message":"MailboxConcurrency"}}`)}
				}
				out = append(out, answer)
			}
			rounds = append(rounds, round)
			_ = json.NewEncoder(w).Encode(map[string]any{"responses": out})
		}
		c := f.client(t)
		answers, err := c.Batch(t.Context(), alis, []Request{{URL: "/a"}, {URL: "/gone"}, {URL: "/busy"}, {URL: "/json"}, {Method: "POST", URL: "/post", Body: []byte(`{"b":2}`)}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"MIME ÿÿÿ of /a", "", "MIME ÿÿÿ of /busy", `{"a":1}`, "MIME ÿÿÿ of /post"} {
			if string(answers[i].Body) != want || (answers[i].Err == nil) != (i != 1) {
				t.Errorf("%d: %q, %v", i, answers[i].Body, answers[i].Err)
			}
		}
		if !errors.Is(answers[1].Err, ErrNotFound) || keepwatch.Sentence(answers[1].Err) == "" {
			t.Errorf("%v", answers[1].Err)
		}
		if got := fmt.Sprint(rounds); got != "[[/post /json /busy /gone /a] [/post /busy] [/busy]]" {
			t.Error(got)
		}
		if passed := time.Since(start); passed < 40*time.Second || passed > 42*time.Second {
			t.Errorf("it took %s", passed)
		}
		if l := c.laneOf(alis); l.calls.sum != 8 || l.free != mailboxInFlight {
			t.Errorf("%d calls were counted, %d places are free", l.calls.sum, l.free)
		}
	})
}

func TestBatchRefuses(t *testing.T) {
	f := &fake{serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"responses":[]}`)) }}
	c := f.client(t)
	for _, calls := range [][]Request{make([]Request, 21), {{URL: "https://graph.example/v1.0/x"}}, {{URL: "//evil.example/x"}}, {{URL: "/x", Anonymous: true}}} {
		if _, err := c.Batch(t.Context(), alis, calls); err == nil {
			t.Errorf("%d calls pass", len(calls))
		}
	}
	answers, err := c.Batch(t.Context(), alis, []Request{{Method: "POST", URL: "/x"}})
	if err != nil || !errors.Is(answers[0].Err, ErrUnreachable) || answers[0].Status != 0 {
		t.Errorf("an answer that is missing: %+v, %v", answers, err)
	}
}
