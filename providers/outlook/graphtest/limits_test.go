package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConcurrency(t *testing.T) {
	w := newWorld(t, Options{})
	release := w.n.Hold()
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			if r, err := w.try("GET", "mailFolders", ""); err != nil || r.status != 200 {
				t.Errorf("%v %d", err, r.status)
			}
		})
	}
	for w.n.HighWater(ali) < 4 {
		if t.Failed() {
			break
		}
	}
	r := w.want("mailFolders", 429, "ApplicationThrottled") // refused before it is held
	if r.header.Get("Retry-After") != "1" || !strings.Contains(string(r.raw), "MailboxConcurrency") {
		t.Errorf("%v %s", r.header, r.raw)
	}
	release()
	work.Wait()
	w.want("mailFolders", 200, "")
	if w.n.HighWater(ali) != 5 || w.n.Early() != 1 {
		t.Errorf("high water %d, early %d", w.n.HighWater(ali), w.n.Early())
	}
}

// TestWindow: 10,000 requests in 10 minutes are too many if one more comes, and it comes
// to nothing until the oldest has left the window.
func TestWindow(t *testing.T) {
	w := newWorld(t, Options{Limits: Limits{Requests: 10}})
	for range 10 {
		w.want("mailFolders", 200, "")
		w.clock.add(time.Second)
	}
	if r := w.want("mailFolders", 429, "ApplicationThrottled"); r.header.Get("Retry-After") != "590" {
		t.Error(r.header.Get("Retry-After"))
	}
	w.clock.add(591 * time.Second)
	w.want("mailFolders", 200, "")
	w.want("mailFolders", 429, "ApplicationThrottled") // the refused one counts
}

func TestFaults(t *testing.T) {
	w := newWorld(t, Options{})
	i := w.box.Folder("inbox").Message(Message{Subject: "x", Body: strings.Repeat("y", 4000)})
	w.n.Throttle(2, 7*time.Second)
	for range 2 {
		if r := w.want("mailFolders", 429, "ApplicationThrottled"); r.header.Get("Retry-After") != "7" {
			t.Error("no Retry-After")
		}
	}
	if w.n.Early() != 1 {
		t.Errorf("early: %d", w.n.Early())
	}
	w.n.Fail(Fault{Status: 503, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "$value") }})
	w.want("mailFolders", 200, "")
	w.want("messages/"+i.ID(false)+"/$value", 503, "ServiceUnavailable")
	w.n.Fail(Fault{Drop: true})
	r, err := w.try("GET", "messages/"+i.ID(false)+"/$value", "")
	if err == nil || len(r.raw) == 0 {
		t.Errorf("a body of %d bytes was not cut: %v", len(r.raw), err)
	}
	w.n.Fail(Fault{Deny: true, Times: 5}) // net/http asks again by itself
	if _, err := w.try("GET", "mailFolders", ""); err == nil {
		t.Error("there is an answer")
	}
	w.n.Heal()
	w.n.ExpireTokens()
	w.want("mailFolders", 401, "InvalidAuthenticationToken")
	w.token = w.n.Token(appID)
	w.want("mailFolders", 200, "")
	w.clock.add(time.Hour)
	w.want("mailFolders", 401, "InvalidAuthenticationToken")
	if last := w.n.Requests(); last[len(last)-1].Status != 401 || last[0].Code != "ApplicationThrottled" {
		t.Errorf("%+v", last)
	}
}

func batchOf(n int, url string, depends bool) string {
	var parts []map[string]any
	for i := range n {
		p := map[string]any{"id": fmt.Sprint(i), "method": "GET", "url": url}
		if depends && i > 0 {
			p["dependsOn"] = []string{fmt.Sprint(i - 1)}
		}
		parts = append(parts, p)
	}
	data, _ := json.Marshal(map[string]any{"requests": parts})
	return string(data)
}

func TestBatch(t *testing.T) {
	w := newWorld(t, Options{Latency: time.Millisecond})
	i := w.box.Folder("inbox").Message(letter(1))
	value := "/users/" + ali + "/messages/" + i.ID(false) + "/$value"
	post := func(body string) reply {
		t.Helper()
		r, err := w.try("POST", "/$batch", body, "Content-Type: application/json")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	responses := func(r reply) (out []map[string]any) {
		all, _ := r.body["responses"].([]any)
		for _, x := range all {
			out = append(out, x.(map[string]any))
		}
		return out
	}
	all := responses(post(batchOf(20, value, false)))
	if len(all) != 20 || all[0]["id"] != "19" || all[0]["status"] != 200.0 || !strings.HasPrefix(all[0]["body"].(string), "UmVj") {
		t.Errorf("%v", all)
	}
	if w.n.HighWater(ali) > 4 {
		t.Errorf("%d at once", w.n.HighWater(ali))
	}
	if r := post(batchOf(21, value, false)); r.status != 400 || r.code() != "BadRequest" {
		t.Errorf("21 parts: %d %s", r.status, r.raw)
	}
	w.n.Throttle(1, 3*time.Second)
	throttled := 0
	for _, x := range responses(post(batchOf(4, value, false))) {
		if x["status"] == 429.0 && x["headers"].(map[string]any)["Retry-After"] == "3" {
			throttled++
		}
	}
	if throttled != 1 {
		t.Errorf("%d parts were refused", throttled)
	}
	for _, x := range responses(post(batchOf(3, "/users/"+ali+"/messages/nobody", true))) {
		if want := map[string]float64{"0": 404, "1": 424, "2": 424}[x["id"].(string)]; x["status"] != want {
			t.Errorf("%v", x)
		}
	}
}
