package slacktest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"keepwatch/handlers/slack/slacktest"
)

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  slacktest.Fault
		status int // 0: no answer
		code   string
		posted int
	}{
		{"429", slacktest.Fault{RetryAfter: 7}, 429, "ratelimited", 0},
		{"500", slacktest.Fault{Status: 500}, 500, "", 0},
		{"503 after the work", slacktest.Fault{Status: 503, Done: true}, 503, "", 1},
		{"cut before the work", slacktest.Fault{Cut: true}, 0, "", 0},
		{"cut after the work", slacktest.Fault{Cut: true, Done: true}, 0, "", 1},
		{"a page instead of JSON", slacktest.Fault{HTML: true}, 200, "", 0},
		{"an error of Slack's", slacktest.Fault{Error: "fatal_error"}, 200, "fatal_error", 0},
		{"an error although done", slacktest.Fault{Error: "internal_error", Done: true}, 200, "internal_error", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := slacktest.New(t, slacktest.Config{})
			c.fault.Method = "chat.postMessage"
			s.Fail(c.fault)
			must(t, s, "auth.test", args{}) // another method is not hit
			a, err := try(s, slacktest.BotToken, "chat.postMessage", args{"channel": slacktest.Ops, "text": "x"})
			if a.Status != c.status || a.err() != c.code || (c.code == "") != (err != nil) {
				t.Errorf("HTTP %d %v, %v", a.Status, a.Raw, err)
			}
			if c.fault.RetryAfter != a.After {
				t.Errorf("Retry-After is %d", a.After)
			}
			if n := len(s.Messages(slacktest.Ops)); n != c.posted {
				t.Errorf("%d messages were posted", n)
			}
			s.SetRates(slacktest.Rates{Mode: slacktest.RatesOff})
			must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "y"}) // once only
		})
	}
}

func TestFaultsInOrder(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}})
	s.Fail(slacktest.Fault{Error: "fatal_error", Match: func(c slacktest.Call) bool { return c.Args["text"] == "second" }})
	s.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 2, Error: "internal_error"})
	s.Fail(slacktest.Fault{Times: -1, Error: "service_unavailable"})
	var got []string
	for _, text := range []string{"first", "second", "third", "fourth", "fifth"} {
		got = append(got, call(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": text}).err())
	}
	if want := "internal_error fatal_error internal_error service_unavailable service_unavailable"; strings.Join(got, " ") != want {
		t.Errorf("the answers are %v", got)
	}
	s.ClearFaults()
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "x"})
}

func TestSlowAnswer(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprint("done ", done), func(t *testing.T) {
			s := slacktest.New(t, slacktest.Config{})
			release := make(chan struct{})
			s.Fail(slacktest.Fault{Method: "chat.postMessage", Until: release, Done: done})
			result := make(chan answer)
			go func() {
				a, err := try(s, slacktest.BotToken, "chat.postMessage", args{"channel": slacktest.Ops, "text": "x"})
				if err != nil {
					t.Error(err)
				}
				result <- a
			}()
			if _, err := s.WaitCall(deadline(t), "chat.postMessage", nil); err != nil {
				t.Fatal(err)
			}
			if done {
				if _, err := s.WaitMessage(deadline(t), slacktest.Ops, slacktest.Saying("x")); err != nil {
					t.Error("the work waits for the answer")
				}
			} else if len(s.Messages(slacktest.Ops)) != 0 {
				t.Error("the work does not wait")
			}
			if c := s.Calls("chat.postMessage")[0]; c.Status != 0 {
				t.Errorf("it was answered before it was let go: %+v", c)
			}
			close(release)
			if a := <-result; a.Raw["ok"] != true || len(s.Messages(slacktest.Ops)) != 1 {
				t.Errorf("after it was let go: %v", a.Raw)
			}
		})
	}
}

func TestCloseLetsGo(t *testing.T) {
	s := slacktest.Open(slacktest.Config{})
	s.Fail(slacktest.Fault{Until: make(chan struct{})})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = try(s, slacktest.BotToken, "auth.test", args{}) // cut off or answered
	}()
	if _, err := s.WaitCall(deadline(t), "auth.test", nil); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	<-done
}

func TestLogHasNoSecrets(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "x")
	c.ack(t, c.next(t), nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	must(t, s, "auth.test", args{})
	log, err := json.Marshal(s.Calls(""))
	if err != nil || len(s.Calls("")) != 2 {
		t.Fatal(string(log), err)
	}
	for _, secret := range slacktest.Secrets() {
		if strings.Contains(string(log), secret) {
			t.Errorf("the log shows %s", secret)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}})
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			for j := range 10 {
				a, err := try(s, slacktest.BotToken, "chat.postMessage", args{"channel": slacktest.Ops, "text": fmt.Sprint(i, " ", j)})
				if err != nil || a.err() != "" {
					t.Error(a, err)
				}
				_, _ = s.Messages(slacktest.Ops), s.Calls("")
			}
		})
	}
	work.Wait()
	all := s.Messages(slacktest.Ops)
	for i := 1; i < len(all); i++ {
		if all[i-1].TS >= all[i].TS {
			t.Errorf("%s comes before %s", all[i-1].TS, all[i].TS)
		}
	}
	if len(all) != 80 {
		t.Errorf("%d of 80 messages are there", len(all))
	}
}
