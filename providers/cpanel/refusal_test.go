package cpanel

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
)

// TestRefusedOnce: a refusal, in each of its forms, is remembered for 15 minutes.
func TestRefusedOnce(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"login page with 200": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>cPanel Login</title>")
		},
		"page without a type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "\n <html></html>")
		},
		"401": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"403 with JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"cpanelresult":{"error":"Access denied"}}`)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login/", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newTestHost(t)
			h.mux.HandleFunc("/execute/Tokens/list", handler)
			clock := &clock{at: time.Now()}
			account := h.account()
			account.TokenName = "keepwatch"
			c := testClient(t, account, clock.now)
			for range 5 {
				err := c.uapi(soon(t), "Tokens", "list", nil, nil)
				wants(t, err, keepwatch.KindAttention, "did not take the API token keepwatch of ruthin")
				if !isRefused(err) || isAbsent(err) || mayHaveArrived(err) {
					t.Errorf("not a refusal: %v", err)
				}
				if _, err := c.version(soon(t)); !isRefused(err) {
					t.Errorf("another function was asked for: %v", err)
				}
				clock.add(2 * time.Minute)
			}
			if n := h.count("/"); n != 1 {
				t.Errorf("the host was asked %d times in ten minutes", n)
			}
			clock.add(5 * time.Minute)
			_ = c.uapi(soon(t), "Tokens", "list", nil, nil)
			if n := h.count("/"); n != 2 {
				t.Errorf("the host was asked %d times in a quarter of an hour", n)
			}
		})
	}
}

func TestTransient(t *testing.T) {
	h := newTestHost(t)
	var status atomic.Int64
	h.mux.HandleFunc("/execute/Tokens/list", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	h.mux.HandleFunc("/execute/Backup/fullbackup_to_homedir", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	c := testClient(t, h.account(), nil)
	for _, s := range []int{500, 502, 503, 429, 408} {
		status.Store(int64(s))
		err := c.uapi(soon(t), "Tokens", "list", nil, nil)
		wants(t, err, keepwatch.KindTransient, "HTTP status")
		if isRefused(err) || mayHaveArrived(err) {
			t.Errorf("%d: %v", s, err)
		}
		if err := c.uapi(soon(t), "Backup", "fullbackup_to_homedir", nil, nil); mayHaveArrived(err) != (s != 429) {
			t.Errorf("%d: whether it was started: %v", s, err)
		}
	}
	h.Close()
	err := c.uapi(soon(t), "Backup", "fullbackup_to_homedir", url.Values{"email": {"a@ruthin.example"}}, nil)
	wants(t, err, keepwatch.KindTransient, "takes no connection")
	if mayHaveArrived(err) {
		t.Error("nothing can have arrived")
	}
	if strings.Contains(err.Error(), "ruthin.example") {
		t.Errorf("the address is quoted: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.uapi(ctx, "Tokens", "list", nil, nil); keepwatch.KindOf(err) != keepwatch.KindCancelled {
		t.Errorf("cancelled: %v", err)
	}
}
